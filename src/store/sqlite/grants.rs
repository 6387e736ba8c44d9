//! Grants: who renews a pair of tokens now, and which pair is in use. A pair is replaced only by a later one.

use async_trait::async_trait;
use ghl::oauth::Scopes;
use jiff::Timestamp;
use rusqlite::{Connection as Pool, OptionalExtension as _, Row, params};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Sqlite, connects, row, secrets};
use crate::connection::ConnectionName;
use crate::grant::{
    BegunConnect, Disconnected, FailedTurn, Grant, GrantHead, GrantId, Granted, Holder, NewGrant, NewPair,
    NonceHash, Pair, RefreshTurn, SecretPrint, Turn, Version,
};
use crate::store::{Error, GrantStore, Result};
use crate::vault::Vault;

const COLUMNS: &str = "g.id, g.client_id, g.user_type, g.holder, g.sealed, g.scopes, g.issued_at, g.expires_at, \
     g.connected_at, g.generation, g.disconnected_reason, g.refused_secret";

/// Keeps what a person has just allowed, and gives it to these connections.
pub(super) fn put(
    tx: &Pool,
    vault: &Vault,
    connections: &[ConnectionName],
    new: &NewGrant,
    now: Timestamp,
) -> Result<Grant> {
    let id = GrantId::new(&new.client_id, &new.holder);
    let (user_type, holder) = match &new.holder {
        Holder::Location(id) => ("Location", id.as_str()),
        Holder::Company(id) => ("Company", id.as_str()),
    };
    let scopes = new.new.scopes.as_ref().unwrap_or(&new.scopes);
    tx.execute(
        "INSERT INTO grants (id, client_id, user_type, holder, sealed, scopes, issued_at, expires_at, generation, connected_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9) ON CONFLICT (id) DO UPDATE SET \
         sealed = excluded.sealed, scopes = excluded.scopes, issued_at = excluded.issued_at, expires_at = excluded.expires_at, \
         generation = generation + 1, refresh_lease = NULL, refresh_until = NULL, refresh_sent_generation = NULL, \
         refresh_failures = 0, refresh_error = NULL, connected_at = excluded.connected_at, disconnected_reason = NULL, \
         refused_secret = NULL",
        params![
            id.as_str(),
            new.client_id,
            user_type,
            holder,
            seal(tx, vault, &id, &new.new.pair)?,
            scopes.to_string(),
            new.new.issued_at.as_millisecond(),
            new.new.expires_at.as_millisecond(),
            now.as_millisecond(),
        ],
    )?;
    for connection in connections {
        tx.execute(
            "INSERT INTO connection_grants (connection, grant_id) VALUES (?, ?) ON CONFLICT (connection) DO UPDATE SET \
             grant_id = excluded.grant_id, left_reason = NULL",
            params![connection.as_str(), id.as_str()],
        )?;
    }
    drop_unused(tx)?;
    by_id(tx, vault, &id)?.ok_or_else(|| Error::NotFound(format!("grant `{id}`")))
}

pub(super) fn of_connection(
    pool: &Pool,
    vault: &Vault,
    connection: &ConnectionName,
) -> Result<Option<Granted>> {
    let mut statement = pool.prepare_cached(&format!(
        "SELECT {COLUMNS}, c.left_reason FROM connection_grants c JOIN grants g ON g.id = c.grant_id WHERE c.connection = ?"
    ))?;
    let mut rows = statement.query([connection.as_str()])?;
    let Some(found) = rows.next()? else { return Ok(None) };
    Ok(Some(Granted { grant: read(vault, found)?, left: found.get(12)? }))
}

pub(super) fn heads(pool: &Pool) -> Result<Vec<GrantHead>> {
    let mut statement = pool.prepare_cached(
        "SELECT c.connection, g.id, g.client_id, g.user_type, g.holder, g.connected_at, g.generation, \
         g.disconnected_reason IS NULL AND c.left_reason IS NULL \
         FROM connection_grants c JOIN grants g ON g.id = c.grant_id ORDER BY c.connection",
    )?;
    let mut rows = statement.query([])?;
    let mut heads = Vec::new();
    while let Some(found) = rows.next()? {
        let holder = holder(&found.get::<_, String>(3)?, found.get(4)?);
        heads.push(GrantHead {
            connection: row::parse("a grant's connection", &found.get::<_, String>(0)?)?,
            id: GrantId::new(&found.get::<_, String>(2)?, &holder),
            version: Version { connected_at: row::time(found.get(5)?), generation: found.get(6)? },
            connected: found.get(7)?,
        });
    }
    Ok(heads)
}

