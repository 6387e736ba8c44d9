//! Lanes: claiming what is ready under a lease, and giving it back.

use jiff::Timestamp;
use rusqlite::{Connection as Pool, OptionalExtension as _, params};

use super::{effects, row};
use crate::connection::ConnectionName;
use crate::event::{EventId, NewEvent, Subject};
use crate::store::{Claim, Error, Follower, LEASE, Lane, Result, Settlement};

/// How many events behind the head a claim looks at.
const FOLLOWERS: usize = 200;

/// Makes sure that the lane of a new event is there. A lane that waits for company stops waiting when an event joins
/// that does not want to wait; leased, waiting and parked lanes are left as they are.
pub(super) fn open(tx: &Pool, event: &NewEvent, seq: i64, not_before: Timestamp) -> Result<()> {
    let state = if not_before > event.received_at { "held" } else { "ready" };
    tx.prepare_cached(
        "INSERT INTO lanes (connection, subject, head, ready_at, state) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (connection, subject) DO UPDATE SET ready_at = excluded.ready_at, state = 'ready' \
         WHERE lanes.state = 'held' AND excluded.state = 'ready'",
    )?
    .execute(params![
        event.connection.as_str(),
        event.subject.as_str(),
        seq,
        not_before.as_millisecond(),
        state
    ])?;
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

pub(super) fn claim(tx: &Pool, limit: usize, now: Timestamp, until: Timestamp) -> Result<Vec<Claim>> {
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
            .prepare_cached(&format!("SELECT {}, payload FROM events WHERE seq = ?", row::EVENT))?
            .query_row([first], |found| Ok(row::event(found, found.get(16)?)))??;
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
        "SELECT seq, id, source, kind, occurred_at FROM events WHERE connection = ? AND subject = ? AND seq >= ? \
         AND state IN ('pending', 'working', 'waiting', 'parked') ORDER BY seq LIMIT ?",
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

pub(super) fn next_ready(pool: &Pool) -> Result<Option<Timestamp>> {
    let next: Option<i64> = pool
        .prepare_cached("SELECT min(ready_at) FROM lanes WHERE state <> 'parked'")?
        .query_row([], |row| row.get(0))?;
    Ok(next.map(row::time))
}

pub(super) fn release_leases(tx: &Pool, now: Timestamp) -> Result<usize> {
    tx.execute("UPDATE events SET state = 'pending' WHERE state = 'working'", [])?;
    Ok(tx.execute(
        "UPDATE lanes SET state = 'ready', ready_at = ? WHERE state = 'leased'",
        [now.as_millisecond()],
    )?)
}

/// That the lease still holds: nobody else has claimed the lane since.
pub(super) fn check(tx: &Pool, lane: &Lane) -> Result<()> {
    let lease: Option<i64> = tx
        .prepare_cached("SELECT lease FROM lanes WHERE connection = ? AND subject = ? AND state = 'leased'")?
        .query_row(params![lane.connection.as_str(), lane.subject.as_str()], |row| row.get(0))
        .optional()?;
    if lease == Some(lane.lease) { Ok(()) } else { Err(Error::LeaseLost) }
}

/// [`check`], and the lease holds for [`LEASE`] from now.
pub(super) fn extend(tx: &Pool, lane: &Lane, now: Timestamp) -> Result<()> {
    let until = now.saturating_add(jiff::SignedDuration::try_from(LEASE).unwrap_or_default()).unwrap_or(now);
    let extended = tx
        .prepare_cached(
            "UPDATE lanes SET ready_at = ? WHERE connection = ? AND subject = ? AND state = 'leased' AND lease = ?",
        )?
        .execute(params![
            until.as_millisecond(),
            lane.connection.as_str(),
            lane.subject.as_str(),
            lane.lease
        ])?;
    if extended == 1 { Ok(()) } else { Err(Error::LeaseLost) }
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
            ("waiting", Some(reason.as_str()), Some(at.as_millisecond()), i64::from(*counts))
        }
        Settlement::Parked { reason } => ("parked", Some(reason.as_str()), None, 0),
        Settlement::Dead { reason } => ("dead", Some(reason.as_str()), None, 1),
        Settlement::Released => ("pending", None, None, 0),
    };
    tx.prepare_cached(
        "UPDATE events SET state = ?, state_reason = ?, next_attempt_at = ?, tries = tries + ? WHERE seq = ?",
    )?
    .execute(params![state, reason, at, failed, seq])?;
    for follower in folded {
        tx.prepare_cached("UPDATE events SET state = 'folded', state_reason = NULL, next_attempt_at = NULL, folded_into = ? WHERE seq = ?")?
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
                    "SELECT min(seq) FROM (SELECT seq FROM events WHERE connection = ? AND subject = ? AND seq >= \
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
        "UPDATE events SET state = 'pending', state_reason = NULL WHERE connection = ? AND state = 'parked'",
        [connection.as_str()],
    )?;
    Ok(tx.execute(
        "UPDATE lanes SET state = 'ready', ready_at = ? WHERE connection = ? AND state = 'parked'",
        params![now.as_millisecond(), connection.as_str()],
    )?)
}
