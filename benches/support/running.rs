//! A bridge that serves and carries out, and the HighLevel that it calls.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cartbridge::event::State as EventState;
use cartbridge::store::Store;
use sandbox::{Options, Sandbox};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::bridge;

/// A bridge that serves, with its engine.
pub async fn running(
    folder: &Path,
    ghl: &str,
    location: &str,
    token: &str,
) -> (SocketAddr, Arc<dyn Store>, CancellationToken) {
    let app = bridge::build(&folder.join("bench.db"), ghl, location, token).await;
    let store = app.store();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let address = listener.local_addr().expect("it has an address");
    let stop = CancellationToken::new();
    tokio::spawn(app.run(listener, stop.clone()));
    (address, store, stop)
}

/// The same, whose HighLevel is a sandbox that takes as many calls as come.
pub async fn with_sandbox(folder: &Path) -> (Sandbox, SocketAddr, Arc<dyn Store>, CancellationToken) {
    let sandbox =
        Sandbox::start(Options { strict_rate: false, ..Options::default() }).await.expect("it starts");
    let limit = json!({ "rate": { "max": 1_000_000, "interval_ms": 10_000, "daily": 100_000_000 } });
    sandbox.ghl().settings(limit).expect("it is a setting");
    let announcement = sandbox.announcement();
    let text = |key: &str| announcement["ghl"][key].as_str().unwrap_or_default().to_owned();
    let (address, store, stop) = running(folder, &text("url"), &text("location_id"), &text("token")).await;
    (sandbox, address, store, stop)
}

/// Waits until nothing is left to do; nothing may have failed.
pub async fn settled(store: &dyn Store) {
    // Cheap enough to be asked often: no lane is open any more.
    while store.next_ready(jiff::Timestamp::MIN).await.expect("the store answers").is_some() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let counts = store.counts().await.expect("the store answers");
    let failed = counts.iter().filter(|(state, _)| matches!(state, EventState::Dead | EventState::Parked));
    assert_eq!(failed.map(|(_, count)| count).sum::<u64>(), 0, "no event fails");
}
