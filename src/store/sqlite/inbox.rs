//! Append if new.

use jiff::Timestamp;
use rusqlite::{Connection as Pool, params};

use super::{lanes, row};
use crate::connection::ConnectionName;
use crate::event::{EventId, NewEvent, Source, State};
use crate::store::{Appended, Result};

pub(super) fn append(tx: &Pool, event: &NewEvent, not_before: Timestamp) -> Result<Appended> {
    let state = if event.ignored { State::Ignored } else { State::Pending };
    let inserted = tx
        .prepare_cached(
            "INSERT INTO events (id, connection, source, source_id, kind, subject, received_at, occurred_at, \
             replayed_from, forced, state, state_reason, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (connection, source, source_id) DO NOTHING",
        )?
        .execute(params![
            event.id.0.as_bytes(),
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
            event.payload,
        ])?;
    if inserted == 0 {
        let first = known(tx, &event.connection, event.source, &event.source_id)?;
        return Ok(Appended { id: first.unwrap_or(event.id), duplicate: true });
    }
    if !event.ignored {
        lanes::open(tx, event, tx.last_insert_rowid(), not_before)?;
    }
    Ok(Appended { id: event.id, duplicate: false })
}

/// The event that was stored for a delivery.
pub(super) fn known(
    pool: &Pool,
    connection: &ConnectionName,
    source: Source,
    source_id: &str,
) -> Result<Option<EventId>> {
    let id: Option<[u8; 16]> = row::optional(
        pool.prepare_cached("SELECT id FROM events WHERE connection = ? AND source = ? AND source_id = ?")?
            .query_row(params![connection.as_str(), source.as_str(), source_id], |row| row.get(0)),
    )?;
    Ok(id.map(row::id))
}