/// The connections that use a grant.
pub(super) fn connections(pool: &Pool, id: &GrantId) -> Result<Vec<ConnectionName>> {
    let mut statement = pool.prepare_cached(
        "SELECT connection FROM connection_grants WHERE grant_id = ? AND left_reason IS NULL ORDER BY connection",
    )?;
    let mut rows = statement.query([id.as_str()])?;
    let mut connections = Vec::new();
    while let Some(found) = rows.next()? {
        connections.push(row::parse("a grant's connection", &found.get::<_, String>(0)?)?);
    }
    Ok(connections)
}

/// Begins to renew a pair, unless somebody else is at it or has done it. That its refresh token is about to be sent is on
/// disk before it is.
pub(super) fn begin_refresh(tx: &Pool, vault: &Vault, turn: &RefreshTurn, now: Timestamp) -> Result<Turn> {
    let Some(grant) = by_id(tx, vault, &turn.id)? else { return Ok(Turn::Gone) };
    let is_out_of_use = grant
        .disconnected
        .as_ref()
        .is_some_and(|disconnected| disconnected.refused_secret.is_none_or(|refused| refused == turn.secret));
    if grant.generation != turn.generation || is_out_of_use {
        return Ok(Turn::Changed(Box::new(grant)));
    }
    let (lease, until, sent, failures, error): (Option<i64>, Option<i64>, Option<i64>, u32, Option<String>) = tx
        .prepare_cached(
            "SELECT refresh_lease, refresh_until, refresh_sent_generation, refresh_failures, refresh_error FROM grants \
             WHERE id = ?",
        )?
        .query_row([turn.id.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })?;
    if let Some(until) = until.map(row::time).filter(|until| *until > now) {
        return Ok(match lease {
            Some(_) => Turn::UnderWay { until },
            None => Turn::Later { until, why: error.unwrap_or_default() },
        });
    }
    tx.prepare_cached(
        "UPDATE grants SET refresh_lease = ?, refresh_until = ?, refresh_sent_generation = generation WHERE id = ?",
    )?
    .execute(params![turn.lease, turn.until.as_millisecond(), turn.id.as_str()])?;
    Ok(Turn::Begun { cut_off_before: sent == Some(grant.generation), failures })
}

/// Keeps a new pair in place of the one that it was got with, whoever's turn it is by now: it is the only one that is good.
/// Where a person has connected again meanwhile, his is kept. Answers the grant as it is then.
pub(super) fn finish_refresh(
    tx: &Pool,
    vault: &Vault,
    id: &GrantId,
    generation: i64,
    new: &NewPair,
) -> Result<Option<Grant>> {
    tx.prepare_cached(
        "UPDATE grants SET sealed = ?, scopes = coalesce(?, scopes), issued_at = ?, expires_at = ?, generation = generation + 1, \
         refresh_lease = NULL, refresh_until = NULL, refresh_sent_generation = NULL, refresh_failures = 0, refresh_error = NULL, \
         disconnected_reason = NULL, refused_secret = NULL WHERE id = ? AND generation = ?",
    )?
    .execute(params![
        seal(tx, vault, id, &new.pair)?,
        new.scopes.as_ref().map(ToString::to_string),
        new.issued_at.as_millisecond(),
        new.expires_at.as_millisecond(),
        id.as_str(),
        generation,
    ])?;
    by_id(tx, vault, id)
}

