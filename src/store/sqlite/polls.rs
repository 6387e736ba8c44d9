//! How far stores without the add-on have been read.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection as Pool, params};

use super::{Sqlite, row};
use crate::connection::ConnectionName;
use crate::poll_state::PollState;
use crate::store::{PollStore, Result};

pub(super) fn state(pool: &Pool, connection: &ConnectionName) -> Result<Option<PollState>> {
    let found: Option<Option<String>> = row::optional(
        pool.prepare_cached("SELECT state FROM polls WHERE connection = ?")?
            .query_row([connection.as_str()], |row| row.get(0)),
    )?;
    found.flatten().map(|text| row::json("how far a store was read", &text)).transpose()
}

pub(super) fn put(tx: &Pool, connection: &ConnectionName, state: &PollState) -> Result<()> {
    let text = row::to_json("how far a store was read", state)?;
    tx.prepare_cached(
        "INSERT INTO polls (connection, state) VALUES (?, ?) ON CONFLICT (connection) DO UPDATE SET state = excluded.state",
    )?
    .execute(params![connection.as_str(), text])?;
    Ok(())
}

/// A store whose position is not kept has not been read.
pub(super) fn note_read(tx: &Pool, connection: &ConnectionName, now: Timestamp) -> Result<()> {
    tx.prepare_cached("UPDATE polls SET read_at = ? WHERE connection = ?")?
        .execute(params![now.as_millisecond(), connection.as_str()])?;
    Ok(())
}

pub(super) fn last_read(pool: &Pool, connection: &ConnectionName) -> Result<Option<Timestamp>> {
    let found: Option<Option<i64>> = row::optional(
        pool.prepare_cached("SELECT read_at FROM polls WHERE connection = ?")?
            .query_row([connection.as_str()], |row| row.get(0)),
    )?;
    Ok(found.flatten().map(row::time))
}

pub(super) fn note_addon(tx: &Pool, connection: &ConnectionName, now: Timestamp) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO polls (connection, addon_heard_at) VALUES (?, ?) ON CONFLICT (connection) DO UPDATE \
         SET addon_heard_at = coalesce(addon_heard_at, excluded.addon_heard_at)",
    )?
    .execute(params![connection.as_str(), now.as_millisecond()])?;
    Ok(())
}

/// Whether the add-on was ever heard. As long as nothing is noted, the events tell: a database may be older than the notes. A
/// ping does not count, because the doctor sends one, too.
pub(super) fn addon_heard(pool: &Pool, connection: &ConnectionName) -> Result<bool> {
    let noted: Option<Option<i64>> = row::optional(
        pool.prepare_cached("SELECT addon_heard_at FROM polls WHERE connection = ?")?
            .query_row([connection.as_str()], |row| row.get(0)),
    )?;
    if let Some(heard_at) = noted {
        return Ok(heard_at.is_some());
    }
    let mut told = pool.prepare_cached(
        "SELECT 1 FROM events WHERE connection = ? AND source = 'cscart' AND kind <> 'ping' \
         AND source_id NOT LIKE 'poll:%' LIMIT 1",
    )?;
    Ok(told.exists([connection.as_str()])?)
}

#[async_trait]
impl PollStore for Sqlite {
    async fn poll_state(&self, connection: &ConnectionName) -> Result<Option<PollState>> {
        let connection = connection.clone();
        self.readers.run(move |pool| state(pool, &connection)).await
    }

    async fn put_poll_state(&self, connection: &ConnectionName, state: &PollState) -> Result<()> {
        let (connection, state) = (connection.clone(), state.clone());
        self.writer.run(move |tx| put(tx, &connection, &state)).await
    }

    async fn note_read(&self, connection: &ConnectionName, now: Timestamp) -> Result<()> {
        let connection = connection.clone();
        self.writer.run(move |tx| note_read(tx, &connection, now)).await
    }

    async fn last_read(&self, connection: &ConnectionName) -> Result<Option<Timestamp>> {
        let connection = connection.clone();
        self.readers.run(move |pool| last_read(pool, &connection)).await
    }

    async fn note_addon(&self, connection: &ConnectionName, now: Timestamp) -> Result<()> {
        let connection = connection.clone();
        self.writer.run(move |tx| note_addon(tx, &connection, now)).await
    }

    async fn addon_heard(&self, connection: &ConnectionName) -> Result<bool> {
        let connection = connection.clone();
        self.readers.run(move |pool| addon_heard(pool, &connection)).await
    }
}
