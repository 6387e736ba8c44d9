//! One request, before it has a host and a token.

use std::borrow::Cow;

use reqwest::{Method, Url};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{path, redact};
use crate::{Error, RawBody, RawCall, RawPart};

/// What is to be sent.
pub(crate) struct Call {
    pub(crate) method: Method,
    path: Path,
    query: Vec<(String, String)>,
    pub(crate) body: Body,
    /// Whether the exchange is about tokens: then no token in the answer is shown, and `invalid_grant` counts.
    pub(crate) for_tokens: bool,
    /// Whether the client's bearer token goes along.
    pub(crate) with_token: bool,
    /// Another version of the API than the usual one.
    pub(crate) version: Option<String>,
}

enum Path {
    /// Each segment is encoded; so an id can neither leave its place nor vanish.
    Segments {
        segments: Vec<String>,
        slash: bool,
    },
    Raw(String),
}

pub(crate) enum Body {
    None,
    Json(Value),
    /// `secret` fields are sent and not shown.
    Form(Vec<FormField>),
    Files(Vec<(String, RawPart)>),
}

pub(crate) struct FormField {
    pub(crate) name: Cow<'static, str>,
    pub(crate) value: String,
    pub(crate) secret: bool,
}

impl Call {
    fn new(method: Method, path: Path) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            body: Body::None,
            for_tokens: false,
            with_token: true,
            version: None,
        }
    }

    fn segments(method: Method, segments: &[&str]) -> Self {
        let segments = segments.iter().map(|&segment| segment.to_owned()).collect();
        Self::new(method, Path::Segments { segments, slash: false })
    }

    pub(crate) fn get(segments: &[&str]) -> Self {
        Self::segments(Method::GET, segments)
    }

    pub(crate) fn post(segments: &[&str]) -> Self {
        Self::segments(Method::POST, segments)
    }

    pub(crate) fn put(segments: &[&str]) -> Self {
        Self::segments(Method::PUT, segments)
    }

    pub(crate) fn delete(segments: &[&str]) -> Self {
        Self::segments(Method::DELETE, segments)
    }

    /// A call for tokens is one, whichever way it came: it goes without the bearer token where the typed one does.
    pub(crate) fn raw(raw: RawCall) -> Self {
        let RawCall { method, path, query, body, version } = raw;
        let for_tokens = matches!(path.trim_end_matches('/'), "/oauth/token" | "/oauth/locationToken");
        let with_token = path.trim_end_matches('/') != "/oauth/token";
        let body = match body {
            RawBody::None => Body::None,
            RawBody::Json(value) => Body::Json(value),
            RawBody::Form(fields) => Body::Form(
                fields
                    .into_iter()
                    .map(|(name, value)| {
                        let secret = for_tokens && SECRETS.contains(&name.as_str());
                        FormField { name: name.into(), value, secret }
                    })
                    .collect(),
            ),
            RawBody::Files(parts) => Body::Files(parts),
        };
        Self { method, path: Path::Raw(path), query, body, for_tokens, with_token, version }
    }

    /// Ends the path in a slash, where the document does.
    pub(crate) fn with_slash(mut self) -> Self {
        if let Path::Segments { slash, .. } = &mut self.path {
            *slash = true;
        }
        self
    }

    pub(crate) fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn opt_query(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        // Our bodies are structures with string keys: they always have a JSON form.
        self.body = Body::Json(serde_json::to_value(body).expect("a request body has a JSON form"));
        self
    }

    pub(crate) fn without_token(mut self) -> Self {
        self.with_token = false;
        self
    }

    pub(crate) fn token_form(mut self, fields: Vec<FormField>) -> Self {
        self.body = Body::Form(fields);
        self.for_tokens = true;
        self
    }

    /// The URL, or why there cannot be one.
    pub(crate) fn url(&self, base: &Url) -> Result<Url, Error> {
        let mut url = base.clone();
        match &self.path {
            Path::Segments { segments, slash } => {
                // `DELETE /contacts//tasks` would be another call than the one that was meant.
                if let Some(odd) = segments.iter().find(|id| matches!(id.as_str(), "" | "." | "..")) {
                    return Err(Error::Unsendable { reason: format!("`{odd}` is not an id") });
                }
                let mut path = url
                    .path_segments_mut()
                    .map_err(|()| Error::Unsendable { reason: "the base URL has no path".to_owned() })?;
                path.pop_if_empty().extend(segments);
                if *slash {
                    path.push("");
                }
            }
            Path::Raw(path) => {
                path::check(path).map_err(|reason| Error::Unsendable { reason })?;
                let path = format!("{}{path}", base.path().trim_end_matches('/'));
                url.set_path(&path);
            }
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }

    /// The values in the form that must not be shown.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let fields = match &self.body {
            Body::Form(fields) => fields.as_slice(),
            Body::None | Body::Json(_) | Body::Files(_) => &[],
        };
        fields.iter().filter(|field| field.secret).map(|field| field.value.as_str())
    }

    /// The body as it may be shown.
    pub(crate) fn shown_body(&self) -> Option<Value> {
        match &self.body {
            Body::None => None,
            Body::Json(value) => Some(value.clone()),
            Body::Form(fields) => Some(object(fields.iter().map(|field| {
                let value = if field.secret { redact::MARK } else { field.value.as_str() };
                (&*field.name, Value::from(value))
            }))),
            Body::Files(parts) => Some(object(parts.iter().map(|(name, part)| {
                let value = match part {
                    RawPart::Text(text) => Value::from(text.as_str()),
                    RawPart::File { name, bytes } => format!("{name}: {} bytes", bytes.len()).into(),
                };
                (name.as_str(), value)
            }))),
        }
    }
}

/// The fields of a call for tokens that must not be shown.
const SECRETS: [&str; 3] = ["client_secret", "code", "refresh_token"];

/// A form as an object; what is there several times is a list.
fn object<'a>(fields: impl Iterator<Item = (&'a str, Value)>) -> Value {
    let mut object = Map::new();
    for (name, value) in fields {
        match object.get_mut(name) {
            None => {
                object.insert(name.to_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(call: &Call, base: &str) -> Result<String, Error> {
        call.url(&base.parse().unwrap()).map(String::from)
    }

    #[test]
    fn ids_are_encoded_and_never_vanish() {
        let call = Call::get(&["contacts", "a/b c", "tasks"]);
        assert_eq!(url(&call, "https://x.test").unwrap(), "https://x.test/contacts/a%2Fb%20c/tasks");
        for id in ["", ".", ".."] {
            for call in [Call::delete(&["contacts", id, "tasks"]), Call::delete(&["contacts", id])] {
                assert!(matches!(url(&call, "https://x.test"), Err(Error::Unsendable { .. })), "{id}");
            }
        }
    }

    #[test]
    fn a_path_in_the_base_url_is_kept() {
        for base in ["https://x.test/ghl", "https://x.test/ghl/"] {
            assert_eq!(
                url(&Call::post(&["contacts"]).with_slash(), base).unwrap(),
                "https://x.test/ghl/contacts/"
            );
            assert_eq!(
                url(&Call::raw(RawCall::new(Method::GET, "/a/b/")), base).unwrap(),
                "https://x.test/ghl/a/b/"
            );
        }
    }
}
