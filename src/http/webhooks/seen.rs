//! Questions that were answered: none is answered twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::TOLERANCE;
use crate::connection::ConnectionName;

/// Remembers signed questions for as long as their time would be accepted. Of what was asked before the process began it
/// knows nothing, so it takes nothing that was signed before then.
#[derive(Debug)]
pub(in crate::http) struct Seen {
    /// In seconds since 1970.
    since: i64,
    /// By the hash of connection and id: until when each is remembered.
    until: Mutex<HashMap<[u8; 32], i64>>,
}

/// Why a question is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replay {
    /// It was answered.
    Answered,
    /// It was signed before the bridge began, and may have been answered then.
    BeforeStart,
}

impl Seen {
    /// Begins to remember.
    pub(in crate::http) fn new(now: Timestamp) -> Self {
        Self { since: now.as_second(), until: Mutex::default() }
    }

    /// Takes a question once. `sent` is its `webhook-timestamp`, which was found to be near `now`.
    pub(super) fn first(
        &self,
        connection: &ConnectionName,
        id: &str,
        sent: i64,
        now: i64,
    ) -> Result<(), Replay> {
        if sent < self.since {
            return Err(Replay::BeforeStart);
        }
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.retain(|_, until| *until >= now);
        let kept = sent.saturating_add_unsigned(TOLERANCE.as_secs());
        match until.entry(hash_of(connection, id)) {
            Entry::Vacant(free) => {
                free.insert(kept);
                Ok(())
            }
            Entry::Occupied(mut known) => {
                let longest = kept.max(*known.get());
                known.insert(longest);
                Err(Replay::Answered)
            }
        }
    }
}

fn hash_of(connection: &ConnectionName, id: &str) -> [u8; 32] {
    Sha256::digest(format!("{connection}\0{id}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_taken_once_for_as_long_as_its_time_is_good() {
        let seen = Seen::new(Timestamp::from_second(1_000).unwrap());
        let (one, two) = ("one".parse().unwrap(), "two".parse().unwrap());
        let first = |connection, id, sent, now| seen.first(connection, id, sent, now);
        assert_eq!(first(&one, "msg_1", 999, 1_000), Err(Replay::BeforeStart));
        assert_eq!(first(&one, "msg_1", 1_000, 1_000), Ok(()));
        assert_eq!(first(&one, "msg_1", 1_100, 1_000), Err(Replay::Answered), "also with another time");
        assert_eq!(first(&two, "msg_1", 1_000, 1_000), Ok(()), "each connection has its own ids");
        assert_eq!(first(&one, "msg_1", 1_100, 1_400), Err(Replay::Answered), "the later time counts");
        assert_eq!(first(&one, "msg_2", 1_402, 1_402), Ok(()));
        assert_eq!(seen.until.lock().unwrap().len(), 1, "what nobody can send again is forgotten");
    }
}
