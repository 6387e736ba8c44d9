//! Events: what happened on one side, as it was received. An event never changes; its state does.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::connection::ConnectionName;
use crate::link::Customer;
use crate::reason::Code;

/// Identifies an event: a `UUIDv7`, so ids sort by the time of receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub Uuid);

impl EventId {
    /// A new id.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl Default for EventId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EventId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| NotAnId)
    }
}

/// A text is no id of an event or of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no id looks like that: one is 36 characters long, as `cartbridge events list` and `cartbridge jobs list` show them"
)]
pub struct NotAnId;

/// Which side an event came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The store's add-on.
    Cscart,
    /// HighLevel.
    Ghl,
    /// A person: a resync, a link made by hand.
    Manual,
    /// The bridge itself, when a time has come: a timer that was due.
    Schedule,
}

impl Source {
    /// The word used in the API and in the names of triggers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cscart => "cscart",
            Self::Ghl => "ghl",
            Self::Manual => "manual",
            Self::Schedule => "schedule",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Source {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "cscart" => Ok(Self::Cscart),
            "ghl" => Ok(Self::Ghl),
            "manual" => Ok(Self::Manual),
            "schedule" => Ok(Self::Schedule),
            other => Err(format!("`{other}` is not a source (cscart, ghl, manual, schedule)")),
        }
    }
}

/// What an event is about. Events of one subject are handled in order, those of different subjects in parallel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(String);

impl Subject {
    /// The subject of everything that concerns one customer: his notes and orders wait for his contact.
    pub fn customer(customer: &Customer) -> Self {
        Self(customer.to_string())
    }

    /// Any other subject: `contact:<id>`, `store`, `location`.
    pub fn other(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The subject as text, as the API shows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far an event has come. `docs` of the state machine: `ARCHITECTURE.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In the inbox, not looked at yet.
    Pending,
    /// A worker holds it under a lease.
    Working,
    /// Will be tried again at `next_attempt_at`.
    Waiting,
    /// Waits for a connection, a scope or a budget; resumes by itself.
    Parked,
    /// Everything that it asked for is done.
    Done,
    /// Nothing handles its type.
    Ignored,
    /// A later state of the same subject was carried out in its place, or with it.
    Folded,
    /// Will not be retried by itself; a person can replay it.
    Dead,
}

impl State {
    /// All states, in the order in which an event passes them.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Working,
        Self::Waiting,
        Self::Parked,
        Self::Done,
        Self::Ignored,
        Self::Folded,
        Self::Dead,
    ];

    /// The word used in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
            Self::Done => "done",
            Self::Ignored => "ignored",
            Self::Folded => "folded",
            Self::Dead => "dead",
        }
    }

    /// Whether the engine still has work to do with an event in this state.
    pub fn is_open(self) -> bool {
        match self {
            Self::Pending | Self::Working | Self::Waiting | Self::Parked => true,
            Self::Done | Self::Ignored | Self::Folded | Self::Dead => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
            format!(
                "`{text}` is not a state (pending, working, waiting, parked, done, ignored, folded, dead)"
            )
        })
    }
}

/// An event about to be stored.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Given before it is stored, so that a log line can name it whatever happens.
    pub id: EventId,
    /// The connection that it belongs to.
    pub connection: ConnectionName,
    /// The side that it came from.
    pub source: Source,
    /// The sender's own id of it; with connection and source, what makes a repeated delivery a duplicate.
    pub source_id: String,
    /// The type without its source: `customer.created`.
    pub kind: String,
    /// What it is about.
    pub subject: Subject,
    /// When it was received.
    pub received_at: Timestamp,
    /// When it happened, in the sender's words, and no later than it was received.
    pub occurred_at: Timestamp,
    /// The body, byte for byte as it was signed.
    pub payload: Vec<u8>,
    /// The event that this one runs again.
    pub replayed_from: Option<EventId>,
    /// Steps that were done are to be done again: a person asked for it.
    pub forced: bool,
    /// Stored as `ignored` at once: nothing handles its type.
    pub ignored: bool,
}

/// An event in the inbox.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Its place in the order of receipt.
    pub seq: i64,
    /// The connection that it belongs to.
    pub connection: ConnectionName,
    /// The side that it came from.
    pub source: Source,
    /// The sender's own id of it.
    pub source_id: String,
    /// The type without its source.
    pub kind: String,
    /// What it is about.
    pub subject: Subject,
    /// When it was received.
    pub received_at: Timestamp,
    /// When it happened, in the sender's words, and no later than it was received.
    pub occurred_at: Timestamp,
    /// The body, byte for byte.
    pub payload: Vec<u8>,
    /// How far it has come.
    pub state: State,
    /// Why it is in that state, in a sentence for a person.
    pub state_reason: Option<String>,
    /// The kind of that reason, while it waits, is parked or is dead.
    pub state_code: Option<Code>,
    /// When it will be tried again, while waiting or parked.
    pub next_attempt_at: Option<Timestamp>,
    /// How many times it was tried and failed since it was received or replayed.
    pub tries: u32,
    /// When the first of these tries failed; parking it begins anew.
    pub failing_since: Option<Timestamp>,
    /// The event that was carried out in its place.
    pub folded_into: Option<EventId>,
    /// The event that this one runs again.
    pub replayed_from: Option<EventId>,
    /// Steps that were done are to be done again: a person asked for it.
    pub forced: bool,
}

impl Event {
    /// Whether a person asks to compare a customer on both sides.
    pub fn is_resync(&self) -> bool {
        self.source == Source::Manual && self.kind == "resync"
    }

    /// The name by which a route asks for this event: `cscart.customer.created`.
    pub fn trigger(&self) -> String {
        match (self.source, self.kind.as_str()) {
            (Source::Schedule, "due") => "schedule".to_owned(),
            (source, kind) => format!("{source}.{kind}"),
        }
    }
}
