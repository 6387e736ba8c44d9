//! Who may do what: tokens, version, scopes, location, rate limit, OAuth.

use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::world::{Answer, World, send};

async fn token(world: &World, fields: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("client_id", world.ghl["client_id"].as_str().unwrap()),
        ("client_secret", world.ghl["client_secret"].as_str().unwrap()),
    ];
    form.extend_from_slice(fields);
    send(world.http.post(format!("{}/oauth/token", world.sandbox.ghl_url())).form(&form)).await
}

async fn code(world: &World, scopes: &[&str], user_type: &str) -> String {
    let action = json!({ "action": "oauth.authorize", "scopes": scopes, "user_type": user_type });
    world.sandbox.ghl().act(action).await.unwrap()["code"].as_str().unwrap().to_owned()
}

/// `GET` with this bearer token.
async fn get(world: &World, path: &str, bearer: &str) -> Answer {
    let url = format!("{}{path}", world.sandbox.ghl_url());
    send(world.http.get(url).bearer_auth(bearer).header("version", "2021-07-28")).await
}

#[tokio::test]
async fn a_request_without_token_version_scope_or_location_is_refused_in_the_real_words() {
    let world = World::start().await;
    let url = format!("{}/contacts/?locationId={}", world.sandbox.ghl_url(), world.location());
    let bearer = world.ghl["token"].as_str().unwrap();
    let (status, body) =
        send(world.http.get(&url).bearer_auth("pit-nobody").header("version", "2021-07-28")).await;
    assert_eq!((status, &body["error"]), (401, &json!("Unauthorized")));
    let (status, body) = send(world.http.get(&url).bearer_auth(bearer)).await;
    assert_eq!((status, &body["message"]), (401, &json!("version header was not found.")));
    for path in [
        "/contacts/",
        "/contacts/?locationId=elsewhere",
        "/locations/elsewhere",
        "/users/?locationId=elsewhere",
    ] {
        let (status, body) = world.ghl(Method::GET, path, Value::Null).await;
        assert_eq!(
            (status, &body["message"]),
            (403, &json!("The token does not have access to this location.")),
            "{path}"
        );
    }
    let (status, _) = world.ghl(Method::POST, "/contacts/", json!({ "locationId": "elsewhere" })).await;
    assert_eq!(status, 403);
    world.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly"] })).unwrap();
    let (status, body) =
        world.ghl(Method::POST, "/contacts/", json!({ "locationId": world.location() })).await;
    assert_eq!((status, &body["message"]), (401, &json!("The token is not authorized for this scope.")));
    assert_eq!(
        world.ghl(Method::GET, &format!("/contacts/?locationId={}", world.location()), Value::Null).await.0,
        200
    );
}

#[tokio::test]
async fn the_hundred_and_first_request_in_ten_seconds_is_refused_and_the_headers_count_down() {
    let world = World::start().await;
    let path = format!("/locations/{}", world.location());
    for sent in 1..=100_u64 {
        let response = world.ghl_request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let header = |name: &str| response.headers()[name].to_str().unwrap().parse::<u64>().unwrap();
        assert_eq!(header("X-RateLimit-Remaining"), 100 - sent);
        assert_eq!(header("X-RateLimit-Daily-Remaining"), 200_000 - sent);
        assert_eq!((header("X-RateLimit-Max"), header("X-RateLimit-Interval-Milliseconds")), (100, 10_000));
        assert_eq!(header("X-RateLimit-Limit-Daily"), 200_000);
    }
    let (status, body) = world.ghl(Method::GET, &path, Value::Null).await;
    assert_eq!((status, body), (429, json!({ "statusCode": 429, "message": "Too Many Requests" })));
    world.sandbox.ghl().settings(json!({ "rate": { "daily": 100 }, "strict_rate": true })).unwrap();
    world.sandbox.ghl().settings(json!({ "strict_rate": false })).unwrap();
    assert_eq!(world.ghl(Method::GET, &path, Value::Null).await.0, 200);
}

