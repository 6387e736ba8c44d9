//! What goes wrong on the way to HighLevel: nothing is lost, nothing is done twice.

mod contact;
mod late;

use serde_json::{Value, json};

use crate::app::{TestApp, ada};

/// Every way in which an answer can fail to arrive, and what has happened by then.
fn faults() -> Vec<(&'static str, Value)> {
    vec![
        ("429", json!({ "kind": "status", "status": 429, "headers": { "retry-after": "0" } })),
        ("500 before processing", json!({ "kind": "status", "status": 500 })),
        ("502 after processing", json!({ "kind": "status", "status": 502, "processed": true })),
        (
            "422 after processing",
            json!({ "kind": "status", "status": 422, "processed": true, "body": { "statusCode": 422, "message": "Unprocessable Entity", "error": "Unprocessable Entity" } }),
        ),
        ("reset before", json!({ "kind": "reset_before" })),
        ("reset after", json!({ "kind": "reset_after" })),
        ("half an answer", json!({ "kind": "cut_answer" })),
        ("broken JSON", json!({ "kind": "malformed" })),
        ("slower than our timeout, done", json!({ "kind": "delay", "ms": 2500 })),
    ]
}

fn on(path: &str, mut fault: Value) -> Value {
    fault["method"] = json!("POST");
    fault["path"] = json!(path);
    fault
}

fn person(n: usize) -> Value {
    json!({ "email": format!("person{n}@example.com"), "firstname": format!("Person{n}"), "b_country": "US" })
}

#[tokio::test]
async fn a_contact_is_created_exactly_once_whatever_goes_wrong() {
    let app = TestApp::spawn().await;
    for (n, (what, fault)) in faults().into_iter().enumerate() {
        app.fault(on("/contacts/", fault));
        app.register(person(n)).await;
        let made =
            app.ghl("contacts").iter().filter(|contact| contact["firstName"] == format!("Person{n}")).count();
        assert_eq!(made, 1, "{what}\n{}", app.story().await);
    }
    assert_eq!(app.ghl("tasks").len(), faults().len(), "each is welcomed once");
    app.end().await;
}

#[tokio::test]
async fn a_task_is_created_exactly_once_whatever_goes_wrong() {
    let app = TestApp::spawn().await;
    for (n, (what, fault)) in faults().into_iter().enumerate() {
        app.fault(on("/contacts/*/tasks", fault));
        app.register(person(n)).await;
        let made =
            app.ghl("tasks").iter().filter(|task| task["title"] == format!("Welcome Person{n}")).count();
        assert_eq!(made, 1, "{what}\n{}", app.story().await);
    }
    app.end().await;
}

#[tokio::test]
async fn a_note_is_created_exactly_once_whatever_goes_wrong() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    for (n, (what, fault)) in faults().into_iter().enumerate() {
        app.fault(on("/contacts/*/notes", fault));
        app.shop(json!({ "action": "note.add", "user_id": id, "body": format!("Note {n}") })).await;
        app.settled().await;
        let made = app.ghl("notes").iter().filter(|note| note["bodyText"] == format!("Note {n}")).count();
        assert_eq!(made, 1, "{what}\n{}", app.story().await);
    }
    app.end().await;
}

#[tokio::test]
async fn a_note_like_one_that_is_there_is_not_taken_for_it_after_a_broken_connection() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    app.shop(json!({ "action": "note.add", "user_id": id, "body": "Rang." })).await;
    app.settled().await;
    app.fault(on("/contacts/*/notes", json!({ "kind": "reset_before" })));
    app.shop(json!({ "action": "note.add", "user_id": id, "body": "Rang." })).await;
    app.settled().await;
    assert_eq!(app.ghl("notes").len(), 2);
    app.end().await;
}

#[tokio::test]
async fn two_notes_that_say_the_same_are_two_even_when_both_calls_break() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    for (n, (what, fault)) in faults().into_iter().enumerate() {
        app.fault(on("/contacts/*/notes", fault.clone()));
        app.fault(on("/contacts/*/notes", fault));
        for _ in 0..2 {
            // HighLevel gives the words without the markup.
            let body = format!("Bought <b>{n}</b>! 5 &amp;lt; 6 &amp; \u{201c}more\u{201d}.");
            app.shop(json!({ "action": "note.add", "user_id": id, "body": body })).await;
        }
        app.settled().await;
        assert_eq!(app.ghl("notes").len(), 2 * (n + 1), "{what}\n{}", app.story().await);
    }
    app.end().await;
}

#[tokio::test]
async fn a_replay_at_once_does_not_overtake_a_call_that_may_be_under_way() {
    let settings = crate::app::QUICK.replace("settle_ms = 100", "settle_ms = 1500");
    let options = sandbox::Options { strict_rate: false, ..sandbox::Options::default() };
    let app = TestApp::spawn_with(options, &settings).await;
    app.fault(on("/contacts/*/tasks", json!({ "kind": "delay", "ms": 2500 })));
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    let event = app.until_state(made["delivery"]["body"]["id"].as_str().unwrap(), "waiting").await;
    let broke = app.clock.now();
    app.replay(&event).await;
    app.settled().await;
    let calls = app.calls();
    let look = calls.iter().find(|call| call.method == "GET").unwrap();
    let waited = look.at.parse::<jiff::Timestamp>().unwrap().duration_since(broke).as_millis();
    assert!(waited > 1000, "it looked after {waited} ms");
    assert_eq!(app.ghl("tasks").len(), 1);
    app.end().await;
}

