//! Reading the values of `POST /_sandbox/settings` and of acts.

use std::time::Duration;

use serde_json::{Map, Value};

use super::problem::ActError;

/// A JSON object whose fields are read one by one, each error naming its field.
pub(crate) struct Fields<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn read<T>(
        &self,
        name: &str,
        allowed: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ActError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => read(value)
                .map(Some)
                .ok_or_else(|| ActError::new(format!("`{name}` is {value}. Allowed: {allowed}"))),
        }
    }

    pub(crate) fn bool(&self, name: &str) -> Result<Option<bool>, ActError> {
        self.read(name, "true, false", Value::as_bool)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, ActError> {
        self.read(name, "a string", Value::as_str)
    }

    /// Where webhooks go: an http(s) URL, or null for nowhere.
    pub(crate) fn target(&self) -> Result<Option<&'a Value>, ActError> {
        let is_url = |text: &str| text.starts_with("http://") || text.starts_with("https://");
        self.read("deliver_to", "an http:// or https:// URL, null", |value| {
            (value.is_null() || value.as_str().is_some_and(is_url)).then_some(value)
        })
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, ActError> {
        self.read(name, "a whole number, not below 0", Value::as_u64)
    }

    pub(crate) fn milliseconds(&self, name: &str) -> Result<Option<Duration>, ActError> {
        Ok(self.number(name)?.map(Duration::from_millis))
    }

    pub(crate) fn object(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, ActError> {
        self.read(name, "an object", Value::as_object)
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, ActError> {
        self.read(name, "a list of strings", |value| {
            value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        })
    }

    pub(crate) fn needed_text(&self, name: &str) -> Result<&'a str, ActError> {
        needed(name, self.text(name)?)
    }
}

/// A field that must be there.
pub(crate) fn needed<T>(name: &str, value: Option<T>) -> Result<T, ActError> {
    value.ok_or_else(|| ActError::new(format!("`{name}` is missing")))
}
