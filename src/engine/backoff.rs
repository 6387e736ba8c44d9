//! When a failed event is tried again: delays that grow, with jitter, so that a thousand failed together do not come
//! back together.

use std::time::Duration;

use jiff::Timestamp;

use super::verdict::after_now;
use crate::config::EngineConfig;

/// When to try again after `tries` failed tries before this one.
pub(super) fn next(config: &EngineConfig, tries: u32, now: Timestamp) -> Timestamp {
    let grown = config.retry_base_ms.saturating_mul(1 << tries.min(20));
    let ceiling = grown.clamp(1, config.retry_max_ms.max(1));
    // Half fixed, half random.
    let delay = ceiling / 2 + rand::random_range(0..=ceiling / 2);
    after_now(now, Duration::from_millis(delay))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_limit_and_are_never_nothing() {
        let config = EngineConfig::default();
        let now = Timestamp::UNIX_EPOCH;
        for tries in 0..100 {
            let delay = next(&config, tries, now).as_millisecond() as u64;
            let ceiling = (config.retry_base_ms << tries.min(20)).min(config.retry_max_ms);
            assert!((ceiling / 2..=ceiling).contains(&delay), "{tries}: {delay}");
        }
    }
}
