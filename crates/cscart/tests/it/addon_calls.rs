//! The signed calls of the add-on; the oracle of the signatures is the library of Standard Webhooks.

use std::time::Duration;

use cscart::addon::{Addon, CallId, MAX_NOTE_BYTES, NotePut, NoteRef};
use cscart::webhook::Secret;
use cscart::{Error, Gentleness, NoteId, UserId, UsergroupId};
use reqwest::header::HeaderMap;
use serde_json::json;
use standardwebhooks::Webhook;

use crate::store::{Reply, Request, Store};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn addon(store: &Store) -> Addon {
    let hurry = Gentleness { concurrency: 8, per_second: 1_000 };
    let secret = Secret::parse(SECRET).unwrap();
    Addon::new(&format!("{}/shop/", store.url), secret, Duration::from_secs(5), hurry).unwrap()
}

fn id(text: &str) -> CallId {
    text.parse().unwrap()
}

fn verified(request: &Request) {
    let mut headers = HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, request.header(name).unwrap().parse().unwrap());
    }
    Webhook::new(SECRET).unwrap().verify(request.body.as_bytes(), &headers).unwrap();
}

#[tokio::test]
async fn a_call_is_signed_as_standard_webhooks_wants_it_and_carries_its_id() {
    let store = Store::saying(200, json!({ "note_id": "7" })).await;
    let note = NotePut {
        user: UserId(42),
        note: Some(NoteRef::External("ghl_1".into())),
        text: "Likes tea 🍵".into(),
        author: "Ada".into(),
        created_at: Some("2026-11-24T12:00:00Z".parse().unwrap()),
    };
    let made = addon(&store).put_note(&id("note-1"), &note).await.unwrap();
    assert_eq!(made.value, NoteId(7));
    let request = store.request();
    verified(&request);
    assert_eq!(request.target, "/shop/index.php?dispatch=cartbridge_api.call");
    assert_eq!((request.method.as_str(), request.header("webhook-id")), ("POST", Some("note-1")));
    assert!(request.header("authorization").is_none(), "no API key is needed");
    assert_eq!(
        request.json(),
        json!({
            "action": "note.put", "user_id": 42, "external_id": "ghl_1", "body": "Likes tea 🍵", "author": "Ada",
            "created_at": "2026-11-24T12:00:00Z",
        })
    );
}

#[tokio::test]
async fn every_action_is_read_as_the_add_on_answers_it() {
    let user = json!({
        "user_id": 42, "user_type": "C", "email": "ada@example.com", "b_city": "London", "fields": { "36": "x" },
        "usergroups": [{ "id": 3, "name": "VIP", "status": "A" }], "tags": ["vip"], "guest": false,
    });
    let store = Store::new(move |request| {
        let call = request.json();
        let answer = match call["action"].as_str().unwrap() {
            "ping" => json!({ "store": { "url": "https://shop.test", "version": "4.18.2", "edition": "ULTIMATE" }, "time": 1_795_521_600 }),
            "customer.get" => json!({ "user": user, "usergroups": [], "tags": [], "guest": false }),
            "customers.changed" => json!({
                "items": [
                    { "user_id": 42, "deleted": false, "changed_at": "2026-11-24T12:00:00Z", "user": user },
                    { "user_id": 43, "deleted": true, "changed_at": "2026-11-24T12:00:01Z", "user": null },
                ],
                "next": 9, "more": false,
            }),
            "notes.list" => json!({ "notes": [{ "note_id": 7, "user_id": 42, "external_id": "", "body": "x", "author": "A",
                "created_at": "2026-11-24T12:00:00Z", "updated_at": "2026-11-24T12:00:00Z" }] }),
            "note.delete" => json!({ "deleted": true }),
            "tags.change" => json!({ "tags": ["tea", "vip"] }),
            "usergroups.change" => json!({ "usergroups": [{ "id": 3, "name": "VIP", "status": "A" }] }),
            other => panic!("{other}"),
        };
        Reply::json(200, &answer)
    })
    .await;
    let addon = addon(&store);
    assert_eq!(addon.ping().await.unwrap().value.store.version.as_deref(), Some("4.18.2"));
    let customer = addon.customer(UserId(42)).await.unwrap().value;
    assert_eq!((customer.billing.city.as_deref(), customer.usergroups.len()), (Some("London"), 1));
    let changes = addon.customers_changed(0, 100).await.unwrap().value;
    assert_eq!((changes.items.len(), changes.next, changes.more), (2, Some(9), false));
    assert!(changes.items[1].deleted && changes.items[1].user.is_none());
    assert_eq!(addon.notes(UserId(42)).await.unwrap().value[0].note_id, NoteId(7));
    addon.delete_note(&id("d"), &NoteRef::Id(NoteId(7))).await.unwrap();
    let tags = addon.change_tags(&id("t"), UserId(42), &["tea".into()], &[]).await.unwrap();
    assert_eq!(tags.value, ["tea", "vip"]);
    let groups = addon.change_usergroups(&id("g"), UserId(42), &[UsergroupId(3)], &[]).await.unwrap();
    assert_eq!(groups.value[0].id, UsergroupId(3));
    store.requests().iter().for_each(verified);
}

