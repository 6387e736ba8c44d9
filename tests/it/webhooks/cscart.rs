//! `POST /webhooks/cscart/{connection}`: signed as Standard Webhooks says, by that project's own library.

use std::time::Duration;

use serde_json::{Value, json};
use standardwebhooks::Webhook;

use super::{Answer, chunked, counter, post};
use crate::app::{ADMIN_KEY, TestApp};

const DOOR: &str = "/webhooks/cscart/my-shop";
const MIB: usize = 1024 * 1024;

/// A store's body.
fn body(kind: &str, data: &Value) -> Vec<u8> {
    json!({ "type": kind, "timestamp": "2026-11-24T12:00:00Z", "store": {}, "data": data })
        .to_string()
        .into_bytes()
}

/// One that nothing handles, so that a test of the door calls nobody.
fn ping() -> Vec<u8> {
    body("ping", &json!({ "ping": {} }))
}

/// The secret that the sandbox's store signs with.
fn secret(app: &TestApp) -> String {
    app.sandbox.announcement()["cscart"]["webhook_secret"].as_str().unwrap().to_owned()
}

fn sign(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> String {
    Webhook::new(secret).unwrap().sign(id, timestamp, body).unwrap()
}

/// The three headers.
fn headers(id: &str, timestamp: i64, signature: String) -> [(&'static str, String); 3] {
    [
        ("webhook-id", id.into()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
    ]
}

/// Delivers a body as the store would.
async fn deliver(app: &TestApp, id: &str, body: Vec<u8>) -> Answer {
    let now = app.clock.now().as_second();
    let signature = sign(&secret(app), id, now, &body);
    post(app, DOOR, &headers(id, now, signature), body).await
}

#[tokio::test]
async fn a_webhook_is_answered_202_when_it_is_stored_and_200_when_it_was() {
    let app = TestApp::spawn().await;
    let body = body("customer.viewed", &json!({ "user": { "user_id": "42" } }));
    let first = deliver(&app, "msg_1", body.clone()).await;
    assert_eq!(first.status, 202, "{first:?}");
    let event = app.event(&first.id()).await;
    assert_eq!((&event["source"], &event["source_id"]), (&json!("cscart"), &json!("msg_1")));
    assert_eq!((&event["type"], &event["subject"]), (&json!("customer.viewed"), &json!("customer:42")));
    assert_eq!(event["occurred_at"], "2026-11-24T12:00:00Z", "when it happened, not when it was sent");
    assert_eq!(event["payload"], serde_json::from_slice::<Value>(&body).unwrap());

    let again = deliver(&app, "msg_1", body.clone()).await;
    assert_eq!((again.status, again.id()), (200, first.id()));
    let other = deliver(&app, "msg_2", body).await;
    assert_eq!(other.status, 202);
    assert_ne!(other.id(), first.id());
    assert_eq!(counter(&app, "cartbridge_webhooks_total{source=\"cscart\",result=\"stored\"}").await, 2);
    assert_eq!(counter(&app, "cartbridge_webhooks_total{source=\"cscart\",result=\"duplicate\"}").await, 1);

    let url = first.json()["status_url"].as_str().unwrap().to_owned();
    let status = app.http.get(url).bearer_auth(ADMIN_KEY).send().await.unwrap();
    assert_eq!(status.status(), 200, "the status URL can be followed");
    app.settled().await;
    app.end().await;
}

#[tokio::test]
async fn any_of_several_signatures_may_be_the_one_that_fits() {
    let app = TestApp::spawn().await;
    let now = app.clock.now().as_second();
    let wrong = sign("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "msg_1", now, &ping());
    let right = sign(&secret(&app), "msg_1", now, &ping());
    let many = format!("v1a,bm90IG91cnM= {wrong} v1,not-base64 {right} v2,x");
    assert_eq!(post(&app, DOOR, &headers("msg_1", now, many), ping()).await.status, 202);
    let none = format!("v1a,{} {wrong}", right.strip_prefix("v1,").unwrap());
    assert_eq!(
        post(&app, DOOR, &headers("msg_2", now, none), ping()).await.refusal(),
        (401, "signature-mismatch".into())
    );
    app.end().await;
}

#[tokio::test]
async fn secrets_are_changed_without_a_gap() {
    let app = TestApp::spawn().await;
    let (old, new) = ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let definition = |secrets: Value| {
        json!({ "name": "rotating", "ghl": { "location_id": "loc", "token": "pit-x", "api_url": "http://127.0.0.1:9" },
                "cscart": { "url": "http://127.0.0.1:9", "webhook_secrets": secrets } })
    };
    let (status, made) = app.api("POST", "/api/connections", Some(definition(json!([old])))).await;
    assert_eq!(status, 201, "{made}");
    let now = app.clock.now().as_second();
    let mut number = 0;
    let mut taken = async |secret: &str| {
        number += 1;
        let id = format!("msg_{number}");
        let headers = headers(&id, now, sign(secret, &id, now, &ping()));
        post(&app, "/webhooks/cscart/rotating", &headers, ping()).await.status == 202
    };
    assert_eq!((taken(old).await, taken(new).await), (true, false));
    // The new one in front; the old one, which nobody can see any more, is kept by its place holder.
    let (status, shown) =
        app.api("PUT", "/api/connections/rotating", Some(definition(json!([new, "(set)"])))).await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!((taken(old).await, taken(new).await), (true, true));
    let (status, _) = app.api("PUT", "/api/connections/rotating", Some(definition(json!(["(set)"])))).await;
    assert_eq!(status, 200);
    assert_eq!((taken(old).await, taken(new).await), (false, true));
    app.end().await;
}

#[tokio::test]
async fn a_webhook_may_be_five_minutes_off_both_ways_and_no_more() {
    let app = TestApp::spawn().await;
    let mut answers = Vec::new();
    // Not to the very second, which may change on the way.
    for (id, off) in [("just_ahead", 299), ("too_old", -301), ("too_far_ahead", 310)] {
        let time = app.clock.now().as_second() + off;
        let signature = sign(&secret(&app), id, time, &ping());
        answers.push(post(&app, DOOR, &headers(id, time, signature), ping()).await);
    }
    assert_eq!(answers[0].status, 202);
    assert_eq!(answers[1].refusal(), (401, "timestamp-stale".into()));
    assert_eq!(answers[2].refusal(), (401, "timestamp-future".into()));

    // Caught on its way and sent again later, by somebody who cannot sign.
    let now = app.clock.now().as_second();
    let caught = headers("msg_1", now, sign(&secret(&app), "msg_1", now, &ping()));
    app.clock.advance(Duration::from_secs(290));
    assert_eq!(post(&app, DOOR, &caught, ping()).await.status, 202);
    app.clock.advance(Duration::from_secs(20));
    assert_eq!(post(&app, DOOR, &caught, ping()).await.refusal(), (401, "timestamp-stale".into()));
    let without = headers("msg_1", now, "v1,bm90IG91cnM=".into());
    assert_eq!(
        post(&app, DOOR, &without, ping()).await.code(),
        "signature-mismatch",
        "the clock is told to nobody else"
    );
    app.end().await;
}

/// A body of exactly so many bytes.
fn sized(bytes: usize) -> Vec<u8> {
    let empty = body("ping", &json!({ "filler": "" })).len();
    let body = body("ping", &json!({ "filler": "x".repeat(bytes - empty) }));
    assert_eq!(body.len(), bytes);
    body
}

#[tokio::test]
async fn a_body_may_have_one_mebibyte_and_no_byte_more() {
    let app = TestApp::spawn().await;
    let now = app.clock.now().as_second();
    for (id, bytes, status) in
        [("fits", MIB, 202), ("too-large", MIB + 1, 413), ("far-too-large", 5 * MIB, 413)]
    {
        let body = sized(bytes);
        let signature = sign(&secret(&app), id, now, &body);
        let plain = post(&app, DOOR, &headers(id, now, signature), body.clone()).await;
        assert_eq!(plain.status, status, "{id}: {plain:?}");
        let id = format!("{id}-chunked");
        let signature = sign(&secret(&app), &id, now, &body);
        let in_pieces = post(&app, DOOR, &headers(&id, now, signature), chunked(body)).await;
        assert_eq!(in_pieces.status, status, "{id}: {in_pieces:?}");
        if status == 413 {
            assert_eq!((plain.code(), in_pieces.code()), ("body-too-large".into(), "body-too-large".into()));
        }
    }
    app.end().await;
}

#[tokio::test]
async fn each_refusal_has_its_own_code_and_stores_nothing() {
    let app = TestApp::spawn().await;
    let now = app.clock.now().as_second();
    let right = || sign(&secret(&app), "msg_1", now, &ping());
    for (given, expected) in [
        (vec![], "signature-missing"),
        (vec![("webhook-id", "msg_1".into()), ("webhook-timestamp", now.to_string())], "signature-missing"),
        (vec![("webhook-id", "msg_1".into()), ("webhook-signature", right())], "signature-missing"),
        (vec![("webhook-timestamp", now.to_string()), ("webhook-signature", right())], "signature-missing"),
        (headers("", now, right()).into(), "signature-missing"),
        (headers(&"x".repeat(257), now, right()).into(), "signature-missing"),
        (headers("msg_2", now, right()).into(), "signature-mismatch"),
        (headers("msg_1", now + 1, right()).into(), "signature-mismatch"),
        (headers("msg_1", now, "v1,".into()).into(), "signature-mismatch"),
        (headers("msg_1", now, "nonsense".into()).into(), "signature-mismatch"),
        (
            vec![
                ("webhook-id", "msg_1".into()),
                ("webhook-timestamp", "noon".into()),
                ("webhook-signature", right()),
            ],
            "timestamp-malformed",
        ),
    ] {
        let answer = post(&app, DOOR, &given, ping()).await;
        assert_eq!(answer.refusal(), (401, expected.into()), "{given:?}");
    }
    for (text, expected) in [
        ("{", "not-json"),
        ("", "not-json"),
        ("type=ping", "not-json"),
        ("[]", "wrong-shape"),
        ("{}", "wrong-shape"),
        (r#"{"type":"ping"}"#, "wrong-shape"),
        (r#"{"type":7,"data":{}}"#, "wrong-shape"),
        (r#"{"type":"ping","data":"x"}"#, "wrong-shape"),
        (r#"{"type":"ping","data":{},"timestamp":"noon"}"#, "wrong-shape"),
    ] {
        let answer = deliver(&app, "msg_1", text.into()).await;
        assert_eq!(answer.refusal(), (400, expected.into()), "{text}");
    }
    for path in ["/webhooks/cscart/nobody", "/webhooks/cscart/No%20Name", "/webhooks/cscart/%FF"] {
        let answer = post(&app, path, &headers("msg_1", now, right()), ping()).await;
        assert_eq!(answer.refusal(), (404, "unknown-connection".into()), "{path}");
    }
    assert!(app.events("").await.is_empty(), "what is refused is not kept");
    assert_eq!(
        counter(&app, "cartbridge_webhooks_total{source=\"cscart\",result=\"signature-mismatch\"}").await,
        4
    );
    app.end().await;
}

#[tokio::test]
async fn a_refusal_does_not_tell_what_was_wrong() {
    let app = TestApp::spawn().await;
    let now = app.clock.now().as_second();
    let right = sign(&secret(&app), "msg_1", now, &ping());
    let mut flipped = ping();
    *flipped.last_mut().unwrap() ^= 1;
    let by_a_stranger = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_1", now, &ping());
    let wrong_secret = post(&app, DOOR, &headers("msg_1", now, by_a_stranger), ping()).await;
    let wrong_body = post(&app, DOOR, &headers("msg_1", now, right.clone()), flipped).await;
    let wrong_id = post(&app, DOOR, &headers("msg_2", now, right), ping()).await;
    assert_eq!(wrong_secret.status, 401);
    assert_eq!(wrong_secret.text, wrong_body.text);
    assert_eq!(wrong_secret.text, wrong_id.text);
    let names = |answer: &Answer| {
        let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(names(&wrong_secret), names(&wrong_body));
    assert!(!wrong_secret.text.contains("whsec_"));
    app.end().await;
}

#[tokio::test]
async fn a_type_that_nothing_handles_is_stored_and_ignored() {
    let app = TestApp::spawn().await;
    let answer =
        deliver(&app, "msg_1", body("review.created", &json!({ "review": { "user_id": 42 } }))).await;
    assert_eq!(answer.status, 202);
    let event = app.event(&answer.id()).await;
    assert_eq!((&event["state"], &event["subject"]), (&json!("ignored"), &json!("customer:42")));
    assert!(event["state_reason"].is_string());
    let future = deliver(&app, "msg_2", body("something.of.tomorrow", &json!({}))).await;
    assert_eq!(app.event(&future.id()).await["state"], "ignored");
    assert!(app.calls().is_empty());
    app.end().await;
}

#[tokio::test]
async fn missing_values_may_be_written_in_any_of_the_stores_ways() {
    let app = TestApp::spawn().await;
    for (number, data) in [
        json!([]),
        json!({ "user": null }),
        json!({ "user": "" }),
        json!({ "user": [] }),
        json!({ "user": false }),
        json!({ "user": 0 }),
        json!({ "user": { "user_id": "0", "email": "" } }),
        json!({ "user": { "user_id": null, "email": null }, "order": "" }),
    ]
    .iter()
    .enumerate()
    {
        let answer = deliver(&app, &format!("msg_{number}"), body("vendor.updated", data)).await;
        assert_eq!(answer.status, 202, "{data}: {answer:?}");
        assert_eq!(app.event(&answer.id()).await["subject"], "store", "{data}");
    }
    let mixed = json!({ "user": "", "order": { "user_id": "42" } });
    let answer = deliver(&app, "mixed", body("vendor.updated", &mixed)).await;
    assert_eq!(app.event(&answer.id()).await["subject"], "customer:42");
    app.end().await;
}