#[tokio::test]
async fn retry_after_wins_over_our_own_delay() {
    let app = TestApp::spawn().await;
    app.fault(on(
        "/contacts/",
        json!({ "kind": "status", "status": 503, "headers": { "retry-after": "3600" } }),
    ));
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    let event = app.until_state(made["delivery"]["body"]["id"].as_str().unwrap(), "waiting").await;
    let at: jiff::Timestamp = event["next_attempt_at"].as_str().unwrap().parse().unwrap();
    let seconds = at.duration_since(app.clock.now()).as_secs();
    assert!((3500..=3600).contains(&seconds), "{seconds}");
    assert!(event["state_reason"].as_str().unwrap().contains("503"), "{event}");
    // A person need not wait that long.
    app.replay(&event).await;
    app.until_state(event["id"].as_str().unwrap(), "done").await;
    assert_eq!(app.ghl("contacts").len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_poisoned_event_blocks_nobody_else() {
    let mut app = TestApp::spawn().await;
    app.may_have_dead_letters = true;
    let mut poison = on("/contacts/", json!({ "kind": "status", "status": 500, "times": 0 }));
    poison["body_contains"] = json!("person0@example.com");
    app.fault(poison);
    app.shop(json!({ "action": "customer.register", "user": person(0) })).await;
    for n in 1..=20 {
        app.shop(json!({ "action": "customer.register", "user": person(n) })).await;
    }
    app.until("all others are contacts", async || (app.ghl("contacts").len() == 20).then_some(())).await;
    app.end().await;
}

#[tokio::test]
async fn what_fails_for_good_is_a_dead_letter_with_advice_and_a_replay_finishes_it() {
    let mut app = TestApp::spawn().await;
    app.may_have_dead_letters = true;
    let refusal = json!({ "statusCode": 422, "message": ["postalCode must be a string"], "error": "Unprocessable Entity" });
    app.fault(on("/contacts/", json!({ "kind": "status", "status": 422, "body": refusal })));
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    let id = made["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    let dead = app.until_state(&id, "dead").await;
    let reason = dead["state_reason"].as_str().unwrap();
    assert!(reason.contains("postalCode must be a string") && reason.contains("replay"), "{reason}");
    app.replay(&dead).await;
    let done = app.until_state(&id, "done").await;
    assert_eq!(app.ghl("contacts").len(), 1);
    assert_eq!(done["effects"][0]["attempts"][0]["status"], 422);
    app.end().await;
}

#[tokio::test]
async fn a_replay_repeats_nothing_that_is_done_unless_it_is_forced() {
    let app = TestApp::spawn().await;
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    app.settled().await;
    let event = app.event(made["delivery"]["body"]["id"].as_str().unwrap()).await;
    let before = app.calls().len();
    let again = app.replay(&event).await;
    let again = app.until_state(&again, "done").await;
    assert_eq!(again["replayed_from"], event["id"]);
    assert_eq!(app.calls().len(), before, "nothing was called");

    let path = format!("/api/events/{}/replay", event["id"].as_str().unwrap());
    let (status, accepted) = app.api("POST", &path, Some(json!({ "force": true }))).await;
    assert_eq!(status, 202);
    app.until_state(accepted["id"].as_str().unwrap(), "done").await;
    let names = app.call_names();
    assert_eq!(names[before..], ["PUT /contacts/*", "POST /contacts/*/tasks"], "both steps again");
    assert_eq!(app.ghl("contacts").len(), 1, "but never a second contact");
    app.end().await;
}

#[tokio::test]
async fn a_refused_token_parks_the_events_and_a_new_one_sets_them_going() {
    let app = TestApp::spawn().await;
    let announcement = app.sandbox.announcement();
    let (ghl, cscart) = (&announcement["ghl"], &announcement["cscart"]);
    let connection = |token: &Value| {
        json!({
            "name": "second-shop",
            "ghl": { "location_id": ghl["location_id"], "token": token, "api_url": ghl["url"], "webhook_public_keys": [ghl["webhook_public_key"]] },
            "cscart": { "url": cscart["url"], "webhook_secrets": [cscart["webhook_secret"]] },
        })
    };
    let (status, answer) = app.api("POST", "/api/connections", Some(connection(&json!("pit-wrong")))).await;
    assert_eq!(status, 201, "{answer}");
    app.sandbox.cscart().settings(json!({ "connection": "second-shop" })).unwrap();
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    let id = made["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    let parked = app.until_state(&id, "parked").await;
    assert!(parked["state_reason"].as_str().unwrap().contains("token"), "{parked}");
    let (status, answer) =
        app.api("PUT", "/api/connections/second-shop", Some(connection(&ghl["token"]))).await;
    assert_eq!(status, 200, "{answer}");
    app.until_state(&id, "done").await;
    assert_eq!(app.ghl("contacts").len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_missing_scope_parks_the_event_and_names_the_scope() {
    let mut app = TestApp::spawn().await;
    app.may_have_dead_letters = true;
    app.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly"] })).unwrap();
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    let event = app.until_state(made["delivery"]["body"]["id"].as_str().unwrap(), "parked").await;
    assert!(event["state_reason"].as_str().unwrap().contains("needs scope contacts.write"), "{event}");
    app.end().await;
}

#[tokio::test]
async fn the_rate_limit_is_kept_without_a_single_429() {
    let options = sandbox::Options { strict_rate: true, ..sandbox::Options::default() };
    let app = TestApp::spawn_with(options, crate::app::QUICK).await;
    app.sandbox.ghl().settings(json!({ "rate": { "max": 10, "interval_ms": 500 } })).unwrap();
    for n in 0..20 {
        app.shop(json!({ "action": "customer.register", "user": person(n) })).await;
    }
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 20);
    let refused = app.calls().iter().filter(|call| call.status == Some(429)).count();
    assert_eq!(refused, 0, "also while no answer has said yet that the limit is lower than documented");
    assert_eq!(app.ghl("tasks").len(), 20);
    app.end().await;
}
