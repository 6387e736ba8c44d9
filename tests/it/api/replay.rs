//! Running events again.

use serde_json::{Value, json};

use super::Caller;
use crate::app::{TestApp, ada};

/// What HighLevel says when it takes a contact for wrong.
fn refuse_contacts(app: &TestApp, times: u32) {
    let body = json!({ "statusCode": 422, "message": ["postalCode must be a string"], "error": "Unprocessable Entity" });
    app.fault(json!({ "method": "POST", "path": "/contacts/", "kind": "status", "status": 422, "body": body, "times": times }));
}

async fn register(app: &TestApp, email: &str) -> String {
    let mut user = ada();
    user["email"] = email.into();
    user["phone"] = "".into();
    let made = app.shop(json!({ "action": "customer.register", "user": user })).await;
    made["delivery"]["body"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_dead_letter_goes_on_under_its_id() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    refuse_contacts(&app, 1);
    let id = register(&app, "ada@example.com").await;
    app.until_state(&id, "dead").await;
    let dead = caller.get(&format!("/api/events/{id}")).await.body;
    assert_eq!((&dead["state"], &dead["effects"][0]["state"]), (&json!("dead"), &json!("failed")));
    let answer = caller.call("POST", &format!("/api/events/{id}/replay"), None).await;
    assert_eq!((answer.status, &answer.body["id"]), (202, &json!(id)));
    assert_eq!(answer.body["status_url"], format!("{}/api/events/{id}", app.url));
    app.until_state(&id, "done").await;
    assert_eq!(app.ghl("contacts").len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_finished_event_runs_again_as_a_new_one_that_does_nothing_twice() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    let id = register(&app, "ada@example.com").await;
    app.until_state(&id, "done").await;
    let calls = app.calls().len();
    let answer = caller.call("POST", &format!("/api/events/{id}/replay"), Some(json!({}))).await;
    let again = answer.body["id"].as_str().unwrap().to_owned();
    assert_ne!(again, id);
    let event = app.until_state(&again, "done").await;
    assert_eq!(event["replayed_from"], id);
    assert_eq!(app.calls().len(), calls, "what is done is not done again");
    assert_eq!((app.ghl("contacts").len(), app.ghl("tasks").len()), (1, 1));
    app.end().await;
}

#[tokio::test]
async fn options_and_ids_must_be_right() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    let unknown = caller.call("POST", "/api/events/00000000-0000-7000-8000-000000000000/replay", None).await;
    assert_eq!((unknown.status, unknown.code()), (404, "not-found"));
    for (path, body, named) in [
        ("/api/events/00000000-0000-7000-8000-000000000000/replay", json!({ "forse": true }), "forse"),
        ("/api/events/00000000-0000-7000-8000-000000000000/replay", json!({ "force": "yes" }), "force"),
        ("/api/events/replay", json!({}), "filter"),
        ("/api/events/replay", json!({ "filter": { "stat": "dead" } }), "stat"),
        ("/api/events/replay", json!({ "filter": { "state": "deadd" } }), "deadd"),
        ("/api/events/replay", json!({ "filter": {}, "forse": true }), "forse"),
    ] {
        let answer = caller.call("POST", path, Some(body.clone())).await;
        assert_eq!((answer.status, answer.code()), (400, "bad-request"), "{body}");
        assert!(answer.detail().contains(named), "{answer:?}");
    }
    let no_body = caller.call("POST", "/api/events/replay", None).await;
    assert_eq!((no_body.status, no_body.code()), (400, "bad-request"));
    app.end().await;
}

#[tokio::test]
async fn many_dead_letters_run_again_by_one_filter() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    refuse_contacts(&app, 0);
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(register(&app, &format!("person{number}@example.com")).await);
    }
    for id in &ids {
        app.until_state(id, "dead").await;
    }
    app.sandbox.ghl().clear_faults();
    let bulk = async |filter: Value| -> Value {
        let answer = caller.call("POST", "/api/events/replay", Some(json!({ "filter": filter }))).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.body
    };
    assert_eq!(bulk(json!({ "type": "note.created" })).await, json!({ "replayed": 0, "skipped": 0 }));
    let subject = app.event(&ids[0]).await["subject"].clone();
    assert_eq!(bulk(json!({ "subject": subject })).await, json!({ "replayed": 1, "skipped": 0 }));
    app.until_state(&ids[0], "done").await;
    assert_eq!(app.events("state=dead").await.len(), 3, "and only those that fit");
    assert_eq!(
        bulk(json!({ "connection": "my-shop" })).await,
        json!({ "replayed": 3, "skipped": 0 }),
        "what is dead"
    );
    for id in &ids {
        app.until_state(id, "done").await;
    }
    assert_eq!(app.ghl("contacts").len(), 4);
    app.end().await;
}
