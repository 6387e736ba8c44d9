//! Waiting before a step: nothing else of the customer waits with it, and it outlives the bridge.

use std::time::Duration;

use serde_json::json;

use super::{Flow, effects, pairs};

const WAIT: &str = r#"
    [[step]]
    id = "find"
    do = "ghl.contact.get"
    save_as = "found"
    [[step]]
    id = "later"
    do = "ghl.note.create"
    delay = "3d"
    with = { body = "{{ data.word }} for {{ found.contact.firstName }} after {{ event.type }}" }
    [[step]]
    id = "then"
    do = "ghl.note.create"
    delay = "{{ 60 | times(120) }}"
    with = { body = "and {{ data.word }}" }
"#;

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

#[tokio::test]
async fn the_rest_of_a_route_goes_on_when_its_time_has_come_whether_or_not_the_bridge_ran() {
    let mut flow = Flow::spawn(WAIT).await;
    let id = flow.ping(json!({ "word": "one" })).await;
    let event = flow.app.until_state(&id, "done").await;
    assert_eq!(effects(&event), pairs([("find", "done"), ("later.delay", "done")]));
    assert!(event["effects"][1]["result"]["until"].is_string(), "{event}");
    // The customer is not held up meanwhile.
    flow.app.shop(json!({ "action": "note.add", "user_id": flow.user, "body": "Rang." })).await;
    flow.app.settled().await;
    assert_eq!(flow.notes(), ["Rang."]);

    flow.app.clock.advance(hours(71));
    flow.app.start_again().await;
    assert_eq!(flow.app.store.timers(None, 10).await.unwrap().len(), 1);
    flow.app.stop().await;
    flow.app.clock.advance(hours(2));
    flow.app.start_again().await;
    let first = "one for Ada after cscart.ping";
    flow.app.until("the note is made", async || (flow.notes() == ["Rang.", first]).then_some(())).await;
    flow.app.settled().await;
    let continued = &flow.app.events("type=continued").await[0];
    let continued = flow.app.event(continued["id"].as_str().unwrap()).await;
    assert_eq!(continued["source"], "schedule");
    assert_eq!(effects(&continued), pairs([("later", "done"), ("then.delay", "done")]));

    flow.app.clock.advance(hours(3));
    flow.app.until("the second note is made", async || (flow.notes().len() == 3).then_some(())).await;
    assert_eq!(flow.notes()[1], "and one");
    flow.app.settled().await;
    assert!(flow.app.store.timers(None, 10).await.unwrap().is_empty());
    flow.app.end().await;
}

#[tokio::test]
async fn with_restart_a_newer_event_begins_the_wait_anew() {
    let mut flow = Flow::spawn(&WAIT.replace("delay = \"3d\"", "delay = \"3d\"\nrestart = true")).await;
    flow.ping(json!({ "word": "one" })).await;
    flow.app.settled().await;
    flow.app.clock.advance(hours(48));
    flow.ping(json!({ "word": "two" })).await;
    flow.app.settled().await;
    assert_eq!(flow.app.store.timers(None, 10).await.unwrap().len(), 1, "the earlier one is dropped");
    flow.app.clock.advance(hours(73));
    flow.app.until("the note is made", async || (flow.notes().len() == 1).then_some(())).await;
    assert_eq!(flow.notes(), ["two for Ada after cscart.ping"]);
    flow.app.settled().await;
    flow.app.end().await;
}

#[tokio::test]
async fn a_time_that_has_come_already_holds_nothing_up() {
    let mut flow = Flow::spawn(
        r#"
        [[step]]
        id = "now"
        do = "ghl.note.create"
        delay_until = "{{ data.at }}"
        with = { body = "At once." }
        "#,
    )
    .await;
    let id = flow.ping(json!({ "at": "2020-01-01T00:00:00Z" })).await;
    let event = flow.app.until_state(&id, "done").await;
    assert_eq!(effects(&event), pairs([("now.delay", "done"), ("now", "done")]));
    let id = flow.ping(json!({ "at": "some day" })).await;
    let event = flow.app.until_state(&id, "dead").await;
    let reason = event["state_reason"].as_str().unwrap();
    assert!(reason.starts_with("route `flow`, step `now`: the wait: `some day` is no time"), "{reason}");
    flow.app.may_have_dead_letters = true;
    flow.app.end().await;
}
