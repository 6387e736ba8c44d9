//! A request as a simulated system sees it: read to the end and parsed once.

use bytes::Bytes;
use hyper::{HeaderMap, Method, header};
use serde_json::{Map, Value};

/// One request with its whole body.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The path as sent.
    pub(crate) path: String,
    /// The raw query string; empty when there is none.
    pub(crate) query_string: String,
    /// The decoded query parameters in their order.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) raw: Bytes,
    pub(crate) body: Body,
}

/// What the body turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    /// No body at all.
    Empty,
    /// `application/json` that parses.
    Json(Value),
    /// `application/x-www-form-urlencoded`, as an object of strings.
    Form(Value),
    /// `application/json` that does not parse; the text and the parser's complaint.
    BrokenJson(String, String),
    /// Anything else.
    Text(String),
}

impl Request {
    pub(crate) fn new(parts: hyper::http::request::Parts, raw: Bytes) -> Self {
        let query_string = parts.uri.query().unwrap_or_default().to_owned();
        let query = match query_string.as_str() {
            "" => Vec::new(),
            text => form_urlencoded::parse(text.as_bytes()).into_owned().collect(),
        };
        let body =
            Body::parse(parts.headers.get(header::CONTENT_TYPE).map_or(&[][..], |it| it.as_bytes()), &raw);
        let path = parts.uri.path().to_owned();
        Self { method: parts.method, path, query_string, query, headers: parts.headers, raw, body }
    }

    /// The first query parameter of this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The bearer token, if there is one.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header("authorization").and_then(|value| value.strip_prefix("Bearer "))
    }

    /// A header's value as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Body {
    fn parse(content_type: &[u8], raw: &[u8]) -> Self {
        if raw.is_empty() {
            return Self::Empty;
        }
        let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if essence.eq_ignore_ascii_case(b"application/json") {
            return match serde_json::from_slice(raw) {
                Ok(value) => Self::Json(value),
                Err(error) => Self::BrokenJson(String::from_utf8_lossy(raw).into_owned(), error.to_string()),
            };
        }
        if essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            return Self::Form(form_object(raw));
        }
        Self::Text(String::from_utf8_lossy(raw).into_owned())
    }

    /// The body as the journal keeps it.
    pub(crate) fn into_journal(self) -> Value {
        match self {
            Self::Empty => Value::Null,
            Self::Json(value) | Self::Form(value) => value,
            Self::BrokenJson(text, _) | Self::Text(text) => Value::String(text),
        }
    }
}

/// A query string or form as an object; of a repeated name the last value counts.
pub(crate) fn form_object(raw: &[u8]) -> Value {
    let fields = form_urlencoded::parse(raw).into_owned().map(|(key, value)| (key, Value::String(value)));
    Value::Object(fields.collect::<Map<_, _>>())
}
