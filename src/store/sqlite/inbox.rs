//! Append if new.

use jiff::Timestamp;
use rusqlite::{Connection as Pool, params};

use super::arrivals::{Arrivals, SourceKey};
use super::{lanes, row};
use crate::event::{EventId, NewEvent, State};
use crate::store::{Appended, Result};

pub(super) fn append(
    tx: &Pool,
    arrivals: &mut Arrivals,
    event: &NewEvent,
    not_before: Timestamp,
) -> Result<Appended> {
    let key = SourceKey::of(&event.connection, event.source, &event.source_id);
    if let Some(id) = arrivals.get(key).map_or_else(|| filed(tx, key), |id| Ok(Some(id)))? {
        return Ok(Appended { id, duplicate: true });
    }
    let state = if event.ignored { State::Ignored } else { State::Pending };
    tx.prepare_cached(
        "INSERT INTO events (id, source_key, connection, source, source_id, kind, subject, received_at, occurred_at, \
         replayed_from, forced, state, state_reason, next_attempt_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        event.id.0.as_bytes(),
        key.0,
        event.connection.as_str(),
        event.source.as_str(),
        event.source_id,
        event.kind,
        event.subject.as_str(),
        event.received_at.as_millisecond(),
        event.occurred_at.as_millisecond(),
        event.replayed_from.map(|id| *id.0.as_bytes()),
        event.forced,
        state.as_str(),
        event.ignored.then_some("no route handles this type"),
        not_before.as_millisecond(),
    ])?;
    tx.prepare_cached("INSERT INTO payloads (event, payload) VALUES (?, ?)")?
        .execute(params![tx.last_insert_rowid(), event.payload])?;
    arrivals.append(key, event.id);
    if arrivals.are_many() {
        lanes::file(tx, arrivals)?;
    }
    Ok(Appended { id: event.id, duplicate: false })
}

/// The event that was stored for a delivery and is filed.
pub(super) fn filed(pool: &Pool, key: SourceKey) -> Result<Option<EventId>> {
    let id: Option<[u8; 16]> = row::optional(
        pool.prepare_cached("SELECT id FROM events WHERE filed = 1 AND source_key = ?")?
            .query_row([key.0], |row| row.get(0)),
    )?;
    Ok(id.map(row::id))
}
