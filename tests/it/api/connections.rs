//! Connections: made, shown, changed and removed, without a secret ever being shown.

use serde_json::{Value, json};

use super::{Answer, Caller, definition};
use crate::app::TestApp;

/// Everything in [`definition`] that nobody may see again.
const SECRETS: [&str; 5] = [
    "pit-secret",
    "oauth-secret",
    "key-secret",
    "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
];

/// The definition that is really in use.
async fn stored(app: &TestApp, name: &str) -> Value {
    let all = app.store.connections().await.unwrap().readable;
    let found = all.into_iter().find(|stored| stored.connection.name.as_str() == name);
    found.unwrap().connection.to_stored()
}

#[track_caller]
fn shows_no_secret(answer: &Answer) {
    let text = answer.body.to_string();
    for secret in SECRETS {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn a_connection_is_made_and_shown_without_its_secrets() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    let made = caller.call("POST", "/api/connections", Some(definition("new-shop"))).await;
    assert_eq!(made.status, 201, "{made:?}");
    let shown = caller.get("/api/connections/new-shop").await;
    assert_eq!(shown.body, made.body);
    let view = &shown.body;
    assert_eq!((&view["name"], &view["origin"]), (&json!("new-shop"), &json!("api")));
    assert_eq!((&view["ghl"]["token"], &view["cscart"]["api_key"]), (&json!("(set)"), &json!("(set)")));
    let oauth = &view["ghl"]["oauth"];
    assert_eq!((&oauth["client_id"], &oauth["client_secret"]), (&json!("client"), &json!("(set)")));
    assert_eq!(oauth["scopes"], json!(["contacts.readonly"]), "reading is where it starts");
    assert_eq!(view["cscart"]["webhook_secrets"], json!(["(set)", "(set)"]));
    assert_eq!(view["cscart_webhook_url"], format!("{}/webhooks/cscart/new-shop", app.url));
    assert_eq!(view["ghl_webhook_url"], format!("{}/webhooks/ghl", app.url));
    assert_eq!(view["settings"]["customer_tags"], json!(["cs-cart", "customer"]), "with the defaults");

    let list = caller.get("/api/connections").await;
    let names: Vec<_> =
        list.body["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["my-shop", "new-shop"]);
    for answer in [&made, &shown, &list] {
        shows_no_secret(answer);
    }
    let again = caller.call("POST", "/api/connections", Some(definition("new-shop"))).await;
    assert_eq!((again.status, again.code()), (409, "conflict"));
    shows_no_secret(&again);
    app.end().await;
}

#[tokio::test]
async fn what_is_shown_can_be_sent_back_and_keeps_every_secret() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    caller.call("POST", "/api/connections", Some(definition("new-shop"))).await;
    let before = stored(&app, "new-shop").await;
    let mut shown = caller.get("/api/connections/new-shop").await.body;
    shown["settings"]["default_country"] = json!("US");
    let put = caller.call("PUT", "/api/connections/new-shop", Some(shown)).await;
    assert_eq!(put.status, 200, "{put:?}");
    shows_no_secret(&put);
    let mut expected = before;
    expected["settings"]["default_country"] = json!("US");
    assert_eq!(stored(&app, "new-shop").await, expected);

    let mut changed = definition("new-shop");
    changed["ghl"]["token"] = json!("pit-other");
    changed["cscart"]["api_key"] = json!("(set)");
    changed["cscart"]["webhook_secrets"] = json!(["whsec_bmV3IG5ldyBuZXcgbmV3IG5ldw==", "(set)"]);
    changed["ghl"].as_object_mut().unwrap().remove("oauth");
    let put = caller.call("PUT", "/api/connections/new-shop", Some(changed)).await;
    assert_eq!(put.status, 200, "{put:?}");
    let stored = stored(&app, "new-shop").await;
    assert_eq!((&stored["ghl"]["token"], &stored["ghl"]["oauth"]), (&json!("pit-other"), &Value::Null));
    assert_eq!(stored["cscart"]["api_key"], "key-secret");
    let secrets = json!(["whsec_bmV3IG5ldyBuZXcgbmV3IG5ldw==", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]);
    assert_eq!(
        stored["cscart"]["webhook_secrets"], secrets,
        "the newest of those that were there stays behind the new one"
    );
    app.end().await;
}

#[tokio::test]
async fn a_place_holder_without_a_secret_behind_it_is_refused() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    let mut bare = definition("new-shop");
    bare["ghl"].as_object_mut().unwrap().remove("oauth");
    bare["cscart"].as_object_mut().unwrap().remove("api_key");
    assert_eq!(caller.call("POST", "/api/connections", Some(bare.clone())).await.status, 201);
    let before = stored(&app, "new-shop").await;
    for (pointer, value) in [
        ("/ghl/oauth", json!({ "client_id": "x", "client_secret": "(set)" })),
        ("/cscart/api_key", json!("(set)")),
        ("/cscart/webhook_secrets", json!(["(set)", "(set)", "(set)"])),
    ] {
        let mut given = bare.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        given.pointer_mut(parent).unwrap()[key] = value;
        let put = caller.call("PUT", "/api/connections/new-shop", Some(given.clone())).await;
        assert_eq!((put.status, put.code()), (400, "bad-request"), "{pointer}");
        given["name"] = json!("newer-shop");
        let post = caller.call("POST", "/api/connections", Some(given)).await;
        assert_eq!((post.status, post.code()), (400, "bad-request"), "{pointer}");
        assert!(post.detail().contains("(set)"), "{post:?}");
    }
    let mut token = definition("newer-shop");
    token["ghl"]["token"] = json!("(set)");
    assert_eq!(caller.call("POST", "/api/connections", Some(token)).await.status, 400);
    assert_eq!(stored(&app, "new-shop").await, before);
    app.end().await;
}

