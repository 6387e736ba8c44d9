//! The add-on's outbox: every event is a row, sent in order per customer, repeated on anything but 2xx.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    sign::{Sign, signature},
    state::{Event, State},
};
use crate::{
    clock,
    control::problem::ActError,
    deliver::{Deliveries, Outcome, Target},
    ids::Ids,
};

/// The longest wait between two attempts.
const LONGEST_WAIT_MS: u64 = 60_000;

/// How long ago a `stale` webhook says that it was sent: more than the five minutes of Standard Webhooks.
const STALE_S: i64 = 3600;

/// The rows and what sends them.
pub(super) struct Outbox {
    deliveries: Arc<Deliveries>,
    secret: [u8; 32],
    stranger: [u8; 32],
    retry_ms: AtomicU64,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    rows: Vec<Row>,
    places: HashMap<String, usize>,
    lanes: HashMap<String, Lane>,
}

/// What of one subject is still to be sent, the oldest in front.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    /// The front one failed and waits for its next attempt: nothing behind it moves.
    stuck: bool,
}

struct Waiting {
    place: usize,
    tell: Option<oneshot::Sender<Outcome>>,
}

#[derive(Clone)]
struct Row {
    id: String,
    kind: String,
    subject: String,
    body: Bytes,
    sign: Sign,
    attempts: u64,
    delivered: bool,
}

/// The first attempt of a row that is under way; without one when the row has to wait behind another.
pub(super) struct First {
    webhook_id: String,
    outcome: Option<oneshot::Receiver<Outcome>>,
}

impl First {
    /// Waits for it; `delivery` in the answer of an act.
    pub(super) async fn delivery(self) -> Value {
        let outcome = match self.outcome {
            Some(outcome) => outcome.await.ok(),
            None => None,
        };
        Outcome::delivery(outcome.as_ref(), &self.webhook_id)
    }
}

impl Outbox {
    pub(super) fn new(deliveries: Arc<Deliveries>, seed: u64, retry: Duration) -> Self {
        let mut ids = Ids::new(seed, 0x6f75_7462);
        let retry_ms = AtomicU64::new(retry.as_millis() as u64);
        Self { deliveries, secret: ids.key(), stranger: ids.key(), retry_ms, queue: Mutex::default() }
    }

