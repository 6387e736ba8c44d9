//! What would differ from what was really done: the calls that change something, in order.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::names::{self, Names};
use crate::effect::{Attempt, Effect};

/// What would differ over many events.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Comparison {
    /// How many events were tried.
    pub tried: usize,
    /// For how many of these the same would be done.
    pub same: usize,
    /// How many were not tried, by why.
    pub not_tried: BTreeMap<String, usize>,
    /// There were more events than the limit.
    pub cut: bool,
    /// How many calls that change something were made for the events that were tried.
    pub calls_then: usize,
    /// How many would be made.
    pub calls_now: usize,
    /// The events for which something else would be done, oldest first.
    pub different: Vec<Compared>,
}

/// An event for which something else would be done.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    /// Its id.
    pub id: String,
    /// The trigger.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// How it ended then.
    pub state_then: &'static str,
    /// How it would end.
    pub state_now: &'static str,
    /// Why, where it would not be done.
    pub reason_now: Option<String>,
    /// What differs.
    pub changes: Vec<Change>,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// It was called, and would not be.
    NoLonger {
        /// The call.
        call: Made,
    },
    /// It would be called, and was not.
    New {
        /// The call.
        call: Made,
    },
    /// It would be called with another body.
    OtherBody {
        /// The method.
        method: String,
        /// Path and query.
        path: String,
        /// By the place in the body: what was there, and what would be; null: nothing.
        at: BTreeMap<String, (Value, Value)>,
    },
}

/// A call that changes something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Made {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body; null: none.
    pub body: Value,
}

/// The calls that change something, with names in place of ids that were made.
pub(super) fn calls(effects: &[Effect]) -> Vec<Made> {
    let names = Names::in_words(&names::made(effects));
    let attempts = effects.iter().flat_map(|effect| &effect.attempts).filter(|attempt| counts(attempt));
    attempts
        .map(|attempt| Made {
            method: attempt.method.clone(),
            path: names.in_text(&attempt.path),
            body: attempt.request.as_ref().map_or(Value::Null, |body| names.in_value(body)),
        })
        .collect()
}

/// What was carried out or refused for good; what only failed for a while was made again.
fn counts(attempt: &Attempt) -> bool {
    let answered = attempt.status.is_some_and(|status| status < 500 && ![401, 408, 429].contains(&status));
    answered
        && attempt.method != "GET"
        && !attempt.path.split('?').next().is_some_and(|path| path.ends_with("/search"))
}

/// What differs, in order.
pub(super) fn changes(then: &[Made], now: &[Made]) -> Vec<Change> {
    let same_call = |a: &Made, b: &Made| a.method == b.method && a.path == b.path;
    // The longest common run of calls, whatever their bodies (from the end, so that it can be read from the beginning).
    let mut longest = vec![vec![0_usize; now.len() + 1]; then.len() + 1];
    for i in (0..then.len()).rev() {
        for j in (0..now.len()).rev() {
            longest[i][j] = if same_call(&then[i], &now[j]) {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut changes = Vec::new();
    while i < then.len() || j < now.len() {
        match (then.get(i), now.get(j)) {
            (Some(old), Some(new)) if same_call(old, new) => {
                let mut at = BTreeMap::new();
                differences("", &old.body, &new.body, &mut at);
                if !at.is_empty() {
                    changes.push(Change::OtherBody {
                        method: new.method.clone(),
                        path: new.path.clone(),
                        at,
                    });
                }
                (i, j) = (i + 1, j + 1);
            }
            (Some(old), new) if new.is_none() || longest[i + 1][j] >= longest[i][j + 1] => {
                changes.push(Change::NoLonger { call: old.clone() });
                i += 1;
            }
            (_, Some(new)) => {
                changes.push(Change::New { call: new.clone() });
                j += 1;
            }
            (_, None) => break,
        }
    }
    changes
}

/// The places where two bodies differ.
pub(crate) fn differences(
    place: &str,
    then: &Value,
    now: &Value,
    found: &mut BTreeMap<String, (Value, Value)>,
) {
    match (then, now) {
        (Value::Object(old), Value::Object(new)) => {
            for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
                let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                let nothing = Value::Null;
                let (old, new) = (old.get(name).unwrap_or(&nothing), new.get(name).unwrap_or(&nothing));
                differences(&place, old, new, found);
            }
        }
        _ if then == now => {}
        _ => {
            found.insert(place.to_owned(), (then.clone(), now.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(path: &str, body: Value) -> Made {
        Made { method: "POST".into(), path: path.into(), body }
    }

    #[test]
    fn only_what_differs_is_told_and_each_call_is_compared_with_its_like() {
        let then =
            [made("/a", json!({ "x": 1, "y": { "z": 2 } })), made("/b", Value::Null), made("/c", json!(1))];
        let now =
            [made("/a", json!({ "x": 1, "y": { "z": 3 } })), made("/c", json!(1)), made("/d", Value::Null)];
        let at = BTreeMap::from([("y.z".to_owned(), (json!(2), json!(3)))]);
        assert_eq!(
            changes(&then, &now),
            [
                Change::OtherBody { method: "POST".into(), path: "/a".into(), at },
                Change::NoLonger { call: then[1].clone() },
                Change::New { call: now[2].clone() },
            ]
        );
        assert_eq!(changes(&then, &then), []);
        assert_eq!(changes(&[], &now[..1]), [Change::New { call: now[0].clone() }]);
    }
}
