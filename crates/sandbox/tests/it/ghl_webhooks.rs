//! GHL's webhooks: signature, envelope, and repeats on 429 only.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey, pkcs8::DecodePublicKey as _};
use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::world::{Received, Receiver, World, until};

async fn listening(receiver: &Receiver) -> World {
    World::with(Options {
        deliver_to: Some(receiver.url.clone()),
        retry_429: Duration::from_millis(5),
        ..Options::default()
    })
    .await
}

fn verified(world: &World, webhook: &Received) -> bool {
    let key = VerifyingKey::from_public_key_pem(world.ghl["webhook_public_key"].as_str().unwrap()).unwrap();
    let Some(Ok(bytes)) = webhook.header("x-ghl-signature").map(|it| STANDARD.decode(it)) else {
        return false;
    };
    let Ok(signature) = Signature::from_slice(&bytes) else { return false };
    key.verify(&webhook.raw, &signature).is_ok()
}

async fn act(world: &World, action: Value) -> Value {
    world.sandbox.ghl().act(action).await.unwrap()
}

#[tokio::test]
async fn changes_by_people_and_through_the_api_are_told_signed_and_in_their_envelope() {
    let receiver = Receiver::start(&[200]).await;
    let world = listening(&receiver).await;
    let made = act(
        &world,
        json!({ "action": "contact.create", "contact": { "name": "Rosan Deo", "email": "rosan@deos.com" } }),
    )
    .await;
    assert_eq!(made["delivery"]["status"], 200);
    assert_eq!(made["delivery"]["body"]["id"], "evt");
    let webhook = receiver.wait_for("ContactCreate").await;
    assert_eq!(webhook.path, "/webhooks/ghl");
    assert!(verified(&world, &webhook));
    let body = webhook.body();
    assert_eq!(body["webhookId"], made["delivery"]["webhook_id"]);
    assert_eq!(body["locationId"], world.ghl["location_id"]);
    assert_eq!(body["companyId"], world.ghl["company_id"]);
    assert!(world.ghl["client_id"].as_str().unwrap().starts_with(body["appId"].as_str().unwrap()));
    assert_eq!((&body["email"], &body["attachments"]), (&json!("rosan@deos.com"), &json!([])));

    let id = made["contact"]["id"].as_str().unwrap();
    world
        .ghl(
            Method::PUT,
            &format!("/contacts/{id}"),
            json!({ "city": "Dolomite", "tags": ["vip"], "dnd": true }),
        )
        .await;
    for kind in ["ContactUpdate", "ContactTagUpdate", "ContactDndUpdate"] {
        assert_eq!(receiver.wait_for(kind).await.body()["tags"], json!(["vip"]));
    }
    world.ghl(Method::POST, &format!("/contacts/{id}/notes"), json!({ "body": "<b>hi</b>" })).await;
    let note = receiver.wait_for("NoteCreate").await.body();
    assert_eq!((&note["contactId"], &note["body"]), (&json!(id), &json!("<b>hi</b>")));
    assert!(note.get("title").is_none() && note.get("bodyText").is_none(), "HighLevel's issue 312");
    act(&world, json!({ "action": "task.create", "contact_id": id, "title": "Call", "body": "soon" })).await;
    let task = receiver.wait_for("TaskCreate").await.body();
    assert!(task.get("contactId").is_none() && task.get("body").is_none(), "HighLevel's issue 332");
    world.ghl(Method::DELETE, &format!("/contacts/{id}"), Value::Null).await;
    receiver.wait_for("ContactDelete").await;
}

#[tokio::test]
async fn an_update_that_changes_nothing_is_not_told() {
    let receiver = Receiver::start(&[200]).await;
    let world = listening(&receiver).await;
    let id = world.create(json!({ "email": "a@deos.com", "city": "Dolomite" })).await;
    world.ghl(Method::PUT, &format!("/contacts/{id}"), json!({ "city": "Dolomite" })).await;
    assert_eq!(world.sandbox.ghl().journal()[1].effect, None);
    world.ghl(Method::PUT, &format!("/contacts/{id}"), json!({ "city": "Berlin" })).await;
    receiver.wait_for("ContactUpdate").await;
    assert_eq!(world.sandbox.ghl().deliveries().len(), 2);
}

#[tokio::test]
async fn a_429_is_repeated_with_the_same_id_and_timestamp_six_times_at_most() {
    let receiver = Receiver::start(&[429, 429, 200]).await;
    let world = listening(&receiver).await;
    let made = act(&world, json!({ "action": "contact.create", "contact": { "email": "a@deos.com" } })).await;
    assert_eq!(made["delivery"]["status"], 429, "the first attempt");
    let received = until(|| Some(receiver.received()).filter(|it| it.len() == 3)).await;
    assert!(received.iter().all(|it| it.raw == received[0].raw && verified(&world, it)));
    let delivery = until(|| world.sandbox.ghl().deliveries().into_iter().find(|it| it.delivered)).await;
    assert_eq!(delivery.attempts.len(), 3);

    receiver.answer(&[429]);
    act(&world, json!({ "action": "contact.create", "contact": { "email": "b@deos.com" } })).await;
    let given_up = until(|| {
        world.sandbox.ghl().deliveries().into_iter().find(|it| it.attempts.len() == 7 && it.next_at.is_none())
    })
    .await;
    assert!(!given_up.delivered);
}

#[tokio::test]
async fn a_500_is_final() {
    let receiver = Receiver::start(&[500, 200]).await;
    let world = listening(&receiver).await;
    act(&world, json!({ "action": "contact.create", "contact": { "email": "a@deos.com" } })).await;
    let lost = &world.sandbox.ghl().deliveries()[0];
    assert_eq!((lost.attempts.len(), lost.delivered, &lost.next_at), (1, false, &None));
    let id = lost.webhook_id.clone();
    let again = act(&world, json!({ "action": "webhook.redeliver", "webhook_id": id })).await;
    assert_eq!(again["delivery"]["status"], 200);
    let received = receiver.received();
    assert_eq!(received[0].raw, received[1].raw);
}

#[tokio::test]
async fn a_webhook_can_be_sent_forged_unsigned_or_not_at_all() {
    let receiver = Receiver::start(&[401]).await;
    let world = listening(&receiver).await;
    for (sign, header) in [("forged", true), ("none", false), ("N/A", true)] {
        let action = json!({ "action": "webhook.send", "type": "ContactUpdate", "body": { "id": sign }, "sign": sign });
        assert_eq!(act(&world, action).await["delivery"]["status"], 401);
        let last = receiver.received().pop().unwrap();
        assert_eq!(
            (last.header("x-ghl-signature").is_some(), verified(&world, &last)),
            (header, false),
            "{sign}"
        );
    }
    let silent =
        json!({ "action": "contact.create", "contact": { "email": "a@deos.com" }, "deliver": false });
    assert_eq!(act(&world, silent).await["delivery"], Value::Null);
    assert_eq!(receiver.received().len(), 3);
}
