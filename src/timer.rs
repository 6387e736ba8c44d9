//! Timers: something that is to happen later, and becomes an event then.

use jiff::Timestamp;

use crate::connection::ConnectionName;
use crate::event::{EventId, NewEvent, Source, Subject};

/// Something that is to happen later. It is kept in the store, so it outlives the process; one that came due while the bridge
/// was down fires at its next start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// The connection that it belongs to.
    pub connection: ConnectionName,
    /// Names it within the connection: one that is put under the same key replaces it, and so begins anew.
    pub key: String,
    /// What the event will be about: it joins the lane of that subject.
    pub subject: Subject,
    /// When it fires.
    pub due_at: Timestamp,
    /// The event's type, without its source [`Source::Schedule`].
    pub kind: String,
    /// The event's body.
    pub payload: Vec<u8>,
}

impl Timer {
    /// The event that this timer becomes when it fires, received at `now`. Its source id is made of the key and of the time at which
    /// it was due: so the store takes it for a duplicate if it is filed again.
    pub fn event(&self, now: Timestamp) -> NewEvent {
        NewEvent {
            id: EventId::new(),
            connection: self.connection.clone(),
            source: Source::Schedule,
            source_id: format!("{}@{}", self.key, self.due_at),
            kind: self.kind.clone(),
            subject: self.subject.clone(),
            received_at: now,
            occurred_at: self.due_at,
            payload: self.payload.clone(),
            replayed_from: None,
            forced: false,
            ignored: false,
        }
    }
}