#[tokio::test]
async fn a_refresh_token_is_good_once() {
    let world = World::start().await;
    let code = code(&world, &["contacts.readonly"], "Location").await;
    let by_code = [("grant_type", "authorization_code"), ("code", code.as_str())];
    let (status, first) = token(&world, &by_code).await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(
        (&first["expires_in"], &first["userType"], &first["scope"]),
        (&json!(86_399), &json!("Location"), &json!("contacts.readonly"))
    );
    assert_eq!(
        (&first["locationId"], &first["companyId"]),
        (&world.ghl["location_id"], &world.ghl["company_id"])
    );
    let (status, again) = token(&world, &by_code).await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")), "a code is good once");

    let refresh = first["refresh_token"].as_str().unwrap();
    let by_refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("user_type", "Location")];
    let (status, second) = token(&world, &by_refresh).await;
    assert_eq!(status, 200);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let (status, again) = token(&world, &by_refresh).await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")));
    let journal = world.sandbox.ghl().journal();
    let kinds: Vec<_> = journal.iter().map(|it| it.effect.as_ref().map(|it| it.kind.as_str())).collect();
    assert_eq!(kinds, [Some("token.issued"), None, Some("token.refreshed"), None]);

    let access = second["access_token"].as_str().unwrap();
    let list = format!("/contacts/?locationId={}", world.location());
    assert_eq!(get(&world, &list, access).await.0, 200);
    world.sandbox.ghl().act(json!({ "action": "oauth.expire" })).await.unwrap();
    assert_eq!(get(&world, &list, access).await.0, 401);
    let third =
        [("grant_type", "refresh_token"), ("refresh_token", second["refresh_token"].as_str().unwrap())];
    assert_eq!(token(&world, &third).await.0, 200);
}

#[tokio::test]
async fn the_token_endpoint_takes_a_form_and_lists_what_is_wrong() {
    let world = World::start().await;
    let (status, body) = token(&world, &[]).await;
    assert_eq!(status, 422);
    assert_eq!(body["message"][0], "grant_type must be a valid enum value");
    let url = format!("{}/oauth/token", world.sandbox.ghl_url());
    let json_body = json!({ "grant_type": "refresh_token", "client_id": "x", "client_secret": "y" });
    let (status, body) = send(world.http.post(url).json(&json_body)).await;
    assert_eq!((status, &body["message"][0]), (422, &json!("grant_type must be a valid enum value")));
    let wrong = [("grant_type", "refresh_token"), ("refresh_token", "never issued")];
    assert_eq!(token(&world, &wrong).await.0, 400);
}

#[tokio::test]
async fn a_companys_token_opens_its_locations_and_nothing_of_a_location_itself() {
    let world = World::start().await;
    let code = code(&world, &["oauth.write", "oauth.readonly", "contacts.readonly"], "Company").await;
    let (_, company) =
        token(&world, &[("grant_type", "authorization_code"), ("code", &code), ("user_type", "Company")])
            .await;
    assert_eq!(company["userType"], "Company");
    let access = company["access_token"].as_str().unwrap();
    let list = format!("/contacts/?locationId={}", world.location());
    assert_eq!(get(&world, &list, access).await.0, 401);
    let app = world.ghl["client_id"].as_str().unwrap().split('-').next().unwrap();
    let installed = format!(
        "/oauth/installedLocations?companyId={}&appId={app}",
        world.ghl["company_id"].as_str().unwrap()
    );
    let (status, locations) = get(&world, &installed, access).await;
    assert_eq!((status, &locations["locations"][0]["_id"]), (200, &world.ghl["location_id"]));
    let form = [("companyId", world.ghl["company_id"].as_str().unwrap()), ("locationId", world.location())];
    let request = world.http.post(format!("{}/oauth/locationToken", world.sandbox.ghl_url())).form(&form);
    let (status, opened) = send(request.bearer_auth(access).header("version", "2021-07-28")).await;
    assert_eq!(status, 200, "{opened}");
    assert_eq!(get(&world, &list, opened["access_token"].as_str().unwrap()).await.0, 200);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_world_and_a_reset_brings_it_back() {
    let (one, two) = (World::start().await, World::start().await);
    let other = World::with(Options { seed: 2, ..Options::default() }).await;
    for key in ["location_id", "token", "client_id", "webhook_public_key"] {
        assert_eq!(one.ghl[key], two.ghl[key]);
        assert_ne!(one.ghl[key], other.ghl[key]);
    }
    let first = one.create(json!({ "email": "a@deos.com" })).await;
    one.sandbox.ghl().reset();
    assert!(one.sandbox.ghl().journal().is_empty());
    assert_eq!(one.sandbox.ghl().state()["contacts"], json!([]));
    assert_eq!(one.create(json!({ "email": "a@deos.com" })).await, first);
}
