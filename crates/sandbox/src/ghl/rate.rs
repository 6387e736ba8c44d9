//! The rate limit: 100 requests per 10 seconds and 200,000 a day, per app and location
//! (oauth-Authorization.md, "current rate limits"). Whether the real window is fixed or sliding is not documented; a
//! sliding one is the stricter reading.

use std::collections::{HashMap, VecDeque};

use hyper::header::{HeaderName, HeaderValue};

use super::place::Place;

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

/// Which app a request is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum App {
    /// The private integration.
    Pit,
    /// The marketplace app.
    OAuth,
}

/// What has a limit of its own: an app on a location or company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) app: App,
    pub(crate) place: Place,
}

/// What of each budget is used.
#[derive(Default)]
pub(crate) struct Rate {
    buckets: HashMap<Budget, Bucket>,
}

#[derive(Default)]
struct Bucket {
    window: VecDeque<i64>,
    day: i64,
    today: u64,
}

impl Rate {
    /// Counts a request; false when it is over the limit, and then it is not counted.
    pub(crate) fn admit(&mut self, budget: Budget, now: i64, limits: &Limits) -> bool {
        let bucket = self.bucket(budget, now, limits);
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

    /// Counts what another program did with the same app: `requests` just now, and `earlier` before on this
    /// day. What would have been refused is not counted.
    pub(crate) fn consume(&mut self, budget: Budget, requests: u64, earlier: u64, now: i64, limits: &Limits) {
        let bucket = self.bucket(budget, now, limits);
        bucket.today = bucket.today.saturating_add(earlier).min(limits.daily.max(bucket.today));
        let free = limits.max.saturating_sub(bucket.window.len() as u64);
        let fit = free.min(limits.daily.saturating_sub(bucket.today));
        let counted = requests.min(fit);
        bucket.window.extend((0..counted).map(|_| now));
        bucket.today += counted;
    }

    /// How many requests are left: now, and on this day.
    pub(crate) fn left(&mut self, budget: Budget, now: i64, limits: &Limits) -> (u64, u64) {
        let bucket = self.bucket(budget, now, limits);
        let left = limits.max.saturating_sub(bucket.window.len() as u64);
        (left, limits.daily.saturating_sub(bucket.today))
    }

    /// The headers that GHL puts on its answers.
    pub(crate) fn headers(
        &mut self,
        budget: Budget,
        now: i64,
        limits: &Limits,
    ) -> [(HeaderName, HeaderValue); 6] {
        let (left, left_today) = self.left(budget, now, limits);
        let header =
            |name: &'static str, value: u64| (HeaderName::from_static(name), HeaderValue::from(value));
        [
            header("x-ratelimit-limit-daily", limits.daily),
            header("x-ratelimit-daily-remaining", left_today),
            // Not in the published list, but sent by the live system and read by the official SDK, in milliseconds.
            header("x-ratelimit-daily-reset", (DAY_MS - now.rem_euclid(DAY_MS)) as u64),
            header("x-ratelimit-interval-milliseconds", limits.interval_ms),
            header("x-ratelimit-max", limits.max),
            header("x-ratelimit-remaining", left),
        ]
    }

    fn bucket(&mut self, budget: Budget, now: i64, limits: &Limits) -> &mut Bucket {
        let bucket = self.buckets.entry(budget).or_default();
        bucket.move_to(now, limits);
        bucket
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

    const APP: Budget = Budget { app: App::OAuth, place: Place::Location };

    #[test]
    fn the_window_slides_so_that_no_ten_seconds_hold_more_than_the_limit() {
        let (mut rate, limits) = (Rate::default(), Limits { max: 2, ..Limits::new(true) });
        assert!(rate.admit(APP, 0, &limits));
        assert!(rate.admit(APP, 9_000, &limits));
        assert!(!rate.admit(APP, 9_999, &limits));
        assert!(rate.admit(APP, 10_000, &limits), "the first one has left the window");
        assert!(!rate.admit(APP, 11_000, &limits), "a fixed window would have let this pass");
        assert!(rate.admit(Budget { app: App::Pit, ..APP }, 11_000, &limits), "each app has its own budget");
    }

    #[test]
    fn what_others_do_is_counted_as_far_as_it_would_have_been_admitted() {
        let (mut rate, limits) = (Rate::default(), Limits { max: 3, daily: 10, ..Limits::new(true) });
        rate.consume(APP, 2, 5, 0, &limits);
        assert_eq!(rate.left(APP, 0, &limits), (1, 3));
        rate.consume(APP, 9, 0, 0, &limits);
        assert_eq!(rate.left(APP, 0, &limits), (0, 2));
        rate.consume(APP, 0, 99, 20_000, &limits);
        assert_eq!(rate.left(APP, 20_000, &limits), (3, 0));
        assert!(!rate.admit(APP, 20_000, &limits), "the day's limit alone refuses it");
        assert_eq!(rate.left(Budget { place: Place::Other, ..APP }, 0, &limits), (3, 10));
    }

    #[test]
    fn the_day_is_counted_apart_and_ends() {
        let (mut rate, limits) = (Rate::default(), Limits { daily: 1, ..Limits::new(true) });
        assert!(rate.admit(APP, 0, &limits));
        assert!(!rate.admit(APP, 60_000, &limits));
        assert!(rate.admit(APP, DAY_MS, &limits));
    }

    #[test]
    fn without_strictness_everything_passes_and_the_headers_still_count() {
        let (mut rate, limits) = (Rate::default(), Limits { max: 2, ..Limits::new(false) });
        assert!((0..5).all(|at| rate.admit(APP, at, &limits)));
        let remaining = &rate.headers(APP, 5, &limits)[5];
        assert_eq!((remaining.0.as_str(), remaining.1.as_bytes()), ("x-ratelimit-remaining", &b"0"[..]));
    }
}
