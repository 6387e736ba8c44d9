//! What is left of HighLevel's rate limit for one location.
//!
//! 100 requests in 10 seconds and 200,000 a day, unless the answers' headers say otherwise. Whether HighLevel's window
//! is fixed or sliding is not documented, so this counts a sliding one: what fits it fits both.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ghl::RateLimit;
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

/// Requests in a window, as documented (HighLevel, OAuth, "rate limits").
const MAX: u32 = 100;
/// The window, as documented.
const WINDOW: Duration = Duration::from_secs(10);
/// Our clock and HighLevel's do not see a request at the same moment: what leaves late arrives late.
const MARGIN: Duration = Duration::from_millis(100);

/// How long a request waits in its place: a little longer than a window.
const PATIENCE: Duration = Duration::from_secs(15);

/// The budget of one location.
#[derive(Debug)]
pub struct Budget {
    clock: Clock,
    /// What of the limit is meant for the bridge.
    share: Option<u32>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    max: u32,
    window: Duration,
    /// When each request of the last window left, oldest first.
    sent: VecDeque<Timestamp>,
    /// Nothing may leave before.
    closed_until: Option<Timestamp>,
}

impl State {
    /// Forgets what left before the window that ends now; answers how long the window is.
    fn forget_before(&mut self, now: Timestamp) -> Duration {
        let window = self.window + MARGIN;
        while self.sent.front().is_some_and(|sent| between(*sent, now) >= window) {
            self.sent.pop_front();
        }
        window
    }
}

impl Budget {
    /// A full budget of at most `share` requests in a window; none: all that HighLevel allows.
    pub fn new(clock: Clock, share: Option<u32>) -> Self {
        let max = share.unwrap_or(MAX);
        let state = State { max, window: WINDOW, sent: VecDeque::new(), closed_until: None };
        Self { clock, share, state: Mutex::new(state) }
    }

    /// Waits until a request may leave, and counts it. Whoever would have to wait longer than [`PATIENCE`] is told until when
    /// instead: he holds a lane and its lease meanwhile.
    pub async fn take(&self) -> Result<(), Timestamp> {
        let longest = after(self.clock.now(), PATIENCE);
        loop {
            let Some(wait) = self.try_take() else { return Ok(()) };
            let until = after(self.clock.now(), wait);
            if until > longest {
                return Err(until);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Counts a request that may leave now, or says how long to wait.
    fn try_take(&self) -> Option<Duration> {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = state.closed_until {
            if until > now {
                return Some(between(now, until));
            }
            state.closed_until = None;
        }
        let window = state.forget_before(now);
        if state.sent.len() >= state.max as usize {
            let oldest = state.sent.front().copied().unwrap_or(now);
            return Some(window.saturating_sub(between(oldest, now)).max(Duration::from_millis(1)));
        }
        state.sent.push_back(now);
        None
    }

    /// Learns from an answer. Other software with the same token shares the limit: the headers know, we do not.
    pub fn learn(&self, limit: &RateLimit) {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(max) = limit.max.filter(|max| *max > 0) {
            state.max = self.share.map_or(max as u32, |share| share.min(max as u32));
        }
        if let Some(window) = limit.interval.filter(|window| !window.is_zero()) {
            state.window = window;
        }
        state.forget_before(now);
        // Others have used it up: what they sent cannot be seen, so wait the whole window.
        let free = state.max.saturating_sub(state.sent.len() as u32);
        if limit.remaining == Some(0) && free > 0 {
            let until = after(now, state.window);
            state.closed_until = state.closed_until.max(Some(until));
        }
    }

    /// Closes the budget after a 429: until the time HighLevel gave, else for a window. Answers until when.
    pub fn close(&self, retry_after: Option<Duration>) -> Timestamp {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = retry_after.unwrap_or(state.window).min(Duration::from_hours(24));
        let until = after(now, wait);
        state.closed_until = state.closed_until.max(Some(until));
        state.closed_until.unwrap_or(until)
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(to.duration_since(from).as_millis().max(0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(set: impl FnOnce(&mut RateLimit)) -> RateLimit {
        let mut limit = RateLimit::default();
        set(&mut limit);
        limit
    }

    #[test]
    fn no_more_than_the_limit_leaves_in_any_window() {
        let clock = Clock::system();
        let budget = Budget::new(clock.clone(), None);
        assert!((0..100).all(|_| budget.try_take().is_none()));
        assert!(budget.try_take().is_some(), "the 101st waits");
        clock.advance(Duration::from_secs(11));
        assert!(budget.try_take().is_none());
    }

    #[tokio::test]
    async fn who_would_wait_long_is_told_until_when() {
        let clock = Clock::system();
        let budget = Budget::new(clock.clone(), None);
        let until = budget.close(Some(Duration::from_hours(1)));
        let told = budget.take().await.unwrap_err();
        assert!(between(told, until) < Duration::from_secs(1) && told <= until, "{told} and {until}");
        clock.advance(Duration::from_secs(3601));
        assert_eq!(budget.take().await, Ok(()));
    }

    #[test]
    fn the_headers_win() {
        let clock = Clock::system();
        let budget = Budget::new(clock.clone(), None);
        budget.learn(&limit(|limit| limit.max = Some(2)));
        assert!(budget.try_take().is_none() && budget.try_take().is_none());
        assert!(budget.try_take().is_some());
        clock.advance(Duration::from_secs(11));
        budget.learn(&limit(|limit| limit.remaining = Some(0)));
        assert!(budget.try_take().is_some(), "someone else has used it up");
    }

    #[test]
    fn a_429_closes_it_for_as_long_as_it_says() {
        let clock = Clock::system();
        let budget = Budget::new(clock.clone(), None);
        budget.close(Some(Duration::from_secs(30)));
        clock.advance(Duration::from_secs(29));
        assert!(budget.try_take().is_some());
        clock.advance(Duration::from_secs(2));
        assert!(budget.try_take().is_none());
    }
}
