//! What is expected of the calls, and how they differ from it.

use std::time::Duration;

use serde_json::Value;

/// Matches anything that is there.
const ANY: &str = "*";

/// A call that is expected.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expected {
    pub(super) method: String,
    /// With the query, where that is to be compared.
    pub(super) path: String,
    /// What its body must hold.
    pub(super) body: Option<Value>,
    /// What its body must not hold.
    pub(super) without: Vec<String>,
    /// How long after the event; none: at any time.
    pub(super) after: Option<Duration>,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Actual {
    pub(super) after: Duration,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: Value,
}

impl Actual {
    fn name(&self) -> String {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        format!("{} {}{query}", self.method, self.path)
    }
}

/// The differences, a line each.
pub(super) fn calls(expected: &[Expected], actual: &[Actual]) -> Vec<String> {
    let mut failures = Vec::new();
    for number in 0..expected.len().max(actual.len()) {
        let place = number + 1;
        match (expected.get(number), actual.get(number)) {
            (Some(wanted), Some(made)) if is_call(wanted, made) => {
                differences(wanted, made)
                    .for_each(|what| failures.push(format!("call {place}, {}: {what}", made.name())));
            }
            (Some(wanted), Some(made)) => failures.push(format!(
                "call {place} should be {} {}, and is {} {}",
                wanted.method,
                wanted.path,
                made.name(),
                shown(&made.body)
            )),
            (Some(wanted), None) => {
                failures.push(format!(
                    "call {place} should be {} {}, and there is none",
                    wanted.method, wanted.path
                ));
            }
            (None, Some(made)) => {
                failures.push(format!("call {place} should not be: {} {}", made.name(), shown(&made.body)));
            }
            (None, None) => {}
        }
    }
    failures
}

fn is_call(wanted: &Expected, made: &Actual) -> bool {
    let path =
        if wanted.path.contains('?') { format!("{}?{}", made.path, made.query) } else { made.path.clone() };
    wanted.method == made.method && wanted.path == path
}

fn differences(wanted: &Expected, made: &Actual) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    if let Some(after) = wanted.after.filter(|after| *after != made.after) {
        found.push(format!(
            "it should come {} after the event, and comes {} after",
            time(after),
            time(made.after)
        ));
    }
    if let Some(body) = &wanted.body {
        lacks("body", body, &made.body, &mut found);
    }
    for name in &wanted.without {
        let at = name.split('.').try_fold(&made.body, |value, part| value.get(part));
        if let Some(value) = at {
            found.push(format!("body.{name} should not be there, and is {}", shown(value)));
        }
    }
    found.into_iter()
}

/// Notes what `made` lacks of `wanted`: an object must have these fields, a list must have just these items.
fn lacks(place: &str, wanted: &Value, made: &Value, found: &mut Vec<String>) {
    match (wanted, made) {
        (Value::Object(fields), Value::Object(there)) => {
            for (name, wanted) in fields {
                lacks(&format!("{place}.{name}"), wanted, there.get(name).unwrap_or(&Value::Null), found);
            }
        }
        (Value::Array(items), Value::Array(there)) if items.len() == there.len() => {
            for (index, (wanted, made)) in items.iter().zip(there).enumerate() {
                lacks(&format!("{place}[{index}]"), wanted, made, found);
            }
        }
        (Value::String(any), made) if any == ANY && !made.is_null() => {}
        _ if is_same(wanted, made) => {}
        _ => found.push(format!("{place} should be {}, and is {}", shown(wanted), shown(made))),
    }
}

/// 1 and 1.0 are one number.
fn is_same(one: &Value, other: &Value) -> bool {
    one == other
        || one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| one.to_bits() == other.to_bits())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "missing".to_owned(),
        value => value.to_string(),
    }
}

fn time(after: Duration) -> String {
    crate::clock::in_words(after.as_secs())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn expected(call: &str, body: Value) -> Expected {
        let (method, path) = call.split_once(' ').unwrap();
        let body = Some(body).filter(|body| !body.is_null());
        Expected {
            method: method.into(),
            path: path.into(),
            body,
            without: Vec::new(),
            after: Some(Duration::ZERO),
        }
    }

    fn actual(call: &str, body: Value) -> Actual {
        let (method, path) = call.split_once(' ').unwrap();
        Actual { after: Duration::ZERO, method: method.into(), path: path.into(), query: String::new(), body }
    }

    #[test]
    fn a_body_may_hold_more_than_is_expected_and_no_less() {
        let made = [actual("PUT /a", json!({ "x": 1, "tags": ["a", "b"], "y": { "z": true, "w": 1 } }))];
        assert_eq!(calls(&[expected("PUT /a", json!({ "x": "*", "y": { "z": true } }))], &made), [""; 0]);
        assert_eq!(
            calls(&[expected("PUT /a", json!({ "x": 2, "tags": ["a"], "q": "*" }))], &made),
            [
                "call 1, PUT /a: body.q should be \"*\", and is missing",
                "call 1, PUT /a: body.tags should be [\"a\"], and is [\"a\",\"b\"]",
                "call 1, PUT /a: body.x should be 2, and is 1",
            ]
        );
    }

    #[test]
    fn number_and_order_of_the_calls_are_exact() {
        let made = [actual("GET /a", Value::Null), actual("GET /b", Value::Null)];
        let wanted = [expected("GET /b", Value::Null)];
        assert_eq!(
            calls(&wanted, &made),
            ["call 1 should be GET /b, and is GET /a missing", "call 2 should not be: GET /b missing"]
        );
        assert_eq!(calls(&wanted, &[]), ["call 1 should be GET /b, and there is none"]);
    }
}
