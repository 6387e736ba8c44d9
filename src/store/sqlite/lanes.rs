//! Lanes: claiming what is ready under a lease, and giving it back.

use jiff::Timestamp;
use rusqlite::{Connection as Pool, OptionalExtension as _, params};

use super::arrivals::{Arrivals, SourceKey};
use super::{effects, events, inbox, row};
use crate::clock::after;
use crate::event::Subject;
use crate::priority::Priority;
use crate::store::{Claim, Error, Follower, LEASE, Lane, Result, Share, Shares};

/// How many events behind the head a claim looks at.
const FOLLOWERS: usize = 200;

/// How many arrivals are filed before one claim. More wait for the next: they cost it its chance to fold them, and no more.
const FILED: usize = 1024;

/// Files what has arrived: makes it findable by its source and by its subject, and opens its lane.
pub(super) fn file(tx: &Pool, arrivals: &mut Arrivals) -> Result<()> {
    // All are read before the first is changed: they are found by what changes.
    for arrival in arrived(tx)? {
        if inbox::filed(tx, arrival.key)?.is_some() {
            // Two processes have stored the same delivery without seeing each other's: the first one counts.
            tx.prepare_cached(
                "UPDATE events SET filed = 1, state = 'ignored', state_reason = 'the same delivery was stored before' \
                 WHERE seq = ?",
            )?
            .execute([arrival.opening.seq])?;
            continue;
        }
        tx.prepare_cached("UPDATE events SET filed = 1 WHERE seq = ?")?.execute([arrival.opening.seq])?;
        arrivals.file(arrival.key);
        if arrival.pending {
            open(tx, &arrival.connection, &arrival.subject, &arrival.opening)?;
        }
    }
    Ok(())
}

/// The oldest of what has arrived and is not filed.
fn arrived(tx: &Pool) -> Result<Vec<Arrival>> {
    let mut statement = tx.prepare_cached(
        "SELECT seq, source_key, connection, subject, next_attempt_at, next_attempt_at > received_at, state = 'pending', \
         source, kind, tries, replayed_from IS NOT NULL FROM events WHERE filed = 0 ORDER BY seq LIMIT ?",
    )?;
    let mut rows = statement.query([FILED as i64])?;
    let mut arrived = Vec::new();
    while let Some(found) = rows.next()? {
        arrived.push(Arrival {
            key: SourceKey(found.get(1)?),
            connection: found.get(2)?,
            subject: found.get(3)?,
            pending: found.get(6)?,
            opening: Opening {
                seq: found.get(0)?,
                not_before_ms: found.get(4)?,
                held: found.get(5)?,
                priority: row::priority(found, 7)?,
            },
        });
    }
    Ok(arrived)
}

/// An event that is to be filed.
struct Arrival {
    key: SourceKey,
    connection: String,
    subject: String,
    /// It is to be carried out.
    pending: bool,
    opening: Opening,
}

/// An event that joins its lane.
struct Opening {
    seq: i64,
    not_before_ms: i64,
    held: bool,
    priority: Priority,
}

/// Makes sure that the lane of an event is there, and that it is as urgent as the event: which cannot overtake those before it.
/// A lane that waits for company stops waiting when an event joins that does not want to wait; leased, waiting and parked lanes
/// are left as they are.
fn open(tx: &Pool, connection: &str, subject: &str, opening: &Opening) -> Result<()> {
    let state = if opening.held { "held" } else { "ready" };
    tx.prepare_cached(
        "INSERT INTO lanes (connection, subject, head, ready_at, state, priority) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (connection, subject) DO UPDATE SET head = min(head, excluded.head), \
         priority = min(priority, excluded.priority), \
         ready_at = CASE WHEN state = 'held' AND excluded.state = 'ready' THEN excluded.ready_at ELSE ready_at END, \
         state = CASE WHEN state = 'held' AND excluded.state = 'ready' THEN 'ready' ELSE state END",
    )?
    .execute(params![
        connection,
        subject,
        opening.seq,
        opening.not_before_ms,
        state,
        opening.priority.rank() as i64
    ])?;
    Ok(())
}

/// Puts an event that was closed back into its lane: its own place in the order, ready at once. A person asked for it.
pub(super) fn reopen(tx: &Pool, connection: &str, subject: &str, seq: i64, now: Timestamp) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO lanes (connection, subject, head, ready_at, state, priority) VALUES (?, ?, ?, ?, 'ready', ?) \
         ON CONFLICT (connection, subject) DO UPDATE SET head = min(head, excluded.head), priority = excluded.priority, \
         ready_at = CASE WHEN state = 'leased' THEN ready_at ELSE excluded.ready_at END, \
         state = CASE WHEN state = 'leased' THEN state ELSE 'ready' END",
    )?
    .execute(params![connection, subject, seq, now.as_millisecond(), Priority::Person.rank() as i64])?;
    Ok(())
}

