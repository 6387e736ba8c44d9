//! Renewing tokens: one at a time, never in a loop, and nothing is lost.

use std::time::Duration;

use serde_json::json;

use super::{connect, connected, expire, refreshes, register, stand};
use crate::app::{TestApp, ada};

/// Tokens are renewed by now although they are still good: less than 5 % of their life ([`super::LIFE`]) is left.
fn nearly_expired(app: &TestApp) {
    app.clock.advance(Duration::from_secs(267));
}

fn person(n: usize) -> serde_json::Value {
    json!({ "email": format!("person{n}@example.com"), "firstname": format!("Person{n}"), "b_country": "US" })
}

async fn gauge(app: &TestApp) -> String {
    let (_, metrics) = app.api("GET", "/metrics", None).await;
    let metrics = metrics.as_str().unwrap().to_owned();
    metrics.lines().find(|line| line.starts_with("cartbridge_connection_connected{")).unwrap().to_owned()
}

#[tokio::test]
async fn a_hundred_events_at_once_on_an_expired_token_renew_it_once() {
    let app = connected().await;
    expire(&app).await;
    for n in 0..100 {
        app.shop(json!({ "action": "customer.register", "user": person(n) })).await;
    }
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 100, "{}", app.story().await);
    assert_eq!(refreshes(&app).len(), 1);
    assert!(app.calls().iter().all(|call| call.status != Some(401)), "and none went out with the old one");
    app.end().await;
}

#[tokio::test]
async fn a_hundred_calls_at_once_on_a_token_that_is_refused_renew_it_once() {
    let app = connected().await;
    // HighLevel has ended it, and the bridge does not know.
    app.highlevel(json!({ "action": "oauth.expire" })).await;
    for n in 0..100 {
        app.shop(json!({ "action": "customer.register", "user": person(n) })).await;
    }
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 100, "each call was made again\n{}", app.story().await);
    assert_eq!(app.ghl("tasks").len(), 100);
    assert_eq!(refreshes(&app).len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_token_that_is_refused_even_when_it_is_new_parks_the_event_and_is_not_renewed_again() {
    let app = connected().await;
    let refused = json!({ "statusCode": 401, "message": "Invalid JWT" });
    app.fault(json!({ "kind": "status", "status": 401, "path": "/contacts/*", "times": 0, "body": refused }));
    let first = register(&app).await;
    let parked = app.until_state(&first, "parked").await;
    assert!(parked["state_reason"].as_str().unwrap().contains("/connect/ghl/my-shop"), "{parked}");
    let attempts = parked["effects"][0]["attempts"].as_array().unwrap().len();
    assert_eq!(attempts, 2, "once, and once again: {parked}");
    for n in 0..5 {
        app.shop(json!({ "action": "customer.register", "user": person(n) })).await;
    }
    app.until("all are parked", async || (app.events("state=parked").await.len() == 6).then_some(())).await;
    assert_eq!(refreshes(&app).len(), 1, "no refresh an event");
    app.sandbox.ghl().clear_faults();
    connect(&app, "").await;
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 6);
    app.end().await;
}

#[tokio::test]
async fn tokens_are_renewed_before_their_end_and_work_goes_on_meanwhile() {
    let app = connected().await;
    nearly_expired(&app);
    app.register(ada()).await;
    assert_eq!(refreshes(&app).len(), 1);
    let grant = app.store.grant_of(&"my-shop".parse().unwrap()).await.unwrap().unwrap().grant;
    assert_eq!(grant.generation, 2);
    assert!(grant.refresh_at() > app.clock.now());
    app.register(person(1)).await;
    assert_eq!(refreshes(&app).len(), 1, "once is enough");
    app.end().await;
}

#[tokio::test]
async fn an_early_refresh_that_fails_disturbs_nothing_and_is_not_repeated_at_once() {
    let app = connected().await;
    nearly_expired(&app);
    app.fault(
        json!({ "kind": "status", "status": 503, "path": "/oauth/token", "headers": { "retry-after": "3" } }),
    );
    for n in 0..10 {
        app.register(person(n)).await;
    }
    assert_eq!(app.ghl("contacts").len(), 10);
    assert_eq!(refreshes(&app).len(), 1, "the old token is still good: no hurry");
    assert_eq!(stand(&app).await["status"], "connected");
    app.clock.advance(Duration::from_secs(4));
    app.register(person(11)).await;
    assert_eq!(refreshes(&app).iter().map(|call| call.status).collect::<Vec<_>>(), [Some(503), Some(200)]);
    app.end().await;
}

