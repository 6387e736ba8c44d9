//! Calls of any operation: what is sent is the caller's, how it is sent is that of every other call.

use std::fmt;

use reqwest::Method;
use serde_json::Value;

use crate::{Client, Result, client::Call};

/// A call of any operation, for [`Client::call`].
#[derive(Clone, PartialEq)]
pub struct RawCall {
    /// The method.
    pub method: Method,
    /// The path, from the base URL on: it begins with a slash. Whoever puts an id into it encodes it.
    pub path: String,
    /// What stands behind the question mark, not encoded yet. A list is its name several times.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: RawBody,
    /// For the header `Version`; [`DEFAULT_VERSION`](crate::DEFAULT_VERSION) when none is given.
    pub version: Option<String>,
}

/// The body of a [`RawCall`].
#[derive(Clone, Default, PartialEq)]
pub enum RawBody {
    /// Nothing.
    #[default]
    None,
    /// `application/json`
    Json(Value),
    /// `application/x-www-form-urlencoded`: names and values, in their order.
    Form(Vec<(String, String)>),
    /// `multipart/form-data`: names and parts, in their order.
    Files(Vec<(String, RawPart)>),
}

/// A part of a form with files.
#[derive(Clone, PartialEq, Eq)]
pub enum RawPart {
    /// A value.
    Text(String),
    /// A file. Its type is told by the end of its name.
    File {
        /// Its name, without folders.
        name: String,
        /// What is in it.
        bytes: Vec<u8>,
    },
}

impl RawCall {
    /// A call without query and body, in the default version.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: Vec::new(), body: RawBody::None, version: None }
    }
}

/// Without query and body: they may hold somebody's data, or a client secret.
impl fmt::Debug for RawCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCall")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Any operation. The answer is whatever JSON came, null for an empty body.
    ///
    /// Errors, limits and the exchange are those of every other call; so is what is not shown: secrets in a call for tokens.
    /// A path that could mean another operation than it says is refused before anything is sent
    /// ([`Error::Unsendable`](crate::Error::Unsendable)): one that does not begin with a single slash, holds `.` or `..`
    /// (encoded or not) or nothing between two slashes, has a query or fragment, a backslash or a control character.
    pub async fn call(&self, call: RawCall) -> Result<Value> {
        self.send(Call::raw(call), Ok).await
    }
}
