//! Who may do what: token, version, scopes, location, rate limit.

use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::world::{World, send};

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

#[tokio::test]
async fn what_another_program_uses_is_gone_from_the_budget_of_the_same_app() {
    let world = World::start().await;
    let path = format!("/locations/{}", world.location());
    let act = |action: Value| world.sandbox.ghl().act(action);
    let used = json!({ "action": "rate.consume", "app": "pit", "requests": 98 });
    assert_eq!(act(used).await.unwrap()["remaining"], 2);
    let response = world.ghl_request(Method::GET, &path).send().await.unwrap();
    assert_eq!(response.headers()["x-ratelimit-remaining"], "1");
    assert_eq!(response.headers()["x-ratelimit-daily-remaining"], "199901");
    assert_eq!(world.ghl(Method::GET, &path, Value::Null).await.0, 200);
    assert_eq!(world.ghl(Method::GET, &path, Value::Null).await.0, 429);
    let other = json!({ "action": "rate.consume", "app": "app", "requests": 1 });
    assert_eq!(act(other).await.unwrap()["remaining"], 99, "another app has a budget of its own");
}

#[tokio::test]
async fn near_the_end_of_the_day_its_limit_refuses_and_says_when_it_starts_again() {
    let world = World::start().await;
    let path = format!("/locations/{}", world.location());
    let used = json!({ "action": "rate.consume", "app": "pit", "daily": 199_999 });
    let left = world.sandbox.ghl().act(used).await.unwrap();
    assert_eq!((&left["remaining"], &left["daily_remaining"]), (&json!(100), &json!(1)));
    assert_eq!(world.ghl(Method::GET, &path, Value::Null).await.0, 200);
    let response = world.ghl_request(Method::GET, &path).send().await.unwrap();
    assert_eq!(response.status(), 429);
    let header = |name: &str| response.headers()[name].to_str().unwrap().parse::<u64>().unwrap();
    assert_eq!((header("x-ratelimit-daily-remaining"), header("x-ratelimit-remaining")), (0, 99));
    assert!((1..=86_400_000).contains(&header("x-ratelimit-daily-reset")));
}