#[tokio::test]
async fn while_highlevel_gives_no_tokens_events_wait_and_then_go_on() {
    let app = connected().await;
    expire(&app).await;
    app.fault(
        json!({ "kind": "status", "status": 503, "path": "/oauth/token", "headers": { "retry-after": "0" } }),
    );
    app.fault(
        json!({ "kind": "status", "status": 429, "path": "/oauth/token", "headers": { "retry-after": "0" } }),
    );
    app.fault(json!({ "kind": "reset_before", "path": "/oauth/token" }));
    let id = register(&app).await;
    let done = app.until_state(&id, "done").await;
    assert_eq!(done["tries"], 0, "it is not the event's fault: {done}");
    assert_eq!(refreshes(&app).len(), 4);
    assert_eq!(app.ghl("contacts").len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_refresh_that_was_cut_off_is_tried_once_more_and_then_a_person_is_asked() {
    let app = connected().await;
    expire(&app).await;
    app.fault(json!({ "kind": "reset_after", "path": "/oauth/token" }));
    let id = register(&app).await;
    let parked = app.until_state(&id, "parked").await;
    let reason = parked["state_reason"].as_str().unwrap();
    assert!(reason.contains("cut off") && reason.contains("/connect/ghl/my-shop"), "{reason}");
    assert_eq!(refreshes(&app).len(), 2, "once more, and no more");
    let view = stand(&app).await;
    assert_eq!(view["status"], "disconnected");
    assert!(view["status_reason"].as_str().unwrap().contains("only once"), "{view}");
    assert!(gauge(&app).await.ends_with(" 0"));

    for n in 0..3 {
        app.shop(json!({ "action": "customer.register", "user": person(n) })).await;
    }
    app.until("all are parked", async || (app.events("state=parked").await.len() == 4).then_some(())).await;
    assert_eq!(refreshes(&app).len(), 2, "nothing is asked any more");

    connect(&app, "").await;
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 4, "{}", app.story().await);
    assert_eq!(stand(&app).await["status"], "connected");
    assert!(gauge(&app).await.ends_with(" 1"));
    app.end().await;
}

#[tokio::test]
async fn a_refresh_that_was_cut_off_before_highlevel_got_it_costs_nothing() {
    let app = connected().await;
    expire(&app).await;
    app.fault(json!({ "kind": "reset_before", "path": "/oauth/token" }));
    let id = register(&app).await;
    app.until_state(&id, "done").await;
    assert_eq!(stand(&app).await["status"], "connected");
    app.end().await;
}

#[tokio::test]
async fn a_refresh_answered_with_half_a_body_or_without_tokens_ends_in_a_clear_state() {
    for fault in [
        json!({ "kind": "cut_answer", "path": "/oauth/token" }),
        json!({ "kind": "malformed", "path": "/oauth/token" }),
        json!({ "kind": "status", "status": 200, "processed": true, "path": "/oauth/token", "body": { "token_type": "Bearer" } }),
    ] {
        let app = connected().await;
        expire(&app).await;
        app.fault(fault.clone());
        let id = register(&app).await;
        app.until_state(&id, "parked").await;
        assert_eq!(stand(&app).await["status"], "disconnected", "{fault}");
        assert_eq!(refreshes(&app).len(), 2, "{fault}");
        app.end().await;
    }
}

#[tokio::test]
async fn a_slow_answer_with_tokens_is_waited_for_longer_than_any_other() {
    let app = connected().await;
    expire(&app).await;
    // Longer than a call may take here (`engine.call_timeout_ms`).
    app.fault(json!({ "kind": "delay", "ms": 2500, "path": "/oauth/token" }));
    let id = register(&app).await;
    app.until_state(&id, "done").await;
    assert_eq!(refreshes(&app).len(), 1);
    app.end().await;
}

#[tokio::test]
async fn answers_that_never_hold_tokens_are_not_asked_for_in_a_loop() {
    let app = connected().await;
    expire(&app).await;
    let body = json!({ "token_type": "Bearer" });
    app.fault(json!({ "kind": "status", "status": 200, "times": 0, "path": "/oauth/token", "body": body }));
    let id = register(&app).await;
    let parked = app.until_state(&id, "parked").await;
    assert!(parked["state_reason"].as_str().unwrap().contains("access_token"), "{parked}");
    assert_eq!(refreshes(&app).len(), 2);
    app.end().await;
}

#[tokio::test]
async fn a_refused_refresh_disconnects_at_once_whatever_its_words() {
    for (status, body) in [
        (
            400,
            json!({ "error": "invalid_grant", "error_description": "Invalid grant: refresh token is invalid" }),
        ),
        (401, json!({ "error": "invalid_grant" })),
        (400, json!({ "statusCode": 400, "message": "Invalid refresh token", "error": "Bad Request" })),
        (401, json!({ "statusCode": 401, "message": "Invalid token" })),
    ] {
        let app = connected().await;
        expire(&app).await;
        app.fault(
            json!({ "kind": "status", "status": status, "path": "/oauth/token", "body": body, "times": 0 }),
        );
        let id = register(&app).await;
        let parked = app.until_state(&id, "parked").await;
        assert!(parked["state_reason"].as_str().unwrap().contains("Connect again"), "{parked}");
        assert_eq!(refreshes(&app).len(), 1, "{body}");
        app.sandbox.ghl().clear_faults();
        connect(&app, "").await;
        app.until_state(&id, "done").await;
        app.end().await;
    }
}

#[tokio::test]
async fn a_refused_client_secret_uses_nothing_up_and_the_right_one_sets_all_going() {
    let app = connected().await;
    expire(&app).await;
    let rotated = app.highlevel(json!({ "action": "oauth.rotate_secret" })).await;
    let secret = rotated["client_secret"].as_str().unwrap().to_owned();
    let id = register(&app).await;
    let parked = app.until_state(&id, "parked").await;
    let reason = parked["state_reason"].as_str().unwrap();
    assert!(reason.contains("ghl.oauth.client_secret"), "{reason}");
    assert_eq!(stand(&app).await["status"], "disconnected");
    for n in 0..3 {
        app.shop(json!({ "action": "customer.register", "user": person(n) })).await;
    }
    app.until("all are parked", async || (app.events("state=parked").await.len() == 4).then_some(())).await;
    assert_eq!(refreshes(&app).len(), 1, "the same secret is not sent again");

    let mut app = app;
    let old = app.sandbox.announcement()["ghl"]["client_secret"].as_str().unwrap().to_owned();
    app.edit_config(|text| {
        text.replace(&format!("client_secret = \"{old}\""), &format!("client_secret = \"{secret}\""))
    });
    app.start_again().await;
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 4, "{}", app.story().await);
    assert_eq!(refreshes(&app).len(), 2, "no person had to connect again");
    assert_eq!(stand(&app).await["status"], "connected");
    app.end().await;
}

