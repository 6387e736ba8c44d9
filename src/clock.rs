//! The one source of time, so that a test can hold it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Tells the time. Everything that decides by time asks this; nothing else reads the system clock.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds added to the system's time; a test moves it forward.
    offset_ms: Arc<AtomicI64>,
    /// The time at which it stands still, in milliseconds since 1970; none: it goes with the system's.
    stands_at_ms: Option<i64>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still and moves only by [`Clock::advance`], for dry runs: what waits three days waits just that.
    pub fn still() -> Self {
        let stands_at_ms = Some(Timestamp::now().as_millisecond());
        Self { stands_at_ms, ..Self::default() }
    }

    /// The time now, to the millisecond (what the database keeps).
    pub fn now(&self) -> Timestamp {
        let base = self.stands_at_ms.unwrap_or_else(|| Timestamp::now().as_millisecond());
        let now = base + self.offset_ms.load(Ordering::Relaxed);
        Timestamp::from_millisecond(now).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves this clock and its clones forward, for tests of delays and expiries.
    pub fn advance(&self, by: Duration) {
        self.offset_ms.fetch_add(by.as_millis() as i64, Ordering::Relaxed);
    }
}

/// A while after a moment; at the latest the end of the calendar.
pub fn after(moment: Timestamp, wait: Duration) -> Timestamp {
    moment
        .saturating_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}

/// A length of time as people say it: "42 seconds", "7 minutes", "3 hours", "2 days".
pub fn in_words(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn times_are_told_in_the_unit_that_people_use() {
        for (seconds, told) in [
            (1, "1 second"),
            (119, "119 seconds"),
            (301, "5 minutes"),
            (7_300, "2 hours"),
            (400_000, "4 days"),
        ] {
            assert_eq!(in_words(seconds), told);
        }
    }
}
