//! A body as templates see it: made once for an event, shared by every step, printed in bounded space.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Serde, ValueKind};

/// The most that is printed of a list or an object as a whole, in bytes. Templates print texts and numbers; a whole object
/// in a text is a mistake that should be seen, not a megabyte.
const MAX_PRINTED: usize = 4096;

/// A list or an object of a body.
enum Tree {
    List(Vec<Value>),
    /// Names and values, sorted by the names. A short text needs no memory of its own as a value, as it would as a key of a map.
    Object(Vec<(Value, Value)>),
}

/// The body as a value for templates.
pub(in crate::flow) fn tree(body: &serde_json::Value) -> Value {
    match body {
        serde_json::Value::Array(items) => Value::from_object(Tree::List(items.iter().map(tree).collect())),
        serde_json::Value::Object(map) => {
            let members = map.iter().map(|(key, value)| (Value::from(key.as_str()), tree(value)));
            let mut members: Vec<(Value, Value)> = members.collect();
            // Mostly they are already.
            members.sort_by(|(a, _), (b, _)| a.as_str().cmp(&b.as_str()));
            Value::from_object(Tree::Object(members))
        }
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(flag) => Value::from(*flag),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Number(number) => Value::from(Serde(number)),
    }
}

impl Object for Tree {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match **self {
            Self::List(_) => ObjectRepr::Seq,
            Self::Object(_) => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match &**self {
            Self::List(items) => items.get(key.as_usize()?).cloned(),
            Self::Object(members) => member(members, key.as_str()?),
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match &**self {
            Self::List(_) => None,
            Self::Object(members) => member(members, key),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &**self {
            Self::List(items) => Enumerator::Seq(items.len()),
            Self::Object(members) => Enumerator::Values(members.iter().map(|(key, _)| key.clone()).collect()),
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(match &**self {
            Self::List(items) => items.len(),
            Self::Object(members) => members.len(),
        })
    }

    /// Two are the same only when they are one: to compare all of two large bodies would cost time that nothing counts.
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other: *const Self = other.downcast_ref::<Self>()?;
        Some(Arc::as_ptr(self).cmp(&other))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let whole = self.print(&mut text);
        f.write_str(&text)?;
        if whole { Ok(()) } else { f.write_char('…') }
    }
}

impl Tree {
    /// Writes it as JSON; false: there is more than may be printed.
    fn print(&self, out: &mut String) -> bool {
        let members: Box<dyn Iterator<Item = (Option<&str>, &Value)>> = match self {
            Self::List(items) => Box::new(items.iter().map(|item| (None, item))),
            Self::Object(members) => Box::new(members.iter().map(|(key, value)| (key.as_str(), value))),
        };
        let (open, close) = if matches!(self, Self::List(_)) { ('[', ']') } else { ('{', '}') };
        out.push(open);
        for (index, (key, value)) in members.enumerate() {
            if index > 0 {
                out.push(',');
            }
            if let Some(key) = key
                && !(print_text(key, out) && add(":", out))
            {
                return false;
            }
            let whole = if let Some(inner) = value.downcast_object_ref::<Self>() {
                inner.print(out)
            } else if let Some(text) = value.as_str() {
                print_text(text, out)
            } else if value.is_none() {
                add("null", out)
            } else if value.kind() == ValueKind::Bool {
                add(if value.is_true() { "true" } else { "false" }, out)
            } else {
                add(&value.to_string(), out)
            };
            if !whole {
                return false;
            }
        }
        out.push(close);
        true
    }
}

fn member(members: &[(Value, Value)], key: &str) -> Option<Value> {
    let place = members.binary_search_by(|(known, _)| known.as_str().cmp(&Some(key))).ok()?;
    members.get(place).map(|(_, value)| value.clone())
}

fn print_text(text: &str, out: &mut String) -> bool {
    let room = MAX_PRINTED.saturating_sub(out.len());
    let shown = &text[..text.floor_char_boundary(room)];
    let quoted = serde_json::Value::from(shown).to_string();
    if shown.len() == text.len() {
        return add(&quoted, out);
    }
    out.push_str(&quoted[..quoted.len() - 1]);
    false
}

fn add(text: &str, out: &mut String) -> bool {
    out.push_str(text);
    out.len() <= MAX_PRINTED
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_is_walked_and_printed_like_json() {
        let value = tree(&json!({ "a": [1, "x", null, true], "b": { "c": 2.5 } }));
        assert_eq!(value.to_string(), r#"{"a":[1,"x",null,true],"b":{"c":2.5}}"#);
        assert_eq!(value.get_attr("b").unwrap().get_attr("c").unwrap().to_string(), "2.5");
        assert_eq!(value.get_attr("a").unwrap().get_item_by_index(1).unwrap().as_str(), Some("x"));
        assert_eq!(
            serde_json::to_value(&value).unwrap(),
            json!({ "a": [1, "x", null, true], "b": { "c": 2.5 } })
        );
    }

    #[test]
    fn of_a_large_body_only_the_beginning_is_printed() {
        for body in [json!(["x".repeat(10_000_000)]), json!(vec![json!(["y"]); 100_000])] {
            let printed = tree(&body).to_string();
            assert!(printed.len() < 2 * MAX_PRINTED && printed.ends_with('…'), "{}", printed.len());
        }
    }
}
