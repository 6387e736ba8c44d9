//! Connections.

use jiff::Timestamp;
use rusqlite::{Connection as Pool, params};

use super::{grants, row};
use crate::connection::{Connection, ConnectionName};
use crate::store::{Error, Origin, Result, StoredConnection};

pub(super) fn all(pool: &Pool) -> Result<Vec<StoredConnection>> {
    let mut statement = pool.prepare_cached("SELECT origin, definition FROM connections ORDER BY name")?;
    let mut rows = statement.query([])?;
    let mut connections = Vec::new();
    while let Some(found) = rows.next()? {
        connections.push(StoredConnection {
            origin: if found.get::<_, String>(0)? == "file" { Origin::File } else { Origin::Api },
            connection: row::json("a connection", &found.get::<_, String>(1)?)?,
        });
    }
    Ok(connections)
}

pub(super) fn put(tx: &Pool, connection: &Connection, origin: Origin, now: Timestamp) -> Result<()> {
    if origin == Origin::Api && stored_origin(tx, &connection.name)? == Some(Origin::File) {
        return Err(read_only(&connection.name));
    }
    tx.prepare_cached(
        "INSERT INTO connections (name, origin, definition, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (name) DO UPDATE SET origin = excluded.origin, \
         definition = excluded.definition, updated_at = excluded.updated_at",
    )?
    .execute(params![
        connection.name.as_str(),
        match origin {
            Origin::File => "file",
            Origin::Api => "api",
        },
        row::to_json("a connection", &connection.to_stored())?,
        now.as_millisecond()
    ])?;
    Ok(())
}

pub(super) fn remove(tx: &Pool, name: &ConnectionName) -> Result<()> {
    match stored_origin(tx, name)? {
        None => Err(Error::NotFound(format!("connection `{name}`"))),
        Some(Origin::File) => Err(read_only(name)),
        Some(Origin::Api) => {
            tx.execute("DELETE FROM connections WHERE name = ?", [name.as_str()])?;
            grants::forget(tx, name.as_str())
        }
    }
}

pub(super) fn retain_file(tx: &Pool, names: &[ConnectionName]) -> Result<()> {
    for stored in all(tx)? {
        if stored.origin == Origin::File && !names.contains(&stored.connection.name) {
            tx.execute("DELETE FROM connections WHERE name = ?", [stored.connection.name.as_str()])?;
            grants::forget(tx, stored.connection.name.as_str())?;
        }
    }
    Ok(())
}

fn stored_origin(tx: &Pool, name: &ConnectionName) -> Result<Option<Origin>> {
    let origin: Option<String> = row::optional(
        tx.prepare_cached("SELECT origin FROM connections WHERE name = ?")?
            .query_row([name.as_str()], |row| row.get(0)),
    )?;
    Ok(origin.map(|origin| if origin == "file" { Origin::File } else { Origin::Api }))
}

fn read_only(name: &ConnectionName) -> Error {
    Error::Conflict(format!(
        "connection `{name}` is defined in the configuration file: change it there and start Cartbridge again"
    ))
}
