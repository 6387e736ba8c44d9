//! How values are written into columns and read back.

use jiff::Timestamp;
use rusqlite::{Row, types::FromSql};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::event::{Event, EventId, State};
use crate::priority::Priority;
use crate::store::{Error, Result};

/// The columns that [`event`] reads, in its order.
pub(super) const EVENT: &str = "seq, id, connection, source, source_id, kind, subject, received_at, occurred_at, state, \
     state_reason, next_attempt_at, tries, folded_into, replayed_from, forced, failing_since, state_code";

/// An event from the columns [`EVENT`]; `payload` comes beside, where it is wanted.
pub(super) fn event(row: &Row<'_>, payload: Vec<u8>) -> Result<Event> {
    let state = parse_word("an event's state", &row.get::<_, String>(9)?)?;
    Ok(Event {
        seq: row.get(0)?,
        id: id(row.get(1)?),
        connection: parse("an event's connection", &row.get::<_, String>(2)?)?,
        source: parse_word("an event's source", &row.get::<_, String>(3)?)?,
        source_id: row.get(4)?,
        kind: row.get(5)?,
        subject: crate::event::Subject::other(row.get::<_, String>(6)?),
        received_at: time(row.get(7)?),
        occurred_at: time(row.get(8)?),
        payload,
        state,
        state_reason: row.get(10)?,
        next_attempt_at: row
            .get::<_, Option<i64>>(11)?
            .map(time)
            .filter(|_| matches!(state, State::Waiting | State::Parked)),
        tries: row.get(12)?,
        failing_since: row.get::<_, Option<i64>>(16)?.map(time),
        folded_into: row.get::<_, Option<[u8; 16]>>(13)?.map(id),
        replayed_from: row.get::<_, Option<[u8; 16]>>(14)?.map(id),
        forced: row.get(15)?,
        // A code of a newer version is not known here; the sentence is there all the same.
        state_code: row.get::<_, Option<String>>(17)?.and_then(|word| word.parse().ok()),
    })
}

/// An event's class, from its columns `source, kind, tries` and whether it is a replay, which begin at `first`.
pub(super) fn priority(row: &Row<'_>, first: usize) -> Result<Priority> {
    let source = parse_word("an event's source", &row.get::<_, String>(first)?)?;
    let kind: String = row.get(first + 1)?;
    Ok(Priority::of(source, &kind, row.get(first + 2)?, row.get(first + 3)?))
}

pub(super) fn id(bytes: [u8; 16]) -> EventId {
    EventId(Uuid::from_bytes(bytes))
}

/// Milliseconds since 1970, back to a time.
pub(super) fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(super) fn parse<T>(what: &str, text: &str) -> Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    text.parse().map_err(|error| Error::corrupt(what, error))
}

/// For the types whose parse error is a sentence.
pub(super) fn parse_word<T: std::str::FromStr<Err = String>>(what: &str, text: &str) -> Result<T> {
    text.parse().map_err(|sentence: String| Error::corrupt(what, std::io::Error::other(sentence)))
}

pub(super) fn json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::corrupt(what, error))
}

pub(super) fn to_json<T: serde::Serialize>(what: &str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::corrupt(what, error))
}

/// `query_row(…).optional()` for a single column.
pub(super) fn optional<T: FromSql>(result: rusqlite::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
