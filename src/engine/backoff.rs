//! When a failed event is tried again: decorrelated jitter, so that a thousand which failed together do not come back together.
//!
//! Each delay is drawn between the shortest and three times the one before, up to the longest (M. Brooker, "Exponential Backoff
//! And Jitter", AWS Architecture Blog, 2015). The delay before is not kept anywhere: the numbers are drawn from the event's id,
//! so that the whole row of them can be drawn again. The crates for this (`backon` and others) keep a row in memory, which a
//! restart would begin anew.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::config::RetryConfig;
use crate::event::EventId;

/// More tries than this do not make the row wider.
const DRAWN: u32 = 1000;

/// How long to wait after `tries` failed tries before this one.
pub(super) fn delay(retry: &RetryConfig, event: EventId, tries: u32) -> Duration {
    let base = retry.base_ms.clamp(1, retry.max_ms.max(1));
    let mut random = StdRng::seed_from_u64(event.0.as_u64_pair().1);
    let mut delay = base;
    for _ in 0..=tries.min(DRAWN) {
        delay = random.random_range(base..=delay.saturating_mul(3)).min(retry.max_ms.max(1));
    }
    Duration::from_millis(delay)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EngineConfig;
    use crate::connection::RetryOverrides;

    #[test]
    fn delays_grow_to_a_limit_and_are_never_shorter_than_the_shortest() {
        let retry = RetryConfig::of(&EngineConfig::default(), &RetryOverrides::default());
        let ids: Vec<EventId> = (0..200).map(|_| EventId::new()).collect();
        let mean = |tries| {
            let delays = ids.iter().map(|id| delay(&retry, *id, tries).as_millis() as u64);
            delays.inspect(|delay| assert!((retry.base_ms..=retry.max_ms).contains(delay))).sum::<u64>() / 200
        };
        let (first, fifth, late) = (mean(0), mean(5), mean(100));
        assert!(first <= 3 * retry.base_ms && first < fifth && fifth < late, "{first} {fifth} {late}");
        assert!(late > retry.max_ms / 3, "{late}");
    }

    #[test]
    fn those_that_failed_together_do_not_come_back_together() {
        let retry = RetryConfig::of(&EngineConfig::default(), &RetryOverrides::default());
        let delays: std::collections::HashSet<_> =
            (0..100).map(|_| delay(&retry, EventId::new(), 8)).collect();
        assert!(delays.len() > 80, "{}", delays.len());
    }
}
