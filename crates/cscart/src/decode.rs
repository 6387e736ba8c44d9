//! From the bytes of a 2xx answer to a value, naming the place that did not fit.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::{BoxError, Error, loose};

/// What does not fit, and where.
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

/// The body from where it begins to say something: PHP sends white space and byte order marks for each source
/// file that has them outside its code.
pub(crate) fn content(mut body: &[u8]) -> &[u8] {
    loop {
        body = body.trim_ascii_start();
        match body.strip_prefix(b"\xEF\xBB\xBF") {
            Some(rest) => body = rest,
            None => return body,
        }
    }
}

/// Any JSON; no body at all reads as null (a 204).
pub(crate) fn json(body: &[u8]) -> Result<Value, Misfit> {
    let body = content(body);
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| Misfit::new(".", error))
}

/// The whole value as `T`.
pub(crate) fn value<T: DeserializeOwned>(value: Value) -> Result<T, Misfit> {
    at("", value)
}

/// One thing, which comes bare, and has the id that was asked for. `None` where CS-Cart says that it is not
/// there by an empty list under `key` (4.20.1 does so for users), or by an empty body of its own, `[]`.
pub(crate) fn found<T: DeserializeOwned>(
    key: &str,
    mut value: Value,
    id: (&str, impl FnOnce(&T) -> bool),
) -> Result<Option<T>, Misfit> {
    let nothing = value.as_array().is_some_and(Vec::is_empty);
    let found: Option<T> = match value.get_mut(key) {
        Some(inner) if inner.is_array() => list(key, inner.take())?.into_iter().next(),
        _ if nothing => None,
        _ => Some(at("", value)?),
    };
    let (name, is_asked_for) = id;
    if found.as_ref().is_some_and(|found| !is_asked_for(found)) {
        return Err(Misfit::new(name, "it is not the one that was asked for"));
    }
    Ok(found)
}

/// A list or a map of things; `prefix` is where it stands in the answer.
pub(crate) fn list<T: DeserializeOwned>(prefix: &str, value: Value) -> Result<Vec<T>, Misfit> {
    struct List<T>(Vec<T>);

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            loose::list(deserializer).map(Self)
        }
    }

    at::<List<T>>(prefix, value).map(|List(items)| items)
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
