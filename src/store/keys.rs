//! API keys, by their hashes.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::access::{ApiKey, KeyHash};

/// What is kept of API keys. All methods are safe to repeat.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Adds an API key.
    async fn add_key(&self, key: &ApiKey, hash: KeyHash) -> Result<()>;
    /// The API key with this hash, unless revoked.
    async fn key_by_hash(&self, hash: KeyHash) -> Result<Option<ApiKey>>;
    /// All API keys.
    async fn keys(&self) -> Result<Vec<ApiKey>>;
    /// Revokes an API key.
    async fn revoke_key(&self, id: &str, now: Timestamp) -> Result<()>;
}
