//! What persons have allowed: connects that have begun, and the pairs of tokens that they have led to.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::connection::ConnectionName;
use crate::grant::{
    BegunConnect, Disconnected, FailedTurn, Grant, GrantHead, GrantId, Granted, NewGrant, NewPair, NonceHash,
    RefreshTurn, Turn,
};

/// What is kept of grants. All methods are safe to repeat.
#[async_trait]
pub trait GrantStore: Send + Sync {
    /// Keeps a connect that has begun, until it is taken or expires. Of very many only the newest are kept.
    async fn begin_connect(&self, connect: BegunConnect, now: Timestamp) -> Result<()>;
    /// Takes the connect that a state belongs to: once, and only while it is fresh.
    async fn take_connect(&self, state: NonceHash, now: Timestamp) -> Result<Option<BegunConnect>>;
    /// Keeps what a person has just allowed, in place of what was there, and gives it to these connections.
    async fn put_grant(
        &self,
        connections: &[ConnectionName],
        grant: NewGrant,
        now: Timestamp,
    ) -> Result<Grant>;
    /// The grant of a connection.
    async fn grant_of(&self, connection: &ConnectionName) -> Result<Option<Granted>>;
    /// The state of every connection's grant, without tokens.
    async fn grant_heads(&self) -> Result<Vec<GrantHead>>;
    /// The connections that use a grant.
    async fn connections_of_grant(&self, id: &GrantId) -> Result<Vec<ConnectionName>>;
    /// Begins to renew a pair, unless somebody else is at it or has done it. When this answers [`Turn::Begun`], it is on disk
    /// that the refresh token was sent.
    async fn begin_refresh(&self, turn: &RefreshTurn, now: Timestamp) -> Result<Turn>;
    /// Keeps the new pair that was got with the pair `generation`, unless there is a newer one; answers the grant as it is then.
    async fn finish_refresh(&self, id: &GrantId, generation: i64, new: NewPair) -> Result<Option<Grant>>;
    /// Ends a turn that brought no pair and may be repeated.
    async fn fail_refresh(&self, turn: &RefreshTurn, failed: FailedTurn) -> Result<()>;
    /// Puts the pair `generation` out of use, unless there is a newer one; answers the grant as it is then, and whether this
    /// changed it.
    async fn disconnect(
        &self,
        id: &GrantId,
        generation: i64,
        why: Disconnected,
    ) -> Result<Option<(Grant, bool)>>;
    /// A connection uses its grant no longer, unless it was allowed again since `at`; answers whether this changed anything.
    async fn leave_grant(
        &self,
        connection: &ConnectionName,
        at: Option<Timestamp>,
        why: &str,
    ) -> Result<bool>;
}
