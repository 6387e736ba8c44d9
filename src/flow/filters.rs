//! The filters that templates have beside minijinja's own. `docs/filters.md` lists them; a test compares the two.
//!
//! Nothing in, nothing out: a value that is missing or empty goes through each of them as an empty text (`bool`: as no,
//! `list` and `items`: as an empty list or text), for missing values are the rule with CS-Cart. What a filter cannot read is
//! an error that names the filter, the value and what was wrong with it.

mod dates;
mod lists;
mod texts;
mod values;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, State, Value};

/// The longest text that a filter reads for a phone number, a date and the like, in bytes.
const MAX_SHORT: usize = 500;

/// What an error quotes of a value, in characters.
const MAX_QUOTED: usize = 60;

/// The names that are offered to whoever misspells one: all of ours, and those of minijinja's that are used most.
pub(super) const NAMES: [&str; 43] = [
    "phone",
    "email",
    "country",
    "state",
    "language",
    "slug",
    "plain",
    "entities",
    "first_name",
    "last_name",
    "limit",
    "truncate_bytes",
    "money",
    "times",
    "bool",
    "date",
    "add_days",
    "days_ago",
    "list",
    "join_lines",
    "items",
    "json",
    "tojson",
    "render",
    "upper",
    "lower",
    "title",
    "capitalize",
    "trim",
    "replace",
    "default",
    "join",
    "split",
    "length",
    "first",
    "last",
    "sort",
    "int",
    "float",
    "round",
    "abs",
    "map",
    "reverse",
];

/// Adds all of them.
pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.add_filter("phone", texts::phone);
    environment.add_filter("email", texts::email);
    environment.add_filter("country", texts::country);
    environment.add_filter("state", texts::state);
    environment.add_filter("language", texts::language);
    environment.add_filter("slug", texts::slug);
    environment.add_filter("plain", texts::plain);
    environment.add_filter("entities", texts::entities);
    environment.add_filter("first_name", texts::first_name);
    environment.add_filter("last_name", texts::last_name);
    environment.add_filter("limit", texts::limit);
    environment.add_filter("truncate_bytes", texts::truncate_bytes);
    environment.add_filter("money", values::money);
    environment.add_filter("times", values::times);
    environment.add_filter("bool", values::truth);
    environment.add_filter("date", dates::date);
    environment.add_filter("add_days", dates::add_days);
    environment.add_filter("days_ago", dates::days_ago);
    environment.add_filter("list", lists::list);
    environment.add_filter("join_lines", lists::join_lines);
    environment.add_filter("items", lists::items);
    environment.add_filter("json", lists::json);
    environment.add_filter("tojson", lists::json);
}

/// The text of a value: a text, a number, or yes and no; empty where there is nothing.
fn text_of(filter: &str, value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(String::new()),
        ValueKind::String | ValueKind::Number => Ok(value.to_string()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        kind => Err(wrong(filter, &format!("a {kind}"), "it is not text")),
    }
}

/// The same where no long text can be meant.
fn short_text_of(filter: &str, value: &Value) -> Result<String, Error> {
    if value.as_str().is_some_and(|text| text.len() > MAX_SHORT) {
        let quoted = value.as_str().unwrap_or_default();
        return Err(wrong(filter, quoted, &format!("it has more than {MAX_SHORT} bytes")));
    }
    text_of(filter, value)
}

/// What a filter says of a value that it cannot read.
fn wrong(filter: &str, value: &str, why: &str) -> Error {
    let mut quoted: String = value.chars().take(MAX_QUOTED).collect();
    if quoted.len() < value.len() {
        quoted.push('…');
    }
    Error::new(ErrorKind::InvalidOperation, format!("`{filter}` of `{quoted}`: {why}"))
}

/// A text of the variables, such as `settings` → `time_zone`.
fn variable(state: &State<'_, '_>, object: &str, member: &str) -> Option<String> {
    let value = state.lookup(object)?.get_attr(member).ok()?;
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests;
