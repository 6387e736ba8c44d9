//! What may come out of a template.

use minijinja::Value;
use minijinja::value::ValueKind;

/// The most text that comes out of a template, in bytes: as much as a webhook may bring, so that the longest note passes.
const MAX_BYTES: usize = 1024 * 1024;
/// The most values, those within lists and objects counted.
const MAX_VALUES: usize = 10_000;
/// Lists within lists.
const MAX_DEPTH: usize = 32;

/// The value, if it is of a size that a step can use. A list may be one that makes its items only when it is walked: it is
/// walked here, as far as the bounds allow.
pub(super) fn bounded(value: Value) -> Result<Value, String> {
    let mut left = Left { bytes: MAX_BYTES, values: MAX_VALUES };
    left.take(&value, 0)?;
    Ok(value)
}

struct Left {
    bytes: usize,
    values: usize,
}

impl Left {
    fn take(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if let Some(text) = value.as_str() {
            return self.text(text);
        }
        let within = match value.kind() {
            ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => value.try_iter(),
            _ => return Ok(()),
        };
        if depth == MAX_DEPTH {
            return Err(format!("what comes out of the template is more than {MAX_DEPTH} lists deep"));
        }
        for item in within.map_err(|error| super::message(&error))? {
            self.values = self
                .values
                .checked_sub(1)
                .ok_or_else(|| format!("more than {MAX_VALUES} values come out of the template"))?;
            if value.kind() == ValueKind::Map {
                self.take(&value.get_item(&item).unwrap_or_default(), depth + 1)?;
            }
            self.take(&item, depth + 1)?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        let left = self.bytes.checked_sub(text.len());
        self.bytes =
            left.ok_or_else(|| format!("more than {} KiB come out of the template", MAX_BYTES / 1024))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_can_use_passes_and_what_is_too_large_says_so() {
        assert!(bounded(Value::from(vec!["a", "b"])).is_ok());
        assert!(bounded(Value::from("x".repeat(MAX_BYTES))).is_ok());
        assert!(bounded(Value::from("x".repeat(MAX_BYTES + 1))).unwrap_err().contains("1024 KiB"));
        let endless = Value::make_iterable(|| std::iter::repeat(1));
        assert!(bounded(endless).unwrap_err().contains("10000 values"));
        let deep = (0..40).fold(Value::from(1), |value, _| Value::from(vec![value]));
        assert!(bounded(deep).unwrap_err().contains("deep"));
    }
}
