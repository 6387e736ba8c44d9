//! One API request on its way to its operation.

use serde_json::{Map, Value};

use super::{
    refusal::Refusal,
    state::State,
    validate::{self, Property},
};
use crate::{
    control::journal::Effect,
    serve::request::{Body, Request},
};

/// What an operation gets.
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) request: &'a Request,
    /// The variable parts of the path, in order; empty where there are none.
    pub(crate) args: [&'a str; 2],
    pub(crate) now: i64,
    /// The catalogue's description, for an operation whose form it tells.
    pub(crate) described: Option<&'static catalogue::Operation>,
}

/// What an operation gives.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) effect: Option<Effect>,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: 200, body, effect: None }
    }

    pub(crate) fn created(body: Value) -> Self {
        Self { status: 201, body, effect: None }
    }

    pub(crate) fn with(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    pub(crate) fn with_if(self, happened: bool, effect: impl FnOnce() -> Effect) -> Self {
        if happened { self.with(effect()) } else { self }
    }
}

/// How an operation ends.
pub(crate) type Outcome = Result<Reply, Refusal>;

static NOTHING: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);

impl<'a> Call<'a> {
    /// The body as an object. As behind Express' parsers, a body of an unknown type counts as empty.
    pub(crate) fn object(&self) -> Result<&'a Map<String, Value>, Refusal> {
        match &self.request.body {
            Body::Json(Value::Object(object)) | Body::Form(Value::Object(object)) => Ok(object),
            Body::BrokenJson(_, complaint) => Err(Refusal::new(400, complaint.as_str())),
            Body::Json(Value::Array(_)) => Err(Refusal::invalid(vec![String::from(
                "an unknown value was passed to the validate function",
            )])),
            _ => Ok(&NOTHING),
        }
    }

    /// The fields of a form; another body has none.
    pub(crate) fn form(&self) -> &'a Map<String, Value> {
        match &self.request.body {
            Body::Form(Value::Object(form)) => form,
            _ => &NOTHING,
        }
    }

    /// The body, checked; the token's location is checked first, as the gateway does.
    pub(crate) fn checked(&self, properties: &[Property]) -> Result<&'a Map<String, Value>, Refusal> {
        let body = self.object()?;
        if let Some(location_id) = body.get("locationId").and_then(Value::as_str) {
            self.location(Some(location_id))?;
        }
        validate::check(body, properties)?;
        Ok(body)
    }

    /// Refuses another location than the token's, and a missing one.
    pub(crate) fn location(&self, id: Option<&str>) -> Result<(), Refusal> {
        if id == Some(self.state.location_id.as_str()) { Ok(()) } else { Err(Refusal::other_location()) }
    }

    /// A query parameter as a whole number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        match self.request.parameter(name) {
            None | Some("") => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| {
                Refusal::invalid(vec![format!(
                    "{name} must be a number conforming to the specified constraints"
                )])
            }),
        }
    }

    /// Refuses query parameters that the operation does not have.
    pub(crate) fn only_parameters(&self, known: &[&str]) -> Result<(), Refusal> {
        let unknown = self.request.query.iter().filter(|(key, _)| !known.contains(&key.as_str()));
        let complaints: Vec<String> =
            unknown.map(|(key, _)| format!("property {key} should not exist")).collect();
        if complaints.is_empty() { Ok(()) } else { Err(Refusal::invalid(complaints)) }
    }
}
