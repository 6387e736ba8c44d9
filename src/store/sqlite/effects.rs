//! The effect ledger.

use jiff::Timestamp;
use rusqlite::{Connection as Pool, params};

use super::{row, timers};
use crate::effect::{Attempt, Effect, EffectState, StepKey};
use crate::store::{EffectUpdate, Result};

/// `sending` is written once: a later retry keeps the time of the first call that may have made something.
pub(super) fn begin(
    tx: &Pool,
    event: i64,
    key: &StepKey,
    operation: &str,
    version: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO effects (event, route, step, position, operation, state, sending_since, sending_at, result, \
         attempts, version) VALUES (?1, ?2, ?3, (SELECT count(*) FROM effects WHERE event = ?1), ?4, 'sending', ?5, ?5, \
         'null', '[]', ?6) \
         ON CONFLICT (event, route, step) DO UPDATE SET state = 'sending', operation = excluded.operation, \
         version = excluded.version, \
         sending_at = excluded.sending_at, sending_since = coalesce(sending_since, excluded.sending_since)",
    )?
    .execute(params![event, key.route, key.step, operation, now.as_millisecond(), version])?;
    Ok(())
}

pub(super) fn record(tx: &Pool, event: i64, update: &EffectUpdate) -> Result<()> {
    let earlier: Option<String> = row::optional(
        tx.prepare_cached("SELECT attempts FROM effects WHERE event = ? AND route = ? AND step = ?")?
            .query_row(params![event, update.key.route, update.key.step], |row| row.get(0)),
    )?;
    let attempts = match earlier {
        None => row::to_json("attempts", &update.attempts)?,
        Some(earlier) if earlier == "[]" => row::to_json("attempts", &update.attempts)?,
        Some(earlier) => {
            let mut all: Vec<Attempt> = row::json("an effect's attempts", &earlier)?;
            all.extend(update.attempts.iter().cloned());
            row::to_json("attempts", &all)?
        }
    };
    let result = row::to_json("a result", &update.result)?;
    // As long as the effect is `sending`, a create may have happened; every other state says that this is settled.
    tx.prepare_cached(
        "INSERT INTO effects (event, route, step, position, operation, state, result, attempts, version) \
         VALUES (?1, ?2, ?3, (SELECT count(*) FROM effects WHERE event = ?1), ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (event, route, step) DO UPDATE SET operation = excluded.operation, state = excluded.state, \
         result = excluded.result, attempts = excluded.attempts, version = excluded.version, \
         sending_since = CASE WHEN excluded.state = 'sending' THEN sending_since END",
    )?
    .execute(params![
        event,
        update.key.route,
        update.key.step,
        update.operation,
        update.state.as_str(),
        result,
        attempts,
        update.version
    ])?;
    update.timer.as_ref().map_or(Ok(()), |timer| timers::put(tx, timer))
}

/// The ledger of an event, in the order in which its effects were begun.
pub(super) fn of_event(pool: &Pool, event: i64) -> Result<Vec<Effect>> {
    let mut statement = pool.prepare_cached(
        "SELECT route, step, operation, state, sending_since, sending_at, result, attempts, version FROM effects WHERE event = ? \
         ORDER BY position, route, step",
    )?;
    let mut rows = statement.query([event])?;
    let mut effects = Vec::new();
    while let Some(found) = rows.next()? {
        effects.push(Effect {
            key: StepKey { route: found.get(0)?, step: found.get(1)? },
            operation: found.get(2)?,
            state: row::parse_word::<EffectState>("an effect's state", &found.get::<_, String>(3)?)?,
            sending_since: found.get::<_, Option<i64>>(4)?.map(row::time),
            sending_at: found.get::<_, Option<i64>>(5)?.map(row::time),
            result: row::json("an effect's result", &found.get::<_, String>(6)?)?,
            attempts: row::json("an effect's attempts", &found.get::<_, String>(7)?)?,
            version: found.get(8)?,
        });
    }
    Ok(effects)
}

/// Gives one event's finished effects to another, which runs the same again.
pub(super) fn inherit(tx: &Pool, from: i64, to: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO effects (event, route, step, position, operation, state, result, attempts, version) \
         SELECT ?2, route, step, position, operation, state, result, '[]', version FROM effects \
         WHERE event = ?1 AND state IN ('done', 'skipped')",
        [from, to],
    )?;
    Ok(())
}
