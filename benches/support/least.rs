//! The least that can be durable: one endpoint, one table, one thread that commits for all who wait. No router around it, no
//! duplicates, no status. What it reaches on a machine is what that machine allows.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use cscart::webhook::{Secret, verify};
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

/// Where it listens, as our own door does.
const PATH: &str = "/webhooks/cscart/my-shop";
/// As our own door allows.
const TOLERANCE: Duration = Duration::from_mins(5);
/// As many in one commit as our own writer takes.
const GROUP: usize = 256;

type Job = (String, Bytes, oneshot::Sender<()>);

struct Least {
    secrets: Vec<Secret>,
    writer: Option<Sender<Job>>,
}

/// The door; with `database` it stores before it answers, without it only verifies.
pub fn door(secret: Secret, database: Option<&Path>) -> Router {
    let writer = database.map(|database| {
        let pool = Connection::open(database).expect("it opens");
        pool.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8192; \
             CREATE TABLE events (seq INTEGER PRIMARY KEY, id TEXT, body BLOB)",
        )
        .expect("it is a new database");
        let (jobs, queue) = channel();
        std::thread::spawn(move || write(pool, &queue));
        jobs
    });
    Router::new().route(PATH, post(receive)).with_state(Arc::new(Least { secrets: vec![secret], writer }))
}

async fn receive(State(least): State<Arc<Least>>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (id, now) = (header("webhook-id"), jiff::Timestamp::now().as_second());
    let (sent, signature) = (header("webhook-timestamp"), header("webhook-signature"));
    if verify(&least.secrets, id, sent, signature, &body, now, TOLERANCE).is_err() {
        return (StatusCode::UNAUTHORIZED, String::new());
    }
    let id = id.unwrap_or_default().to_owned();
    if let Some(writer) = &least.writer {
        let (stored, is_stored) = oneshot::channel();
        writer.send((id.clone(), body, stored)).expect("the thread lives");
        is_stored.await.expect("it is stored");
    }
    (StatusCode::ACCEPTED, id)
}

fn write(mut pool: Connection, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let group: Vec<Job> = std::iter::once(first).chain(queue.try_iter().take(GROUP - 1)).collect();
        let tx = pool.transaction().expect("nobody else writes");
        for (id, body, _) in &group {
            let mut insert =
                tx.prepare_cached("INSERT INTO events (id, body) VALUES (?, ?)").expect("it is SQL");
            insert.execute(params![id, &body[..]]).expect("it is stored");
        }
        tx.commit().expect("the disk takes it");
        for (_, _, stored) in group {
            stored.send(()).expect("whoever sent it waits");
        }
    }
}
