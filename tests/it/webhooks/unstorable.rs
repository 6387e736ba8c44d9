//! When an event cannot be stored: 503 to the store, which repeats; 429 to HighLevel, which repeats nothing else.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cartbridge::app::load_routes;
use cartbridge::clock::Clock;
use cartbridge::config::TrustedProxies;
use cartbridge::dry_run::{self, DryRuns};
use cartbridge::http::auth::AdminKey;
use cartbridge::http::{HttpState, router};
use cartbridge::inbox::Inbox;
use cartbridge::monitor::Monitor;
use cartbridge::polling::Polling;
use cartbridge::registry::Registry;
use cartbridge::store::sqlite::Sqlite;
use cartbridge::store::{Error, Origin, Store};
use cartbridge::tokens::{Setup, Tokens};
use cartbridge::vault::{Key, Vault};
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;
use standardwebhooks::Webhook;
use tower::ServiceExt as _;

use super::{Answer, counter};
use crate::app::TestApp;
use crate::broken_store::{BrokenStore, Failure};

/// Another process that holds the database until it is dropped.
fn hold(app: &TestApp) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(app.database()).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[tokio::test]
async fn while_the_database_is_held_the_store_is_told_503_and_its_repetition_is_taken() {
    let app = TestApp::spawn().await;
    app.sandbox.cscart().settings(json!({ "outbox_retry_ms": 50 })).unwrap();
    let held = hold(&app);
    let sent = app.shop(json!({ "action": "ping" })).await;
    assert_eq!(sent["delivery"]["status"], 503, "{sent}");
    assert_eq!(sent["delivery"]["body"]["code"], "storage-unavailable");
    let ready = app.http.get(format!("{}/readyz", app.url)).send().await.unwrap();
    assert_eq!((ready.status().as_u16(), ready.headers().contains_key("retry-after")), (503, true));
    assert!(app.events("").await.is_empty());

    drop(held);
    app.until("the repetition is stored", async || (app.events("").await.len() == 1).then_some(())).await;
    assert_eq!(app.events("").await[0]["source_id"], sent["delivery"]["webhook_id"]);
    app.end().await;
}

#[tokio::test]
async fn while_the_database_is_held_highlevel_is_told_429_and_its_repetition_is_taken_however_old() {
    let app = TestApp::spawn().await;
    app.sandbox.ghl().settings(json!({ "retry_429_ms": 100 })).unwrap();
    let held = hold(&app);
    let sent = app.highlevel(json!({ "action": "webhook.send", "type": "LocationUpdate", "body": {} })).await;
    assert_eq!(sent["delivery"]["status"], 429, "{sent}");
    assert_eq!(sent["delivery"]["body"]["code"], "storage-unavailable");
    assert!(counter(&app, "cartbridge_webhooks_total{source=\"ghl\",result=\"not-stored\"}").await >= 1);

    // HighLevel comes again after ten minutes, with the time of the first delivery.
    app.clock.advance(Duration::from_mins(10));
    drop(held);
    app.until("the repetition is stored", async || (app.events("").await.len() == 1).then_some(())).await;
    assert_eq!(app.events("").await[0]["source_id"], sent["delivery"]["webhook_id"]);
    app.end().await;
}

/// The doors of a bridge whose store fails.
struct Doors {
    router: Router,
    clock: Clock,
    _folder: tempfile::TempDir,
}

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

