//! Lanes: claiming what is ready under a lease, and giving it back.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection as Pool, OptionalExtension as _, params};

use super::arrivals::{Arrivals, SourceKey};
use super::{effects, events, inbox, row};
use crate::connection::ConnectionName;
use crate::event::{EventId, Subject};
use crate::store::{Claim, Error, Follower, LEASE, Lane, Result, Settlement};

/// How many events behind the head a claim looks at.
const FOLLOWERS: usize = 200;

/// How many arrivals are filed before one claim. More wait for the next: they cost it its chance to fold them, and no more.
const FILED: usize = 1024;

/// Files what has arrived: makes it findable by its source and by its subject, and opens its lane.
pub(super) fn file(tx: &Pool, arrivals: &mut Arrivals) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "SELECT seq, source_key, connection, subject, next_attempt_at, next_attempt_at > received_at, state = 'pending' \
         FROM events WHERE filed = 0 ORDER BY seq LIMIT ?",
    )?;
    // All are read before the first is changed: they are found by what changes.
    let arrived: Vec<(i64, SourceKey, String, String, i64, bool, bool)> = statement
        .query_map([FILED as i64], |row| {
            let key = SourceKey(row.get(1)?);
            Ok((row.get(0)?, key, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (seq, key, connection, subject, not_before_ms, held, pending) in arrived {
        if inbox::filed(tx, key)?.is_some() {
            // Two processes have stored the same delivery without seeing each other's: the first one counts.
            tx.prepare_cached(
                "UPDATE events SET filed = 1, state = 'ignored', state_reason = 'the same delivery was stored before' \
                 WHERE seq = ?",
            )?
            .execute([seq])?;
            continue;
        }
        tx.prepare_cached("UPDATE events SET filed = 1 WHERE seq = ?")?.execute([seq])?;
        arrivals.file(key);
        if pending {
            open(tx, &connection, &subject, seq, not_before_ms, held)?;
        }
    }
    Ok(())
}

/// Makes sure that the lane of an event is there. A lane that waits for company stops waiting when an event joins that does
/// not want to wait; leased, waiting and parked lanes are left as they are.
fn open(tx: &Pool, connection: &str, subject: &str, seq: i64, not_before_ms: i64, held: bool) -> Result<()> {
    let state = if held { "held" } else { "ready" };
    tx.prepare_cached(
        "INSERT INTO lanes (connection, subject, head, ready_at, state) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (connection, subject) DO UPDATE SET head = min(head, excluded.head), \
         ready_at = CASE WHEN state = 'held' AND excluded.state = 'ready' THEN excluded.ready_at ELSE ready_at END, \
         state = CASE WHEN state = 'held' AND excluded.state = 'ready' THEN 'ready' ELSE state END",
    )?
    .execute(params![connection, subject, seq, not_before_ms, state])?;
    Ok(())
}

/// Puts an event that was closed back into its lane: its own place in the order, ready at once.
pub(super) fn reopen(tx: &Pool, connection: &str, subject: &str, seq: i64, now: Timestamp) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO lanes (connection, subject, head, ready_at, state) VALUES (?, ?, ?, ?, 'ready') \
         ON CONFLICT (connection, subject) DO UPDATE SET head = min(head, excluded.head), \
         ready_at = CASE WHEN state = 'leased' THEN ready_at ELSE excluded.ready_at END, \
         state = CASE WHEN state = 'leased' THEN state ELSE 'ready' END",
    )?
    .execute(params![connection, subject, seq, now.as_millisecond()])?;
    Ok(())
}

pub(super) fn claim(
    tx: &Pool,
    arrivals: &mut Arrivals,
    limit: usize,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<Claim>> {
    file(tx, arrivals)?;
    let ready: Vec<(String, String, i64)> = tx
        .prepare_cached(
            "SELECT connection, subject, head FROM lanes WHERE state <> 'parked' AND ready_at <= ? \
             ORDER BY ready_at LIMIT ?",
        )?
        .query_map(params![now.as_millisecond(), limit as i64], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut claims = Vec::with_capacity(ready.len());
    for (connection, subject, head) in ready {
        let Some((first, followers)) = open_events(tx, &connection, &subject, head)? else {
            tx.prepare_cached("DELETE FROM lanes WHERE connection = ? AND subject = ?")?
                .execute(params![connection, subject])?;
            continue;
        };
        // By chance, not counted: a lane that was emptied begins anew, and a count would give out its old leases again.
        let lease: i64 = rand::random();
        tx.prepare_cached(
            "UPDATE lanes SET state = 'leased', lease = ?, ready_at = ?, head = ? WHERE connection = ? AND subject = ?",
        )?
        .execute(params![lease, until.as_millisecond(), first, connection, subject])?;
        tx.prepare_cached("UPDATE events SET state = 'working', next_attempt_at = NULL WHERE seq = ?")?
            .execute([first])?;
        let head = tx
            .prepare_cached(&format!("SELECT {} FROM events WHERE seq = ?", row::EVENT))?
            .query_row([first], |found| Ok(row::event(found, events::payload_of(tx, first)?)))??;
        claims.push(Claim {
            lane: Lane {
                connection: head.connection.clone(),
                subject: Subject::other(subject),
                lease,
                until,
            },
            effects: effects::of_event(tx, first)?,
            head,
            followers,
        });
    }
    Ok(claims)
}

/// The first open event of a lane and those behind it.
fn open_events(
    tx: &Pool,
    connection: &str,
    subject: &str,
    head: i64,
) -> Result<Option<(i64, Vec<Follower>)>> {
    let mut statement = tx.prepare_cached(
        "SELECT seq, id, source, kind, occurred_at FROM events WHERE filed = 1 AND connection = ? AND subject = ? \
         AND seq >= ? AND state IN ('pending', 'working', 'waiting', 'parked') ORDER BY seq LIMIT ?",
    )?;
    let mut rows = statement.query(params![connection, subject, head, FOLLOWERS as i64 + 1])?;
    let Some(first) = rows.next()?.map(|first| first.get(0)).transpose()? else { return Ok(None) };
    let mut followers = Vec::new();
    while let Some(found) = rows.next()? {
        followers.push(Follower {
            seq: found.get(0)?,
            id: row::id(found.get(1)?),
            source: row::parse_word("an event's source", &found.get::<_, String>(2)?)?,
            kind: found.get(3)?,
            occurred_at: row::time(found.get(4)?),
        });
    }
    Ok(Some((first, followers)))
}

/// Of what has arrived and is not filed yet only the oldest are looked at: with more, there is work anyway.
pub(super) fn next_ready(pool: &Pool) -> Result<Option<Timestamp>> {
    let next: Option<i64> = pool
        .prepare_cached(
            "SELECT min(at) FROM (SELECT min(ready_at) AS at FROM lanes WHERE state <> 'parked' \
             UNION ALL SELECT min(next_attempt_at) FROM (SELECT next_attempt_at FROM events \
             WHERE filed = 0 AND state = 'pending' ORDER BY seq LIMIT 64))",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(next.map(row::time))
}

pub(super) fn release_leases(tx: &Pool, now: Timestamp) -> Result<usize> {
    tx.execute(
        "UPDATE events SET state = 'pending' WHERE state = 'working' AND state NOT IN ('pending', 'done')",
        [],
    )?;
    Ok(tx.execute(
        "UPDATE lanes SET state = 'ready', ready_at = ? WHERE state = 'leased'",
        [now.as_millisecond()],
    )?)
}

/// That the lease still holds: nobody else has claimed the lane since.
pub(super) fn check(tx: &Pool, lane: &Lane) -> Result<()> {
    leased_until(tx, lane).map(drop)
}

/// [`check`], and the lease holds for at least three quarters of [`LEASE`] from now: longer than any call. It is not written
/// anew each time, which would cost two pages.
pub(super) fn extend(tx: &Pool, lane: &Lane, now: Timestamp) -> Result<()> {
    let after = |lease: Duration| {
        now.saturating_add(SignedDuration::try_from(lease).unwrap_or_default())
            .unwrap_or(now)
            .as_millisecond()
    };
    if leased_until(tx, lane)? < after(LEASE / 4 * 3) {
        tx.prepare_cached("UPDATE lanes SET ready_at = ? WHERE connection = ? AND subject = ?")?
            .execute(params![after(LEASE), lane.connection.as_str(), lane.subject.as_str()])?;
    }
    Ok(())
}

/// Until when the lease holds, in milliseconds since 1970.
fn leased_until(tx: &Pool, lane: &Lane) -> Result<i64> {
    let until: Option<i64> = tx
        .prepare_cached(
            "SELECT ready_at FROM lanes WHERE connection = ? AND subject = ? AND state = 'leased' AND lease = ?",
        )?
        .query_row(params![lane.connection.as_str(), lane.subject.as_str(), lane.lease], |row| row.get(0))
        .optional()?;
    until.ok_or(Error::LeaseLost)
}

pub(super) fn settle(
    tx: &Pool,
    lane: &Lane,
    (seq, id): (i64, EventId),
    folded: &[i64],
    settlement: &Settlement,
    now: Timestamp,
) -> Result<()> {
    let (state, reason, at, failed) = match settlement {
        Settlement::Done { reason } => ("done", reason.as_deref(), None, 0),
        Settlement::Ignored { reason } => ("ignored", Some(reason.as_str()), None, 0),
        Settlement::Waiting { at, reason, counts } => {
            ("waiting", Some(reason.text.as_str()), Some(at.as_millisecond()), i64::from(*counts))
        }
        Settlement::Parked { reason } => ("parked", Some(reason.text.as_str()), None, 0),
        Settlement::Dead { reason } => ("dead", Some(reason.text.as_str()), None, 1),
        Settlement::Released => ("pending", None, None, 0),
    };
    let code = match settlement {
        Settlement::Waiting { reason, .. } | Settlement::Parked { reason } | Settlement::Dead { reason } => {
            Some(reason.code.as_str())
        }
        Settlement::Done { .. } | Settlement::Ignored { .. } | Settlement::Released => None,
    };
    tx.prepare_cached(
        "UPDATE events SET state = ?, state_reason = ?, state_code = ?, next_attempt_at = ?, tries = tries + ? WHERE seq = ?",
    )?
    .execute(params![state, reason, code, at, failed, seq])?;
    for follower in folded {
        tx.prepare_cached("UPDATE events SET state = 'folded', state_reason = NULL, state_code = NULL, next_attempt_at = NULL, folded_into = ? WHERE seq = ?")?
            .execute(params![id.0.as_bytes(), follower])?;
    }
    let place = params![lane.connection.as_str(), lane.subject.as_str()];
    let (lane_state, ready_at) = match settlement {
        Settlement::Waiting { at, .. } => ("waiting", at.as_millisecond()),
        Settlement::Parked { .. } => ("parked", now.as_millisecond()),
        Settlement::Released => ("ready", now.as_millisecond()),
        Settlement::Done { .. } | Settlement::Ignored { .. } | Settlement::Dead { .. } => {
            let next: Option<i64> = tx
                .prepare_cached(
                    "SELECT min(seq) FROM (SELECT seq FROM events WHERE filed = 1 AND connection = ? AND subject = ? AND seq >= \
                     (SELECT head FROM lanes WHERE connection = ?1 AND subject = ?2) \
                     AND state IN ('pending', 'working', 'waiting', 'parked') ORDER BY seq LIMIT 1)",
                )?
                .query_row(place, |row| row.get(0))?;
            let Some(next) = next else {
                tx.prepare_cached("DELETE FROM lanes WHERE connection = ? AND subject = ?")?
                    .execute(place)?;
                return Ok(());
            };
            tx.prepare_cached("UPDATE lanes SET head = ? WHERE connection = ? AND subject = ?")?
                .execute(params![next, lane.connection.as_str(), lane.subject.as_str()])?;
            ("ready", now.as_millisecond())
        }
    };
    tx.prepare_cached("UPDATE lanes SET state = ?, ready_at = ? WHERE connection = ? AND subject = ?")?
        .execute(params![lane_state, ready_at, lane.connection.as_str(), lane.subject.as_str()])?;
    Ok(())
}

pub(super) fn unpark(tx: &Pool, connection: &ConnectionName, now: Timestamp) -> Result<usize> {
    tx.execute(
        "UPDATE events SET state = 'pending', state_reason = NULL, state_code = NULL WHERE connection = ? AND state = 'parked' \
         AND state NOT IN ('pending', 'done')",
        [connection.as_str()],
    )?;
    Ok(tx.execute(
        "UPDATE lanes SET state = 'ready', ready_at = ? WHERE connection = ? AND state = 'parked'",
        params![now.as_millisecond(), connection.as_str()],
    )?)
}

/// The oldest parked lane of a connection.
pub(super) fn unpark_one(tx: &Pool, connection: &ConnectionName, now: Timestamp) -> Result<bool> {
    let oldest: Option<String> = tx
        .prepare_cached(
            "SELECT subject FROM lanes WHERE connection = ? AND state = 'parked' ORDER BY ready_at LIMIT 1",
        )?
        .query_row([connection.as_str()], |row| row.get(0))
        .optional()?;
    let Some(subject) = oldest else { return Ok(false) };
    tx.prepare_cached("UPDATE lanes SET state = 'ready', ready_at = ? WHERE connection = ? AND subject = ?")?
        .execute(params![now.as_millisecond(), connection.as_str(), subject])?;
    Ok(true)
}
