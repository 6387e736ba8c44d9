//! How fast webhooks are acknowledged durably, against the same door without storage, and against SQLite alone; and the same
//! ratio for the least program that could do it, which is what the machine allows.
//!
//! `cargo bench --bench acknowledge`; see the README for how to read it.

#![allow(
    clippy::expect_used,
    unreachable_pub,
    reason = "a benchmark ends where something is not as it should be"
)]

#[path = "support/bridge.rs"]
mod bridge;
#[path = "../tests/it/broken_store.rs"]
mod broken_store;
#[path = "support/least.rs"]
mod least;
#[path = "support/load.rs"]
mod load;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use broken_store::{BrokenStore, Failure};
use cartbridge::app::load_routes;
use cartbridge::clock::Clock;
use cartbridge::config::TrustedProxies;
use cartbridge::dry_run::{self, DryRuns};
use cartbridge::event::{EventId, NewEvent, Source, Subject};
use cartbridge::http::auth::AdminKey;
use cartbridge::http::{HttpState, router};
use cartbridge::inbox::Inbox;
use cartbridge::monitor::Monitor;
use cartbridge::polling::Polling;
use cartbridge::registry::Registry;
use cartbridge::store::sqlite::Sqlite;
use cartbridge::store::{Origin, Store};
use cartbridge::tokens::{Setup, Tokens};
use cartbridge::vault::{Key, Vault};
use futures::stream::{FuturesUnordered, StreamExt as _};

const EVENTS: usize = 60_000;
const CONNECTIONS: usize = 64;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    let bare = bridge::serve(without_storage(folder.path()).await).await;

    let least_stored =
        bridge::serve(least::door(bridge::secret(), Some(&folder.path().join("least.db")))).await;
    let least_bare = bridge::serve(least::door(bridge::secret(), None)).await;

    // All once to warm up, then in turn: whatever else the machine does then meets each of them.
    let doors = [durable, bare, least_stored, least_bare];
    let mut took = [Duration::ZERO; 4];
    for round in 0..4 {
        let requests = requests(round);
        for (door, took) in doors.into_iter().zip(&mut took) {
            let round_took = load::send_all(door, requests.clone(), CONNECTIONS, "HTTP/1.1 202").await;
            if round > 0 {
                *took += round_took;
            }
        }
    }
    let alone = sqlite_alone(app.store()).await;
    let rate = |events: usize, took: Duration| events as f64 / took.as_secs_f64();
    let [stored, verified, least_stored, least_bare] = took.map(|took| rate(3 * EVENTS, took));
    println!("durable acknowledgements, {CONNECTIONS} connections   {stored:>9.0}/s");
    println!("the same door, verified and not stored      {verified:>9.0}/s");
    println!("SQLite alone, grouped commits               {:>9.0}/s", rate(EVENTS, alone));
    println!("ratio durable / not stored                  {:>9.2}   (at least 0.65)", stored / verified);
    println!("the least program: durable                  {least_stored:>9.0}/s");
    println!("the least program: verified and not stored  {least_bare:>9.0}/s");
    println!("the least program: ratio                    {:>9.2}", least_stored / least_bare);
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

/// The same door with everything before the store, and a store that forgets.
async fn without_storage(folder: &Path) -> Router {
    let store = Sqlite::open(&folder.join("forgets.db"), Vault::new(Key::generate())).expect("it opens");
    let store: Arc<dyn Store> = Arc::new(BrokenStore { inner: Arc::new(store), failure: Failure::Forget });
    let clock = Clock::system();
    let config = bridge::config(&folder.join("forgets.db"), "http://127.0.0.1:9", "location", "pit-bench");
    let now = clock.now();
    for connection in &config.connection {
        store.put_connection(connection, Origin::File, now).await.expect("it is stored");
    }
    let registry = Registry::new(Arc::clone(&store), clock.clone(), Duration::from_secs(30));
    registry.reload().await.expect("it is read");
    let routes = load_routes(None).expect("the shipped routes have no mistakes");
    let inbox = Inbox::new(Arc::clone(&store), routes.clone(), clock.clone(), Arc::default(), Duration::ZERO);
    let public_url: Arc<str> = "http://127.0.0.1".into();
    let tokens = Tokens::new(Setup {
        store: Arc::clone(&store),
        clock: clock.clone(),
        monitor: Monitor::default(),
        wake: Arc::default(),
        routes: routes.clone(),
        public_url: Arc::clone(&public_url),
        call_timeout: Duration::from_secs(30),
    });
    let polling =
        Polling::new(Arc::clone(&store), registry.clone(), inbox.clone(), clock.clone(), Monitor::default());
    router(HttpState {
        dry_runs: DryRuns::new(dry_run::Setup {
            store: Arc::clone(&store),
            routes: routes.clone(),
            call_timeout: Duration::from_secs(1),
            zone: jiff::tz::TimeZone::UTC,
        }),
        routes,
        tokens,
        polling,
        store,
        inbox,
        registry,
        monitor: Monitor::default(),
        clock,
        admin_key: AdminKey(None),
        trusted_proxies: TrustedProxies::default(),
        public_url,
    })
}
