//! What was asked of the sandbox, what it answered, and what really happened.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::clock;

/// What a request changed in the state, whatever its answer said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// `contact.created`, `contact.updated`, `task.created`, `tags.added`, `token.refreshed`, `user.updated`, …
    pub kind: String,
    /// The id of the thing that was made, changed or removed.
    pub id: String,
    /// The GHL contact that a task, note, tag or appointment belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<String>,
}

impl Effect {
    /// An effect on a thing that stands for itself.
    pub(crate) fn on(kind: &str, id: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), id: id.into(), contact_id: None }
    }

    /// An effect on something that belongs to a contact.
    pub(crate) fn of_contact(kind: &str, id: impl Into<String>, contact_id: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), id: id.into(), contact_id: Some(contact_id.into()) }
    }
}

/// One request, as `GET /_sandbox/journal` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Counts from 1 after the start and after each reset.
    pub seq: u64,
    /// When it was answered or cut, ISO 8601 with milliseconds.
    pub at: String,
    /// The method as sent.
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// The raw query string; empty when there was none.
    pub query: String,
    /// JSON as it was parsed, a form as an object, any other body as a string, null without a body.
    pub body: Value,
    /// The status sent; null when the connection was cut without an answer.
    pub status: Option<u16>,
    /// What happened to the state; null when nothing did.
    pub effect: Option<Effect>,
    /// The kind of the fault that was injected; null for none.
    pub fault: Option<String>,
}

/// The requests of one system since its start or its last reset.
pub(crate) struct Journal {
    on: bool,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    last: u64,
    records: Vec<Record>,
}

/// An entry before its time is written out: appending costs no formatting.
pub(crate) struct Record {
    pub(crate) at_ms: i64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Value,
    pub(crate) status: Option<u16>,
    pub(crate) effect: Option<Effect>,
    pub(crate) fault: Option<&'static str>,
}

impl Journal {
    /// `on` false keeps nothing (for benchmarks).
    pub(crate) fn new(on: bool) -> Self {
        Self { on, kept: Mutex::default() }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    pub(crate) fn append(&self, record: Record) {
        if self.on {
            let mut kept = self.kept();
            kept.last += 1;
            kept.records.push(record);
        }
    }

    /// The entries with a number above `since`, oldest first.
    pub(crate) fn since(&self, since: u64) -> Vec<Entry> {
        let kept = self.kept();
        let first = kept.last - kept.records.len() as u64;
        let skip = since.saturating_sub(first) as usize;
        let numbered = kept.records.iter().enumerate().skip(skip);
        numbered.map(|(index, record)| record.entry(first + index as u64 + 1)).collect()
    }

    pub(crate) fn clear(&self) {
        *self.kept() = Kept::default();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn entry(&self, seq: u64) -> Entry {
        Entry {
            seq,
            at: clock::iso(self.at_ms),
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            body: self.body.clone(),
            status: self.status,
            effect: self.effect.clone(),
            fault: self.fault.map(str::to_owned),
        }
    }
}
