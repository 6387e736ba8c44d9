//! Sealed columns: what is secret is a BLOB that only the master key opens, and only in its own row.
//!
//! The table `vault` names the key that seals now. Whoever seals asks it within the same transaction, so that a rotation by
//! another process is never undone by a bridge that still has the old key in its hands.

mod rotate;
#[cfg(test)]
mod tests;

use std::path::Path;

use rusqlite::{Connection as Pool, OpenFlags, OptionalExtension as _, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::OpenError;
use crate::store::{Error, Result};
use crate::vault::{KeyId, Vault};

pub(super) use rotate::rotate;
pub use rotate::{RotateError, Rotated};

/// A column whose values are sealed.
struct Sealed {
    table: &'static str,
    /// The column that names a row.
    name: &'static str,
    column: &'static str,
    /// A value is sealed for the place `<place>/<name of its row>`.
    place: &'static str,
}

/// Every sealed column: a rotation seals these anew. Whoever adds one adds its line here.
const SEALED: &[Sealed] = &[
    Sealed { table: "connections", name: "name", column: "definition", place: "connections" },
    Sealed { table: "grants", name: "id", column: "sealed", place: "grants" },
];

/// What the proof in `vault` holds.
const PROOF: &[u8] = b"cartbridge";
const PROOF_PLACE: &str = "vault/proof";

/// Seals a secret for the row that it will stand in, such as `connections/my-shop`.
pub(super) fn seal(tx: &Pool, vault: &Vault, place: &str, plain: &[u8]) -> Result<Vec<u8>> {
    let key = current(tx)?.unwrap_or_else(|| vault.first());
    vault
        .seal(key, place, plain)
        .map_err(|error| Error::corrupt(format!("the master key of `{place}`"), error))
}

/// Opens the secret of a row.
pub(super) fn open(vault: &Vault, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    vault.open(place, sealed).map_err(|error| Error::corrupt(format!("the secret of `{place}`"), error))
}

/// The key that seals now; none: nothing was ever sealed.
fn current(pool: &Pool) -> Result<Option<KeyId>> {
    let id: Option<[u8; 8]> =
        pool.prepare_cached("SELECT key_id FROM vault")?.query_row([], |row| row.get(0)).optional()?;
    Ok(id.map(KeyId::from))
}

/// Whether something is sealed in a database that may not be there yet. It changes nothing.
pub(super) fn is_sealed(path: &Path) -> std::result::Result<bool, OpenError> {
    if !path.exists() {
        return Ok(false);
    }
    let opened = |source| OpenError::Open(path.to_owned(), source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let pool = Pool::open_with_flags(path, flags).map_err(opened)?;
    pool.busy_timeout(super::open::BUSY_TIMEOUT).map_err(opened)?;
    proof(&pool).map(|found| found.is_some()).map_err(opened)
}

/// Refuses a vault that lacks the key of this database. To be asked before anything is written.
pub(super) fn check(pool: &Pool, path: &Path, vault: &Vault) -> std::result::Result<(), OpenError> {
    let found = proof(pool).map_err(|source| OpenError::Open(path.to_owned(), source))?;
    let Some((key, proof)) = found else { return Ok(()) };
    match vault.open(PROOF_PLACE, &proof) {
        Ok(plain) if plain.as_slice() == PROOF => Ok(()),
        _ => Err(OpenError::WrongKey {
            database: path.to_owned(),
            keys: vault.source().to_string(),
            wanted: KeyId::from(key),
        }),
    }
}

fn proof(pool: &Pool) -> rusqlite::Result<Option<([u8; 8], Vec<u8>)>> {
    let has_table: bool = pool.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'vault')",
        [],
        |row| row.get(0),
    )?;
    if !has_table {
        return Ok(None);
    }
    pool.query_row("SELECT key_id, proof FROM vault", [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// Seals what stands in clear in a database of an earlier version, and has the file forget it.
pub(super) fn prepare(pool: &mut Pool, path: &Path, vault: &Vault) -> std::result::Result<(), OpenError> {
    let failed = |error| OpenError::Seal(path.to_owned(), error);
    if scrubbed(pool).map_err(failed)? == Some(true) {
        return Ok(());
    }
    // What is overwritten is zeroed, not only given up.
    pool.pragma_update(None, "secure_delete", true).map_err(|error| failed(error.into()))?;
    seal_what_is_clear(pool, vault).map_err(failed)?;
    // Another process may have been quicker, with another key.
    check(pool, path, vault)?;
    if let Err(error) = scrub(pool) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the secrets are sealed, but what stood in the database in clear before may linger in its free space: this is \
             tried again at the next start, and needs as much free disk as the database takes"
        );
    }
    pool.pragma_update(None, "secure_delete", false).map_err(|error| failed(error.into()))
}

/// Whether nothing lingers in clear; none: nothing was ever sealed.
fn scrubbed(pool: &Pool) -> Result<Option<bool>> {
    Ok(pool.query_row("SELECT scrubbed FROM vault", [], |row| row.get(0)).optional()?)
}

fn seal_what_is_clear(pool: &mut Pool, vault: &Vault) -> Result<()> {
    let tx = pool.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if current(&tx)?.is_some() {
        return Ok(());
    }
    let key = vault.first();
    let mut clear = 0;
    for column in SEALED {
        for (name, value) in column.values(&tx, "text")? {
            column.put(&tx, vault, key, &name, &value)?;
            clear += 1;
        }
    }
    let proof =
        vault.seal(key, PROOF_PLACE, PROOF).map_err(|error| Error::corrupt("the master key", error))?;
    tx.execute(
        "INSERT INTO vault (id, key_id, proof, scrubbed) VALUES (1, ?, ?, ?)",
        params![key.as_bytes(), proof, clear == 0],
    )?;
    tx.commit()?;
    if clear > 0 {
        tracing::info!(
            "{clear} secret(s) that the database held in clear are sealed with {}",
            vault.source()
        );
    }
    Ok(())
}

/// Once after the sealing: writes the file anew without its free space, and empties the log of changes.
fn scrub(pool: &Pool) -> Result<()> {
    if scrubbed(pool)? == Some(true) {
        return Ok(());
    }
    // A large database does not fit into memory.
    pool.pragma_update(None, "temp_store", "FILE")?;
    let written = pool.execute_batch("VACUUM");
    pool.pragma_update(None, "temp_store", "MEMORY")?;
    written?;
    empty_log(pool)?;
    pool.execute("UPDATE vault SET scrubbed = 1", [])?;
    Ok(())
}

/// Brings the log of changes (`-wal`) into the file and cuts it to nothing.
fn empty_log(pool: &Pool) -> Result<()> {
    let others_read: bool = pool.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if others_read { Err(Error::Busy) } else { Ok(()) }
}

impl Sealed {
    /// The place of a row's secret.
    fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.place)
    }

    /// Names of rows and their values, as far as these are of a storage class of SQLite (`text`, `blob`).
    fn values(&self, pool: &Pool, class: &str) -> Result<Vec<(String, Zeroizing<Vec<u8>>)>> {
        let Self { table, name, column, .. } = self;
        let mut statement = pool.prepare(&format!(
            "SELECT {name}, CAST({column} AS BLOB) FROM {table} WHERE typeof({column}) = ?"
        ))?;
        let rows = statement.query_map([class], |row| Ok((row.get(0)?, Zeroizing::new(row.get(1)?))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Puts a value into a row, sealed.
    fn put(&self, tx: &Pool, vault: &Vault, key: KeyId, row: &str, plain: &[u8]) -> Result<()> {
        let Self { table, name, column, .. } = self;
        let place = self.place(row);
        let sealed = vault
            .seal(key, &place, plain)
            .map_err(|error| Error::corrupt(format!("the master key of `{place}`"), error))?;
        tx.execute(&format!("UPDATE {table} SET {column} = ? WHERE {name} = ?"), params![sealed, row])?;
        Ok(())
    }
}
