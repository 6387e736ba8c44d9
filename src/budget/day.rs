//! The day's limit.
//!
//! When HighLevel's day begins is not documented. `X-RateLimit-Daily-Reset` tells how many milliseconds are left of it (the
//! official Node SDK reads it so); without it the day is taken for UTC's, and a day that is used up is looked at again every
//! hour. The count does not outlive a restart: the first answer tells what is used.

use std::time::Duration;

use ghl::RateLimit;
use jiff::Timestamp;

use crate::clock::after;
use crate::priority::Priority;

/// Requests a day, as documented (HighLevel, "OAuth 2.0: Authorization", rate limits).
const LIMIT: u64 = 200_000;
/// A backfill leaves so much of the day to whom it must not hinder.
const RESERVE_PERCENT: u64 = 10;
/// How soon to look again while it is not known when the day ends.
const LOOK_AGAIN: Duration = Duration::from_hours(1);

const DAY_MS: i64 = 86_400_000;

/// What is used of a day.
#[derive(Debug)]
pub(super) struct Day {
    limit: u64,
    used: u64,
    ends: Timestamp,
    /// HighLevel has said when it ends.
    told: bool,
    /// Used up by HighLevel's word, whatever the count: look again then.
    closed_until: Option<Timestamp>,
}

impl Day {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { limit: LIMIT, used: 0, ends: midnight_after(now), told: false, closed_until: None }
    }

    /// Until when a class has to wait; none: it need not.
    pub(super) fn closed(&mut self, class: Priority, now: Timestamp) -> Option<Timestamp> {
        self.turn(now);
        let left = self.left();
        let reserve = if class == Priority::Backfill { self.limit * RESERVE_PERCENT / 100 } else { 0 };
        if let Some(until) = self.closed_until {
            return Some(until);
        }
        (left <= reserve).then(|| if self.told { self.ends } else { self.ends.min(after(now, LOOK_AGAIN)) })
    }

    /// How many are left.
    pub(super) fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// A request leaves.
    pub(super) fn send(&mut self, now: Timestamp) {
        self.turn(now);
        self.used += 1;
    }

    /// It has not left after all.
    pub(super) fn unsent(&mut self) {
        self.used = self.used.saturating_sub(1);
    }

    /// Learns from an answer. HighLevel's count is right at the moment of its making: what may not be in it yet, `uncounted`,
    /// comes on top at most, and nothing below it is believed.
    pub(super) fn learn(&mut self, limit: &RateLimit, uncounted: u64, now: Timestamp) {
        self.turn(now);
        if let Some(daily) = limit.daily_limit.filter(|daily| *daily > 0) {
            self.limit = daily;
        }
        if let Some(reset) = limit.daily_reset.filter(|reset| !reset.is_zero()) {
            self.ends = after(now, reset.min(Duration::from_hours(48)));
            self.told = true;
        }
        if let Some(remaining) = limit.daily_remaining {
            let counted = self.limit.saturating_sub(remaining);
            self.used = self.used.clamp(counted, counted.saturating_add(uncounted));
            if remaining > 0 {
                self.closed_until = None;
            }
        }
    }

    /// A 429 for the day: used up, whatever was counted. Answers until when.
    pub(super) fn close(&mut self, now: Timestamp, retry_after: Option<Duration>) -> Timestamp {
        self.turn(now);
        let until = match retry_after {
            Some(wait) => after(now, wait.min(Duration::from_hours(48))),
            None if self.told => self.ends,
            None => self.ends.min(after(now, LOOK_AGAIN)),
        };
        self.closed_until = Some(until);
        until
    }

    fn turn(&mut self, now: Timestamp) {
        self.closed_until = self.closed_until.filter(|until| *until > now);
        if now >= self.ends {
            self.used = 0;
            self.ends = midnight_after(now);
            self.told = false;
        }
    }
}

/// The next midnight, UTC.
fn midnight_after(now: Timestamp) -> Timestamp {
    let left_ms = DAY_MS - now.as_millisecond().rem_euclid(DAY_MS);
    after(now, Duration::from_millis(left_ms as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    fn headers(limit: u64, remaining: u64, reset_ms: Option<u64>) -> RateLimit {
        let mut headers = RateLimit::default();
        headers.daily_limit = Some(limit);
        headers.daily_remaining = Some(remaining);
        headers.daily_reset = reset_ms.map(Duration::from_millis);
        headers
    }

    #[test]
    fn a_day_ends_when_highlevel_says_so_and_then_begins_anew() {
        let mut day = Day::new(at(0));
        day.learn(&headers(10, 0, Some(5_000)), 0, at(1_000));
        assert_eq!(day.closed(Priority::Person, at(2_000)), Some(at(6_000)));
        assert_eq!(day.closed(Priority::Person, at(6_000)), None);
        assert_eq!(day.left(), 10);
    }

    #[test]
    fn a_backfill_leaves_a_tenth_of_the_day_to_the_others() {
        let mut day = Day::new(at(0));
        day.learn(&headers(100, 10, Some(5_000)), 0, at(0));
        assert_eq!(day.closed(Priority::Backfill, at(1)), Some(at(5_000)));
        for class in [Priority::Person, Priority::Live, Priority::Retry] {
            assert_eq!(day.closed(class, at(1)), None);
        }
    }

    #[test]
    fn what_others_and_an_earlier_life_have_used_counts_and_answers_out_of_order_do_not_matter() {
        let mut day = Day::new(at(0));
        for _ in 0..5 {
            day.send(at(0));
        }
        day.learn(&headers(1_000, 600, None), 4, at(1));
        assert_eq!(day.left(), 600, "400 were used already");
        // The fourth was counted after the fifth: an older count takes nothing back that may have been counted since.
        day.learn(&headers(1_000, 595, None), 0, at(2));
        day.learn(&headers(1_000, 596, None), 1, at(3));
        assert_eq!(day.left(), 595);
        // HighLevel's day began earlier than ours.
        day.learn(&headers(1_000, 999, None), 1, at(4));
        assert!(day.left() >= 998, "{}", day.left());
    }

    #[test]
    fn a_day_whose_end_is_not_told_is_looked_at_again_every_hour() {
        let mut day = Day::new(at(0));
        let until = day.close(at(0), None);
        assert_eq!(until, at(3_600_000));
        assert_eq!(day.closed(Priority::Person, at(1)), Some(until));
        assert_eq!(day.closed(Priority::Person, until), None);
    }

    #[test]
    fn without_headers_a_day_is_that_of_utc() {
        let mut day = Day::new(at(DAY_MS - 10));
        for _ in 0..LIMIT {
            day.send(at(DAY_MS - 10));
        }
        assert_eq!(day.closed(Priority::Live, at(DAY_MS - 5)), Some(at(DAY_MS)));
        assert_eq!(day.closed(Priority::Live, at(DAY_MS)), None);
    }
}