#[tokio::test]
async fn a_database_from_yesterday_ends_in_a_clear_state_and_a_new_connect() {
    let mut app = connected().await;
    app.close().await;
    let (database, backup) = (app.database(), app.database().with_extension("backup"));
    std::fs::copy(&database, &backup).unwrap();
    app.start_again().await;
    expire(&app).await;
    app.register(ada()).await;
    assert_eq!(refreshes(&app).len(), 1);

    app.close().await;
    std::fs::copy(&backup, &database).unwrap();
    app.start_again().await;
    let id = {
        let made = app.shop(json!({ "action": "customer.register", "user": person(1) })).await;
        made["delivery"]["body"]["id"].as_str().unwrap().to_owned()
    };
    let parked = app.until_state(&id, "parked").await;
    let reason = parked["state_reason"].as_str().unwrap();
    assert!(reason.contains("backed up") && reason.contains("Connect again"), "{reason}");
    assert_eq!(refreshes(&app).len(), 2);
    connect(&app, "").await;
    app.until_state(&id, "done").await;
    app.end().await;
}

#[tokio::test]
async fn an_uninstall_disconnects_and_a_new_install_goes_on() {
    let app = connected().await;
    app.highlevel(json!({ "action": "oauth.uninstall" })).await;
    let view = stand(&app).await;
    assert_eq!(view["status"], "disconnected", "{view}");
    assert!(view["status_reason"].as_str().unwrap().contains("uninstalled"), "{view}");
    let id = register(&app).await;
    app.until_state(&id, "parked").await;
    assert_eq!(refreshes(&app).len(), 0, "nothing is asked");
    connect(&app, "").await;
    app.until_state(&id, "done").await;
    assert_eq!(stand(&app).await["status"], "connected");
    // The same delivery again is about the old installation.
    let uninstalled =
        app.sandbox.ghl().deliveries().into_iter().find(|delivery| delivery.kind == "UNINSTALL").unwrap();
    app.highlevel(json!({ "action": "webhook.redeliver", "webhook_id": uninstalled.webhook_id })).await;
    assert_eq!(stand(&app).await["status"], "connected");
    app.end().await;
}
