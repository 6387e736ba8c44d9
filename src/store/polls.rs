//! How far stores without the add-on have been read, and which have it.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::connection::ConnectionName;
use crate::poll_state::PollState;

/// What is kept of polling. All methods are safe to repeat.
#[async_trait]
pub trait PollStore: Send + Sync {
    /// How far a store without the add-on has been read; none: it was never read.
    async fn poll_state(&self, connection: &ConnectionName) -> Result<Option<PollState>>;
    /// Keeps how far a store has been read. Only right once all that was read up to there is in the inbox.
    async fn put_poll_state(&self, connection: &ConnectionName, state: &PollState) -> Result<()>;
    /// Notes that a store without the add-on was read to the end.
    async fn note_read(&self, connection: &ConnectionName, now: Timestamp) -> Result<()>;
    /// When a store without the add-on was last read to the end; none: never.
    async fn last_read(&self, connection: &ConnectionName) -> Result<Option<Timestamp>>;
    /// Notes that a store's add-on was heard: from now on it need not be polled.
    async fn note_addon(&self, connection: &ConnectionName, now: Timestamp) -> Result<()>;
    /// Whether a store's add-on was ever heard.
    async fn addon_heard(&self, connection: &ConnectionName) -> Result<bool>;
}
