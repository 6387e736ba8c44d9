//! Giving a lane back: what becomes of its head, and when it is ready again.

use jiff::Timestamp;
use rusqlite::{Connection as Pool, params};

use super::row;
use crate::connection::ConnectionName;
use crate::event::EventId;
use crate::priority::Priority;
use crate::reason::Reason;
use crate::store::{Lane, Result, Settlement};

/// How many open events of a lane are asked how urgent they are.
const LOOKED_AT: usize = 16;

/// What a settlement makes of the head and of its lane.
struct Outcome<'a> {
    state: &'static str,
    reason: Option<&'a str>,
    code: Option<&'static str>,
    /// When the head is tried again.
    again: Option<Timestamp>,
    /// Whether this try has failed.
    failed: bool,
    /// The lane's state; none: its next event decides.
    lane: Option<&'static str>,
}

impl<'a> Outcome<'a> {
    fn of(settlement: &'a Settlement) -> Self {
        let ended =
            |state, reason| Self { state, reason, code: None, again: None, failed: false, lane: None };
        let stopped = |state, reason: &'a Reason| Self {
            code: Some(reason.code.as_str()),
            ..ended(state, Some(reason.text.as_str()))
        };
        match settlement {
            Settlement::Done { reason } => ended("done", reason.as_deref()),
            Settlement::Ignored { reason } => ended("ignored", Some(reason)),
            Settlement::Dead { reason } => Self { failed: true, ..stopped("dead", reason) },
            Settlement::Waiting { at, reason, counts } => Self {
                again: Some(*at),
                failed: *counts,
                lane: Some("waiting"),
                ..stopped("waiting", reason)
            },
            Settlement::Parked { reason, until } => Self {
                again: *until,
                lane: Some(if until.is_some() { "resting" } else { "parked" }),
                ..stopped("parked", reason)
            },
            Settlement::Released => Self { lane: Some("ready"), ..ended("pending", None) },
        }
    }
}

pub(super) fn settle(
    tx: &Pool,
    lane: &Lane,
    (seq, id): (i64, EventId),
    folded: &[i64],
    settlement: &Settlement,
    now: Timestamp,
) -> Result<()> {
    let outcome = Outcome::of(settlement);
    tx.prepare_cached(
        "UPDATE events SET state = ?1, state_reason = ?2, state_code = ?7, next_attempt_at = ?3, tries = tries + ?4, failing_since = CASE \
         WHEN ?1 = 'parked' THEN NULL WHEN ?4 THEN coalesce(failing_since, ?5) ELSE failing_since END WHERE seq = ?6",
    )?
    .execute(params![
        outcome.state,
        outcome.reason,
        outcome.again.map(Timestamp::as_millisecond),
        outcome.failed,
        now.as_millisecond(),
        seq,
        outcome.code
    ])?;
    for follower in folded {
        tx.prepare_cached("UPDATE events SET state = 'folded', state_reason = NULL, state_code = NULL, next_attempt_at = NULL, folded_into = ? WHERE seq = ?")?
            .execute(params![id.0.as_bytes(), follower])?;
    }
    let place = params![lane.connection.as_str(), lane.subject.as_str()];
    let Some((head, priority)) = open_now(tx, lane)? else {
        tx.prepare_cached("DELETE FROM lanes WHERE connection = ? AND subject = ?")?.execute(place)?;
        return Ok(());
    };
    tx.prepare_cached(
        "UPDATE lanes SET state = ?, ready_at = ?, head = ?, priority = ? WHERE connection = ? AND subject = ?",
    )?
    .execute(params![
        outcome.lane.unwrap_or("ready"),
        outcome.again.unwrap_or(now).as_millisecond(),
        head,
        priority.rank() as i64,
        lane.connection.as_str(),
        lane.subject.as_str()
    ])?;
    Ok(())
}

/// The first open event of a lane, and how urgent the most urgent one is.
fn open_now(tx: &Pool, lane: &Lane) -> Result<Option<(i64, Priority)>> {
    let mut statement = tx.prepare_cached(
        "SELECT seq, source, kind, tries, replayed_from IS NOT NULL FROM events WHERE filed = 1 AND connection = ? \
         AND subject = ? AND seq >= (SELECT head FROM lanes WHERE connection = ?1 AND subject = ?2) \
         AND state IN ('pending', 'working', 'waiting', 'parked') ORDER BY seq LIMIT ?",
    )?;
    let mut rows =
        statement.query(params![lane.connection.as_str(), lane.subject.as_str(), LOOKED_AT as i64])?;
    let mut open: Option<(i64, Priority)> = None;
    while let Some(found) = rows.next()? {
        let priority = row::priority(found, 1)?;
        open = Some(match open {
            None => (found.get(0)?, priority),
            Some((head, most)) => (head, most.min(priority)),
        });
    }
    Ok(open)
}

pub(super) fn unpark(tx: &Pool, connection: &ConnectionName, now: Timestamp) -> Result<usize> {
    tx.execute(
        "UPDATE events SET state = 'pending', state_reason = NULL, state_code = NULL, next_attempt_at = NULL WHERE connection = ? \
         AND state = 'parked' AND state NOT IN ('pending', 'done')",
        [connection.as_str()],
    )?;
    Ok(tx.execute(
        "UPDATE lanes SET state = 'ready', ready_at = ? WHERE connection = ? AND state IN ('parked', 'resting')",
        params![now.as_millisecond(), connection.as_str()],
    )?)
}

/// The oldest parked lane of a connection.
pub(super) fn unpark_one(tx: &Pool, connection: &ConnectionName, now: Timestamp) -> Result<bool> {
    let oldest: Option<String> = row::optional(
        tx.prepare_cached(
            "SELECT subject FROM lanes WHERE connection = ? AND state = 'parked' ORDER BY ready_at LIMIT 1",
        )?
        .query_row([connection.as_str()], |row| row.get(0)),
    )?;
    let Some(subject) = oldest else { return Ok(false) };
    tx.prepare_cached("UPDATE lanes SET state = 'ready', ready_at = ? WHERE connection = ? AND subject = ?")?
        .execute(params![now.as_millisecond(), connection.as_str(), subject])?;
    Ok(true)
}
