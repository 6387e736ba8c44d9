//! Waiting before a step: how long, or until when.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use minijinja::Value;

use super::expression::{Names, Needs, Template, is_dynamic};

/// The longest wait: ten years. What is longer is a slip of the pen.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 3653);

/// A wait as a route has it.
#[derive(Debug)]
pub(super) struct Delay {
    until: bool,
    template: Template,
    /// A newer event of the same route and subject begins the wait anew.
    pub(super) restart: bool,
}

/// A wait of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// So long from now.
    For(SignedDuration),
    /// Until then.
    Until(Timestamp),
}

impl Wait {
    /// When it is over.
    pub fn over_at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::For(duration) => now.saturating_add(duration).unwrap_or(now),
            Self::Until(until) => until,
        }
    }
}

impl Delay {
    /// Reads `delay` or, with `until`, `delay_until`; an error says what is wrong.
    pub(super) fn parse(value: &toml::Value, until: bool, names: &Names) -> Result<Self, String> {
        let template = match value {
            toml::Value::String(_) | toml::Value::Datetime(_) => Template::parse(value, names)?,
            _ if until => return Err(format!("`{value}` is no time: {TIMES}")),
            _ => return Err(format!("`{value}` is no length of time: {LENGTHS}")),
        };
        let delay = Self { until, template, restart: false };
        if !is_dynamic(value) {
            delay.wait(&Value::UNDEFINED)?;
        }
        Ok(delay)
    }

    /// The variables that it looks at.
    pub(super) fn looks_at(&self) -> Vec<String> {
        self.template.looks_at()
    }

    /// The variables that it may look at, filters included.
    pub(super) fn needs(&self) -> Needs {
        self.template.needs()
    }

    /// The wait of one event; an error says what is wrong.
    pub(super) fn wait(&self, variables: &Value) -> Result<Wait, String> {
        let value = self.template.render(variables)?;
        if self.until { time(&value).map(Wait::Until) } else { length(&value).map(Wait::For) }
    }
}

/// What a length of time may be.
const LENGTHS: &str =
    "write one such as \"3d\", \"90 minutes\" or \"1h 30m\", or an expression that gives one or seconds";

/// What a time may be.
const TIMES: &str =
    "write one such as \"2026-12-24T09:00:00Z\", or an expression that gives one or seconds since 1970";

fn length(value: &Value) -> Result<SignedDuration, String> {
    let wrong = || format!("`{value}` is no length of time: {LENGTHS}");
    let text = value.as_str().map(str::trim);
    let duration = if let Some(seconds) = seconds(value) {
        SignedDuration::from_secs(seconds)
    } else {
        let span: Span = text.and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
        // A month is no length of time: it depends on which.
        span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?
    };
    if duration.is_negative() || duration > LONGEST {
        return Err(format!("`{value}` must be 0 to ten years"));
    }
    Ok(duration)
}

fn time(value: &Value) -> Result<Timestamp, String> {
    let wrong = || format!("`{value}` is no time: {TIMES}");
    if let Some(seconds) = seconds(value) {
        return Timestamp::from_second(seconds).map_err(|_| wrong());
    }
    let text = value.as_str().map(str::trim).ok_or_else(wrong)?;
    // Without an offset it is UTC, as everywhere in the bridge.
    let civil = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    text.parse().ok().or_else(civil).ok_or_else(wrong)
}

/// A whole number, also as text.
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(text: &str, until: bool) -> Result<Wait, String> {
        let value = toml::Value::String(text.to_owned());
        Delay::parse(&value, until, &Names::default())?.wait(&Value::UNDEFINED)
    }

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("3d", 259_200),
            ("90 minutes", 5400),
            ("1h 30m", 5400),
            ("1 week", 604_800),
            ("90", 90),
            ("{{ 60 | times(60) }}", 3600),
            ("{{ 2 }} days", 172_800),
        ] {
            assert_eq!(wait(text, false), Ok(Wait::For(SignedDuration::from_secs(seconds))), "{text}");
        }
    }

    #[test]
    fn times_are_read_with_or_without_offset_and_as_seconds() {
        for text in ["2026-12-24T09:00:00Z", "2026-12-24T10:00:00+01:00", "2026-12-24T09:00:00", "1798102800"]
        {
            assert_eq!(wait(text, true), Ok(Wait::Until("2026-12-24T09:00:00Z".parse().unwrap())), "{text}");
        }
    }

    #[test]
    fn what_is_no_wait_is_refused_when_the_route_is_read() {
        for text in ["3 dys", "soon", "-5 minutes", "2 months", "100 years"] {
            assert!(wait(text, false).is_err(), "{text}");
        }
        assert!(wait("tomorrow", true).is_err());
        let five = toml::Value::Float(1.5);
        assert!(Delay::parse(&five, false, &Names::default()).unwrap_err().contains("90 minutes"));
    }
}
