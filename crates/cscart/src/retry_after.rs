//! The headers `Retry-After` and `Date`.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// How long to wait, as the server asks: seconds, or a date (RFC 9110, 10.2.3). A date counts from the
/// answer's own `Date` when it has one, so that it does not matter how far the two clocks are apart. A date
/// that has passed is zero.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let then = http_date(text)?;
    let now = headers
        .get(DATE)
        .and_then(|date| http_date(date.to_str().ok()?.trim()))
        .unwrap_or_else(Timestamp::now);
    Some(Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// The time of an answer, as its server says.
pub(crate) fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?.trim())
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(retry_after_text: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after_text.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers)
    }

    #[test]
    fn seconds_and_dates_are_read() {
        let date = Some("Tue, 24 Nov 2026 12:00:00 GMT");
        assert_eq!(read("120", None), Some(Duration::from_mins(2)));
        assert_eq!(read("Tue, 24 Nov 2026 12:00:07 GMT", date), Some(Duration::from_secs(7)));
        assert_eq!(read("Tue, 24 Nov 2026 11:00:00 GMT", date), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_is_absent() {
        for text in ["soon", "", "-1", "NaN", "inf"] {
            assert_eq!(read(text, None), None, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
