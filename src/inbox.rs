//! The inbox: where events come to rest. What it has accepted is on disk.

mod cscart;
pub mod fold;
mod ghl;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Notify;

use crate::clock::{Clock, after};
use crate::connection::ConnectionName;
use crate::event::{EventId, NewEvent, Source, Subject};
use crate::link::Customer;
use crate::routes::Routes;
use crate::store::{self, Appended, Store};

/// Why the body of a webhook, though rightly signed, cannot become an event.
#[derive(Debug, thiserror::Error)]
pub enum ShapeError {
    /// Not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    /// JSON, and not of the agreed form.
    #[error("the body has not the agreed form: {0}")]
    NotThisShape(String),
}

/// What a webhook says, before it has an id.
#[derive(Debug, Clone)]
pub struct Incoming {
    source: Source,
    source_id: String,
    kind: String,
    subject: Subject,
    occurred_at: Option<Timestamp>,
    payload: Vec<u8>,
}

impl Incoming {
    /// Reads the body of a store's webhook. `webhook_id` is its header, the same over all repetitions.
    pub fn from_cscart(webhook_id: &str, body: Vec<u8>) -> Result<Self, ShapeError> {
        cscart::read(webhook_id, body)
    }

    /// Reads the body of a webhook from HighLevel, whose envelope is known already.
    pub fn from_ghl(envelope: &::ghl::webhook::Envelope, body: Vec<u8>) -> Self {
        ghl::read(envelope, body)
    }

    /// What a person asks for: `kind` is `resync` or `linked`.
    pub fn manual(kind: &str, subject: Subject, payload: &serde_json::Value) -> Self {
        Self {
            source: Source::Manual,
            source_id: EventId::new().to_string(),
            kind: kind.to_owned(),
            subject,
            occurred_at: None,
            payload: payload.to_string().into_bytes(),
        }
    }

    /// A person asks for a customer to be compared on both sides.
    pub fn resync(customer: &Customer) -> Self {
        let payload = json!({ "data": { "customer": customer.to_string() } });
        Self::manual("resync", Subject::customer(customer), &payload)
    }

    /// Its type, without the source.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The sender's own id of it.
    pub fn source_id(&self) -> &str {
        &self.source_id
    }
}

/// Stores events and wakes the engine.
#[derive(Clone)]
pub struct Inbox {
    store: Arc<dyn Store>,
    routes: Routes,
    clock: Clock,
    wake: Arc<Notify>,
    fold_window: Duration,
}

impl Inbox {
    /// An inbox over a store. `fold_window`: how long a change of a customer waits for further ones.
    pub fn new(
        store: Arc<dyn Store>,
        routes: Routes,
        clock: Clock,
        wake: Arc<Notify>,
        fold_window: Duration,
    ) -> Self {
        Self { store, routes, clock, wake, fold_window }
    }

    /// Stores an event. When this answers `Ok`, it is on disk, or was there before.
    pub async fn append(&self, connection: &ConnectionName, incoming: Incoming) -> store::Result<Appended> {
        let now = self.clock.now();
        let trigger = format!("{}.{}", incoming.source, incoming.kind);
        let not_before = if fold::waits_for_company(incoming.source, &incoming.kind) {
            after(now, self.fold_window)
        } else {
            now
        };
        let event = NewEvent {
            id: EventId::new(),
            connection: connection.clone(),
            source: incoming.source,
            source_id: incoming.source_id,
            kind: incoming.kind,
            subject: incoming.subject,
            received_at: now,
            // The sender's clock may run ahead: what happened cannot have happened later than now.
            occurred_at: incoming.occurred_at.map_or(now, |at| at.min(now)),
            payload: incoming.payload,
            replayed_from: None,
            forced: false,
            ignored: !self.routes.of(connection).handles(&trigger),
        };
        let appended = self.store.append(event, not_before).await?;
        self.wake.notify_one();
        Ok(appended)
    }

    /// Tells the engine to look at once: something became ready that it was not told of.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// The event that an earlier delivery of the same made.
    pub async fn known(
        &self,
        connection: &ConnectionName,
        source: Source,
        source_id: &str,
    ) -> store::Result<Option<EventId>> {
        self.store.known(connection, source, source_id).await
    }
}
