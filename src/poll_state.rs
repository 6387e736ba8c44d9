//! How far a store has been read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// So many of the newest customers and orders are looked at again in each poll. A database gives ids before it shows the rows,
/// so one with a smaller id may appear after one with a greater; and changes of these are seen as well.
pub const OVERLAP: usize = 100;
/// Of so many orders the status is remembered, to say what it was before.
const ORDERS: usize = 500;

/// How far a store has been read. Positions are ids: they need no clock, and a store's may be wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PollState {
    /// The store that it is about: another one is read from its own beginning.
    pub url: String,
    /// How often it was written: part of the ids of events, so that a change back and forth is two events, and one that is read
    /// again after a crash is one.
    pub revision: u64,
    /// When polling began, by the store's clock. Who registered before that is not welcomed.
    pub began_at: Timestamp,
    /// The customers.
    pub users: Track<String>,
    /// The orders.
    pub orders: Track<SeenOrder>,
    /// Orders that were changed up to here, by the store's clock, were read.
    pub orders_changed_to: Timestamp,
}

/// How far a list has been read by its ids.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Track<T> {
    /// What was there at the beginning has ids up to here, and is no news.
    pub start: u64,
    /// Where the next poll begins to read, after this id.
    pub after: u64,
    /// How many rows come before that.
    pub rows: u64,
    /// What was last seen of the newest ones, by id.
    pub seen: BTreeMap<u64, T>,
}

/// What was last seen of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenOrder {
    /// The letter of its status.
    pub status: String,
    /// Its `updated_at`, where it was seen in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
}

impl<T> Track<T> {
    /// Moves on after a page that ends with the id `last`, `rows` rows from the beginning: the next poll begins [`OVERLAP`] rows
    /// before that.
    pub fn moved(&mut self, last: u64, rows: u64) {
        if let Some((behind, _)) = self.seen.range(..=last).rev().nth(OVERLAP) {
            self.after = *behind;
            self.rows = rows.saturating_sub(OVERLAP as u64);
        }
    }

    /// Forgets the oldest.
    pub fn trim(&mut self, keep: usize) {
        while self.seen.len() > keep {
            self.seen.pop_first();
        }
    }
}

impl PollState {
    /// Forgets what is too old to be looked at again.
    pub fn trim(&mut self) {
        self.users.trim(2 * OVERLAP);
        self.orders.trim(ORDERS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_poll_begins_a_hundred_rows_back_once_there_are_so_many() {
        let mut track = Track::<()> { start: 7, after: 5, rows: 5, ..Track::default() };
        track.seen.extend((6..=20).map(|id| (id, ())));
        track.moved(20, 20);
        assert_eq!((track.after, track.rows), (5, 5));
        track.seen.extend((21..=500).map(|id| (id, ())));
        track.moved(500, 500);
        assert_eq!((track.after, track.rows), (400, 400));
        track.trim(200);
        assert_eq!(track.seen.len(), 200);
        track.moved(500, 500);
        assert_eq!(track.after, 400);
    }
}