/// Ends a turn that brought nothing. What is not known of the refresh token stays on record.
pub(super) fn fail_refresh(tx: &Pool, turn: &RefreshTurn, failed: &FailedTurn) -> Result<()> {
    tx.prepare_cached(
        "UPDATE grants SET refresh_lease = NULL, refresh_until = ?, refresh_failures = refresh_failures + 1, refresh_error = ?, \
         refresh_sent_generation = CASE WHEN ? THEN generation END WHERE id = ? AND generation = ? AND refresh_lease = ?",
    )?
    .execute(params![
        failed.until.as_millisecond(),
        failed.why,
        failed.maybe_used,
        turn.id.as_str(),
        turn.generation,
        turn.lease,
    ])?;
    Ok(())
}

/// Puts a pair out of use, unless there is a newer one. Answers the grant as it is then, and whether this changed it.
pub(super) fn disconnect(
    tx: &Pool,
    vault: &Vault,
    id: &GrantId,
    generation: i64,
    why: &Disconnected,
) -> Result<Option<(Grant, bool)>> {
    let changed = tx
        .prepare_cached(
            "UPDATE grants SET disconnected_reason = ?1, refused_secret = ?2, refresh_lease = NULL, refresh_until = NULL, \
             refresh_failures = 0, refresh_error = NULL, \
             refresh_sent_generation = CASE WHEN ?2 IS NULL THEN refresh_sent_generation END \
             WHERE id = ?3 AND generation = ?4 AND (disconnected_reason IS NULL OR refused_secret IS NOT NULL)",
        )?
        .execute(params![
            why.reason,
            why.refused_secret.map(|print| print.0.to_vec()),
            id.as_str(),
            generation
        ])?;
    Ok(by_id(tx, vault, id)?.map(|grant| (grant, changed == 1)))
}

/// A connection uses its grant no longer, unless it was allowed again since `at`. Answers whether this changed anything.
pub(super) fn leave(
    tx: &Pool,
    connection: &ConnectionName,
    at: Option<Timestamp>,
    why: &str,
) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE connection_grants SET left_reason = ? WHERE connection = ? AND left_reason IS NULL AND EXISTS \
         (SELECT 1 FROM grants WHERE id = grant_id AND connected_at <= coalesce(?, connected_at))",
        params![why, connection.as_str(), at.map(Timestamp::as_millisecond)],
    )?;
    Ok(changed == 1)
}

/// The connection is gone, and with the last connection the grant.
pub(super) fn forget(tx: &Pool, connection: &str) -> Result<()> {
    tx.execute("DELETE FROM connection_grants WHERE connection = ?", [connection])?;
    drop_unused(tx)
}

/// Nobody renews anything: right only at the start of the only process.
pub(super) fn release(tx: &Pool) -> Result<()> {
    tx.execute(
        "UPDATE grants SET refresh_lease = NULL, refresh_until = NULL WHERE refresh_lease IS NOT NULL",
        [],
    )?;
    Ok(())
}

fn drop_unused(tx: &Pool) -> Result<()> {
    tx.execute("DELETE FROM grants WHERE id NOT IN (SELECT grant_id FROM connection_grants)", [])?;
    Ok(())
}

fn by_id(pool: &Pool, vault: &Vault, id: &GrantId) -> Result<Option<Grant>> {
    pool.prepare_cached(&format!("SELECT {COLUMNS} FROM grants g WHERE g.id = ?"))?
        .query_row([id.as_str()], |found| Ok(read(vault, found)))
        .optional()?
        .transpose()
}

fn read(vault: &Vault, found: &Row<'_>) -> Result<Grant> {
    let client_id: String = found.get(1)?;
    let holder = holder(&found.get::<_, String>(2)?, found.get(3)?);
    let id = GrantId::new(&client_id, &holder);
    let disconnected = match found.get::<_, Option<String>>(10)? {
        None => None,
        Some(reason) => Some(Disconnected {
            reason,
            refused_secret: found.get::<_, Option<[u8; 16]>>(11)?.map(SecretPrint),
        }),
    };
    let Ok(scopes) = found.get::<_, String>(5)?.parse::<Scopes>();
    Ok(Grant {
        pair: open(vault, &id, &found.get::<_, Vec<u8>>(4)?)?,
        id,
        client_id,
        holder,
        scopes,
        issued_at: row::time(found.get(6)?),
        expires_at: row::time(found.get(7)?),
        connected_at: row::time(found.get(8)?),
        generation: found.get(9)?,
        disconnected,
    })
}