impl Doors {
    async fn with(failure: Failure) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inner: Arc<dyn Store> =
            Arc::new(Sqlite::open(&folder.path().join("test.db"), Vault::new(Key::generate())).unwrap());
        let clock = Clock::system();
        let connection = serde_json::from_value(json!({
            "name": "my-shop",
            "ghl": {
                "location_id": "loc", "token": "pit-x", "api_url": "http://127.0.0.1:9",
                "webhook_public_keys": [key().verifying_key().to_public_key_pem(LineEnding::LF).unwrap()],
            },
            "cscart": { "url": "http://127.0.0.1:9", "webhook_secrets": [SECRET] },
        }));
        inner.put_connection(&connection.unwrap(), Origin::Api, clock.now()).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(BrokenStore { inner, failure });
        let registry = Registry::new(Arc::clone(&store), clock.clone(), Duration::from_secs(1));
        registry.reload().await.unwrap();
        let routes = load_routes(None).unwrap();
        let public_url: Arc<str> = "http://bridge.example.com".into();
        let tokens = Tokens::new(Setup {
            store: Arc::clone(&store),
            clock: clock.clone(),
            monitor: Monitor::default(),
            wake: Arc::default(),
            routes: routes.clone(),
            public_url: Arc::clone(&public_url),
            call_timeout: Duration::from_secs(1),
        });
        let inbox =
            Inbox::new(Arc::clone(&store), routes.clone(), clock.clone(), Arc::default(), Duration::ZERO);
        let polling = Polling::new(
            Arc::clone(&store),
            registry.clone(),
            inbox.clone(),
            clock.clone(),
            Monitor::default(),
        );
        let dry_runs = DryRuns::new(dry_run::Setup {
            store: Arc::clone(&store),
            routes: routes.clone(),
            call_timeout: Duration::from_secs(1),
            zone: jiff::tz::TimeZone::UTC,
        });
        let state = HttpState {
            dry_runs,
            routes,
            tokens,
            polling,
            inbox,
            store,
            registry,
            monitor: Monitor::default(),
            clock: clock.clone(),
            admin_key: AdminKey(None),
            trusted_proxies: TrustedProxies::default(),
            public_url,
        };
        Self { router: router(state), clock, _folder: folder }
    }

    async fn send(&self, request: axum::http::request::Builder, body: Body) -> Answer {
        let request: Request<Body> = request.method("POST").body(body).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        Answer { status, headers, text: String::from_utf8(body.into()).unwrap() }
    }

    /// Something that the store sends, rightly signed.
    async fn store_sends(&self) -> Answer {
        let body = json!({ "type": "ping", "data": {} }).to_string();
        let now = self.clock.now().as_second();
        let request = Request::builder()
            .uri("/webhooks/cscart/my-shop")
            .header("webhook-id", "msg_1")
            .header("webhook-timestamp", now)
            .header(
                "webhook-signature",
                Webhook::new(SECRET).unwrap().sign("msg_1", now, body.as_bytes()).unwrap(),
            );
        self.send(request, body.into()).await
    }

    /// Something that HighLevel sends, rightly signed, `age` after its first delivery.
    async fn highlevel_sends(&self, age: jiff::SignedDuration) -> Answer {
        let timestamp = self.clock.now() - age;
        let body = json!({ "type": "LocationUpdate", "locationId": "loc", "webhookId": "w1", "timestamp": timestamp }).to_string();
        let request = Request::builder()
            .uri("/webhooks/ghl")
            .header("x-ghl-signature", STANDARD.encode(key().sign(body.as_bytes()).to_bytes()));
        self.send(request, body.into()).await
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_the_store_is_told_503_and_highlevel_429() {
    let source = || Arc::new(io::Error::from(io::ErrorKind::StorageFull));
    for failure in [
        Failure::Error(Error::Busy),
        Failure::Error(Error::Unavailable(source())),
        Failure::Error(Error::Corrupt { what: "a page".into(), source: source() }),
        Failure::Error(Error::LeaseLost),
        Failure::Hang,
        Failure::Panic,
    ] {
        let doors = Doors::with(failure.clone()).await;
        let store = doors.store_sends().await;
        assert_eq!(store.status, 503, "{failure:?}: {store:?}");
        store.code();
        assert!(store.retry_after().is_some(), "{failure:?}: {store:?}");

        let minutes = jiff::SignedDuration::from_mins;
        let old = doors.highlevel_sends(minutes(11)).await;
        assert_eq!(old.refusal(), (401, "timestamp-stale".into()), "{failure:?}: nothing was asked for yet");
        let highlevel = doors.highlevel_sends(minutes(0)).await;
        assert_eq!(highlevel.status, 429, "{failure:?}: {highlevel:?}");
        highlevel.code();
        assert!(highlevel.retry_after().is_some(), "{failure:?}: {highlevel:?}");
        let repeated = doors.highlevel_sends(minutes(11)).await;
        assert_eq!(
            repeated.status, 429,
            "{failure:?}: a repetition that was asked for is not refused as stale"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_given_up() {
    let doors = Doors::with(Failure::Panic).await;
    let endless = || Body::from_stream(futures::stream::pending::<Result<Bytes, io::Error>>());
    let store = doors.send(Request::builder().uri("/webhooks/cscart/my-shop"), endless()).await;
    assert_eq!((store.status, store.code(), store.retry_after().is_some()), (503, "timeout".into(), true));
    let highlevel = doors.send(Request::builder().uri("/webhooks/ghl"), endless()).await;
    assert_eq!((highlevel.status, highlevel.retry_after().is_some()), (429, true));
    highlevel.code();
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let doors = Doors::with(Failure::Panic).await;
    let broken = || {
        let pieces = [Ok(Bytes::from_static(b"{")), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
        Body::from_stream(futures::stream::iter(pieces))
    };
    for uri in ["/webhooks/cscart/my-shop", "/webhooks/ghl"] {
        assert_eq!(
            doors.send(Request::builder().uri(uri), broken()).await.refusal(),
            (400, "bad-request".into()),
            "{uri}"
        );
    }
}
