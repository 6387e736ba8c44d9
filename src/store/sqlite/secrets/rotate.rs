//! A new master key, while the bridge runs.
//!
//! 1. Under the database's write lock, so that no two rotations meet: every secret is opened; the key file gets the new key
//!    in front of the old one; every secret is sealed anew, and `vault` names the new key. One commit.
//! 2. Under the lock again, the old key is removed from the key file.
//!
//! Whenever this is cut off, the key file holds the key that the database needs. A bridge that meets a key that it does not
//! know reads the key file again.

use rusqlite::{Connection as Pool, TransactionBehavior, params};

use super::{Error, KeyId, OpenError, PROOF, PROOF_PLACE, Result, SEALED, Vault};
use crate::vault;

/// What a rotation has done.
#[derive(Debug)]
pub struct Rotated {
    /// How many secrets are sealed with the new key.
    pub secrets: usize,
    /// The new key.
    pub key: KeyId,
    /// Where the keys come from.
    pub keys: String,
    /// Why the old key could not be removed from there; it is of no use any more.
    pub old_key_stays: Option<vault::RotateError>,
}

/// Why the master key was not changed. The database is as it was, and opens with the keys that there are.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The database is not to be had.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no other key.
    #[error(transparent)]
    Key(#[from] vault::RotateError),
    /// A secret cannot be opened, or the database cannot be written.
    #[error("the master key was not changed, because the database does not allow it")]
    Store(#[from] Error),
}

impl From<rusqlite::Error> for RotateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Changes the master key of a database that is open.
pub(in crate::store::sqlite) fn rotate(
    pool: &mut Pool,
    vault: &Vault,
) -> std::result::Result<Rotated, RotateError> {
    pool.pragma_update(None, "secure_delete", true)?;
    let (secrets, key) = reseal(pool, vault)?;
    // What the old key opens goes from the log, too, unless somebody is reading: then it is overwritten in its time.
    drop(super::empty_log(pool));
    let old_key_stays = forget_old(pool, vault)?;
    Ok(Rotated { secrets, key, keys: vault.source().to_string(), old_key_stays })
}

/// The first part: answers how many secrets it sealed, and with which key.
pub(super) fn reseal(pool: &mut Pool, vault: &Vault) -> std::result::Result<(usize, KeyId), RotateError> {
    let tx = pool.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut opened = Vec::new();
    for column in SEALED {
        for (name, sealed) in column.values(&tx, "blob")? {
            opened.push((column, super::open(vault, &column.place(&name), &sealed)?, name));
        }
    }
    let current = super::current(&tx)?.unwrap_or_else(|| vault.first());
    let next = vault.begin_rotation(current)?;
    for (column, plain, name) in &opened {
        column.put(&tx, vault, next, name, plain)?;
    }
    let proof =
        vault.seal(next, PROOF_PLACE, PROOF).map_err(|error| Error::corrupt("the master key", error))?;
    tx.execute("UPDATE vault SET key_id = ?, proof = ?", params![next.as_bytes(), proof])?;
    tx.commit()?;
    Ok((opened.len(), next))
}

/// The second part. By now another rotation may have begun: what counts is what the database needs.
fn forget_old(pool: &mut Pool, vault: &Vault) -> Result<Option<vault::RotateError>> {
    let tx = pool.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some(current) = super::current(&tx)? else { return Ok(None) };
    Ok(vault.end_rotation(current).err())
}
