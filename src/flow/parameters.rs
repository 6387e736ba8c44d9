//! The parameters of operations, and reading them from what was rendered.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use minijinja::Value;

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    List,
    Number,
    Flag,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::List => "a list of texts",
            Self::Number => "a whole number",
            Self::Flag => "true or false",
        })
    }
}

/// A parameter of an operation.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

impl Parameter {
    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}

const fn parameter(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, required: false }
}

pub(super) const fn text(name: &'static str) -> Parameter {
    parameter(name, Kind::Text)
}

pub(super) const fn list(name: &'static str) -> Parameter {
    parameter(name, Kind::List)
}

pub(super) const fn number(name: &'static str) -> Parameter {
    parameter(name, Kind::Number)
}

pub(super) const fn flag(name: &'static str) -> Parameter {
    parameter(name, Kind::Flag)
}

/// The rendered parameters of one step.
pub(super) struct Arguments {
    pub(super) values: BTreeMap<String, Value>,
    /// When the event happened.
    pub(super) occurred_at: Timestamp,
}

impl Arguments {
    /// What was given; nothing for what is undefined or none.
    fn given(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_undefined() && !value.is_none())
    }

    /// A text; nothing when it is empty.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, String> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let text = text_of(value).ok_or_else(|| format!("`{name}` must be text and is {}", value.kind()))?;
        Ok(Some(text).filter(|text| !text.trim().is_empty()))
    }

    pub(super) fn required_text(&self, name: &str) -> Result<String, String> {
        self.text(name)?.ok_or_else(|| format!("`{name}` is empty"))
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        let Some(value) = self.given(name) else { return Ok(Vec::new()) };
        let wrong = || format!("`{name}` must be a list of texts and is {}", value.kind());
        if value.as_str().is_some() {
            return Err(wrong());
        }
        value.try_iter().map_err(|_| wrong())?.map(|item| text_of(&item).ok_or_else(wrong)).collect()
    }

    pub(super) fn whole_number(&self, name: &str) -> Result<Option<i64>, String> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
        number.map(Some).ok_or_else(|| format!("`{name}` must be a whole number and is {value}"))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.given(name).is_some_and(Value::is_true)
    }
}

/// A text, or a number as its text.
fn text_of(value: &Value) -> Option<String> {
    match value.as_str() {
        Some(text) => Some(text.to_owned()),
        None if value.is_number() => Some(value.to_string()),
        None => None,
    }
}
