//! The story, scene by scene.

use std::time::Duration;

use serde_json::{Value, json};

use super::stage::{Stage, short};

const NOTE: &str = "Rang about the blue ones; wants them by Friday.";

/// What HighLevel must have made exactly once when the story is over.
pub(super) struct Expected {
    /// Customers by e-mail address, each with the title of the welcome task.
    pub(super) customers: Vec<(&'static str, &'static str)>,
    /// Notes.
    pub(super) notes: Vec<&'static str>,
}

impl Expected {
    pub(super) fn of_the_story() -> Self {
        Self {
            customers: vec![
                ("ada@example.com", "Welcome Ada"),
                ("bob@example.com", "Welcome Bob"),
                ("cleo@example.com", "Welcome Cleo"),
                ("dan@example.com", "Welcome Dan"),
            ],
            notes: vec![NOTE],
        }
    }
}

/// Plays it. What does not hold is noted, and the story goes on.
pub(super) async fn play(stage: &mut Stage) {
    let ada = register(stage).await;
    note(stage, &ada).await;
    burst(stage, &ada).await;
    repeated_delivery(stage).await;
    forged_signature(stage).await;
    bad_weather(stage).await;
    rejected_and_replayed(stage).await;
    killed_in_the_middle(stage).await;
}

/// A customer as the form in the store asks for one.
fn customer(email: &str, first: &str, last: &str, phone: &str) -> Value {
    json!({ "action": "customer.register", "user": {
        "email": email, "firstname": first, "lastname": last, "phone": phone,
        "b_address": "12 St James's Sq", "b_city": "Washington", "b_state": "DC", "b_country": "US", "b_zipcode": "20500",
    } })
}

async fn register(stage: &mut Stage) -> Value {
    stage.timeline.scene("A shopper registers");
    let action = customer("ada@example.com", "Ada", "Lovelace", "(202) 555-0143");
    let made = stage.store("Ada Lovelace makes an account", action).await;
    let event = stage.receipt(&made, 202);
    stage.finish(&event).await;
    let contacts = stage.contacts("ada@example.com");
    let contact = contacts.first().cloned().unwrap_or_default();
    stage.check(contacts.len() == 1, "one contact");
    stage.check(
        contact["city"] == "Washington" && contact["phone"] == "+12025550143",
        "with her address, and her phone as +12025550143",
    );
    stage.check(
        contact["tags"] == json!(["cs-cart", "customer"]),
        "with the tags cs-cart and customer, which set off automations",
    );
    let tasks = stage.held_on("tasks", &contact);
    stage.check(tasks.len() == 1 && tasks[0]["title"] == "Welcome Ada", "one task: \"Welcome Ada\"");
    made["user_id"].clone()
}

async fn note(stage: &mut Stage, user_id: &Value) {
    stage.timeline.scene("The staff add a note");
    let action = json!({ "action": "note.add", "user_id": user_id, "body": NOTE, "author": "Sam" });
    let made = stage.store(&format!("\"{NOTE}\""), action).await;
    let event = stage.receipt(&made, 202);
    stage.finish(&event).await;
    let contact = stage.contacts("ada@example.com").into_iter().next().unwrap_or_default();
    stage.check(stage.held_on("notes", &contact).len() == 1, "the note is on the contact");
}

async fn burst(stage: &mut Stage, user_id: &Value) {
    stage.timeline.scene("Five changes in a row");
    let mut last = String::new();
    for city in ["Oslo", "Paris", "Quito", "Rome", "Seoul"] {
        let action = json!({ "action": "customer.update", "user_id": user_id, "user": { "b_city": city } });
        let made = stage.store(&format!("Ada moves to {city}"), action).await;
        last = stage.receipt(&made, 202);
    }
    let waiting = stage
        .until(|stage| {
            let last = &last;
            async move {
                let event = stage.event(last).await;
                (event["state"] == "folded" || event["state"] == "done").then_some(event)
            }
        })
        .await
        .unwrap_or_default();
    let calls = stage.show_calls();
    stage.check(calls.len() == 1, "one call carries all five");
    let first = waiting["folded_into"].as_str().unwrap_or_default().to_owned();
    stage.check(
        waiting["state"] == "folded",
        &format!("the others say that they went with event {}", short(&first)),
    );
    let contact = stage.contacts("ada@example.com").into_iter().next().unwrap_or_default();
    stage.check(contact["city"] == "Seoul", "the contact has the newest: Seoul");
}

async fn repeated_delivery(stage: &mut Stage) {
    stage.timeline.scene("The store sends the same delivery twice");
    let delivered = stage.sandbox.cscart().deliveries();
    let first = delivered.first().map(|delivery| delivery.webhook_id.clone()).unwrap_or_default();
    let action = json!({ "action": "webhook.redeliver", "webhook_id": first });
    let made = stage.store("once more: Ada makes an account", action).await;
    let event = stage.receipt(&made, 200);
    stage.finish(&event).await;
    stage.check(stage.contacts("ada@example.com").len() == 1, "still one contact, and no call was made");
}

