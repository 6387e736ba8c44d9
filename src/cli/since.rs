//! A time on the command line: a length of time back from now, a day, or a time.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};

use crate::clock::Clock;

/// Reads `7d`, `30m`, `2026-11-24` (from its beginning, UTC) or `2026-11-24T12:00:00Z`.
pub(super) fn parse(text: &str) -> anyhow::Result<Timestamp> {
    at(text, Clock::system().now())
}

fn at(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let text = text.trim();
    let back = || {
        let span: Span = text.parse().ok()?;
        let duration = span.abs().to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        now.checked_sub(duration).ok()
    };
    let day = || TimeZone::UTC.to_timestamp(text.parse::<Date>().ok()?.at(0, 0, 0, 0)).ok();
    // A time first: a day would take its beginning.
    let since = text.parse().ok().or_else(back).or_else(day);
    since.ok_or_else(|| {
        anyhow::anyhow!("`{text}` is no time: write `7d`, `30m`, `2026-11-24` or `2026-11-24T12:00:00Z`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_days_and_times_are_read() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for (text, since) in [
            ("7d", "2026-11-17T12:00:00Z"),
            ("30m", "2026-11-24T11:30:00Z"),
            ("1w", "2026-11-17T12:00:00Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20T08:00:00+01:00", "2026-11-20T07:00:00Z"),
        ] {
            assert_eq!(at(text, now).unwrap(), since.parse::<Timestamp>().unwrap(), "{text}");
        }
        for text in ["yesterday", "7", "2 months", ""] {
            assert!(at(text, now).unwrap_err().to_string().contains("write `7d`"), "{text}");
        }
    }
}
