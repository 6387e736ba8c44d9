//! Connections.

use jiff::Timestamp;
use rusqlite::{Connection as Pool, params};
use zeroize::Zeroizing;

use super::{grants, row, secrets};
use crate::connection::{Connection, ConnectionName};
use crate::mistake;
use crate::store::{Connections, Error, Origin, Result, StoredConnection, UnreadableConnection};
use crate::vault::Vault;

pub(super) fn all(pool: &Pool, vault: &Vault) -> Result<Connections> {
    let mut statement =
        pool.prepare_cached("SELECT name, origin, definition FROM connections ORDER BY name")?;
    let mut rows = statement.query([])?;
    let mut connections = Connections::default();
    while let Some(found) = rows.next()? {
        let name: ConnectionName = row::parse("a connection's name", &found.get::<_, String>(0)?)?;
        // Something else than a blob was never sealed.
        let sealed = found.get_ref(2)?.as_blob().unwrap_or_default();
        match definition(vault, &name, sealed) {
            Ok(connection) => connections
                .readable
                .push(StoredConnection { origin: origin(&found.get::<_, String>(1)?), connection }),
            Err(error) => connections.unreadable.push(UnreadableConnection { name, error }),
        }
    }
    Ok(connections)
}

fn definition(vault: &Vault, name: &ConnectionName, sealed: &[u8]) -> Result<Connection> {
    let plain = secrets::open(vault, &place(name), sealed)?;
    serde_json::from_slice(&plain).map_err(|error| {
        let error = std::io::Error::other(mistake::without_values(&error.to_string()));
        Error::corrupt(format!("connection `{name}`"), error)
    })
}

/// What a definition is sealed for.
fn place(name: &ConnectionName) -> String {
    format!("connections/{name}")
}

pub(super) fn put(
    tx: &Pool,
    vault: &Vault,
    connection: &Connection,
    origin: Origin,
    now: Timestamp,
) -> Result<()> {
    if origin == Origin::Api && stored_origin(tx, &connection.name)? == Some(Origin::File) {
        return Err(read_only(&connection.name));
    }
    let plain = Zeroizing::new(row::to_json("a connection", &connection.to_stored())?);
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
        secrets::seal(tx, vault, &place(&connection.name), plain.as_bytes())?,
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
    // By name alone: one that cannot be read goes, too.
    let stored: Vec<String> = tx
        .prepare_cached("SELECT name FROM connections WHERE origin = 'file'")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for name in stored {
        if !names.iter().any(|kept| kept.as_str() == name) {
            tx.execute("DELETE FROM connections WHERE name = ?", [&name])?;
            grants::forget(tx, &name)?;
        }
    }
    Ok(())
}

fn stored_origin(tx: &Pool, name: &ConnectionName) -> Result<Option<Origin>> {
    let stored: Option<String> = row::optional(
        tx.prepare_cached("SELECT origin FROM connections WHERE name = ?")?
            .query_row([name.as_str()], |row| row.get(0)),
    )?;
    Ok(stored.map(|stored| origin(&stored)))
}

fn origin(stored: &str) -> Origin {
    if stored == "file" { Origin::File } else { Origin::Api }
}

fn read_only(name: &ConnectionName) -> Error {
    Error::Conflict(format!(
        "connection `{name}` is defined in the configuration file: change it there and start Cartbridge again"
    ))
}
