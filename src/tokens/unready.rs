//! Why there is no token for a call.

use jiff::Timestamp;

use crate::store;

/// Why there is no token for a call. Each sentence says what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Unready {
    /// Nobody has connected the connection yet.
    #[error("{reason}")]
    NotConnected {
        /// The sentence.
        reason: String,
    },
    /// It was connected; a person has to do something.
    #[error("{reason}")]
    Disconnected {
        /// The sentence.
        reason: String,
    },
    /// HighLevel does not take the token, and renewing does not help.
    #[error("{reason}")]
    Refused {
        /// The sentence.
        reason: String,
    },
    /// There may be one later by itself.
    #[error("{why}")]
    Later {
        /// When to ask again.
        at: Timestamp,
        /// Why there is none now.
        why: String,
    },
    /// The database does not say.
    #[error(transparent)]
    Store(#[from] store::Error),
}
