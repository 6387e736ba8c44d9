//! Every kind of fault, seen from a client, and what the journal says of it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, send};

/// The contact with this address in the state.
fn holds(world: &World, email: &str) -> bool {
    world.sandbox.ghl().state()["contacts"].as_array().unwrap().iter().any(|it| it["email"] == email)
}

async fn fault(world: &World, fault: Value) {
    let url = format!("{}/_sandbox/faults", world.sandbox.ghl_url());
    let (status, body) = send(world.http.post(url).json(&fault)).await;
    assert_eq!(status, 204, "{body}");
}

/// Creates a contact, expecting the connection to break; the error with its causes.
async fn broken_create(world: &World, email: &str) -> String {
    let body = json!({ "locationId": world.location(), "email": email });
    let sent = world.ghl_request(Method::POST, "/contacts/").json(&body).send().await;
    let error = match sent {
        Err(error) => error,
        Ok(response) => response.text().await.expect_err("the connection should break"),
    };
    format!("{error:?}")
}

#[tokio::test]
async fn a_reset_before_leaves_nothing_done_and_a_reset_after_leaves_it_done() {
    let world = World::start().await;
    fault(&world, json!({ "kind": "reset_before", "method": "POST", "path": "/contacts/*" })).await;
    assert!(broken_create(&world, "before@deos.com").await.contains("ConnectionReset"));
    assert!(!holds(&world, "before@deos.com"));
    fault(&world, json!({ "kind": "reset_after", "body_contains": "after@deos.com" })).await;
    let (status, _) = world.ghl(Method::GET, "/contacts/none", Value::Null).await;
    assert_eq!(status, 400, "another request passes");
    assert!(broken_create(&world, "after@deos.com").await.contains("ConnectionReset"));
    assert!(holds(&world, "after@deos.com"));
    let journal = world.sandbox.ghl().journal();
    let [before, _, after] = &journal[..] else { panic!("{journal:?}") };
    assert_eq!((before.status, before.fault.as_deref(), &before.effect), (None, Some("reset_before"), &None));
    assert_eq!((after.status, after.fault.as_deref()), (None, Some("reset_after")));
    assert_eq!(after.effect.as_ref().unwrap().kind, "contact.created");
    assert_eq!(after.body["email"], "after@deos.com");
}

#[tokio::test]
async fn a_cut_answer_sends_the_status_and_half_of_the_body() {
    let world = World::start().await;
    fault(&world, json!({ "kind": "cut_answer" })).await;
    let body = json!({ "locationId": world.location(), "email": "cut@deos.com" });
    let response = world.ghl_request(Method::POST, "/contacts/").json(&body).send().await.unwrap();
    assert_eq!(response.status(), 201);
    response.text().await.expect_err("the body is not whole");
    assert!(holds(&world, "cut@deos.com"));
}

#[tokio::test]
async fn a_malformed_answer_has_its_status_but_no_json() {
    let world = World::start().await;
    fault(&world, json!({ "kind": "malformed" })).await;
    let body = json!({ "locationId": world.location(), "email": "broken@deos.com" });
    let (status, body) = world.ghl(Method::POST, "/contacts/", body).await;
    assert_eq!(status, 201);
    assert!(body.is_string(), "not JSON: {body}");
    assert!(holds(&world, "broken@deos.com"));
}

#[tokio::test]
async fn a_status_comes_instead_of_the_answer_with_or_without_the_deed() {
    let world = World::start().await;
    let headers = json!({ "Retry-After": "7" });
    fault(&world, json!([
        { "kind": "status", "status": 503, "headers": headers, "skip": 1 },
        { "kind": "status", "status": 422, "processed": true, "body": { "statusCode": 422, "message": "odd" } },
    ]))
    .await;
    let body = |email: &str| json!({ "locationId": world.location(), "email": email });
    let (status, answer) = world.ghl(Method::POST, "/contacts/", body("done@deos.com")).await;
    assert_eq!((status, &answer), (422, &json!({ "statusCode": 422, "message": "odd" })));
    assert!(holds(&world, "done@deos.com"), "HighLevel's issue 64: 422 and created all the same");
    let response =
        world.ghl_request(Method::POST, "/contacts/").json(&body("not@deos.com")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (503, "7"));
    assert!(response.headers().contains_key("x-ratelimit-remaining"));
    assert!(!holds(&world, "not@deos.com"));
    let listed = world.http.get(format!("{}/_sandbox/faults", world.sandbox.ghl_url()));
    assert_eq!(send(listed).await, (200, json!([])));
}

#[tokio::test]
async fn a_client_that_gives_up_on_a_delay_leaves_it_done_or_not_as_told() {
    let world = World::start().await;
    for (processed, email) in [(true, "done@deos.com"), (false, "never@deos.com")] {
        fault(&world, json!({ "kind": "delay", "ms": 60_000, "processed": processed })).await;
        let body = json!({ "locationId": world.location(), "email": email });
        let request = world.ghl_request(Method::POST, "/contacts/").json(&body);
        let error = request.timeout(Duration::from_millis(200)).send().await.unwrap_err();
        assert!(error.is_timeout());
    }
    let journal =
        crate::world::until(|| Some(world.sandbox.ghl().journal()).filter(|it| it.len() == 2)).await;
    assert!(holds(&world, "done@deos.com") && !holds(&world, "never@deos.com"));
    assert_eq!((journal[0].status, journal[1].status), (Some(201), None));
}

#[tokio::test]
async fn a_wrong_control_request_is_a_problem_that_names_the_right_word() {
    let world = World::start().await;
    for (path, body, right) in [
        ("faults", json!({ "kind": "delai", "ms": 1 }), "delay"),
        ("settings", json!({ "serch_lag_ms": 1 }), "search_lag_ms"),
        ("act", json!({ "action": "contact.craete" }), "contact.create"),
        ("settings", json!({ "strict_rate": "yes" }), "true, false"),
    ] {
        let url = format!("{}/_sandbox/{path}", world.sandbox.ghl_url());
        let response = world.http.post(url).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let problem: Value = response.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(right), "{problem}");
    }
}
