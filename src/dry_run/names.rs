//! Names in place of ids that do not exist: what a dry run has made, and what a recorded event has made.

use serde_json::Value;

use crate::effect::{Effect, EffectState};

/// Something that a step has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    /// Its id.
    pub(crate) id: String,
    /// What it is: `contact`, `task`, `note` …
    pub(crate) what: String,
    /// The step that has made it.
    pub(crate) step: String,
}

/// What these steps have made.
pub(crate) fn made(effects: &[Effect]) -> Vec<Made> {
    effects.iter().filter_map(one).collect()
}

fn one(effect: &Effect) -> Option<Made> {
    let result = &effect.result;
    let is_create = effect.operation.ends_with(".create") || effect.operation.ends_with(".upsert");
    let found = result["adopted"] == true;
    if effect.state != EffectState::Done || !is_create || found {
        return None;
    }
    let what = effect.operation.split('.').nth(1)?.to_owned();
    let own = format!("{what}_id");
    let id = [result.get(&own), result.get("id"), result.get(&what).and_then(|made| made.get("id"))];
    let id = id.into_iter().flatten().find_map(Value::as_str)?.to_owned();
    Some(Made { id, what, step: effect.key.step.clone() })
}

/// Names for ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    /// As people read them: `<contact made in step contact>`.
    pub(crate) fn in_words(made: &[Made]) -> Self {
        Self(
            made.iter()
                .map(|made| (made.id.clone(), format!("<{} made in step {}>", made.what, made.step)))
                .collect(),
        )
    }

    /// As tests of routes write them: `{contact}`.
    pub(crate) fn in_braces(made: &[Made]) -> Self {
        Self(made.iter().map(|made| (made.id.clone(), format!("{{{}}}", made.what))).collect())
    }

    /// One more.
    pub(crate) fn add(&mut self, id: impl Into<String>, name: impl Into<String>) {
        self.0.push((id.into(), name.into()));
    }

    /// A text with the names in it.
    pub(crate) fn in_text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (id, name)| text.replace(id, name))
    }

    /// A value with the names in it.
    pub(crate) fn in_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.in_text(text)),
            Value::Array(items) => items.iter().map(|item| self.in_value(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (self.in_text(name), self.in_value(value))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
}