#[tokio::test]
async fn a_definition_that_cannot_work_is_refused_with_every_reason() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    let change = |pointer: &str, value: Value| {
        let mut given = definition("new-shop");
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        given.pointer_mut(parent).unwrap()[key] = value;
        given
    };
    for (given, named) in [
        (change("/name", json!("New Shop")), "name"),
        (change("/ghl/lokation_id", json!("x")), "lokation_id"),
        (change("/ghl/location_id", json!("")), "ghl.location_id"),
        (change("/ghl/api_url", json!("services")), "ghl.api_url"),
        (change("/ghl/webhook_public_keys", json!(["no key"])), "ghl.webhook_public_keys"),
        (change("/ghl/oauth/client_id", json!(" ")), "ghl.oauth.client_id"),
        (change("/ghl/oauth/scopes", json!(["contacts.readonly contacts.write"])), "ghl.oauth.scopes"),
        (change("/ghl/oauth/chooser_url", json!("marketplace")), "ghl.oauth.chooser_url"),
        (change("/ghl/oauth/user_type", json!("Agency")), "user_type"),
        (change("/cscart/webhook_secrets", json!([])), "cscart.webhook_secrets"),
        (change("/cscart/webhook_secrets", json!(["hunter2"])), "cscart.webhook_secrets[0]"),
        (change("/settings", json!({ "customer_tags": "vip" })), "settings.customer_tags"),
        (json!([]), "Connection"),
    ] {
        let answer = caller.call("POST", "/api/connections", Some(given.clone())).await;
        assert_eq!((answer.status, answer.code()), (400, "bad-request"), "{given}");
        assert!(answer.detail().contains(named), "{named}: {answer:?}");
        assert!(!answer.detail().contains("hunter2"), "{answer:?}");
        shows_no_secret(&answer);
    }
    let mut twice = change("/ghl/location_id", json!(""));
    twice["cscart"]["url"] = json!("shop");
    let answer = caller.call("POST", "/api/connections", Some(twice)).await;
    assert!(
        answer.detail().contains("ghl.location_id") && answer.detail().contains("cscart.url"),
        "{answer:?}"
    );
    let not_json = caller
        .send("POST", "/api/connections", caller.request("POST", "/api/connections").body("name=x"))
        .await;
    assert_eq!((not_json.status, not_json.code()), (400, "bad-request"));
    assert_eq!(caller.get("/api/connections").await.body["items"].as_array().unwrap().len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_removed_connection_takes_nothing_more_and_its_events_stay() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    caller.call("POST", "/api/connections", Some(definition("new-shop"))).await;
    let resync = json!({ "customer": "customer:7" });
    let accepted = caller.call("POST", "/api/connections/new-shop/resync", Some(resync.clone())).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let renamed = caller.call("PUT", "/api/connections/new-shop", Some(definition("other-shop"))).await;
    assert_eq!((renamed.status, renamed.code()), (400, "bad-request"), "its name is part of its address");

    assert_eq!(caller.call("DELETE", "/api/connections/new-shop", None).await.status, 204);
    for (method, path, body) in [
        ("GET", "/api/connections/new-shop", None),
        ("DELETE", "/api/connections/new-shop", None),
        ("PUT", "/api/connections/new-shop", Some(definition("new-shop"))),
        ("POST", "/api/connections/new-shop/resync", Some(resync)),
        ("GET", "/api/connections/No%20Name", None),
    ] {
        let answer = caller.call(method, path, body).await;
        assert_eq!((answer.status, answer.code()), (404, "not-found"), "{method} {path}");
    }
    let events = app.events("connection=new-shop").await;
    assert_eq!((&events[0]["id"], &events[0]["subject"]), (&accepted.body["id"], &json!("customer:7")));
    app.end().await;
}

