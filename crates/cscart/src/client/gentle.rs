//! How hard the store is worked: how many calls at once, and how many a second.
//!
//! Core has no rate limit, and every call costs the store a bcrypt check of the API key (`fn_verify_api_key` in CS-Cart
//! 4.13.3, 4.15.2 and 4.20.1). Shared hosting falls over long before it says 429.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep_until, timeout},
};

use crate::Error;

/// How many calls a client makes at once, and how many it begins in a second. Clones of a client share both; so do clients that
/// were given the same [`Gate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gentleness {
    /// At most so many at once; 0 counts as 1.
    pub concurrency: u32,
    /// At most so many begun in a second, evenly spread; 0 counts as 1.
    pub per_second: u32,
}

impl Default for Gentleness {
    /// Two at once and five a second: what a shop on shared hosting does not notice.
    fn default() -> Self {
        Self { concurrency: 2, per_second: 5 }
    }
}

/// Lets the calls to one store through, of all clients that have it. Cheap to clone; all clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    slots: Semaphore,
    interval: Duration,
    /// When the next call may begin.
    next: Mutex<Instant>,
}

/// Equal is what is the same gate: another one that is as wide lets others through.
impl PartialEq for Gate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<Gentleness> for Gate {
    fn from(gentleness: Gentleness) -> Self {
        Self(Arc::new(Inner {
            slots: Semaphore::new(gentleness.concurrency.max(1) as usize),
            interval: Duration::from_secs(1) / gentleness.per_second.max(1),
            next: Mutex::new(Instant::now()),
        }))
    }
}

impl Gate {
    /// Waits for a turn, first come, first served, and no longer than `patience`. The turn lasts as long as what this gives.
    pub(crate) async fn turn(&self, patience: Duration) -> Result<SemaphorePermit<'_>, Error> {
        let turn = async {
            let permit = self.0.slots.acquire().await.ok()?;
            let at = {
                let mut next = self.0.next.lock().unwrap_or_else(PoisonError::into_inner);
                let at = (*next).max(Instant::now());
                *next = at + self.0.interval;
                at
            };
            sleep_until(at).await;
            Some(permit)
        };
        timeout(patience, turn).await.ok().flatten().ok_or(Error::NoTurn { waited: patience })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_begin_evenly_spread_and_never_more_than_allowed_at_once() {
        let gate = Gate::from(Gentleness { concurrency: 2, per_second: 4 });
        let began = Instant::now();
        let patience = Duration::from_mins(1);
        for _ in 0..9 {
            drop(gate.turn(patience).await.unwrap());
        }
        assert_eq!(began.elapsed(), Duration::from_secs(2), "eight waits of a quarter of a second");

        let (first, second) = (gate.turn(patience).await.unwrap(), gate.turn(patience).await.unwrap());
        let third = gate.turn(Duration::from_secs(3)).await;
        assert!(matches!(third, Err(Error::NoTurn { .. })), "two are at it already");
        drop(first);
        assert!(gate.turn(Duration::from_secs(3)).await.is_ok());
        drop(second);
    }
}
