//! Filters for lists and objects.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::{text_of, wrong};
use crate::sync::normalise;

/// What an item of a list costs beside minijinja's own count.
const ITEM_FUEL: u64 = 2;

/// The longest JSON that is written, in bytes.
const MAX_JSON: usize = 64 * 1024;

/// A list: the parts of a text between separators (a comma if none is given), what a JSON list holds, or the values of an
/// object. Without empty parts and doubles.
pub(super) fn list(state: &State<'_, '_>, value: Value, separator: Option<String>) -> Result<Value, Error> {
    let items = match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => return Ok(value),
        ValueKind::Map => members("list", state, &value)?.into_iter().map(|(_, value)| value).collect(),
        _ => {
            let text = text_of("list", &value)?;
            let separator = separator.as_deref().unwrap_or(",");
            let json: Option<Vec<String>> =
                text.trim().starts_with('[').then(|| serde_json::from_str(&text).ok()).flatten();
            let parts = json.map_or_else(|| normalise::parts(&text, separator), normalise::each_once);
            state.consume_fuel(parts.len() as u64)?;
            parts.into_iter().map(Value::from).collect::<Vec<_>>()
        }
    };
    Ok(Value::from(items))
}

/// The items, each on a line of its own.
pub(super) fn join_lines(state: &State<'_, '_>, value: Value) -> Result<String, Error> {
    if matches!(value.kind(), ValueKind::String | ValueKind::Undefined | ValueKind::None) {
        return text_of("join_lines", &value);
    }
    let mut lines = Vec::new();
    for (_, item) in members("join_lines", state, &value)? {
        lines.push(text_of("join_lines", &item)?);
    }
    Ok(lines.join("\n"))
}

/// The products of an order, one a line: `2 × Blue chair`. CS-Cart gives them as an object or as a list.
pub(super) fn items(state: &State<'_, '_>, value: Value) -> Result<String, Error> {
    if matches!(value.kind(), ValueKind::Undefined | ValueKind::None) || value.as_str() == Some("") {
        return Ok(String::new());
    }
    let mut lines = Vec::new();
    for (_, item) in members("items", state, &value)? {
        let part =
            |name: &str| item.get_attr(name).and_then(|value| text_of("items", &value)).unwrap_or_default();
        let name = crate::sync::plain_text(&part("product"));
        let name = if name.is_empty() { part("product_code") } else { name };
        let amount = part("amount");
        lines.push(if amount.is_empty() { name } else { format!("{amount} × {name}") });
    }
    Ok(lines.join("\n"))
}

/// As compact JSON.
pub(super) fn json(state: &State<'_, '_>, value: Value) -> Result<String, Error> {
    /// Takes so many bytes and no more.
    struct Bounded(Vec<u8>);

    impl std::io::Write for Bounded {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.0.len() + bytes.len() > MAX_JSON {
                return Err(std::io::Error::other(format!(
                    "it has more than {} KiB as JSON",
                    MAX_JSON / 1024
                )));
            }
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let mut out = Bounded(Vec::new());
    let written = serde_json::to_writer(&mut out, &value);
    state.consume_fuel(out.0.len() as u64 / 16)?;
    written.map_err(|error| wrong("json", &format!("a {}", value.kind()), &error.to_string()))?;
    String::from_utf8(out.0).map_err(|error| wrong("json", "", &error.to_string()))
}

/// The items of a list, or the members of an object.
fn members(filter: &str, state: &State<'_, '_>, value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable | ValueKind::Map) {
        return Err(wrong(filter, &text_of(filter, value)?, "it is neither a list nor an object"));
    }
    let mut members = Vec::new();
    for key in value.try_iter()? {
        state.consume_fuel(ITEM_FUEL)?;
        let item = if value.kind() == ValueKind::Map { value.get_item(&key)? } else { key.clone() };
        members.push((key, item));
    }
    Ok(members)
}
