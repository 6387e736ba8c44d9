//! An operation of HighLevel's API.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kind::{Field, Kind, is_usual};

/// An operation of HighLevel's API, as its OpenAPI documents describe it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Its name: `ghl.contact.create`. Unique, and stable: `data/names.toml` holds those that no rule gives.
    pub name: String,
    /// What it does, in a few words.
    pub title: String,
    /// The documents' description, where it says more than the title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The document that it is in: `contacts` for contacts.json.
    pub document: String,
    /// How it is asked.
    pub method: Method,
    /// Where, with names in braces: `/contacts/{contactId}/tasks`.
    pub path: String,
    /// The version of the API that it wants; none: the document names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What a token must allow; empty where neither the document nor "OAuth 2.0: Scopes" says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Only an agency's token can do it.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub agency: bool,
    /// HighLevel advises against it.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub deprecated: bool,
    /// What happens when it is sent twice.
    pub repeat: Repeat,
    /// What stands in the path's braces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_path: Vec<Field>,
    /// What stands behind the question mark.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_query: Vec<Field>,
    /// The body; none: it is sent without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// As it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happens when an operation is sent twice. The rule is that of the method and the name; what it gets wrong is in
/// `data/names.toml`, under `[repeat]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// It changes nothing: `GET`, and a `POST` whose verb is `search`.
    Read,
    /// Sent twice it comes to the same: `PUT`, `PATCH`, `DELETE`, and a `POST` whose verb is `upsert` or `update`.
    Idempotent,
    /// It makes a thing, and sent twice two: a `POST` whose verb is `create`. After an unknown outcome it has to be looked
    /// for before it is sent again.
    Create,
    /// It does something, and sent twice it does it twice: every other `POST`. A message that was sent cannot be unsent.
    Action,
}

impl Repeat {
    /// In one word, as the data and the API have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Idempotent => "idempotent",
            Self::Create => "create",
            Self::Action => "action",
        }
    }
}

/// A request's body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// How it is written.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub encoding: Encoding,
    /// What it may be.
    pub kind: Kind,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// `application/json`
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/form-data`: with files.
    Files,
}

/// Where an input goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Into the path.
    Path,
    /// Behind the question mark.
    Query,
    /// A field of the body.
    Body,
    /// It is the body: one that is no object of known fields.
    WholeBody,
}

/// An input of an operation. Names are unique in an operation, wherever the input goes (a test holds that).
#[derive(Clone, Debug, PartialEq)]
pub struct Input<'a> {
    /// Where it goes.
    pub place: Place,
    /// Its name, kind and so on.
    pub field: Cow<'a, Field>,
}

/// The input that is the whole body.
pub(crate) const WHOLE_BODY: &str = "body";

impl Operation {
    /// All inputs: those of the path, of the query, and of the body. A body that is no object of known fields is one input,
    /// `body`.
    pub fn inputs(&self) -> Vec<Input<'_>> {
        let at = |place: Place| move |field| Input { place, field: Cow::Borrowed(field) };
        let mut inputs: Vec<Input<'_>> = self.in_path.iter().map(at(Place::Path)).collect();
        inputs.extend(self.in_query.iter().map(at(Place::Query)));
        match self.body.as_ref().map(|body| &body.kind) {
            None => {}
            Some(Kind::Fields(fields)) => inputs.extend(fields.iter().map(at(Place::Body))),
            Some(kind) => inputs.push(Input {
                place: Place::WholeBody,
                field: Cow::Owned(Field {
                    name: WHOLE_BODY.to_owned(),
                    // An object that may be anything may also be empty.
                    required: *kind != Kind::Open,
                    kind: kind.clone(),
                    nullable: false,
                    about: "the body as it is sent".to_owned(),
                }),
            }),
        }
        inputs
    }
}
