//! Inputs held against the documents: what is unknown, missing, or of the wrong kind.

use serde_json::{Map, Value};

use crate::operation::{Operation, Place};
use crate::{Field, Kind};

/// What is wrong with an input. The text says where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mistake {
    /// The inputs are no object.
    #[error("the inputs must be an object with a name for each, and are {found}")]
    NotInputs {
        /// What they are.
        found: &'static str,
    },
    /// An input or field that the documents do not have.
    #[error("`{at}` is not known{}", nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    Unknown {
        /// Where: `dndSettings.Sms`.
        at: String,
        /// The known name that is most like it.
        nearest: Option<String>,
    },
    /// A required input or field is not there.
    #[error("`{at}` is missing and must be {expected}")]
    Missing {
        /// Where.
        at: String,
        /// What it may be.
        expected: String,
    },
    /// A value of the wrong kind.
    #[error("`{at}` must be {expected}, and is {found}")]
    WrongKind {
        /// Where.
        at: String,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A text that cannot stand in a path.
    #[error("`{at}` is part of the address and may be neither empty nor `.` nor `..`")]
    NoSegment {
        /// Where.
        at: String,
    },
}

impl Operation {
    /// Holds inputs against what the documents say. All mistakes at once, in the order of the inputs.
    pub fn check(&self, inputs: &Value) -> Result<(), Vec<Mistake>> {
        let Value::Object(given) = inputs else {
            return Err(vec![Mistake::NotInputs { found: what(inputs) }]);
        };
        let known = self.inputs();
        let fields: Vec<&Field> = known.iter().map(|input| &*input.field).collect();
        let mut mistakes = Vec::new();
        in_fields(&fields, given, "", &mut mistakes);
        for input in known.iter().filter(|input| input.place == Place::Path) {
            let name = &input.field.name;
            if given.get(name).and_then(Value::as_str).is_some_and(|text| matches!(text, "" | "." | "..")) {
                mistakes.push(Mistake::NoSegment { at: name.clone() });
            }
        }
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
    }
}

/// What is wrong with a value that stands at `at`.
pub fn mistakes_in(kind: &Kind, value: &Value, at: &str) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    walk(kind, value, at, &mut mistakes);
    mistakes
}

fn walk(kind: &Kind, value: &Value, at: &str, mistakes: &mut Vec<Mistake>) {
    let fits = match (kind, value) {
        (Kind::Any, _)
        | (Kind::Text | Kind::File, Value::String(_))
        | (Kind::Number, Value::Number(_))
        | (Kind::Flag, Value::Bool(_))
        | (Kind::Open, Value::Object(_)) => true,
        (Kind::Choice(choices), value) => choices.iter().any(|choice| same(choice, value)),
        (Kind::List(item), Value::Array(values)) => {
            for (number, value) in values.iter().enumerate() {
                walk(item, value, &format!("{at}[{number}]"), mistakes);
            }
            true
        }
        (Kind::Map(item), Value::Object(values)) => {
            for (name, value) in values {
                walk(item, value, &below(at, name), mistakes);
            }
            true
        }
        (Kind::Fields(fields), Value::Object(given)) => {
            in_fields(&fields.iter().collect::<Vec<_>>(), given, at, mistakes);
            true
        }
        (Kind::OneOf(kinds), value) => {
            // What fits nearly tells more than that nothing fits: an object is meant as the one that it is most like.
            let nearest = kinds.iter().map(|kind| mistakes_in(kind, value, at)).min_by_key(Vec::len);
            let nearest = nearest.unwrap_or_default();
            let inside =
                |mistake: &Mistake| !matches!(mistake, Mistake::WrongKind { at: place, .. } if place == at);
            let fits = nearest.iter().all(inside);
            if fits {
                mistakes.extend(nearest);
            }
            fits
        }
        _ => false,
    };
    if !fits {
        let found = match value {
            Value::Null => "null: leave it out instead".to_owned(),
            Value::String(text) if matches!(kind, Kind::Choice(_)) => format!("`{text}`"),
            value => what(value).to_owned(),
        };
        mistakes.push(Mistake::WrongKind { at: at.to_owned(), expected: kind.words(), found });
    }
}

fn in_fields(fields: &[&Field], given: &Map<String, Value>, at: &str, mistakes: &mut Vec<Mistake>) {
    for field in fields {
        match given.get(&field.name) {
            None if field.required => {
                mistakes.push(Mistake::Missing { at: below(at, &field.name), expected: field.kind.words() });
            }
            None => {}
            Some(Value::Null) if field.nullable => {}
            Some(value) => walk(&field.kind, value, &below(at, &field.name), mistakes),
        }
    }
    for name in given.keys().filter(|name| fields.iter().all(|field| field.name != **name)) {
        mistakes.push(Mistake::Unknown { at: below(at, name), nearest: nearest(name, fields) });
    }
}

/// The known name that is most like one, if any is: `first_name` and `firstname` are like `firstName`.
fn nearest(name: &str, fields: &[&Field]) -> Option<String> {
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let like = |field: &&&Field| strsim::jaro_winkler(&plain(name), &plain(&field.name));
    let best = fields.iter().max_by(|a, b| like(a).total_cmp(&like(b)))?;
    (like(&best) > 0.8).then(|| best.name.clone())
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// 1 and 1.0 are the same choice.
fn same(choice: &Value, value: &Value) -> bool {
    choice == value || choice.as_f64().is_some_and(|number| value.as_f64() == Some(number))
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
