//! What the headers of an answer say about HighLevel's limits.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The limits as one answer's headers tell them; whatever was not there, or could not be read, is `None`.
///
/// Documented are 100 requests in 10 seconds and 200,000 a day, for an app in a location, and the headers
/// `X-RateLimit-Max`, `-Remaining`, `-Interval-Milliseconds`, `-Limit-Daily` and `-Daily-Remaining`
/// ("OAuth 2.0: Authorization", section on rate limits). `X-RateLimit-Daily-Reset` is read by the official
/// Node SDK as milliseconds; it is not documented. `Retry-After` is not promised either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// How many requests one interval allows.
    pub max: Option<u64>,
    /// How many are left in this interval.
    pub remaining: Option<u64>,
    /// How long an interval is.
    pub interval: Option<Duration>,
    /// How many requests a day allows.
    pub daily_limit: Option<u64>,
    /// How many are left today.
    pub daily_remaining: Option<u64>,
    /// How long until the day's count starts again (not documented).
    pub daily_reset: Option<Duration>,
    /// How long to wait before the next request, as the server asks.
    pub retry_after: Option<Duration>,
}

impl RateLimit {
    /// Reads the headers of an answer.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        Self {
            max: number("x-ratelimit-max"),
            remaining: number("x-ratelimit-remaining"),
            interval: number("x-ratelimit-interval-milliseconds").map(Duration::from_millis),
            daily_limit: number("x-ratelimit-limit-daily"),
            daily_remaining: number("x-ratelimit-daily-remaining"),
            daily_reset: number("x-ratelimit-daily-reset").map(Duration::from_millis),
            retry_after: retry_after(headers),
        }
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). A date counts from the answer's own `Date` when it
/// has one, so that it does not matter how far the two clocks are apart. A date that has passed is zero.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
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

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                // As `from_static` would refuse capitals: HTTP/1.1 servers send them, hyper lowers them.
                (name.to_ascii_lowercase().parse().unwrap(), value.parse().unwrap())
            })
            .collect::<Vec<(reqwest::header::HeaderName, reqwest::header::HeaderValue)>>()
            .into_iter()
            .collect()
    }

    #[test]
    fn every_documented_header_is_read() {
        let limit = RateLimit::from_headers(&headers(&[
            ("X-RateLimit-Max", "100"),
            ("X-RateLimit-Remaining", "7"),
            ("X-RateLimit-Interval-Milliseconds", "10000"),
            ("X-RateLimit-Limit-Daily", "200000"),
            ("X-RateLimit-Daily-Remaining", "0"),
            ("X-RateLimit-Daily-Reset", "3600000"),
            ("Retry-After", "3"),
        ]));
        assert_eq!(limit.max, Some(100));
        assert_eq!(limit.remaining, Some(7));
        assert_eq!(limit.interval, Some(Duration::from_secs(10)));
        assert_eq!(limit.daily_limit, Some(200_000));
        assert_eq!(limit.daily_remaining, Some(0));
        assert_eq!(limit.daily_reset, Some(Duration::from_hours(1)));
        assert_eq!(limit.retry_after, Some(Duration::from_secs(3)));
    }

    #[test]
    fn nonsense_is_absent() {
        let limit = RateLimit::from_headers(&headers(&[
            ("X-RateLimit-Max", "many"),
            ("X-RateLimit-Remaining", "-1"),
            ("Retry-After", "soon"),
        ]));
        assert_eq!(limit, RateLimit::default());
    }

    #[test]
    fn a_date_counts_from_the_answers_own_date() {
        let limit = RateLimit::from_headers(&headers(&[
            ("Date", "Wed, 21 Oct 2015 07:28:00 GMT"),
            ("Retry-After", "Wed, 21 Oct 2015 07:29:30 GMT"),
        ]));
        assert_eq!(limit.retry_after, Some(Duration::from_secs(90)));
    }

    #[test]
    fn a_date_in_the_past_is_no_wait() {
        let limit = RateLimit::from_headers(&headers(&[("Retry-After", "Wed, 21 Oct 2015 07:29:30 GMT")]));
        assert_eq!(limit.retry_after, Some(Duration::ZERO));
    }
}
