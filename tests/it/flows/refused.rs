//! What becomes of an event when one of its steps is refused.

use serde_json::json;

use super::{Flow, effects, pairs};

/// Deletes a note that there is not, and makes one.
fn steps(on_error: &str) -> String {
    format!(
        r#"
        [[step]]
        id = "gone"
        do = "ghl.note.delete"
        raw = true
        {on_error}
        with = {{ id = "nosuchnote0000000000" }}
        [[step]]
        id = "note"
        do = "ghl.note.create"
        with = {{ body = "All the same." }}
        "#
    )
}

#[tokio::test]
async fn a_refused_step_stops_the_route_unless_it_says_otherwise() {
    for on_error in ["", "on_error = \"stop\""] {
        let mut flow = Flow::spawn(&steps(on_error)).await;
        let id = flow.ping(json!({})).await;
        let event = flow.app.until_state(&id, "dead").await;
        assert_eq!(event["state_code"], "gone-in-highlevel");
        assert_eq!(effects(&event), pairs([("gone", "failed")]));
        assert_eq!(flow.calls().len(), 1);
        flow.app.may_have_dead_letters = true;
        flow.app.end().await;
    }
}

#[tokio::test]
async fn with_continue_it_goes_on_and_says_without_what() {
    let mut flow = Flow::spawn(&steps("on_error = \"continue\"")).await;
    let id = flow.ping(json!({})).await;
    let event = flow.app.until_state(&id, "done").await;
    let reason = event["state_reason"].as_str().unwrap();
    assert!(reason.starts_with("done without step `gone` of route `flow`: "), "{reason}");
    assert_eq!(effects(&event), pairs([("gone", "failed"), ("note", "done")]));
    assert_eq!(flow.notes(), ["All the same."]);
    flow.app.end().await;
}

#[tokio::test]
async fn with_continue_what_may_pass_is_still_tried_again() {
    let mut flow =
        Flow::spawn(&steps("on_error = \"continue\"").replace("nosuchnote0000000000", "{{ data.note }}"))
            .await;
    let made = flow.app.shop(json!({ "action": "note.add", "user_id": flow.user, "body": "Old." })).await;
    assert_eq!(made["delivery"]["status"], 202);
    flow.app.settled().await;
    let note = flow.app.ghl("notes")[0]["id"].clone();
    flow.app.fault(json!({ "method": "DELETE", "kind": "status", "status": 503 }));
    let id = flow.ping(json!({ "note": note })).await;
    let event = flow.app.until_state(&id, "done").await;
    assert_eq!(effects(&event), pairs([("gone", "done"), ("note", "done")]));
    assert_eq!(flow.notes(), ["All the same."]);
    flow.app.end().await;
}

#[tokio::test]
async fn with_retry_a_refusal_is_tried_again_and_in_the_end_given_up() {
    let mut flow =
        Flow::spawn(&steps("on_error = \"retry\"").replace("nosuchnote0000000000", "{{ data.note }}")).await;
    flow.app.shop(json!({ "action": "note.add", "user_id": flow.user, "body": "Old." })).await;
    flow.app.settled().await;
    let note = flow.app.ghl("notes")[0]["id"].clone();
    let refusal = json!({ "method": "DELETE", "kind": "status", "status": 400, "times": 2 });
    flow.app.fault(refusal);
    let id = flow.ping(json!({ "note": note })).await;
    let event = flow.app.until_state(&id, "done").await;
    assert_eq!(event["effects"][0]["attempts"].as_array().unwrap().len(), 3);

    let id = flow.ping(json!({ "note": "nosuchnote0000000000" })).await;
    let event = flow.app.until_state(&id, "dead").await;
    let reason = event["state_reason"].as_str().unwrap();
    assert!(reason.starts_with("given up after "), "{reason}");
    assert!(event["effects"][0]["attempts"].as_array().unwrap().len() > 3);
    flow.app.may_have_dead_letters = true;
    flow.app.end().await;
}

#[tokio::test]
async fn a_value_that_highlevel_no_longer_has_is_named_before_anything_is_sent_and_the_event_keeps_its_data()
{
    let mut flow = Flow::spawn(
        r#"
        [[step]]
        id = "deal"
        do = "ghl.opportunity.create"
        with = { name = "Deal", pipelineId = "p1", status = "{{ data.status }}" }
        "#,
    )
    .await;
    let id = flow.ping(json!({ "status": "opened" })).await;
    let event = flow.app.until_state(&id, "dead").await;
    assert_eq!(event["state_code"], "route-mistake");
    let reason = event["state_reason"].as_str().unwrap();
    assert_eq!(
        reason,
        "`ghl.opportunity.create` cannot be called so: `status` must be one of `open`, `won`, `lost`, `abandoned`, `all`, and is \
         `opened`. Mend the route, or what it takes the value from, then replay"
    );
    assert_eq!(flow.calls(), [] as [&str; 0]);
    let seq = flow.app.store.event(id.parse().unwrap()).await.unwrap().unwrap().0.seq;
    let payload: serde_json::Value =
        serde_json::from_slice(&flow.app.store.payload(seq).await.unwrap()).unwrap();
    assert_eq!(payload["data"]["status"], "opened", "nothing of it is lost");
    flow.app.may_have_dead_letters = true;
    flow.app.end().await;
}
