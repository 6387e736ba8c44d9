//! Keys and roles.

use serde_json::{Value, json};

use super::{Answer, Caller};
use crate::app::{ADMIN_KEY, TestApp};
use crate::openapi::Contract;

/// What each endpoint asks for, with a request that harms nobody.
fn endpoints() -> Vec<(&'static str, &'static str, &'static str, &'static str, Value)> {
    let nobody = "00000000-0000-7000-8000-000000000000";
    let of_nobody: &'static str = Box::leak(format!("/api/events/{nobody}").into_boxed_str());
    let replay: &'static str = Box::leak(format!("/api/events/{nobody}/replay").into_boxed_str());
    vec![
        ("read", "GET", "/api/events", "/api/events", Value::Null),
        ("read", "GET", "/api/events/{id}", of_nobody, Value::Null),
        ("operate", "POST", "/api/events/{id}/replay", replay, Value::Null),
        (
            "operate",
            "POST",
            "/api/events/replay",
            "/api/events/replay",
            json!({ "filter": { "type": "none" } }),
        ),
        ("read", "GET", "/api/stats", "/api/stats", Value::Null),
        ("read", "GET", "/api/connections", "/api/connections", Value::Null),
        ("admin", "POST", "/api/connections", "/api/connections", json!({})),
        ("read", "GET", "/api/connections/{name}", "/api/connections/my-shop", Value::Null),
        ("admin", "PUT", "/api/connections/{name}", "/api/connections/my-shop", json!({})),
        ("admin", "DELETE", "/api/connections/{name}", "/api/connections/nobody", Value::Null),
        (
            "operate",
            "POST",
            "/api/connections/{name}/resync",
            "/api/connections/nobody/resync",
            json!({ "customer": 1 }),
        ),
        (
            "read",
            "GET",
            "/api/connections/{name}/customers/{customer}",
            "/api/connections/my-shop/customers/42",
            Value::Null,
        ),
        (
            "operate",
            "PUT",
            "/api/connections/{name}/customers/{customer}",
            "/api/connections/nobody/customers/42",
            json!({}),
        ),
        ("admin", "GET", "/api/connections/{name}/code", "/api/connections/my-shop/code", Value::Null),
        ("operate", "POST", "/api/dry-run", "/api/dry-run", json!({})),
        ("read", "GET", "/api/connections/{name}/scopes", "/api/connections/my-shop/scopes", Value::Null),
        ("read", "GET", "/api/catalogue", "/api/catalogue?search=upsert", Value::Null),
        ("read", "GET", "/api/catalogue/{name}", "/api/catalogue/ghl.contact.create", Value::Null),
        ("read", "GET", "/api/routes", "/api/routes", Value::Null),
        ("read", "GET", "/api/routes/{id}/versions", "/api/routes/resync/versions", Value::Null),
        ("admin", "GET", "/api/keys", "/api/keys", Value::Null),
        ("admin", "POST", "/api/keys", "/api/keys", json!({})),
        ("admin", "DELETE", "/api/keys/{id}", "/api/keys/nobody", Value::Null),
    ]
}

async fn ask(caller: &Caller<'_>, method: &str, path: &str, body: &Value) -> Answer {
    caller.call(method, path, Some(body.clone()).filter(|body| !body.is_null())).await
}

/// Makes a key of a role.
async fn make_key(admin: &Caller<'_>, name: &str, role: &str) -> (String, String) {
    let made = admin.call("POST", "/api/keys", Some(json!({ "name": name, "role": role }))).await;
    assert_eq!(made.status, 201, "{made:?}");
    (made.body["id"].as_str().unwrap().into(), made.body["key"].as_str().unwrap().into())
}