#[tokio::test]
async fn a_note_of_seventy_thousand_characters_is_refused_before_it_is_sent() {
    let store = Store::saying(200, json!({})).await;
    let note =
        |text: String| NotePut { user: UserId(1), note: None, text, author: String::new(), created_at: None };
    for text in ["x".repeat(70_000), "🍵".repeat(MAX_NOTE_BYTES / 4 + 1), " \n".into()] {
        let failure = addon(&store).put_note(&id("n"), &note(text)).await.unwrap_err();
        assert!(matches!(failure.error, Error::Unsendable { .. }), "{:?}", failure.error);
        assert!(!failure.error.maybe_processed());
    }
    assert!(store.requests().is_empty());
}

#[tokio::test]
async fn a_store_without_the_add_on_a_wrong_secret_and_a_closed_store_are_told_apart() {
    let problem = |status: u16, detail: &str| {
        Reply::json(
            status,
            &json!({ "type": "about:blank", "title": "The call was refused", "status": status, "detail": detail }),
        )
    };
    let store = Store::new(|_| Reply::page(404)).await;
    let failure = addon(&store).ping().await.unwrap_err();
    assert!(matches!(failure.error, Error::Absent { what: "add-on Cartbridge" }), "{:?}", failure.error);

    let store = Store::new(move |_| problem(401, "no signature fits the call")).await;
    let failure = addon(&store).ping().await.unwrap_err();
    let Error::SignatureRefused { message, .. } = &failure.error else { panic!("{:?}", failure.error) };
    assert_eq!(message, "no signature fits the call");

    let store = Store::new(|_| Reply::page(503).with_header("Retry-After", "60")).await;
    let failure = addon(&store).ping().await.unwrap_err();
    assert_eq!(failure.error.retry_after(), Some(Duration::from_mins(1)));

    let store = Store::new(move |_| problem(404, "no customer has the id 42")).await;
    let failure = addon(&store).customer(UserId(42)).await.unwrap_err();
    assert!(matches!(failure.error, Error::NotFound { .. }), "{:?}", failure.error);

    let store = Store::new(move |_| problem(409, "another call had this id already")).await;
    let failure = addon(&store).customer(UserId(42)).await.unwrap_err();
    assert!(matches!(failure.error, Error::Invalid { status: 409, .. }), "{:?}", failure.error);
}

#[tokio::test]
async fn the_store_is_signed_for_by_its_own_clock_once_that_is_known() {
    let there = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(5);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&there).unwrap();
    let store = Store::new(move |request| {
        let stamp: i64 = request.header("webhook-timestamp").unwrap().parse().unwrap();
        let reply = if (stamp - there.as_second()).abs() > 300 {
            Reply::json(401, &json!({ "title": "The call was refused", "detail": "signed at another time" }))
        } else {
            Reply::json(200, &json!({ "store": {}, "time": there.as_second() }))
        };
        reply.with_header("Date", &date)
    })
    .await;
    let addon = addon(&store);
    let failure = addon.ping().await.unwrap_err();
    let Error::SignatureRefused { ahead_seconds: Some(ahead), .. } = failure.error else {
        panic!("{:?}", failure.error)
    };
    assert!((ahead - 5 * 3600).abs() < 60, "{ahead}");
    addon.ping().await.unwrap();
}