    /// `webhook_secret` in the announcement.
    pub(super) fn secret(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.secret))
    }

    /// What signs, both ways.
    pub(super) fn key(&self) -> &[u8; 32] {
        &self.secret
    }

    pub(super) fn set_retry(&self, retry: Duration) {
        self.retry_ms.store(retry.as_millis() as u64, Ordering::Relaxed);
    }

    pub(super) fn reset(&self, retry: Duration) {
        *self.queue() = Queue::default();
        self.set_retry(retry);
    }

    /// Puts an event into the outbox and has it sent as soon as nothing of its subject is before it.
    pub(super) fn put(self: &Arc<Self>, state: &mut State, event: Event) -> First {
        let id = event.id.unwrap_or_else(|| format!("msg_{}", state.ids.alphanumeric(27)));
        let body = json!({
            "type": event.kind,
            "timestamp": clock::iso_seconds(state.world.now_ms()),
            "store": state.describe(),
            "data": event.data,
        });
        self.enqueue(Row {
            id,
            kind: event.kind,
            subject: event.subject,
            body: Bytes::from(body.to_string()),
            sign: event.sign,
            attempts: 0,
            delivered: false,
        })
    }

    /// Sends a row again at once, beside its lane: the same id and body, signed anew with the current time.
    pub(super) fn redeliver(self: &Arc<Self>, webhook_id: &str) -> Result<First, ActError> {
        let row = {
            let queue = self.queue();
            queue.places.get(webhook_id).map(|place| queue.rows[*place].clone())
        };
        let row = row.ok_or_else(|| ActError::new(format!("`webhook_id` is {webhook_id}: never sent")))?;
        let (tell, outcome) = oneshot::channel();
        let this = Arc::clone(self);
        self.deliveries.spawn(async move {
            if let Some(outcome) = this.attempt(&row).await {
                // The act may have given up waiting.
                let _ = tell.send(outcome);
            }
        });
        Ok(First { webhook_id: webhook_id.to_owned(), outcome: Some(outcome) })
    }

    fn enqueue(self: &Arc<Self>, row: Row) -> First {
        let (webhook_id, subject) = (row.id.clone(), row.subject.clone());
        self.deliveries.announce(&row.id, &row.kind);
        let mut queue = self.queue();
        let place = queue.rows.len();
        queue.places.insert(row.id.clone(), place);
        queue.rows.push(row);
        let fresh = !queue.lanes.contains_key(&subject);
        let lane = queue.lanes.entry(subject.clone()).or_default();
        let outcome = if lane.stuck || !self.deliveries.has_target() {
            lane.waiting.push_back(Waiting { place, tell: None });
            None
        } else {
            let (tell, outcome) = oneshot::channel();
            lane.waiting.push_back(Waiting { place, tell: Some(tell) });
            Some(outcome)
        };
        drop(queue);
        if fresh {
            let this = Arc::clone(self);
            self.deliveries.spawn(async move { this.work(&subject).await });
        }
        First { webhook_id, outcome }
    }

    /// Empties a lane from the front; ends when it is empty.
    async fn work(self: Arc<Self>, subject: &str) {
        let mut targets = self.deliveries.watch_target();
        let mut failures = 0_u32;
        while let Some(row) = self.front(subject) {
            targets.mark_unchanged();
            let Some(outcome) = self.attempt(&row).await else {
                self.stick(subject, None);
                // Nowhere to send: the row waits until a target is set.
                if targets.changed().await.is_err() {
                    return;
                }
                continue;
            };
            // What is not signed as the add-on signs comes from somebody else, who does not repeat it.
            if outcome.is_success() || row.sign != Sign::Ok {
                failures = 0;
                self.advance(subject, outcome);
                continue;
            }
            self.stick(subject, Some(outcome));
            let first = self.retry_ms.load(Ordering::Relaxed);
            let wait = first.saturating_mul(1 << failures.min(16)).min(LONGEST_WAIT_MS.max(first));
            failures += 1;
            self.deliveries.wait_until(&row.id, clock::now_ms() + wait as i64);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(wait)) => {}
                // A new target is tried at once.
                _ = targets.changed() => {}
            }
        }
    }

    async fn attempt(&self, row: &Row) -> Option<Outcome> {
        let target: Target = self.deliveries.target();
        let url = target.url(&format!("/webhooks/cscart/{}", target.connection))?;
        let now = clock::now_ms() / 1000;
        let (secret, timestamp) = match row.sign {
            Sign::Forged => (&self.stranger, now),
            Sign::Stale => (&self.secret, now - STALE_S),
            Sign::Ok | Sign::None => (&self.secret, now),
        };
        let mut headers = vec![("webhook-id", row.id.clone()), ("webhook-timestamp", timestamp.to_string())];
        if row.sign != Sign::None {
            headers.push(("webhook-signature", signature(secret, &row.id, timestamp, &row.body)));
        }
        let outcome = self.deliveries.attempt(&row.id, &url, &headers, row.body.clone()).await;
        let mut queue = self.queue();
        if let Some(place) = queue.places.get(&row.id).copied() {
            queue.rows[place].attempts += 1;
            queue.rows[place].delivered |= outcome.is_success();
        }
        Some(outcome)
    }

    /// The row at the front; the lane is gone when there is none.
    fn front(&self, subject: &str) -> Option<Row> {
        let mut queue = self.queue();
        let place = queue.lanes.get(subject).and_then(|lane| lane.waiting.front()).map(|it| it.place);
        if place.is_none() {
            queue.lanes.remove(subject);
        }
        place.map(|place| queue.rows[place].clone())
    }

    /// The front row is delivered.
    fn advance(&self, subject: &str, outcome: Outcome) {
        let mut queue = self.queue();
        if let Some(lane) = queue.lanes.get_mut(subject) {
            lane.stuck = false;
            if let Some(tell) = lane.waiting.pop_front().and_then(|it| it.tell) {
                // Nobody waits when the change came through the API.
                let _ = tell.send(outcome);
            }
        }
    }

    /// The front row stays; nobody waits any longer for those behind it.
    fn stick(&self, subject: &str, outcome: Option<Outcome>) {
        let mut queue = self.queue();
        if let Some(lane) = queue.lanes.get_mut(subject) {
            lane.stuck = true;
            let front = lane.waiting.front_mut().and_then(|it| it.tell.take());
            if let (Some(tell), Some(outcome)) = (front, outcome) {
                let _ = tell.send(outcome);
            }
            lane.waiting.iter_mut().for_each(|it| it.tell = None);
        }
    }

    /// All rows, oldest first, for the state.
    pub(super) fn rows(&self) -> Value {
        let queue = self.queue();
        let rows = queue.rows.iter().map(|row| {
            json!({
                "webhook_id": row.id,
                "type": row.kind,
                "subject": row.subject,
                "delivered": row.delivered,
                "attempts": row.attempts,
                "body": serde_json::from_slice::<Value>(&row.body).unwrap_or_default(),
            })
        });
        Value::Array(rows.collect())
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
