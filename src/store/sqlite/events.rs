//! Reading events: one, a page, counts.

use std::fmt::Write as _;

use rusqlite::types::Value;
use rusqlite::{Connection as Pool, params_from_iter};

use super::row;
use crate::event::{Event, EventId, State};
use crate::store::{EventFilter, Page, Result};

pub(super) fn by_id(pool: &Pool, id: EventId) -> Result<Option<Event>> {
    let mut statement = pool.prepare_cached(&format!("SELECT {} FROM events WHERE id = ?", row::EVENT))?;
    let mut rows = statement.query([id.0.as_bytes()])?;
    let Some(found) = rows.next()? else { return Ok(None) };
    let payload = payload_of(pool, found.get(0)?)?;
    Ok(Some(row::event(found, payload)?))
}

pub(super) fn payload(pool: &Pool, seq: i64) -> Result<Vec<u8>> {
    Ok(payload_of(pool, seq)?)
}

/// The body of an event.
pub(super) fn payload_of(pool: &Pool, seq: i64) -> rusqlite::Result<Vec<u8>> {
    pool.prepare_cached("SELECT payload FROM payloads WHERE event = ?")?.query_row([seq], |row| row.get(0))
}

pub(super) fn page(pool: &Pool, filter: &EventFilter, cursor: Option<i64>, limit: usize) -> Result<Page> {
    let mut sql = format!("SELECT {} FROM events WHERE 1", row::EVENT);
    let mut values: Vec<Value> = Vec::new();
    let mut condition = |text: &str, value: Value| {
        values.push(value);
        // Writing to a string cannot fail.
        let _ = write!(sql, " AND {}", text.replace('?', &format!("?{}", values.len())));
    };
    if let Some(connection) = &filter.connection {
        condition("connection = ?", connection.as_str().to_owned().into());
    }
    if let Some(state) = filter.state {
        condition("state = ?", state.as_str().to_owned().into());
        if !matches!(state, State::Pending | State::Done) {
            // Lets SQLite see that the partial index on the rarer states fits.
            condition("state NOT IN ('pending', 'done') AND 1 = ?", 1.into());
        }
    }
    if let Some(kind) = &filter.kind {
        condition("? IN (kind, source || '.' || kind)", kind.clone().into());
    }
    if let Some(subject) = &filter.subject {
        // By the index for what is filed; what is not is little.
        condition(
            "seq IN (SELECT seq FROM events WHERE filed = 1 AND subject = ? \
             UNION ALL SELECT seq FROM events WHERE filed = 0 AND subject = ?)",
            subject.as_str().to_owned().into(),
        );
    }
    if let Some(since) = filter.since {
        condition("received_at >= ?", since.as_millisecond().into());
    }
    if let Some(until) = filter.until {
        condition("received_at < ?", until.as_millisecond().into());
    }
    if let Some(cursor) = cursor {
        condition("seq <= ?", cursor.into());
    }
    let _ = write!(sql, " ORDER BY seq DESC LIMIT {}", limit + 1);
    let mut statement = pool.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut events = Vec::new();
    while let Some(found) = rows.next()? {
        events.push(row::event(found, Vec::new())?);
    }
    let next = if events.len() > limit { events.pop().map(|event| event.seq) } else { None };
    Ok(Page { events, next })
}

/// Counted from indexes: reading every event would take seconds in a large database.
pub(super) fn counts(pool: &Pool) -> Result<Vec<(State, u64)>> {
    let mut rare: Vec<(State, u64)> = Vec::new();
    let mut statement = pool.prepare_cached(
        "SELECT state, count(*) FROM events WHERE state NOT IN ('pending', 'done') GROUP BY state",
    )?;
    let mut rows = statement.query([])?;
    while let Some(found) = rows.next()? {
        let state = row::parse_word("an event's state", &found.get::<_, String>(0)?)?;
        rare.push((state, found.get::<_, i64>(1)? as u64));
    }
    let all: i64 = pool.prepare_cached("SELECT count(*) FROM events")?.query_row([], |row| row.get(0))?;
    let pending: i64 = pool
        .prepare_cached(
            "SELECT count(*) FROM lanes CROSS JOIN events ON events.connection = lanes.connection \
             AND events.subject = lanes.subject AND events.seq >= lanes.head AND events.state = 'pending' \
             AND events.filed = 1",
        )?
        .query_row([], |row| row.get(0))?;
    let arrived: i64 = pool
        .prepare_cached("SELECT count(*) FROM events WHERE filed = 0 AND state = 'pending'")?
        .query_row([], |row| row.get(0))?;
    let (all, pending) = (all as u64, (pending + arrived) as u64);
    let rest = rare.iter().map(|(_, count)| count).sum::<u64>() + pending;
    Ok(State::ALL
        .into_iter()
        .map(|state| match state {
            State::Pending => (state, pending),
            State::Done => (state, all.saturating_sub(rest)),
            _ => (state, rare.iter().find(|(found, _)| *found == state).map_or(0, |(_, count)| *count)),
        })
        .collect())
}
