//! How fast a backfill uses what is free: evenly, and not all at once.
//!
//! A window that is used up at once stays closed for all others until its end, up to 10 seconds. A backfill has work for hours
//! and gains nothing by a rush. If its calls leave evenly, a place becomes free all the time, and whoever is more urgent takes
//! it. It may run ahead by a tenth of a window, so that what is short ends at once and a delay is made good.

use std::time::Duration;

use jiff::Timestamp;

use super::after;

/// What part of a window a backfill may be ahead of an even pace.
const AHEAD: f64 = 0.1;
/// How much quicker than evenly it goes: of two limits of the same rate, one behind the other, less than that rate remains.
const QUICKER: f64 = 1.03;

/// How far a backfill is ahead: a leaky bucket of its calls.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How many calls it was ahead, and when.
    ahead: f64,
    at: Option<Timestamp>,
}

impl Pace {
    /// When its next call may leave; none: now. `capacity` calls fit into a `window`.
    pub(super) fn opens(&self, now: Timestamp, capacity: usize, window: Duration) -> Option<Timestamp> {
        let most = (capacity as f64 * AHEAD).max(1.0);
        let too_many = self.ahead(now, capacity, window) + 1.0 - most;
        (too_many > 0.0).then(|| after(now, Duration::from_secs_f64(too_many / rate(capacity, window))))
    }

    /// A call of it leaves.
    pub(super) fn took(&mut self, now: Timestamp, capacity: usize, window: Duration) {
        self.ahead = self.ahead(now, capacity, window) + 1.0;
        self.at = Some(now);
    }

    fn ahead(&self, now: Timestamp, capacity: usize, window: Duration) -> f64 {
        let since = self.at.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0));
        (self.ahead - since * rate(capacity, window)).max(0.0)
    }
}

/// Calls a second.
fn rate(capacity: usize, window: Duration) -> f64 {
    capacity.max(1) as f64 * QUICKER / window.as_secs_f64().max(0.001)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(10);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap()
    }

    /// How many leave at a time.
    fn leave(pace: &mut Pace, ms: i64, capacity: usize) -> usize {
        let mut left = 0;
        while pace.opens(at(ms), capacity, WINDOW).is_none() {
            pace.took(at(ms), capacity, WINDOW);
            left += 1;
        }
        left
    }

    #[test]
    fn a_tenth_of_a_window_leaves_at_once_and_the_rest_evenly() {
        let mut pace = Pace::default();
        assert_eq!(leave(&mut pace, 0, 100), 10);
        let next = pace.opens(at(0), 100, WINDOW).unwrap();
        assert!(next > at(90) && next < at(100), "a little more than ten a second: {next}");
        assert_eq!(leave(&mut pace, 500, 100), 5);
        assert_eq!(leave(&mut pace, 60_000, 100), 10, "what was not used is not saved up");
    }

    #[test]
    fn a_limit_that_changes_holds_at_once_and_a_small_one_still_lets_one_leave() {
        let mut pace = Pace::default();
        assert_eq!(leave(&mut pace, 0, 1), 1);
        let next = pace.opens(at(0), 1, WINDOW).unwrap();
        assert!(next > at(9_000) && next < at(10_000), "{next}");
        assert_eq!(leave(&mut pace, 1, 100), 9);
    }
}