#[tokio::test]
async fn each_endpoint_serves_the_roles_that_it_is_meant_for() {
    let app = TestApp::spawn().await;
    let admin = Caller::admin(&app);
    let mut documented = Contract::new().with_a_key();
    let mut tried: Vec<String> =
        endpoints().iter().map(|(_, method, path, ..)| format!("{method} {path}")).collect();
    documented.sort();
    tried.sort();
    assert_eq!(tried, documented, "every documented endpoint that needs a key is tried here");

    let nobody = Caller::with(&app, None);
    let stranger = Caller::with(&app, Some("cbk_stranger".into()));
    for (_, method, template, path, body) in endpoints() {
        for caller in [&nobody, &stranger] {
            let answer = ask(caller, method, path, &body).await;
            assert_eq!((answer.status, answer.code()), (401, "unauthorized"), "{method} {template}");
        }
    }
    let ranks = ["read", "operate", "admin"];
    for (rank, role) in ranks.iter().enumerate() {
        let (_, key) = make_key(&admin, role, role).await;
        let caller = Caller::with(&app, Some(key));
        for (needed, method, template, path, body) in endpoints() {
            let answer = ask(&caller, method, path, &body).await;
            let allowed = ranks.iter().position(|rank| *rank == needed).unwrap() <= rank;
            if allowed {
                assert!(![401, 403].contains(&answer.status), "{method} {template} by {role}: {answer:?}");
            } else {
                assert_eq!(
                    (answer.status, answer.code()),
                    (403, "forbidden"),
                    "{method} {template} by {role}"
                );
                assert!(answer.detail().contains(needed) && answer.detail().contains(role), "{answer:?}");
            }
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_key_counts_only_as_a_bearer_token() {
    let app = TestApp::spawn().await;
    let get = |name: &'static str, value: String| {
        let request = app.http.get(format!("{}/api/stats", app.url)).header(name, value);
        async move { request.send().await.unwrap() }
    };
    assert_eq!(get("authorization", format!("Bearer {ADMIN_KEY}")).await.status(), 200);
    assert_eq!(
        get("authorization", format!("bearer  {ADMIN_KEY}")).await.status(),
        200,
        "the scheme's case does not count"
    );
    for (name, value) in [
        ("authorization", ADMIN_KEY.to_owned()),
        ("authorization", format!("Basic {ADMIN_KEY}")),
        ("authorization", "Bearer ".to_owned()),
        ("authorization", format!("Bearer {}", &ADMIN_KEY[1..])),
        ("x-api-key", ADMIN_KEY.to_owned()),
    ] {
        let answer = get(name, value).await;
        assert_eq!(answer.status(), 401, "{name}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    }
    let in_the_query = app.http.get(format!("{}/api/stats?key={ADMIN_KEY}", app.url)).send().await.unwrap();
    assert_eq!(in_the_query.status(), 401, "keys do not belong into addresses");
    app.end().await;
}

#[tokio::test]
async fn a_key_is_shown_once_and_kept_only_as_its_hash() {
    let app = TestApp::spawn().await;
    let admin = Caller::admin(&app);
    let (id, key) = make_key(&admin, "for the laptop", "operate").await;
    let listed = admin.get("/api/keys").await;
    let item = &listed.body["items"][0];
    assert_eq!(
        (&item["id"], &item["name"], &item["role"]),
        (&json!(id), &json!("for the laptop"), &json!("operate"))
    );
    assert!(item["created_at"].is_string() && item["revoked_at"].is_null());
    assert!(!listed.body.to_string().contains(&key));

    let folder = app.database().parent().unwrap().to_owned();
    let mut searched = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        searched += bytes.len();
        for secret in [key.as_str(), key.strip_prefix("cbk_").unwrap(), ADMIN_KEY] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "a key is in {}", path.display());
        }
    }
    assert!(searched > 10_000, "the database was searched: {searched} bytes");
    app.end().await;
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_any_more() {
    let app = TestApp::spawn().await;
    let admin = Caller::admin(&app);
    let (id, key) = make_key(&admin, "lost", "admin").await;
    let lost = Caller::with(&app, Some(key));
    assert_eq!(lost.get("/api/stats").await.status, 200);
    assert_eq!(admin.call("DELETE", &format!("/api/keys/{id}"), None).await.status, 204);
    assert_eq!(lost.get("/api/stats").await.status, 401, "at once");
    assert!(admin.get("/api/keys").await.body["items"][0]["revoked_at"].is_string());
    assert_eq!(
        admin.call("DELETE", &format!("/api/keys/{id}"), None).await.status,
        204,
        "twice is as good as once"
    );
    let unknown = admin.call("DELETE", "/api/keys/nobody", None).await;
    assert_eq!((unknown.status, unknown.code()), (404, "not-found"));
    app.end().await;
}

#[tokio::test]
async fn a_key_needs_a_role_that_there_is() {
    let app = TestApp::spawn().await;
    let admin = Caller::admin(&app);
    for (body, named) in [
        (json!({ "name": "x", "role": "owner" }), "role"),
        (json!({ "name": "x" }), "role"),
        (json!({ "role": "read" }), "name"),
        (json!({ "name": "x", "role": "read", "admin": true }), "admin"),
        (json!([]), "."),
    ] {
        let answer = admin.call("POST", "/api/keys", Some(body.clone())).await;
        assert_eq!((answer.status, answer.code()), (400, "bad-request"), "{body}");
        assert!(answer.detail().contains(named), "{answer:?}");
    }
    assert_eq!(admin.get("/api/keys").await.body["items"], json!([]));
    app.end().await;
}
