//! From the bytes of a 2xx answer to a value, naming the place that did not fit.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{BoxError, Error};

/// What does not fit, and where.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) path: String,
    pub(crate) source: BoxError,
}

impl Misfit {
    pub(crate) fn new(path: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self { path: path.into(), source: source.into() }
    }

    pub(crate) fn into_error(self, status: u16) -> Error {
        Error::Protocol { status, path: self.path, source: self.source }
    }
}

/// Any JSON; no body at all reads as null (a 204, or a delete that says nothing).
pub(crate) fn json(body: &[u8]) -> Result<Value, Misfit> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| Misfit::new(".", error))
}

/// The whole value as `T`.
pub(crate) fn value<T: DeserializeOwned>(value: Value) -> Result<T, Misfit> {
    at("", value)
}

/// What lies under `key`, as in `{"contact": {…}}`; or the whole value when there is no such key: answers
/// are wrapped by the OpenAPI documents, and were seen without the wrapper.
pub(crate) fn under<T: DeserializeOwned>(key: &str, mut value: Value) -> Result<T, Misfit> {
    match value.get_mut(key) {
        Some(inner) => at(key, inner.take()),
        None => at("", value),
    }
}

fn at<T: DeserializeOwned>(prefix: &str, value: Value) -> Result<T, Misfit> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let path = match (prefix, path.as_str()) {
            ("", _) => path,
            (_, ".") => prefix.to_owned(),
            (_, rest) if rest.starts_with('[') => format!("{prefix}{rest}"),
            (_, rest) => format!("{prefix}.{rest}"),
        };
        Misfit::new(path, error.into_inner())
    })
}