#[tokio::test]
async fn a_connection_from_the_file_is_read_only_here() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    let shown = caller.get("/api/connections/my-shop").await.body;
    assert_eq!(shown["origin"], "file");
    let put = caller.call("PUT", "/api/connections/my-shop", Some(definition("my-shop"))).await;
    let delete = caller.call("DELETE", "/api/connections/my-shop", None).await;
    for answer in [put, delete] {
        assert_eq!((answer.status, answer.code()), (409, "conflict"));
        assert!(answer.detail().contains("configuration file"), "{answer:?}");
    }
    assert_eq!(caller.get("/api/connections/my-shop").await.body, shown);
    app.end().await;
}

#[tokio::test]
async fn a_store_without_the_add_on_needs_no_webhook_secret_and_webhooks_for_it_are_refused_in_plain_words() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    let mut given = definition("new-shop");
    given["cscart"]["webhook_secrets"] = json!([]);
    let refused = caller.call("POST", "/api/connections", Some(given.clone())).await;
    assert!(refused.status == 400 && refused.detail().contains("cscart.polling = true"), "{refused:?}");
    given["cscart"]["polling"] = json!(true);
    given["cscart"].as_object_mut().unwrap().remove("webhook_secrets");
    let made = caller.call("POST", "/api/connections", Some(given)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let shown = caller.get("/api/connections/new-shop").await.body;
    assert_eq!((&shown["polling"]["on"], &shown["cscart"]["webhook_secrets"]), (&json!(true), &json!([])));
    let put = caller.call("PUT", "/api/connections/new-shop", Some(shown)).await;
    assert_eq!(put.status, 200, "{put:?}");

    let now = app.clock.now().as_second().to_string();
    let webhook = app.http.post(format!("{}/webhooks/cscart/new-shop", app.url)).body("{}");
    let webhook = webhook.header("webhook-id", "msg_1").header("webhook-timestamp", now);
    let answer = webhook.header("webhook-signature", "v1,bm90IG91cnM=").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "no-webhook-secret");
    assert!(problem["detail"].as_str().unwrap().contains("takes no webhooks"), "{problem}");
    app.end().await;
}