async fn forged_signature(stage: &mut Stage) {
    stage.timeline.scene("Somebody forges a webhook");
    let data = json!({ "user": { "user_id": 666, "email": "mallory@example.com", "firstname": "Mallory" } });
    let action =
        json!({ "action": "webhook.send", "type": "customer.created", "data": data, "sign": "forged" });
    let made = stage.store("\"Mallory has registered\", signed with another secret", action).await;
    stage.receipt(&made, 401);
    let found = stage.api(reqwest::Method::GET, "/api/events?subject=customer:666").await;
    let stored = found["items"].as_array().map_or(1, Vec::len);
    stage.check(
        stored == 0 && stage.contacts("mallory@example.com").is_empty(),
        "refused: nothing is stored, nothing is sent",
    );
}

async fn bad_weather(stage: &mut Stage) {
    stage.timeline.scene("HighLevel answers 429, then 500, then hangs up in the middle of its answer");
    let create = |kind: Value| {
        let mut fault = json!({ "method": "POST", "path": "/contacts/" });
        if let (Some(fault), Value::Object(kind)) = (fault.as_object_mut(), kind) {
            fault.extend(kind);
        }
        fault
    };
    stage.fault(
        "will say: too many requests, in a second again",
        create(json!({
            "kind": "status", "status": 429, "headers": { "retry-after": "1" },
        })),
    );
    stage.fault("will fail with 500", create(json!({ "kind": "status", "status": 500 })));
    stage.fault(
        "will make the contact, and hang up while it answers",
        create(json!({ "kind": "cut_answer" })),
    );
    let made =
        stage.store("Bob Babbage makes an account", customer("bob@example.com", "Bob", "Babbage", "")).await;
    let event = stage.receipt(&made, 202);
    let event = stage.finish(&event).await;
    stage.check(event["state"] == "done", "all ends well");
    let contacts = stage.contacts("bob@example.com");
    stage.check(
        contacts.len() == 1,
        "one contact: after the cut it was looked for, and found, before anything was sent again",
    );
    let tasks = contacts.first().map(|contact| stage.held_on("tasks", contact).len());
    stage.check(tasks == Some(1), "one task");
}

async fn rejected_and_replayed(stage: &mut Stage) {
    stage.timeline.scene("HighLevel rejects a change; a person mends it and replays");
    let made =
        stage.store("Cleo Curie makes an account", customer("cleo@example.com", "Cleo", "Curie", "")).await;
    let event = stage.receipt(&made, 202);
    stage.finish(&event).await;
    let lead = json!({ "action": "contact.create", "contact": { "email": "cleo.curie@example.com", "firstName": "Cleo" } });
    let lead = stage.highlevel("somebody types Cleo in as a lead, with her other address", lead).await;
    let action = json!({ "action": "customer.update", "user_id": made["user_id"], "user": { "email": "cleo.curie@example.com" } });
    let changed = stage.store("Cleo changes to that address", action).await;
    let id = stage.receipt(&changed, 202);
    let event = stage.finish(&id).await;
    stage.check(event["state"] == "dead", "a dead letter, and the reason is plain:");
    let reason = event["state_reason"].as_str().unwrap_or_default().to_owned();
    stage.timeline.says("bridge", &reason);
    stage.check(reason.contains("merge the two contacts"), "it says what to do");
    let lead_id = lead["contact"]["id"].clone();
    let into =
        stage.contacts("cleo@example.com").first().map(|contact| contact["id"].clone()).unwrap_or_default();
    stage
        .highlevel(
            "a person merges the two",
            json!({ "action": "contact.merge", "from": lead_id, "into": into }),
        )
        .await;
    stage.timeline.says("person", "replays the event");
    stage.api(reqwest::Method::POST, &format!("/api/events/{id}/replay")).await;
    let event = stage.finish(&id).await;
    stage.check(event["state"] == "done", "now it is done");
    let contacts = stage.contacts("cleo.curie@example.com");
    stage.check(contacts.len() == 1 && contacts[0]["id"] == into, "her contact has the new address");
}

async fn killed_in_the_middle(stage: &mut Stage) {
    stage.timeline.scene("The bridge is killed (kill -9) in the middle of a create");
    stage.fault(
        "will make the contact at once, and take long to say so",
        json!({
            "method": "POST", "path": "/contacts/", "kind": "delay", "ms": 3000,
        }),
    );
    let made = stage
        .store("Dan Dijkstra makes an account", customer("dan@example.com", "Dan", "Dijkstra", ""))
        .await;
    let event = stage.receipt(&made, 202);
    let sent = stage
        .until(|stage| async move { (!stage.contacts("dan@example.com").is_empty()).then_some(()) })
        .await;
    stage.check(sent.is_some(), "the contact is made, and the bridge does not know it yet");
    stage.timeline.says("somebody", "kill -9");
    if let Err(error) = stage.bridge.kill().await {
        stage.check(false, &error.to_string());
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stage.timeline.says("somebody", "starts it again");
    if let Err(error) = stage.bridge.restart().await {
        stage.check(false, &error.to_string());
    }
    let event = stage.finish(&event).await;
    stage.check(event["state"] == "done", "the event was not lost");
    let contacts = stage.contacts("dan@example.com");
    stage.check(contacts.len() == 1, "one contact: found again, not made again");
    let tasks = contacts.first().map(|contact| stage.held_on("tasks", contact).len());
    stage.check(tasks == Some(1), "and the welcome task, which had not been begun, is there once");
}
