//! Plain calls by the catalogue: what is tried again by itself, and what is not.

use serde_json::{Value, json};

use super::{Flow, effects, pairs};

const CREATE: &str = r#"
    [[step]]
    id = "note"
    do = "ghl.note.create"
    with = { body = "Rang." }
"#;

const ACTION: &str = r#"
    [[step]]
    id = "workflow"
    do = "ghl.contact.add_to_workflow"
    with = { workflowId = "Y2I9XM7aO1hncuSOlc9L" }
"#;

#[tokio::test]
async fn what_reads_or_comes_to_the_same_is_tried_again_by_itself() {
    let mut flow = Flow::spawn(
        r#"
        [[step]]
        id = "read"
        do = "ghl.contact.get"
        [[step]]
        id = "update"
        do = "ghl.contact.update"
        with = { city = "Paris" }
        "#,
    )
    .await;
    for (method, kind) in [("GET", "reset_after"), ("PUT", "reset_before"), ("PUT", "reset_after")] {
        flow.app.fault(json!({ "method": method, "path": "/contacts/*", "kind": kind }));
    }
    let id = flow.ping(json!({})).await;
    let event = flow.app.until_state(&id, "done").await;
    assert_eq!(effects(&event), pairs([("read", "done"), ("update", "done")]));
    assert_eq!(flow.calls().len(), 5);
    assert_eq!(flow.app.ghl("contacts")[0]["city"], "Paris");
    assert_eq!(event["effects"][0]["result"]["contact"]["id"], flow.contact);
    flow.app.end().await;
}

#[tokio::test]
async fn the_plain_call_is_meant_where_the_route_says_so() {
    let mut flow = Flow::spawn(
        r#"
        [[step]]
        id = "own"
        do = "ghl.tags.add"
        with = { tags = ["ours"] }
        [[step]]
        id = "plain"
        do = "ghl.tags.add"
        raw = true
        with = { tags = ["ours"] }
        "#,
    )
    .await;
    let id = flow.ping(json!({})).await;
    flow.app.until_state(&id, "done").await;
    let id = flow.ping(json!({})).await;
    let event = flow.app.until_state(&id, "done").await;
    assert_eq!(
        effects(&event),
        pairs([("own", "skipped"), ("plain", "done")]),
        "only the own one knows that it is there"
    );
    assert_eq!(flow.calls().len(), 3);
    flow.app.end().await;
}

/// A call of which nobody knows whether it arrived is made once, and a person is told; a replay makes it again.
async fn is_told(steps: &str, made: impl Fn(&Flow) -> usize) {
    for (kind, arrived) in [("reset_before", 0), ("reset_after", 1), ("malformed", 1)] {
        let mut flow = Flow::spawn(steps).await;
        flow.app.fault(json!({ "method": "POST", "kind": kind }));
        let id = flow.ping(json!({})).await;
        let event = flow.app.until_state(&id, "dead").await;
        let reason = event["state_reason"].as_str().unwrap();
        assert_eq!(event["state_code"], "may-be-done", "{kind}: {reason}");
        assert!(reason.contains("may have been done") && reason.contains("replay"), "{reason}");
        assert_eq!(event["effects"][0]["state"], "sending", "{kind}");
        assert_eq!((flow.calls().len(), made(&flow)), (1, arrived), "{kind}");

        flow.app.replay(&event).await;
        let event = flow.app.until_state(&id, "done").await;
        assert_eq!(event["effects"][0]["state"], "done");
        assert_eq!((flow.calls().len(), made(&flow)), (2, arrived + 1), "{kind}");
        flow.app.end().await;
    }
}

#[tokio::test]
async fn a_create_of_unknown_outcome_is_for_a_person_to_look_at() {
    is_told(CREATE, |flow| flow.notes().len()).await;
}

#[tokio::test]
async fn an_action_of_unknown_outcome_is_for_a_person_to_look_at() {
    let carried_out = |flow: &Flow| {
        let is_done = |call: &sandbox::Entry| call.path.contains("/workflow/") && call.effect.is_some();
        flow.app.calls().iter().filter(|call| is_done(call)).count()
    };
    is_told(ACTION, carried_out).await;
}

#[tokio::test]
async fn a_second_broken_answer_after_a_replay_is_told_again() {
    let mut flow = Flow::spawn(CREATE).await;
    flow.app.fault(json!({ "method": "POST", "kind": "reset_after", "times": 2 }));
    let id = flow.ping(json!({})).await;
    let event = flow.app.until_state(&id, "dead").await;
    flow.app.replay(&event).await;
    flow.app
        .until("it was sent again and told again", async || {
            let event = flow.app.event(&id).await;
            (flow.calls().len() == 2 && event["state"] == "dead").then_some(())
        })
        .await;
    flow.app.may_have_dead_letters = true;
    flow.app.end().await;
}

#[tokio::test]
async fn a_create_that_highlevel_refuses_is_no_open_question() {
    let mut flow = Flow::spawn(CREATE).await;
    flow.app.fault(json!({ "method": "POST", "kind": "status", "status": 400 }));
    let id = flow.ping(json!({})).await;
    let event = flow.app.until_state(&id, "dead").await;
    assert_ne!(event["state_code"], "may-be-done", "{event}");
    assert_eq!(event["effects"][0]["state"], "failed");
    flow.app.replay(&event).await;
    flow.app.until_state(&id, "done").await;
    assert_eq!(flow.notes().len(), 1);
    flow.app.end().await;
}

#[tokio::test]
async fn without_a_contact_a_call_that_needs_one_waits_for_a_person() {
    let mut flow = Flow::spawn(CREATE).await;
    let stranger: Value = json!({ "user_id": 7001, "email": "bob@example.com" });
    let id = flow.ping_about(&stranger, json!({})).await;
    let event = flow.app.until_state(&id, "dead").await;
    assert_eq!(event["state_code"], "no-contact");
    flow.app.may_have_dead_letters = true;
    flow.app.end().await;
}
