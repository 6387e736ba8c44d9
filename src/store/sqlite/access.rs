//! API keys: only their hashes are here.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection as Pool, Row, params};

use super::{Sqlite, row};
use crate::access::{ApiKey, KeyHash};
use crate::store::{Error, KeyStore, Result};

const COLUMNS: &str = "id, name, role, created_at, revoked_at";

pub(super) fn add(tx: &Pool, key: &ApiKey, hash: KeyHash) -> Result<()> {
    tx.execute(
        "INSERT INTO api_keys (id, name, role, hash, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        params![key.id, key.name, key.role.as_str(), hash.0, key.created_at.as_millisecond()],
    )?;
    Ok(())
}

pub(super) fn by_hash(pool: &Pool, hash: KeyHash) -> Result<Option<ApiKey>> {
    let mut statement = pool
        .prepare_cached(&format!("SELECT {COLUMNS} FROM api_keys WHERE hash = ? AND revoked_at IS NULL"))?;
    let mut rows = statement.query([hash.0])?;
    rows.next()?.map(read).transpose()
}

pub(super) fn all(pool: &Pool) -> Result<Vec<ApiKey>> {
    let mut statement =
        pool.prepare_cached(&format!("SELECT {COLUMNS} FROM api_keys ORDER BY created_at"))?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(found) = rows.next()? {
        keys.push(read(found)?);
    }
    Ok(keys)
}

pub(super) fn revoke(tx: &Pool, id: &str, now: Timestamp) -> Result<()> {
    let revoked = tx.execute(
        "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?",
        params![now.as_millisecond(), id],
    )?;
    if revoked == 1 { Ok(()) } else { Err(Error::NotFound(format!("API key `{id}`"))) }
}

fn read(found: &Row<'_>) -> Result<ApiKey> {
    Ok(ApiKey {
        id: found.get(0)?,
        name: found.get(1)?,
        role: row::parse_word("a key's role", &found.get::<_, String>(2)?)?,
        created_at: row::time(found.get(3)?),
        revoked_at: found.get::<_, Option<i64>>(4)?.map(row::time),
    })
}

#[async_trait]
impl KeyStore for Sqlite {
    async fn add_key(&self, key: &ApiKey, hash: KeyHash) -> Result<()> {
        let key = key.clone();
        self.writer.run(move |tx| add(tx, &key, hash)).await
    }

    async fn key_by_hash(&self, hash: KeyHash) -> Result<Option<ApiKey>> {
        self.readers.run(move |pool| by_hash(pool, hash)).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>> {
        self.readers.run(all).await
    }

    async fn revoke_key(&self, id: &str, now: Timestamp) -> Result<()> {
        let id = id.to_owned();
        self.writer.run(move |tx| revoke(tx, &id, now)).await
    }
}
