//! Which entity and method a request means, in all the URL forms of the REST API (cscart.md, 1.1 and 1.3).

use hyper::Method;
use serde_json::{Value, json};

use super::{
    catalog, orders,
    refusal::Refusal,
    state::{Row, State},
    statuses, usergroups, users,
    world::{CscartEdition, CscartVersion},
};
use crate::{
    control::journal::Effect,
    serve::request::{Body, Request, form_object},
};

/// What an entity gives.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) effect: Option<Effect>,
}

impl Reply {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self { status, body, effect: None }
    }

    pub(super) fn with(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }
}

/// How an entity's method ends.
pub(super) type Outcome = Result<Reply, Refusal>;

/// The path behind `/api/` or in `_d`, without the version.
pub(super) struct Target {
    segments: Vec<String>,
}

impl Target {
    /// None for a path that the storefront, not the API, answers.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let path = match request.path.strip_prefix("/api/") {
            Some(rest) => rest.to_owned(),
            None if request.path == "/api.php" || request.path == "/api" => {
                request.parameter("_d").unwrap_or_default().to_owned()
            }
            None => return None,
        };
        let segments = path.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect();
        Some(Self { segments })
    }

    pub(super) fn run(&self, state: &mut State, request: &Request) -> Outcome {
        acceptable(request)?;
        let method = method(state, request)?;
        let mut segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        if let Some(first) = segments.first().copied()
            && first.parse::<f64>().is_ok()
        {
            // `2` alone has neither a class nor a fallback; `4.0` and `4.1` are the storefront's own entities.
            if !["2.0", "2.1"].contains(&first) {
                return Err(Refusal::no_object());
            }
            segments.remove(0);
        }
        // Storefront scoping (Ultimate): all that there is belongs to storefront 1. `stores/1` alone is the storefront.
        if let ["stores", id, _, ..] = segments[..] {
            if state.world.edition != CscartEdition::Ultimate {
                return Err(Refusal::no_object());
            }
            if id != "1" {
                return Err(Refusal::not_found());
            }
            segments.drain(..2);
        }
        match (method, &segments[..]) {
            ("GET", ["version"]) => Ok(Reply::new(200, json!({ "Version": "2.1" }))),
            (method, ["users", rest @ ..]) => users::run(state, request, method, rest),
            (method, ["orders", rest @ ..]) => orders::run(state, request, method, rest),
            (method, ["usergroups", rest @ ..]) => usergroups::run(state, request, method, rest),
            (method, ["statuses", rest @ ..]) => statuses::run(state, request, method, rest),
            (method, segments) => {
                catalog::run(state, request, method, segments).unwrap_or_else(|| Err(Refusal::no_object()))
            }
        }
    }
}

/// `POST …?_METHOD=PUT` is taken as PUT since some version after 4.15.2; what the API does not know is 405.
fn method(state: &State, request: &Request) -> Result<&'static str, Refusal> {
    let other = request.parameter("_METHOD").filter(|_| state.world.version >= CscartVersion::V4_20);
    let named = match (&request.method, other) {
        (&Method::POST, Some(other)) => other.to_uppercase(),
        (method, _) => method.as_str().to_owned(),
    };
    let known = ["GET", "POST", "PUT", "DELETE"].into_iter().find(|it| *it == named);
    known.ok_or_else(|| Refusal::new(405, ""))
}

/// 406 for an `Accept` that takes neither JSON nor plain text.
fn acceptable(request: &Request) -> Result<(), Refusal> {
    let Some(accept) = request.header("accept") else { return Ok(()) };
    let known = ["application/json", "text/plain", "application/*", "text/*", "*/*"];
    let offered = accept.split(',').map(|it| it.split(';').next().unwrap_or_default().trim());
    if accept.trim().is_empty() || offered.into_iter().any(|it| known.contains(&it)) {
        Ok(())
    } else {
        Err(Refusal::new(406, ""))
    }
}

/// The body as an object: JSON, or a query string when it comes as `text/plain` (the default type).
pub(super) fn body(request: &Request) -> Result<Row, Refusal> {
    let value = match &request.body {
        Body::Empty => json!({}),
        Body::Json(value) => value.clone(),
        Body::BrokenJson(..) => return Err(Refusal::new(400, "Syntax error")),
        Body::Form(_) => return Err(Refusal::new(415, "")),
        Body::Text(text) => {
            let content_type = request.header("content-type").unwrap_or("text/plain");
            if content_type.split(';').next().is_some_and(|it| it.trim() == "text/plain") {
                form_object(text.as_bytes())
            } else {
                return Err(Refusal::new(415, ""));
            }
        }
    };
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Refusal::new(400, "")),
    }
}
