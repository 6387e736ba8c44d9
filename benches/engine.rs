//! The whole path: events through the engine to the sandbox, how soon a call leaves an idle bridge, memory, and claiming.
//!
//! `cargo bench --bench engine`; see the README for how to read it.

#![allow(
    clippy::expect_used,
    unreachable_pub,
    reason = "a benchmark ends where something is not as it should be"
)]

#[path = "support/bridge.rs"]
mod bridge;
#[path = "support/load.rs"]
mod load;
#[path = "support/running.rs"]
mod running;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::any;
use cartbridge::event::{EventId, NewEvent, Source, Subject};
use cartbridge::store::sqlite::Sqlite;
use cartbridge::store::{Settlement, Shares, Store};
use cartbridge::vault::{Key, Vault};
use futures::future::join_all;
use serde_json::json;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    whole_path().await;
    idle_latency().await;
    memory().await;
    claiming().await;
}

async fn whole_path() {
    const CUSTOMERS: usize = 10_000;
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let (sandbox, address, store, stop) = running::with_sandbox(folder.path()).await;

    let mut calls_before = 0;
    for (what, kind, cities) in [
        ("new customer", "customer.created", &["Paris"] as &[&str]),
        ("update", "customer.updated", &["Rome"]),
        ("burst of 5 updates", "customer.updated", &["Oslo", "Quito", "Seoul", "Tunis", "Accra"]),
        ("update without a change", "customer.updated", &["Accra"]),
    ] {
        // Only a fifth of the customers were in Accra last.
        let customers = if cities.contains(&"Accra") { CUSTOMERS / 5 } else { CUSTOMERS };
        let suffix = what.replace(' ', "-");
        let requests: Vec<_> = (1..=customers)
            .flat_map(|id| cities.iter().map(move |city| (id, *city)))
            .map(|(id, city)| {
                let name = format!("msg_{suffix}_{id}_{city}");
                load::webhook(
                    "/webhooks/cscart/my-shop",
                    &bridge::secret(),
                    &name,
                    &bridge::customer(kind, id, city),
                )
            })
            .collect();
        let events = requests.len();
        let started = Instant::now();
        load::send_all(address, requests, 64, "HTTP/1.1 202").await;
        running::settled(&*store).await;
        let took = started.elapsed();
        let calls = sandbox.ghl().journal().len();
        println!(
            "{what:<28} {:>7.0} events/s   {:>5.2} calls per {}",
            events as f64 / took.as_secs_f64(),
            (calls - calls_before) as f64 / customers as f64,
            if cities.len() > 1 { "burst" } else { "event" },
        );
        calls_before = calls;
    }
    stop.cancel();
    sandbox.shutdown().await;
}

/// How long after a webhook was sent its first call arrives at an otherwise idle HighLevel.
async fn idle_latency() {
    const SAMPLES: usize = 500;
    type Arrivals = Arc<Mutex<Vec<Instant>>>;
    async fn ghl(State(arrivals): State<Arrivals>) -> (StatusCode, String) {
        let mut arrivals = arrivals.lock().expect("no one fails with it");
        arrivals.push(Instant::now());
        let id = format!("contact{:013}", arrivals.len());
        (StatusCode::CREATED, json!({ "contact": { "id": id }, "task": { "id": id } }).to_string())
    }
    let arrivals: Arrivals = Arc::default();
    let router = Router::new().fallback(any(ghl)).with_state(Arc::clone(&arrivals));
    let ghl = bridge::serve(router).await;
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let (address, store, stop) =
        running::running(folder.path(), &format!("http://{ghl}"), "location", "pit-bench").await;
    let mut waits = Vec::new();
    for n in 0..SAMPLES + 20 {
        let request = bridge::event("customer.created", n + 1, "Paris");
        let before = arrivals.lock().expect("no one fails with it").len();
        let sent = Instant::now();
        load::send_all(address, vec![request], 1, "HTTP/1.1 202").await;
        while store.next_ready(jiff::Timestamp::MIN).await.expect("the store answers").is_some() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let first = arrivals.lock().expect("no one fails with it")[before];
        // The first ones warm up.
        if n >= 20 {
            waits.push(first.duration_since(sent));
        }
    }
    waits.sort();
    let ms = |wait: Duration| wait.as_secs_f64() * 1000.0;
    println!(
        "webhook sent → call received, idle: median {:.2} ms, p99 {:.2} ms   (below 10 and 50)",
        ms(waits[SAMPLES / 2]),
        ms(waits[SAMPLES * 99 / 100])
    );
    stop.cancel();
}

async fn memory() {
    const PENDING: usize = 100_000;
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    // HighLevel is not there: everything waits.
    let app =
        bridge::build(&folder.path().join("bench.db"), "http://127.0.0.1:9", "location", "pit-bench").await;
    let address = bridge::serve(app.router()).await;
    load::send_all(address, vec![bridge::event("customer.created", 1, "Oslo")], 1, "HTTP/1.1 202").await;
    let before = resident_mb();
    for part in 0..10 {
        // In parts, so that the load generator's own requests are not what is measured.
        let requests = (0..PENDING / 10)
            .map(|n| bridge::event("customer.created", part * PENDING / 10 + n + 2, "Paris"));
        load::send_all(address, requests.collect(), 64, "HTTP/1.1 202").await;
    }
    println!(
        "resident memory with {PENDING} pending events: {:.0} MB above the start   (below 100)",
        resident_mb() - before
    );
}

fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kb = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|value| value.split_whitespace().next());
    kb.and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}

/// Claiming one lane and giving it back, with few and with many pending.
async fn claiming() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let store = Sqlite::open(&folder.path().join("bench.db"), Vault::new(Key::generate())).expect("it opens");
    let mut pending = 0;
    let mut medians = Vec::new();
    for wanted in [1_000, 1_000_000] {
        while pending < wanted {
            let until = (pending + 5_000).min(wanted);
            join_all((pending..until).map(|n| store.append(event(n), jiff::Timestamp::now()))).await;
            pending = until;
        }
        // What has arrived is filed before it can be claimed, once and many at a time: that is no part of a claim.
        let now = jiff::Timestamp::now();
        for _ in 0..=wanted / 1024 {
            store.claim(&Shares::of_each(0), now, now).await.expect("it answers");
        }
        let one = Shares::of_each(1);
        let mut took: Vec<Duration> = Vec::new();
        for _ in 0..500 {
            let now = jiff::Timestamp::now();
            let started = Instant::now();
            let claims =
                store.claim(&one, now, now + jiff::SignedDuration::from_secs(60)).await.expect("it answers");
            took.push(started.elapsed());
            let claim = claims.into_iter().next().expect("there is work");
            let done = Settlement::Done { reason: None };
            store.settle(&claim.lane, &claim.head, Vec::new(), done, now).await.expect("it settles");
        }
        took.sort();
        medians.push(took[took.len() / 2]);
        println!("claiming with {wanted:>9} pending: median {:?}", took[took.len() / 2]);
    }
    println!("ratio {:.2}   (at most 1.5)", medians[1].as_secs_f64() / medians[0].as_secs_f64());
}

fn event(n: usize) -> NewEvent {
    let now = jiff::Timestamp::now();
    NewEvent {
        id: EventId::new(),
        connection: "my-shop".parse().expect("it is a name"),
        source: Source::Cscart,
        source_id: format!("msg_{n}"),
        kind: "customer.created".into(),
        subject: Subject::other(format!("customer:{n}")),
        received_at: now,
        occurred_at: now,
        payload: bridge::customer("customer.created", n, "Paris").into_bytes(),
        replayed_from: None,
        forced: false,
        ignored: false,
    }
}
