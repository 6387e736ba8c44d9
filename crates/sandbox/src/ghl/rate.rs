//! The rate limit: 100 requests per 10 seconds and 200,000 a day, per app and location
//! (oauth-Authorization.md, "current rate limits"). Whether the real window is fixed or sliding is not documented; a
//! sliding one is the stricter reading.

use std::collections::{HashMap, VecDeque};

use hyper::header::{HeaderName, HeaderValue};

const DAY_MS: i64 = 86_400_000;

/// The limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Whether requests over the limit are refused.
    pub(crate) strict: bool,
    pub(crate) max: u64,
    pub(crate) interval_ms: u64,
    pub(crate) daily: u64,
}

impl Limits {
    pub(crate) fn new(strict: bool) -> Self {
        Self { strict, max: 100, interval_ms: 10_000, daily: 200_000 }
    }
}

/// What each app has used on the location.
#[derive(Default)]
pub(crate) struct Rate {
    buckets: HashMap<&'static str, Bucket>,
}

#[derive(Default)]
struct Bucket {
    window: VecDeque<i64>,
    day: i64,
    today: u64,
}

impl Rate {
    /// Counts a request of `app`; false when it is over the limit, and then it is not counted.
    pub(crate) fn admit(&mut self, app: &'static str, now: i64, limits: &Limits) -> bool {
        let bucket = self.buckets.entry(app).or_default();
        bucket.move_to(now, limits);
        let fits = (bucket.window.len() as u64) < limits.max && bucket.today < limits.daily;
        if fits || !limits.strict {
            bucket.window.push_back(now);
            bucket.today += 1;
            // Without strictness only whether anything remains matters.
            while bucket.window.len() as u64 > limits.max {
                bucket.window.pop_front();
            }
        }
        fits || !limits.strict
    }

    /// The headers that GHL puts on its answers.
    pub(crate) fn headers(
        &mut self,
        app: &'static str,
        now: i64,
        limits: &Limits,
    ) -> [(HeaderName, HeaderValue); 6] {
        let bucket = self.buckets.entry(app).or_default();
        bucket.move_to(now, limits);
        let header =
            |name: &'static str, value: u64| (HeaderName::from_static(name), HeaderValue::from(value));
        [
            header("x-ratelimit-limit-daily", limits.daily),
            header("x-ratelimit-daily-remaining", limits.daily.saturating_sub(bucket.today)),
            // Not in the published list, but sent by the live system and read by the official SDK, in milliseconds.
            header("x-ratelimit-daily-reset", (DAY_MS - now.rem_euclid(DAY_MS)) as u64),
            header("x-ratelimit-interval-milliseconds", limits.interval_ms),
            header("x-ratelimit-max", limits.max),
            header("x-ratelimit-remaining", limits.max.saturating_sub(bucket.window.len() as u64)),
        ]
    }
}

impl Bucket {
    fn move_to(&mut self, now: i64, limits: &Limits) {
        while self.window.front().is_some_and(|at| at + (limits.interval_ms as i64) <= now) {
            self.window.pop_front();
        }
        let day = now.div_euclid(DAY_MS);
        if day != self.day {
            self.day = day;
            self.today = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides_so_that_no_ten_seconds_hold_more_than_the_limit() {
        let (mut rate, limits) = (Rate::default(), Limits { max: 2, ..Limits::new(true) });
        assert!(rate.admit("app", 0, &limits));
        assert!(rate.admit("app", 9_000, &limits));
        assert!(!rate.admit("app", 9_999, &limits));
        assert!(rate.admit("app", 10_000, &limits), "the first one has left the window");
        assert!(!rate.admit("app", 11_000, &limits), "a fixed window would have let this pass");
        assert!(rate.admit("other", 11_000, &limits), "each app has its own budget");
    }

    #[test]
    fn the_day_is_counted_apart_and_ends() {
        let (mut rate, limits) = (Rate::default(), Limits { daily: 1, ..Limits::new(true) });
        assert!(rate.admit("app", 0, &limits));
        assert!(!rate.admit("app", 60_000, &limits));
        assert!(rate.admit("app", DAY_MS, &limits));
    }

    #[test]
    fn without_strictness_everything_passes_and_the_headers_still_count() {
        let (mut rate, limits) = (Rate::default(), Limits { max: 2, ..Limits::new(false) });
        assert!((0..5).all(|at| rate.admit("app", at, &limits)));
        let remaining = &rate.headers("app", 5, &limits)[5];
        assert_eq!((remaining.0.as_str(), remaining.1.as_bytes()), ("x-ratelimit-remaining", &b"0"[..]));
    }
}
