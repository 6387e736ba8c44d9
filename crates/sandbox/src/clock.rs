//! Time as both systems write it: milliseconds since the epoch inside, ISO 8601 in UTC outside.

use jiff::Timestamp;

/// Milliseconds since 1970-01-01T00:00:00Z, now.
pub(crate) fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// `2026-11-24T12:00:00.000Z`: always milliseconds, always UTC, as in every answer of GHL.
pub(crate) fn iso(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(at) => format!("{at:.3}"),
        Err(_) => String::from("1970-01-01T00:00:00.000Z"),
    }
}

/// `2026-11-24T12:00:00Z`: seconds, as the add-on's webhooks write `timestamp` (contracts, section 2).
pub(crate) fn iso_seconds(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(at) => format!("{at:.0}"),
        Err(_) => String::from("1970-01-01T00:00:00Z"),
    }
}

/// Reads an ISO 8601 instant; a date without a time is taken as midnight UTC.
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    Some(jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_with_milliseconds_and_read_back() {
        assert_eq!(iso(1_637_930_462_193), "2021-11-26T12:41:02.193Z");
        assert_eq!(iso(1_637_930_462_000), "2021-11-26T12:41:02.000Z");
        assert_eq!(iso_seconds(1_637_930_462_193), "2021-11-26T12:41:02Z");
        assert_eq!(parse_iso("2021-11-26T12:41:02.193Z"), Some(1_637_930_462_193));
        assert_eq!(parse_iso("1970-01-02"), Some(86_400_000));
        assert_eq!(parse_iso("tomorrow"), None);
    }
}