/// Claims what is ready of each connection that has lanes, as far as its share goes. Connections are walked through by the
/// index, a step each, so that none costs more than one that has nothing to do.
pub(super) fn claim(
    tx: &Pool,
    arrivals: &mut Arrivals,
    shares: &Shares,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<Claim>> {
    file(tx, arrivals)?;
    let mut claims = Vec::new();
    let mut connection = String::new();
    while let Some(next) = connection_after(tx, &connection)? {
        connection = next;
        // What is stored under no name that there can be is nobody's.
        let share = connection.parse().ok().and_then(|name| shares.of.get(&name)).unwrap_or(&shares.other);
        for ready in ready(tx, &connection, *share, now)? {
            claims.extend(lease(tx, &connection, ready, until)?);
        }
    }
    Ok(claims)
}

/// The next connection that has lanes which are not parked for an unknown time.
fn connection_after(pool: &Pool, connection: &str) -> Result<Option<String>> {
    row::optional(
        pool.prepare_cached(
            "SELECT connection FROM lanes INDEXED BY lanes_ready WHERE state <> 'parked' AND connection > ? \
             ORDER BY connection LIMIT 1",
        )?
        .query_row([connection], |row| row.get(0)),
    )
}

/// A lane that may be claimed.
struct Ready {
    subject: String,
    head: i64,
    since_ms: i64,
    priority: Priority,
}

/// The lanes of one connection that are to be claimed now: the share of the longest waiting, then the most urgent, and beyond
/// that those for which a person waits.
fn ready(tx: &Pool, connection: &str, share: Share, now: Timestamp) -> Result<Vec<Ready>> {
    let mut found = Vec::new();
    for priority in Priority::ALL {
        let most = share.lanes + if priority == Priority::Person { share.persons } else { 0 };
        if most == 0 {
            continue;
        }
        let mut statement = tx.prepare_cached(
            "SELECT subject, head, ready_at FROM lanes INDEXED BY lanes_ready WHERE state <> 'parked' AND connection = ? \
             AND priority = ? AND ready_at <= ? ORDER BY ready_at LIMIT ?",
        )?;
        let place = params![connection, priority.rank() as i64, now.as_millisecond(), most as i64];
        let rows = statement.query_map(place, |row| {
            Ok(Ready { subject: row.get(0)?, head: row.get(1)?, since_ms: row.get(2)?, priority })
        })?;
        for row in rows {
            found.push(row?);
        }
    }
    if found.len() > share.lanes {
        // They come by urgency, and stay so among equals.
        let eldest = share.eldest.min(share.lanes);
        found.sort_by_key(|ready| ready.since_ms);
        let mut urgent = found.split_off(eldest);
        urgent.sort_by_key(|ready| (ready.priority, ready.since_ms));
        found.extend(urgent);
        let more = found.split_off(share.lanes);
        found.extend(more.into_iter().filter(|ready| ready.priority == Priority::Person).take(share.persons));
    }
    Ok(found)
}

/// Puts a lane under a lease; one in which nothing is open any more is dropped.
fn lease(tx: &Pool, connection: &str, ready: Ready, until: Timestamp) -> Result<Option<Claim>> {
    let Ready { subject, head, priority, .. } = ready;
    let Some((first, followers)) = open_events(tx, connection, &subject, head)? else {
        tx.prepare_cached("DELETE FROM lanes WHERE connection = ? AND subject = ?")?
            .execute(params![connection, subject])?;
        return Ok(None);
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
    Ok(Some(Claim {
        lane: Lane { connection: head.connection.clone(), subject: Subject::other(subject), lease, until },
        priority,
        effects: effects::of_event(tx, first)?,
        head,
        followers,
    }))
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

/// See [`crate::store::Store::next_ready`]. Of what has arrived and is not filed yet only the oldest are looked at: with more,
/// there is work anyway.
pub(super) fn next_ready(pool: &Pool, after: Timestamp) -> Result<Option<Timestamp>> {
    let mut next: Option<i64> = pool
        .prepare_cached(
            "SELECT min(next_attempt_at) FROM (SELECT next_attempt_at FROM events \
             WHERE filed = 0 AND state = 'pending' ORDER BY seq LIMIT 64)",
        )?
        .query_row([], |row| row.get(0))?;
    let mut connection = String::new();
    while let Some(found) = connection_after(pool, &connection)? {
        connection = found;
        for priority in Priority::ALL {
            let ready: Option<i64> = row::optional(
                pool.prepare_cached(
                    "SELECT ready_at FROM lanes INDEXED BY lanes_ready WHERE state <> 'parked' AND connection = ? \
                     AND priority = ? AND ready_at > ? ORDER BY ready_at LIMIT 1",
                )?
                .query_row(params![connection, priority.rank() as i64, after.as_millisecond()], |row| row.get(0)),
            )?;
            next = next.into_iter().chain(ready).min();
        }
    }
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
    let after = |lease| after(now, lease).as_millisecond();
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
