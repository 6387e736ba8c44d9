//! Timers: put, listed by when they are due, fired.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection as Pool, Row, params};

use super::arrivals::Arrivals;
use super::{Sqlite, inbox, locked, row};
use crate::connection::ConnectionName;
use crate::event::{EventId, Subject};
use crate::store::{Result, TimerStore};
use crate::timer::Timer;

const COLUMNS: &str = "connection, key, subject, due_at, kind, payload";

pub(super) fn put(tx: &Pool, timer: &Timer) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO timers (connection, key, subject, due_at, kind, payload) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (connection, key) DO UPDATE SET subject = excluded.subject, due_at = excluded.due_at, \
         kind = excluded.kind, payload = excluded.payload",
    )?
    .execute(params![
        timer.connection.as_str(),
        timer.key,
        timer.subject.as_str(),
        timer.due_at.as_millisecond(),
        timer.kind,
        timer.payload,
    ])?;
    Ok(())
}

/// See [`crate::store::Store::fire_timer`].
pub(super) fn fire(
    tx: &Pool,
    arrivals: &mut Arrivals,
    timer: &Timer,
    again: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<EventId>> {
    if !step_on(tx, timer, again)? {
        return Ok(None);
    }
    inbox::append(tx, arrivals, &timer.event(now), now).map(|appended| Some(appended.id))
}

/// Takes a timer away, or moves it to its next time; answers whether it was still there as it is given.
pub(super) fn step_on(tx: &Pool, timer: &Timer, again: Option<Timestamp>) -> Result<bool> {
    let (connection, due_at) = (timer.connection.as_str(), timer.due_at.as_millisecond());
    let changed = match again {
        Some(again) => tx
            .prepare_cached("UPDATE timers SET due_at = ? WHERE connection = ? AND key = ? AND due_at = ?")?
            .execute(params![again.as_millisecond(), connection, timer.key, due_at])?,
        None => tx
            .prepare_cached("DELETE FROM timers WHERE connection = ? AND key = ? AND due_at = ?")?
            .execute(params![connection, timer.key, due_at])?,
    };
    Ok(changed == 1)
}

pub(super) fn drop_one(tx: &Pool, connection: &ConnectionName, key: &str) -> Result<bool> {
    let dropped = tx
        .prepare_cached("DELETE FROM timers WHERE connection = ? AND key = ?")?
        .execute(params![connection.as_str(), key])?;
    Ok(dropped == 1)
}

pub(super) fn due(pool: &Pool, now: Timestamp, limit: usize) -> Result<Vec<Timer>> {
    let mut statement = pool.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM timers WHERE due_at <= ? ORDER BY due_at, connection, key LIMIT ?"
    ))?;
    read_all(statement.query(params![now.as_millisecond(), limit as i64])?)
}

pub(super) fn next(pool: &Pool) -> Result<Option<Timestamp>> {
    let next: Option<i64> =
        pool.prepare_cached("SELECT min(due_at) FROM timers")?.query_row([], |row| row.get(0))?;
    Ok(next.map(row::time))
}

pub(super) fn list(pool: &Pool, connection: Option<&ConnectionName>, limit: usize) -> Result<Vec<Timer>> {
    let mut statement = pool.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM timers WHERE ?1 IS NULL OR connection = ?1 ORDER BY due_at, connection, key LIMIT ?2"
    ))?;
    read_all(statement.query(params![connection.map(ConnectionName::as_str), limit as i64])?)
}

pub(super) fn named(pool: &Pool, prefix: &str) -> Result<Vec<Timer>> {
    let mut statement = pool.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM timers WHERE substr(key, 1, length(?1)) = ?1 ORDER BY connection, key"
    ))?;
    read_all(statement.query([prefix])?)
}

fn read_all(mut rows: rusqlite::Rows<'_>) -> Result<Vec<Timer>> {
    let mut timers = Vec::new();
    while let Some(found) = rows.next()? {
        timers.push(read(found)?);
    }
    Ok(timers)
}

fn read(found: &Row<'_>) -> Result<Timer> {
    Ok(Timer {
        connection: row::parse("a timer's connection", &found.get::<_, String>(0)?)?,
        key: found.get(1)?,
        subject: Subject::other(found.get::<_, String>(2)?),
        due_at: row::time(found.get(3)?),
        kind: found.get(4)?,
        payload: found.get(5)?,
    })
}

#[async_trait]
impl TimerStore for Sqlite {
    async fn put_timer(&self, timer: Timer) -> Result<()> {
        self.writer.run(move |tx| put(tx, &timer)).await
    }

    async fn due_timers(&self, now: Timestamp, limit: usize) -> Result<Vec<Timer>> {
        self.readers.run(move |pool| due(pool, now, limit)).await
    }

    async fn next_timer(&self) -> Result<Option<Timestamp>> {
        self.readers.run(next).await
    }

    async fn fire_timer(
        &self,
        timer: &Timer,
        again: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<EventId>> {
        let (arrivals, timer) = (Arc::clone(&self.arrivals), timer.clone());
        self.writer.run(move |tx| fire(tx, &mut locked(&arrivals), &timer, again, now)).await
    }

    async fn pass_timer(&self, timer: &Timer, again: Option<Timestamp>) -> Result<bool> {
        let timer = timer.clone();
        self.writer.run(move |tx| step_on(tx, &timer, again)).await
    }

    async fn drop_timer(&self, connection: &ConnectionName, key: &str) -> Result<bool> {
        let (connection, key) = (connection.clone(), key.to_owned());
        self.writer.run(move |tx| drop_one(tx, &connection, &key)).await
    }

    async fn timers(&self, connection: Option<&ConnectionName>, limit: usize) -> Result<Vec<Timer>> {
        let connection = connection.cloned();
        self.readers.run(move |pool| list(pool, connection.as_ref(), limit)).await
    }

    async fn timers_named(&self, prefix: &str) -> Result<Vec<Timer>> {
        let prefix = prefix.to_owned();
        self.readers.run(move |pool| named(pool, &prefix)).await
    }
}
