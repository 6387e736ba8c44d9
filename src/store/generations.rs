//! Which generation of the database this is, and whether it was restored from a backup.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::restore::Restore;

/// How a process began to work with the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// The database's generation from now on.
    pub generation: u64,
    /// The database turned out to be older than the newest one: the restore is on record.
    pub is_older: bool,
}

/// What is kept of generations. All methods are safe to repeat.
#[async_trait]
pub trait GenerationStore: Send + Sync {
    /// Begins a generation that is newer than the database's and than `newest`, the newest that it ever had as far as that is
    /// known. Where that one is newer than the database's, the database was restored from a backup, which is written down in the
    /// same transaction: it lacks what was done from its last event on until `lost_until`.
    async fn begin_generation(&self, newest: Option<u64>, lost_until: Timestamp) -> Result<Begun>;
    /// Begins the next generation, if this process has written anything since the last one began; answers it.
    async fn next_generation(&self) -> Result<Option<u64>>;
    /// Writes down that the database was restored from a backup. `lost_since`: since when something may be missing in it; none: since
    /// its last event.
    async fn put_restore(&self, lost_since: Option<Timestamp>, lost_until: Timestamp) -> Result<Restore>;
    /// What restores have left open, if there were any: what two have is open together.
    async fn restore(&self) -> Result<Option<Restore>>;
}
