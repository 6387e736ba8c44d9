//! The texts that routes have had.

use jiff::Timestamp;
use rusqlite::{Connection as Pool, params};

use super::row;
use crate::store::{Result, RouteVersion};

/// One that is known keeps the time at which it was first seen.
pub(super) fn put(tx: &Pool, version: &RouteVersion) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO route_versions (route, version, text, first_seen_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        version.route,
        version.version,
        version.text,
        version.first_seen_at.as_millisecond()
    ])?;
    Ok(())
}

pub(super) fn of_route(pool: &Pool, route: &str) -> Result<Vec<RouteVersion>> {
    let mut statement = pool.prepare_cached(
        "SELECT version, text, first_seen_at FROM route_versions WHERE route = ? ORDER BY first_seen_at DESC, version",
    )?;
    let mut rows = statement.query([route])?;
    let mut versions = Vec::new();
    while let Some(found) = rows.next()? {
        versions.push(RouteVersion {
            route: route.to_owned(),
            version: found.get(0)?,
            text: found.get(1)?,
            first_seen_at: row::time(found.get(2)?),
        });
    }
    Ok(versions)
}

/// See [`crate::store::Store::runs_of_route`]. Of a subject with very many events only the last thousand are looked at.
pub(super) fn runs(
    pool: &Pool,
    (connection, subject, source): (&str, &str, &str),
    route: &str,
    since: Timestamp,
    before: i64,
) -> Result<u64> {
    let count: i64 = pool
        .prepare_cached(
            "SELECT count(*) FROM (SELECT seq, source, received_at FROM events WHERE filed = 1 AND subject = ?1 \
             AND connection = ?2 AND seq < ?3 ORDER BY seq DESC LIMIT 1000) AS recent \
             WHERE source = ?4 AND received_at >= ?5 AND EXISTS \
             (SELECT 1 FROM effects WHERE event = recent.seq AND route = ?6 AND state = 'done')",
        )?
        .query_row(params![subject, connection, before, source, since.as_millisecond(), route], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}
