//! Append if new.

use jiff::Timestamp;
use rusqlite::{Connection as Pool, params};
use sha2::{Digest as _, Sha256};

use super::row;
use crate::connection::ConnectionName;
use crate::event::{EventId, NewEvent, Source, State};
use crate::store::{Appended, Result};

pub(super) fn append(tx: &Pool, event: &NewEvent, not_before: Timestamp) -> Result<Appended> {
    let state = if event.ignored { State::Ignored } else { State::Pending };
    let key = source_key(&event.connection, event.source, &event.source_id);
    let inserted = tx
        .prepare_cached(
            "INSERT INTO events (id, source_key, connection, source, source_id, kind, subject, received_at, occurred_at, \
             replayed_from, forced, state, state_reason, next_attempt_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source_key) DO NOTHING",
        )?
        .execute(params![
            event.id.0.as_bytes(),
            key,
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
    if inserted == 0 {
        let first = known(tx, &event.connection, event.source, &event.source_id)?;
        return Ok(Appended { id: first.unwrap_or(event.id), duplicate: true });
    }
    tx.prepare_cached("INSERT INTO payloads (event, payload) VALUES (?, ?)")?
        .execute(params![tx.last_insert_rowid(), event.payload])?;
    Ok(Appended { id: event.id, duplicate: false })
}

/// What makes a repeated delivery a duplicate. The parts cannot be taken for one another: a connection's name and a source
/// hold no NUL.
fn source_key(connection: &ConnectionName, source: Source, source_id: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in [connection.as_str(), "\0", source.as_str(), "\0", source_id] {
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let mut key = [0; 16];
    key.copy_from_slice(&hash[..16]);
    key
}

/// The event that was stored for a delivery.
pub(super) fn known(
    pool: &Pool,
    connection: &ConnectionName,
    source: Source,
    source_id: &str,
) -> Result<Option<EventId>> {
    let id: Option<[u8; 16]> = row::optional(
        pool.prepare_cached("SELECT id FROM events WHERE source_key = ?")?
            .query_row([source_key(connection, source, source_id)], |row| row.get(0)),
    )?;
    Ok(id.map(row::id))
}
