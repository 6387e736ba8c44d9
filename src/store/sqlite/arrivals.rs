//! What has arrived and is not filed yet, by what makes it a duplicate.
//!
//! An acknowledgement waits for its commit, and a random page of an index costs a commit more than the event itself. So the
//! index of duplicates holds only what is filed, many at a time; for the rest this is kept in memory, read from the database
//! at the start and changed with each commit.

use std::collections::HashMap;

use rusqlite::Connection as Pool;
use sha2::{Digest as _, Sha256};

use super::row;
use crate::connection::ConnectionName;
use crate::event::{EventId, Source};
use crate::store::Result;

/// When so many wait, whoever appends files some of them: a claim may be long in coming.
const MANY: usize = 256 * 1024;

/// What makes a repeated delivery a duplicate: 16 bytes of a hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SourceKey(pub(super) [u8; 16]);

impl SourceKey {
    /// The parts cannot be taken for one another: a connection's name and a source hold no NUL.
    pub(super) fn of(connection: &ConnectionName, source: Source, source_id: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [connection.as_str(), "\0", source.as_str(), "\0", source_id] {
            hash.update(part);
        }
        let hash: [u8; 32] = hash.finalize().into();
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        Self(key)
    }
}

/// The events that are not filed, as of the last commit, and what the transaction under way changes of that.
#[derive(Default)]
pub(super) struct Arrivals {
    unfiled: HashMap<SourceKey, EventId>,
    /// Of the transaction under way.
    appended: HashMap<SourceKey, EventId>,
    filed: Vec<SourceKey>,
}

impl Arrivals {
    /// As the database has them.
    pub(super) fn load(pool: &Pool) -> Result<Self> {
        let mut statement = pool.prepare("SELECT source_key, id FROM events WHERE filed = 0")?;
        let mut rows = statement.query([])?;
        let mut arrivals = Self::default();
        while let Some(found) = rows.next()? {
            arrivals.unfiled.insert(SourceKey(found.get(0)?), row::id(found.get(1)?));
        }
        Ok(arrivals)
    }

    /// The event that was stored for a delivery, if it is not filed.
    pub(super) fn get(&self, key: SourceKey) -> Option<EventId> {
        self.appended.get(&key).or_else(|| self.unfiled.get(&key)).copied()
    }

    /// The same, as far as it is committed.
    pub(super) fn committed(&self, key: SourceKey) -> Option<EventId> {
        self.unfiled.get(&key).copied()
    }

    /// Whether it is time to file some.
    pub(super) fn are_many(&self) -> bool {
        self.unfiled.len() + self.appended.len() > MANY + self.filed.len()
    }

    pub(super) fn append(&mut self, key: SourceKey, id: EventId) {
        self.appended.insert(key, id);
    }

    pub(super) fn file(&mut self, key: SourceKey) {
        self.filed.push(key);
    }

    /// The transaction has ended: what it changed holds, or never was.
    pub(super) fn end(&mut self, committed: bool) {
        if committed {
            self.unfiled.extend(self.appended.drain());
            for key in self.filed.drain(..) {
                self.unfiled.remove(&key);
            }
        } else {
            self.appended.clear();
            self.filed.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_rolled_back_was_never_there_and_what_is_filed_is_forgotten() {
        let key = |n: u8| SourceKey([n; 16]);
        let mut arrivals = Arrivals::default();
        let (one, two) = (EventId::new(), EventId::new());
        arrivals.append(key(1), one);
        assert_eq!(arrivals.get(key(1)), Some(one), "a duplicate may be in the same group");
        assert_eq!(arrivals.committed(key(1)), None);
        arrivals.end(false);
        assert_eq!(arrivals.get(key(1)), None);

        arrivals.append(key(1), one);
        arrivals.end(true);
        arrivals.append(key(2), two);
        arrivals.file(key(1));
        arrivals.end(false);
        assert_eq!((arrivals.get(key(1)), arrivals.get(key(2))), (Some(one), None));
        arrivals.append(key(2), two);
        arrivals.file(key(1));
        arrivals.file(key(2));
        arrivals.end(true);
        assert_eq!((arrivals.get(key(1)), arrivals.get(key(2))), (None, None));
    }
}
