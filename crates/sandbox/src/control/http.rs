//! The control API over HTTP, the same on both systems.

use hyper::{
    Method,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde_json::Value;

use super::{Control, faults::Fault, problem::ActError};
use crate::serve::{
    answer::Answer,
    request::{Body, Request},
};

/// Every control path begins with this; the journal leaves them out.
pub(crate) const PREFIX: &str = "/_sandbox/";

const PATHS: &[&str] = &["journal", "reset", "state", "faults", "settings", "deliveries", "act"];

/// Carries out one control request.
pub(crate) async fn answer(control: &Control, request: Request) -> Answer {
    match dispatch(control, request).await {
        Ok(answer) => answer,
        Err(error) => {
            let mut answer = Answer::json(400, &error.document());
            answer.headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
            answer
        }
    }
}

async fn dispatch(control: &Control, request: Request) -> Result<Answer, ActError> {
    let name = request.path.trim_start_matches(PREFIX).trim_end_matches('/').to_owned();
    match (request.method.clone(), name.as_str()) {
        (Method::GET, "journal") => {
            let since = match request.parameter("since") {
                None => 0,
                Some(text) => text
                    .parse()
                    .map_err(|_| ActError::new(format!("`since` is `{text}`. Allowed: a sequence number")))?,
            };
            Ok(Answer::json(200, &control.journal_since(since)))
        }
        (Method::POST, "reset") => {
            control.reset();
            Ok(Answer::empty(204))
        }
        (Method::GET, "state") => Ok(Answer::json(200, &control.state())),
        (Method::GET, "faults") => Ok(Answer::json(200, &control.system().core().faults.list())),
        (Method::POST, "faults") => {
            Fault::parse(json_body(request)?)?.into_iter().for_each(|fault| control.fault(fault));
            Ok(Answer::empty(204))
        }
        (Method::DELETE, "faults") => {
            control.clear_faults();
            Ok(Answer::empty(204))
        }
        (Method::POST, "settings") => {
            control.settings(json_body(request)?)?;
            Ok(Answer::empty(204))
        }
        (Method::GET, "deliveries") => Ok(Answer::json(200, &control.deliveries())),
        (Method::POST, "act") => Ok(Answer::json(200, &control.act(json_body(request)?).await?)),
        (method, name) if PATHS.contains(&name) => {
            Err(ActError::new(format!("{method} is not allowed on {PREFIX}{name}; see the sandbox's README")))
        }
        (_, name) => Err(ActError::unknown("control path", name, PATHS)),
    }
}

/// The body as JSON, whatever content type it came with: `curl -d` sends a form type.
fn json_body(request: Request) -> Result<Value, ActError> {
    match request.body {
        Body::Json(value) => Ok(value),
        Body::Empty => Err(ActError::new("the body is empty. Allowed: a JSON document")),
        _ => serde_json::from_slice(&request.raw)
            .map_err(|error| ActError::new(format!("the body is not JSON: {error}"))),
    }
}
