//! `POST /webhooks/ghl`: signed with Ed25519, one address for all locations.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::{Answer, chunked, counter, post};
use crate::app::TestApp;

const DOOR: &str = "/webhooks/ghl";
const MIB: usize = 1024 * 1024;

/// A key of our own, in HighLevel's place.
fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn sign(key: &SigningKey, body: &[u8]) -> String {
    STANDARD.encode(key.sign(body).to_bytes())
}

/// Makes a connection of a location, whose webhooks the key signs.
async fn connect(app: &TestApp, name: &str, location: &str, key: &SigningKey) {
    let pem = key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
    let definition = json!({
        "name": name,
        "ghl": { "location_id": location, "token": "pit-x", "api_url": "http://127.0.0.1:9", "webhook_public_keys": [pem] },
        "cscart": { "url": "http://127.0.0.1:9", "webhook_secrets": ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"] },
    });
    let (status, made) = app.api("POST", "/api/connections", Some(definition)).await;
    assert_eq!(status, 201, "{made}");
}

/// Delivers a body signed by a key.
async fn deliver(app: &TestApp, key: &SigningKey, body: &[u8]) -> Answer {
    post(app, DOOR, &[("x-ghl-signature", sign(key, body))], body.to_vec()).await
}

/// A webhook of a type that nothing handles.
fn body(location: &str, id: &str, timestamp: jiff::Timestamp) -> Vec<u8> {
    json!({ "type": "LocationUpdate", "locationId": location, "webhookId": id, "timestamp": timestamp })
        .to_string()
        .into_bytes()
}

#[tokio::test]
async fn a_webhook_of_highlevels_is_stored_once() {
    let app = TestApp::spawn().await;
    let sent = app
        .highlevel(json!({ "action": "webhook.send", "type": "LocationUpdate", "body": { "name": "x" } }))
        .await;
    let delivery = &sent["delivery"];
    assert_eq!(delivery["status"], 202, "{sent}");
    let event = app.event(delivery["body"]["id"].as_str().unwrap()).await;
    assert_eq!((&event["source"], &event["connection"]), (&json!("ghl"), &json!("my-shop")));
    assert_eq!((&event["type"], &event["state"]), (&json!("location.updated"), &json!("ignored")));
    assert_eq!(event["source_id"], delivery["webhook_id"]);
    assert_eq!(event["payload"]["name"], "x");

    let again =
        app.highlevel(json!({ "action": "webhook.redeliver", "webhook_id": delivery["webhook_id"] })).await;
    assert_eq!(again["delivery"]["status"], 200, "{again}");
    assert_eq!(again["delivery"]["body"], delivery["body"], "the first one's id");
    assert_eq!(app.events("").await.len(), 1);
    app.end().await;
}

#[tokio::test]
async fn the_documented_webhooks_are_taken_and_filed() {
    let app = TestApp::spawn().await;
    for (number, location) in [
        "ve9EPM428h8vShlRW1KT",
        "0007BWpSzSwfiuSl0tR2",
        "otg8dTQqGLh3Q6iQI55w",
        "eHy2cOSZxMQzQ6Yyvl8P",
        "l1C08ntBrFjLS0elLIYU",
    ]
    .iter()
    .enumerate()
    {
        connect(&app, &format!("documented-{number}"), location, &key()).await;
    }
    macro_rules! sample {
        ($name:literal) => {
            ($name, include_bytes!(concat!("../../fixtures/ghl/", $name, ".json")).as_slice())
        };
    }
    for ((name, bytes), kind, subject) in [
        (sample!("ContactCreate"), "contact.created", "contact:nmFmQEsNgz6AVpgLVUJ0"),
        (sample!("ContactUpdate"), "contact.updated", "contact:nmFmQEsNgz6AVpgLVUJ0"),
        (sample!("ContactDelete"), "contact.deleted", "contact:nmFmQEsNgz6AVpgLVUJ0"),
        (sample!("ContactTagUpdate"), "contact.tag_updated", "contact:nmFmQEsNgz6AVpgLVUJ0"),
        (sample!("ContactDndUpdate"), "contact.dnd_updated", "contact:nmFmQEsNgz6AVpgLVUJ0"),
        (sample!("NoteCreate"), "note.created", "contact:CWBf1PR9LvvBkcYqiXlc"),
        (sample!("TaskCreate"), "task.created", "contact:CWBf1PR9LvvBkcYqiXlc"),
        (sample!("TaskComplete"), "task.completed", "contact:WFwVrSSjZ2CNHbZThQX2"),
        (sample!("AppointmentCreate"), "appointment.created", "contact:9NkT25Vor1v4aQatFsv2"),
        (sample!("OpportunityStatusUpdate"), "opportunity.status_updated", "contact:cJAWDskpkJHbRbhAT7bs"),
        (sample!("InboundMessage"), "message.received", "contact:cI08i1Bls3iTB9bKgFJh"),
        (sample!("AppInstall"), "app.installed", "location"),
    ] {
        let answer = deliver(&app, &key(), bytes).await;
        assert_eq!(answer.status, 202, "{name}: {answer:?}");
        let event = app.event(&answer.id()).await;
        assert_eq!((&event["type"], &event["subject"]), (&json!(kind), &json!(subject)), "{name}");
        assert_eq!(event["payload"], serde_json::from_slice::<Value>(bytes).unwrap(), "{name}");
        // They have no `webhookId`: then the same bytes are the same event.
        let again = deliver(&app, &key(), bytes).await;
        assert_eq!((again.status, again.id()), (200, answer.id()), "{name}");
    }
    let (_, record) = sample!("RecordCreate");
    let nested = json!({ "type": "RecordCreate", "webhookId": "w1", "data": serde_json::from_slice::<Value>(record).unwrap() });
    let answer = deliver(&app, &key(), nested.to_string().as_bytes()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let event = app.event(&answer.id()).await;
    assert_eq!((&event["type"], &event["connection"]), (&json!("record.created"), &json!("documented-3")));
    app.end().await;
}

#[tokio::test]
async fn what_highlevel_has_not_signed_is_refused_and_not_kept() {
    let app = TestApp::spawn().await;
    for (how, code) in
        [("forged", "signature-mismatch"), ("none", "signature-missing"), ("N/A", "signature-missing")]
    {
        let send = json!({ "action": "webhook.send", "type": "ContactCreate", "body": {}, "sign": how });
        let sent = app.highlevel(send).await;
        assert_eq!(
            (&sent["delivery"]["status"], &sent["delivery"]["body"]["code"]),
            (&json!(401), &json!(code)),
            "{how}"
        );
    }
    connect(&app, "ours", "loc-ours", &key()).await;
    let now = app.clock.now();
    let good = body("loc-ours", "w1", now);
    let signature = sign(&key(), &good);
    let old = |value: &str| ("x-wh-signature", value.to_owned());
    let new = |value: &str| ("x-ghl-signature", value.to_owned());
    for (given, code) in [
        (vec![old(&signature)], "signature-missing"),
        (vec![new(""), old(&signature)], "signature-missing"),
        (vec![new("N/A"), old(&signature)], "signature-missing"),
        (vec![new("not base64")], "signature-malformed"),
        (vec![new("c2hvcnQ=")], "signature-malformed"),
        // With both there, only the new one counts.
        (vec![new(&sign(&SigningKey::from_bytes(&[8; 32]), &good)), old(&signature)], "signature-mismatch"),
    ] {
        let answer = post(&app, DOOR, &given, good.clone()).await;
        assert_eq!(answer.refusal(), (401, code.into()), "{given:?}");
    }
    let mut flipped = good.clone();
    flipped[10] ^= 1;
    let wrong_body = post(&app, DOOR, &[new(&signature)], flipped).await;
    let wrong_key = deliver(&app, &SigningKey::from_bytes(&[8; 32]), &good).await;
    assert_eq!(
        (wrong_body.status, &wrong_body.text),
        (401, &wrong_key.text),
        "it does not tell which was wrong"
    );
    assert!(app.events("").await.is_empty());

    let both = post(&app, DOOR, &[new(&signature), old("nonsense")], good).await;
    assert_eq!(both.status, 202, "and the old one does no harm");
    app.end().await;
}

#[tokio::test]
async fn a_key_speaks_only_for_the_connections_that_trust_it() {
    let app = TestApp::spawn().await;
    connect(&app, "ours", "loc-ours", &key()).await;
    // Rightly signed by our key, and about the sandbox's location, whose connection has another key.
    let theirs = app.sandbox.announcement()["ghl"]["location_id"].as_str().unwrap().to_owned();
    let answer = deliver(&app, &key(), &body(&theirs, "w1", app.clock.now())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(app.events("").await.is_empty());
    app.end().await;
}

#[tokio::test]
async fn a_location_that_nobody_has_is_answered_200_and_counted() {
    let app = TestApp::spawn().await;
    let send =
        json!({ "action": "webhook.send", "type": "ContactCreate", "body": { "locationId": "elsewhere" } });
    for _ in 0..2 {
        let sent = app.highlevel(send.clone()).await;
        assert_eq!(sent["delivery"]["status"], 200, "{sent}");
    }
    assert!(app.events("").await.is_empty());
    assert_eq!(
        counter(&app, "cartbridge_webhooks_total{source=\"ghl\",result=\"unknown-location\"}").await,
        2
    );
    let agency = json!({ "action": "webhook.send", "type": "INSTALL", "body": { "locationId": null } });
    assert_eq!(
        app.highlevel(agency).await["delivery"]["status"],
        200,
        "an event of the agency has no location"
    );
    app.end().await;
}

#[tokio::test]
async fn each_connection_of_a_location_has_its_own_event_and_the_receipt_stays_the_same() {
    let app = TestApp::spawn().await;
    for name in ["a-shop", "b-shop", "c-shop", "d-shop"] {
        connect(&app, name, "shared", &key()).await;
    }
    let body = body("shared", "w1", app.clock.now());
    let first = deliver(&app, &key(), &body).await;
    assert_eq!(first.status, 202);
    assert_eq!(app.events("").await.len(), 4);
    for _ in 0..5 {
        // A change anywhere makes the list of connections anew.
        connect(&app, "passing", "elsewhere", &key()).await;
        let (status, _) = app.api("DELETE", "/api/connections/passing", None).await;
        assert_eq!(status, 204);
        let again = deliver(&app, &key(), &body).await;
        assert_eq!((again.status, again.id()), (200, first.id()), "the first one's id");
    }
    assert_eq!(app.event(&first.id()).await["connection"], "a-shop");
    app.end().await;
}

#[tokio::test]
async fn an_old_webhook_is_taken_only_when_its_repetition_was_asked_for() {
    let app = TestApp::spawn().await;
    connect(&app, "ours", "loc-ours", &key()).await;
    let sent_at = app.clock.now();
    let known = body("loc-ours", "known", sent_at);
    let first = deliver(&app, &key(), &known).await;
    assert_eq!(first.status, 202);

    app.clock.advance(Duration::from_mins(4));
    let on_time = deliver(&app, &key(), &body("loc-ours", "on time", sent_at)).await;
    assert_eq!(on_time.status, 202);
    app.clock.advance(Duration::from_mins(6));
    let again = deliver(&app, &key(), &known).await;
    assert_eq!((again.status, again.id()), (200, first.id()), "a known one is a duplicate whatever its age");
    let late = deliver(&app, &key(), &body("loc-ours", "late", sent_at)).await;
    assert_eq!(late.refusal(), (401, "timestamp-stale".into()), "somebody has kept it and sends it now");
    let ahead = body("loc-ours", "ahead", app.clock.now() + jiff::SignedDuration::from_mins(6));
    assert_eq!(deliver(&app, &key(), &ahead).await.refusal(), (401, "timestamp-future".into()));
    let ahead = body("loc-ours", "a little ahead", app.clock.now() + jiff::SignedDuration::from_mins(4));
    assert_eq!(deliver(&app, &key(), &ahead).await.status, 202);
    app.end().await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let app = TestApp::spawn().await;
    connect(&app, "ours", "loc-ours", &key()).await;
    for (text, code) in [
        ("{", "not-json"),
        ("", "not-json"),
        ("[]", "wrong-shape"),
        ("{}", "wrong-shape"),
        (r#"{"type":7}"#, "wrong-shape"),
    ] {
        assert_eq!(deliver(&app, &key(), text.as_bytes()).await.refusal(), (400, code.into()), "{text}");
    }
    let envelope =
        json!({ "type": "LocationUpdate", "locationId": "loc-ours", "webhookId": "w", "filler": "" });
    let fill = |bytes: usize| {
        let mut body = envelope.clone();
        body["filler"] = "x".repeat(bytes - envelope.to_string().len()).into();
        body.to_string().into_bytes()
    };
    assert_eq!(deliver(&app, &key(), &fill(MIB)).await.status, 202);
    let too_large = fill(MIB + 1);
    assert_eq!(deliver(&app, &key(), &too_large).await.refusal(), (413, "body-too-large".into()));
    let signature = sign(&key(), &too_large);
    let answer = post(&app, DOOR, &[("x-ghl-signature", signature)], chunked(too_large)).await;
    assert_eq!(answer.refusal(), (413, "body-too-large".into()));
    app.end().await;
}
