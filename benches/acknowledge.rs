//! How fast webhooks are acknowledged durably, against the same door without storage, and against SQLite alone.
//!
//! `cargo bench --bench acknowledge`; see the README for how to read it.

#![allow(
    clippy::expect_used,
    unreachable_pub,
    reason = "a benchmark ends where something is not as it should be"
)]

#[path = "support/bridge.rs"]
mod bridge;
#[path = "support/load.rs"]
mod load;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use cartbridge::event::{EventId, NewEvent, Source, Subject};
use cartbridge::store::Store;
use cscart::webhook::{Secret, verify};
use futures::stream::{FuturesUnordered, StreamExt as _};

const EVENTS: usize = 60_000;
const CONNECTIONS: usize = 64;

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let app =
        bridge::build(&folder.path().join("bench.db"), "http://127.0.0.1:9", "location", "pit-bench").await;
    // The receiving side only: what the engine takes of the machine is measured by the other benchmark.
    let durable = bridge::serve(app.router()).await;
    let bare = bridge::serve(without_storage()).await;

    // Both once to warm up, then in turn: whatever else the machine does then meets both.
    let (mut stored, mut verified) = (Duration::ZERO, Duration::ZERO);
    for round in 0..4 {
        let requests = requests(round);
        let took = load::send_all(durable, requests.clone(), CONNECTIONS, "HTTP/1.1 202").await;
        let took_bare = load::send_all(bare, requests, CONNECTIONS, "HTTP/1.1 202").await;
        if round > 0 {
            stored += took;
            verified += took_bare;
        }
    }
    let alone = sqlite_alone(app.store()).await;
    let rate = |events: usize, took: Duration| events as f64 / took.as_secs_f64();
    let (stored, verified) = (rate(3 * EVENTS, stored), rate(3 * EVENTS, verified));
    println!("durable acknowledgements, {CONNECTIONS} connections   {stored:>9.0}/s");
    println!("the same door, verified and not stored      {verified:>9.0}/s");
    println!("SQLite alone, grouped commits               {:>9.0}/s", rate(EVENTS, alone));
    println!("ratio durable / not stored                  {:>9.2}   (at least 0.65)", stored / verified);
}

fn requests(round: usize) -> Vec<Vec<u8>> {
    (0..EVENTS).map(|n| bridge::event("customer.created", round * EVENTS + n + 1, "Paris")).collect()
}

/// The limit: the same rows, straight into the store, as many at a time as there are connections.
async fn sqlite_alone(store: Arc<dyn Store>) -> Duration {
    let now = jiff::Timestamp::now();
    let payload = bridge::customer("customer.created", 1, "Paris").into_bytes();
    let event = |n: usize| NewEvent {
        id: EventId::new(),
        connection: "my-shop".parse().expect("it is a name"),
        source: Source::Cscart,
        source_id: format!("alone_{n}"),
        kind: "customer.created".into(),
        subject: Subject::other(format!("alone:{n}")),
        received_at: now,
        occurred_at: now,
        payload: payload.clone(),
        replayed_from: None,
        forced: false,
        ignored: false,
    };
    let started = Instant::now();
    let mut under_way: FuturesUnordered<_> = (0..CONNECTIONS).map(|n| store.append(event(n), now)).collect();
    let mut next = CONNECTIONS;
    while let Some(done) = under_way.next().await {
        done.expect("it is stored");
        if next < EVENTS {
            under_way.push(store.append(event(next), now));
            next += 1;
        }
    }
    started.elapsed()
}

/// The same verification, and nothing behind it.
fn without_storage() -> Router {
    async fn receive(
        State(secrets): State<Arc<Vec<Secret>>>,
        headers: HeaderMap,
        body: Bytes,
    ) -> (StatusCode, String) {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let now = jiff::Timestamp::now().as_second();
        let tolerance = Duration::from_secs(300);
        let (id, at, signature) =
            (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
        match verify(&secrets, id, at, signature, &body, now, tolerance) {
            Ok(()) => (StatusCode::ACCEPTED, format!(r#"{{"id":"{}"}}"#, EventId::new())),
            Err(error) => (StatusCode::UNAUTHORIZED, error.to_string()),
        }
    }
    Router::new()
        .route("/webhooks/cscart/{connection}", post(receive))
        .with_state(Arc::new(vec![bridge::secret()]))
}
