//! Times and days.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

/// Seconds above this are milliseconds: the year 5138.
const LAST_SECOND: i64 = 100_000_000_000;

/// The time zone of a name (IANA), UTC without one; an error says what is wrong.
pub(crate) fn time_zone(name: Option<&str>) -> Result<TimeZone, String> {
    match name.map(str::trim).filter(|name| !name.is_empty()) {
        None => Ok(TimeZone::UTC),
        Some(name) => TimeZone::get(name)
            .map_err(|_| format!("`{}` is not a time zone: use a name such as `Europe/Berlin`", cut(name))),
    }
}

/// A moment as CS-Cart (seconds since 1970), an ISO 8601 time, or a plain day say it. A time without an offset is one of the
/// time zone's, a day is its midnight. An error says why it is none.
pub(crate) fn moment(raw: &str, zone: &TimeZone) -> Result<ZonedDateTime, String> {
    let text = raw.trim();
    let no_date = || {
        "it is neither seconds since 1970 nor a date such as `2026-11-24` or `2026-11-24T18:00:00Z`"
            .to_owned()
    };
    let unix = text.strip_prefix('-').unwrap_or(text);
    if !unix.is_empty() && unix.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().map_err(|_| no_date())?;
        let moment = if number.abs() < LAST_SECOND {
            Timestamp::from_second(number)
        } else {
            Timestamp::from_millisecond(number)
        };
        return moment.map(|moment| moment.to_zoned_datetime(zone.clone())).map_err(|_| no_date());
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment.to_zoned_datetime(zone.clone()));
    }
    if let Ok(time) = text.parse::<DateTime>() {
        return time.to_zoned_datetime(zone.clone()).map_err(|_| no_date());
    }
    text.parse::<Date>().ok().and_then(|day| day.to_zoned_datetime(zone.clone()).ok()).ok_or_else(no_date)
}

/// A day as `2026-11-24`; empty stays empty, an error says why it is none.
pub(crate) fn day(raw: &str, zone: &TimeZone) -> Result<String, String> {
    let text = raw.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    // A plain day is that day in any time zone.
    if let Ok(day) = text.parse::<Date>()
        && text.len() == 10
    {
        return Ok(day.to_string());
    }
    moment(text, zone).map(|moment| moment.date().to_string())
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_is_that_of_the_time_zone() {
        let (utc, tokyo) = (TimeZone::UTC, time_zone(Some("Asia/Tokyo")).unwrap());
        assert_eq!(day("1764000000", &utc).unwrap(), "2025-11-24");
        assert_eq!(day("1764000000", &tokyo).unwrap(), "2025-11-25");
        assert_eq!(day("1764000000000", &utc).unwrap(), "2025-11-24");
        assert_eq!(day("2025-11-24T16:00:00Z", &tokyo).unwrap(), "2025-11-25");
        assert_eq!(day("2025-11-24T16:00:00", &tokyo).unwrap(), "2025-11-24");
        assert_eq!(day("2025-11-24", &tokyo).unwrap(), "2025-11-24");
        assert_eq!(day(" ", &utc).unwrap(), "");
        assert!(day("soon", &utc).is_err() && day("2025-02-30", &utc).is_err());
        assert!(time_zone(Some("Mars/Olympus")).unwrap_err().contains("Mars/Olympus"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(raw in "\\PC{0,30}", seconds in any::<i64>()) {
            let _ = day(&raw, &TimeZone::UTC);
            let _ = day(&seconds.to_string(), &TimeZone::UTC);
        }
    }
}
