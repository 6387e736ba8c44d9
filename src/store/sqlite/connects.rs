//! Connects that have begun: taken once, and only while they are fresh.

use ghl::oauth::Scopes;
use jiff::Timestamp;
use rusqlite::{Connection as Pool, OptionalExtension as _, params};

use super::row;
use crate::grant::{BegunConnect, NonceHash};
use crate::store::{Error, Result};

/// So many may be open. Beginning one needs no key, so it must not fill the disk; the oldest make room for new ones.
const OPEN: i64 = 1000;

pub(super) fn begin(tx: &Pool, connect: &BegunConnect, now: Timestamp) -> Result<()> {
    tx.execute("DELETE FROM oauth_states WHERE expires_at <= ?", [now.as_millisecond()])?;
    tx.execute(
        "DELETE FROM oauth_states WHERE state_hash IN (SELECT state_hash FROM oauth_states ORDER BY expires_at DESC \
         LIMIT -1 OFFSET ?)",
        [OPEN - 1],
    )?;
    tx.execute(
        "INSERT INTO oauth_states (state_hash, browser_hash, connection, client_id, scopes, redirect_uri, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        params![
            connect.state.0,
            connect.browser.0,
            connect.connection.as_str(),
            connect.client_id,
            connect.scopes.to_string(),
            connect.redirect_uri,
            connect.expires_at.as_millisecond(),
        ],
    )?;
    Ok(())
}

/// The connect of a state: whoever asks first gets it, and nobody after him.
pub(super) fn take(tx: &Pool, state: NonceHash, now: Timestamp) -> Result<Option<BegunConnect>> {
    let taken = tx
        .prepare_cached(
            "DELETE FROM oauth_states WHERE state_hash = ? \
             RETURNING browser_hash, connection, client_id, scopes, redirect_uri, expires_at",
        )?
        .query_row([state.0], |row| {
            Ok((
                row.get::<_, [u8; 32]>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, String>(4)?,
                row.get::<_, i64>(5)?,
            ))
        })
        .optional()?;
    let Some((browser, connection, client_id, scopes, redirect_uri, expires_at)) = taken else {
        return Ok(None);
    };
    let expires_at = row::time(expires_at);
    if expires_at <= now {
        return Ok(None);
    }
    let Ok(scopes) = scopes.parse::<Scopes>();
    Ok(Some(BegunConnect {
        state,
        browser: NonceHash(browser),
        connection: connection
            .parse()
            .map_err(|error: crate::connection::BadName| Error::corrupt("a connect's connection", error))?,
        client_id,
        scopes,
        redirect_uri,
        expires_at,
    }))
}
