//! The request that an operation comes to.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::operation::{Encoding, Method, Operation, Place};
use crate::{Kind, Mistake};

/// A request, but for host and token.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, with every value in it encoded: an id can neither leave its place nor vanish.
    pub path: String,
    /// What stands behind the question mark, not encoded yet. A list is its name several times.
    pub query: Vec<(String, String)>,
    /// The body, if it has one.
    pub body: Option<RequestBody>,
    /// For the header `Version`, where the documents name one.
    pub version: Option<String>,
}

/// A request's body.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestBody {
    /// `application/json`
    Json(Value),
    /// `application/x-www-form-urlencoded`: names and values.
    Form(Vec<(String, String)>),
    /// `multipart/form-data`: names and values.
    Files(Vec<(String, Part)>),
}

/// A part of a form with files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A value.
    Text(String),
    /// A file's bytes in base64, as the input has them.
    File(String),
}

/// Everything but what RFC 3986 calls unreserved.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Operation {
    /// The request that inputs come to, or everything that is wrong with them ([`Operation::check`]). Nothing is sent.
    pub fn request(&self, inputs: &Value) -> Result<Request, Vec<Mistake>> {
        self.check(inputs)?;
        let (mut path, mut query, mut fields, mut whole) = (self.path.clone(), Vec::new(), Map::new(), None);
        for input in self.inputs() {
            let name = &input.field.name;
            let Some(value) = inputs.get(name) else { continue };
            match input.place {
                Place::Path => {
                    let text = plain(value);
                    let encoded = utf8_percent_encode(&text, SEGMENT).to_string();
                    path = path.replace(&format!("{{{name}}}"), &encoded);
                }
                Place::Query => match value {
                    Value::Array(items) => query.extend(items.iter().map(|item| (name.clone(), plain(item)))),
                    value => query.push((name.clone(), plain(value))),
                },
                Place::Body => {
                    fields.insert(name.clone(), value.clone());
                }
                Place::WholeBody => whole = Some(value.clone()),
            }
        }
        let body = self.body.as_ref().and_then(|body| {
            let value = match (&body.kind, whole) {
                (Kind::Fields(_), _) => Value::Object(fields),
                (_, Some(whole)) => whole,
                // A body that may be empty is sent where the method is one that has a body.
                (_, None) if self.method == Method::Delete => return None,
                (_, None) => Value::Object(Map::new()),
            };
            Some(match body.encoding {
                Encoding::Json => RequestBody::Json(value),
                Encoding::Form => RequestBody::Form(texts(&value).collect()),
                Encoding::Files => RequestBody::Files(
                    texts(&value)
                        .map(|(name, text)| {
                            let part =
                                if is_file(&body.kind, &name) { Part::File(text) } else { Part::Text(text) };
                            (name, part)
                        })
                        .collect(),
                ),
            })
        });
        Ok(Request { method: self.method, path, query, body, version: self.version.clone() })
    }
}

fn texts(value: &Value) -> impl Iterator<Item = (String, String)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), plain(value)))
}

fn is_file(kind: &Kind, name: &str) -> bool {
    matches!(kind, Kind::Fields(fields) if fields.iter().any(|field| field.name == name && field.kind == Kind::File))
}

/// Text as it is, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
