//! Flows that HighLevel's events set off: whom they are about, and what can be done for him.

use serde_json::{Value, json};

use super::Flow;

/// A flow on a new tag: with an operation of the bridge's own, and with a plain call.
const TAGGED: &str = r#"
    [[step]]
    id = "note"
    do = "ghl.note.create"
    with = { body = "{{ contact.id }} is {{ contact.first_name }} and got {{ data.tags | join(', ') }}." }
    [[step]]
    id = "tag"
    do = "ghl.tags.add"
    with = { tags = ["seen"] }
"#;

/// HighLevel tells of tags of a contact; answers the event's id.
async fn tagged(flow: &Flow, contact: &Value) -> String {
    let body = json!({ "id": contact, "tags": ["vip"] });
    let sent = flow
        .app
        .highlevel(json!({ "action": "webhook.send", "type": "ContactTagUpdate", "body": body }))
        .await;
    assert_eq!(sent["delivery"]["status"], 202, "{sent}");
    sent["delivery"]["body"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_event_of_highlevels_is_about_the_customer_who_is_linked_with_its_contact() {
    let flow = Flow::spawn_on("ghl.contact.tag_updated", TAGGED).await;
    let contact = flow.contact.clone();
    let id = tagged(&flow, &contact).await;
    flow.app.until_state(&id, "done").await;
    let contact = contact.as_str().unwrap();
    assert!(flow.notes().contains(&format!("{contact} is Ada and got vip.")), "{:?}", flow.notes());
    assert_eq!(flow.app.tags_of("ada@example.com"), ["cs-cart", "customer", "seen"]);
    let links = flow.app.store.links_of_contact(&"my-shop".parse().unwrap(), &contact.into()).await.unwrap();
    assert!(links[0].tags.contains("seen"), "the tag is the bridge's own: {links:?}");
    flow.app.end().await;
}

#[tokio::test]
async fn of_a_contact_that_is_linked_with_nobody_plain_calls_work_and_what_needs_a_customer_says_so() {
    let mut flow = Flow::spawn_on("ghl.contact.tag_updated", TAGGED).await;
    let there = json!({ "email": "bob@example.com" });
    let made = flow.app.highlevel(json!({ "action": "contact.create", "contact": there })).await;
    let contact = made["contact"]["id"].clone();
    let id = tagged(&flow, &contact).await;
    let event = flow.app.until_state(&id, "dead").await;
    let contact = contact.as_str().unwrap();
    assert_eq!(flow.notes(), [format!("{contact} is  and got vip.")]);
    assert_eq!(event["state_code"], "not-linked");
    let reason = event["state_reason"].as_str().unwrap();
    assert!(
        reason.starts_with(&format!("contact `{contact}` is linked with no customer of the store")),
        "{reason}"
    );
    flow.app.may_have_dead_letters = true;
    flow.app.end().await;
}

#[tokio::test]
async fn a_flow_of_highlevels_that_waits_still_knows_the_customer() {
    let waiting = TAGGED.replace("id = \"tag\"", "id = \"tag\"\ndelay = \"2h\"");
    let flow = Flow::spawn_on("ghl.contact.tag_updated", &waiting).await;
    let id = tagged(&flow, &flow.contact).await;
    flow.app.until_state(&id, "done").await;
    flow.app.clock.advance(std::time::Duration::from_secs(2 * 3600 + 1));
    flow.app
        .until("the tag is there", async || {
            flow.app.tags_of("ada@example.com").contains(&"seen".to_owned()).then_some(())
        })
        .await;
    flow.app.settled().await;
    flow.app.end().await;
}
