//! Filters for days and times.

use jiff::tz::TimeZone;
use jiff::{Span, ZonedDateTime};
use minijinja::{Error, State, Value};

use super::{short_text_of, variable, wrong};
use crate::sync::normalise;

/// The longest format of a date, in bytes.
const MAX_FORMAT: usize = 100;

/// A time in a form of one's own (`strftime`), in a time zone: the one given, else that of the connection.
pub(super) fn date(
    state: &State<'_, '_>,
    value: Value,
    format: Option<String>,
    zone: Option<String>,
) -> Result<String, Error> {
    let text = short_text_of("date", &value)?;
    if text.is_empty() {
        return Ok(text);
    }
    let moment = read("date", &text, &zone_of("date", state, zone)?)?;
    let format = format.as_deref().unwrap_or("%Y-%m-%d");
    if format.len() > MAX_FORMAT {
        return Err(wrong("date", format, &format!("a format has at most {MAX_FORMAT} bytes")));
    }
    jiff::fmt::strtime::format(format, &moment).map_err(|error| wrong("date", format, &error.to_string()))
}

/// So many days later: a day stays a day, a time becomes an ISO time.
pub(super) fn add_days(state: &State<'_, '_>, value: Value, days: i64) -> Result<String, Error> {
    let text = short_text_of("add_days", &value)?;
    if text.is_empty() {
        return Ok(text);
    }
    let moment = read("add_days", &text, &zone_of("add_days", state, None)?)?;
    let later = Span::new().try_days(days).and_then(|span| moment.checked_add(span));
    let later = later.map_err(|_| wrong("add_days", &text, &format!("{days} days later is no date")))?;
    let is_day = text.trim().parse::<jiff::civil::Date>().is_ok() && text.trim().len() == 10;
    Ok(if is_day { later.date().to_string() } else { later.timestamp().to_string() })
}

/// How many whole days before the event it was; a day to come is negative.
pub(super) fn days_ago(state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    let text = short_text_of("days_ago", &value)?;
    if text.is_empty() {
        return Ok(Value::from(""));
    }
    let zone = zone_of("days_ago", state, None)?;
    let then = read("days_ago", &text, &zone)?;
    let Some(now) = variable(state, "event", "occurred_at") else {
        return Err(wrong("days_ago", &text, "there is no event to count from"));
    };
    let now = read("days_ago", &now, &zone)?;
    let days = now.date().since(then.date()).map(|span| span.get_days());
    days.map(Value::from).map_err(|error| wrong("days_ago", &text, &error.to_string()))
}

fn read(filter: &str, text: &str, zone: &TimeZone) -> Result<ZonedDateTime, Error> {
    normalise::moment(text, zone).map_err(|why: String| wrong(filter, text, &why))
}

fn zone_of(filter: &str, state: &State<'_, '_>, zone: Option<String>) -> Result<TimeZone, Error> {
    let name = zone.or_else(|| variable(state, "settings", "time_zone"));
    normalise::time_zone(name.as_deref())
        .map_err(|why| wrong(filter, name.as_deref().unwrap_or_default(), &why))
}
