//! The one row that tells which generation of the database this is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection as Pool, params};

use super::{Sqlite, row};
use crate::restore::Restore;
use crate::store::{Begun, GenerationStore, Result};

/// The database's generation; none: it is of a version that knew none, or was never worked with.
fn number(pool: &Pool) -> Result<Option<u64>> {
    let number: Option<i64> = row::optional(
        pool.prepare_cached("SELECT number FROM generation WHERE id = 1")?.query_row([], |row| row.get(0)),
    )?;
    Ok(number.map(i64::cast_unsigned))
}

fn set_number(tx: &Pool, number: u64) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO generation (id, number) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET number = excluded.number",
    )?
    .execute([number.cast_signed()])?;
    Ok(())
}

fn begin(tx: &Pool, newest: Option<u64>, lost_until: Timestamp) -> Result<Begun> {
    let own = number(tx)?;
    let is_older = newest.is_some_and(|newest| own.is_none_or(|own| newest > own));
    let generation = own.max(newest).unwrap_or_default() + 1;
    set_number(tx, generation)?;
    if is_older {
        put_restore(tx, None, lost_until)?;
    }
    Ok(Begun { generation, is_older })
}

fn next(tx: &Pool) -> Result<u64> {
    let next = number(tx)?.unwrap_or_default() + 1;
    set_number(tx, next)?;
    Ok(next)
}

fn put_restore(tx: &Pool, lost_since: Option<Timestamp>, lost_until: Timestamp) -> Result<Restore> {
    let lost_since = match lost_since {
        Some(since) => Some(since),
        None => last_event(tx)?,
    };
    let mut now = Restore { lost_since, lost_until };
    if let Some(before) = restore(tx)? {
        now.lost_since = now.lost_since.min(before.lost_since);
        now.lost_until = now.lost_until.max(before.lost_until);
    }
    if number(tx)?.is_none() {
        set_number(tx, 0)?;
    }
    tx.prepare_cached("UPDATE generation SET lost_since = ?, lost_until = ? WHERE id = 1")?
        .execute(params![now.lost_since.map(Timestamp::as_millisecond), now.lost_until.as_millisecond()])?;
    Ok(now)
}

/// When the last event was received.
fn last_event(pool: &Pool) -> Result<Option<Timestamp>> {
    let last: Option<i64> = row::optional(
        pool.prepare_cached("SELECT received_at FROM events ORDER BY seq DESC LIMIT 1")?
            .query_row([], |row| row.get(0)),
    )?;
    Ok(last.map(row::time))
}

fn restore(pool: &Pool) -> Result<Option<Restore>> {
    let mut statement =
        pool.prepare_cached("SELECT lost_since, lost_until FROM generation WHERE lost_until IS NOT NULL")?;
    let mut rows = statement.query([])?;
    let Some(found) = rows.next()? else { return Ok(None) };
    let lost_since = found.get::<_, Option<i64>>(0)?.map(row::time);
    Ok(Some(Restore { lost_since, lost_until: row::time(found.get(1)?) }))
}

#[async_trait]
impl GenerationStore for Sqlite {
    async fn begin_generation(&self, newest: Option<u64>, lost_until: Timestamp) -> Result<Begun> {
        let marked = Arc::clone(&self.marked);
        self.writer
            .run(move |tx| {
                let begun = begin(tx, newest, lost_until)?;
                marked.store(tx.total_changes(), Ordering::Relaxed);
                Ok(begun)
            })
            .await
    }

    async fn next_generation(&self) -> Result<Option<u64>> {
        let marked: Arc<AtomicU64> = Arc::clone(&self.marked);
        self.writer
            .run(move |tx| {
                if marked.load(Ordering::Relaxed) == tx.total_changes() {
                    return Ok(None);
                }
                let generation = next(tx)?;
                marked.store(tx.total_changes(), Ordering::Relaxed);
                Ok(Some(generation))
            })
            .await
    }

    async fn put_restore(&self, lost_since: Option<Timestamp>, lost_until: Timestamp) -> Result<Restore> {
        self.writer.run(move |tx| put_restore(tx, lost_since, lost_until)).await
    }

    async fn restore(&self) -> Result<Option<Restore>> {
        self.readers.run(restore).await
    }
}