fn holder(user_type: &str, id: String) -> Holder {
    if user_type == "Company" { Holder::Company(id.into()) } else { Holder::Location(id.into()) }
}

fn place(id: &GrantId) -> String {
    format!("grants/{id}")
}

fn seal(tx: &Pool, vault: &Vault, id: &GrantId, pair: &Pair) -> Result<Vec<u8>> {
    let plain = json!({
        "access_token": pair.access_token.expose_secret(), "refresh_token": pair.refresh_token.expose_secret(),
    });
    secrets::seal(tx, vault, &place(id), Zeroizing::new(plain.to_string()).as_bytes())
}

#[derive(serde::Deserialize)]
struct Opened {
    access_token: SecretString,
    refresh_token: SecretString,
}

fn open(vault: &Vault, id: &GrantId, sealed: &[u8]) -> Result<Pair> {
    let plain = secrets::open(vault, &place(id), sealed)?;
    let opened: Opened =
        serde_json::from_slice(&plain).map_err(|error| Error::corrupt(format!("grant `{id}`"), error))?;
    Ok(Pair { access_token: opened.access_token, refresh_token: opened.refresh_token })
}

#[async_trait]
impl GrantStore for Sqlite {
    async fn begin_connect(&self, connect: BegunConnect, now: Timestamp) -> Result<()> {
        self.writer.run(move |tx| connects::begin(tx, &connect, now)).await
    }

    async fn take_connect(&self, state: NonceHash, now: Timestamp) -> Result<Option<BegunConnect>> {
        self.writer.run(move |tx| connects::take(tx, state, now)).await
    }

    async fn put_grant(
        &self,
        connections: &[ConnectionName],
        grant: NewGrant,
        now: Timestamp,
    ) -> Result<Grant> {
        let (vault, connections) = (self.vault.clone(), connections.to_vec());
        self.writer.run(move |tx| put(tx, &vault, &connections, &grant, now)).await
    }

    async fn grant_of(&self, connection: &ConnectionName) -> Result<Option<Granted>> {
        let (vault, connection) = (self.vault.clone(), connection.clone());
        self.readers.run(move |pool| of_connection(pool, &vault, &connection)).await
    }

    async fn grant_heads(&self) -> Result<Vec<GrantHead>> {
        self.readers.run(heads).await
    }

    async fn connections_of_grant(&self, id: &GrantId) -> Result<Vec<ConnectionName>> {
        let id = id.clone();
        self.readers.run(move |pool| connections(pool, &id)).await
    }

    async fn begin_refresh(&self, turn: &RefreshTurn, now: Timestamp) -> Result<Turn> {
        let (vault, turn) = (self.vault.clone(), turn.clone());
        self.writer.run(move |tx| begin_refresh(tx, &vault, &turn, now)).await
    }

    async fn finish_refresh(&self, id: &GrantId, generation: i64, new: NewPair) -> Result<Option<Grant>> {
        let (vault, id) = (self.vault.clone(), id.clone());
        self.writer.run(move |tx| finish_refresh(tx, &vault, &id, generation, &new)).await
    }

    async fn fail_refresh(&self, turn: &RefreshTurn, failed: FailedTurn) -> Result<()> {
        let turn = turn.clone();
        self.writer.run(move |tx| fail_refresh(tx, &turn, &failed)).await
    }

    async fn disconnect(
        &self,
        id: &GrantId,
        generation: i64,
        why: Disconnected,
    ) -> Result<Option<(Grant, bool)>> {
        let (vault, id) = (self.vault.clone(), id.clone());
        self.writer.run(move |tx| disconnect(tx, &vault, &id, generation, &why)).await
    }

    async fn leave_grant(
        &self,
        connection: &ConnectionName,
        at: Option<Timestamp>,
        why: &str,
    ) -> Result<bool> {
        let (connection, why) = (connection.clone(), why.to_owned());
        self.writer.run(move |tx| leave(tx, &connection, at, &why)).await
    }
}
