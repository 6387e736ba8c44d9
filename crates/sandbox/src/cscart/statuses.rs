//! Order statuses (`statuses`): owners add own letters, so readers must ask.

use serde_json::json;

use super::{
    paging::envelope,
    refusal::Refusal,
    router::{Outcome, Reply},
    state::{Row, State, text},
};
use crate::serve::request::Request;

/// Runs a method of the entity; the sandbox's statuses do not change.
pub(super) fn run(state: &State, request: &Request, method: &str, rest: &[&str]) -> Outcome {
    match (method, rest) {
        ("GET", []) => {
            let kind = request.parameter("type").filter(|it| !it.is_empty());
            let statuses =
                state.statuses.iter().filter(|it| kind.is_none_or(|kind| text(it, "type") == kind));
            let statuses: Vec<&Row> = statuses.collect();
            Ok(Reply::new(200, envelope(request, "statuses", &statuses, Row::clone, ("position", "asc"))))
        }
        ("GET", [id]) => {
            let status = state.statuses.iter().find(|it| text(it, "status_id") == *id);
            status.map(|it| Reply::new(200, json!(it))).ok_or_else(Refusal::not_found)
        }
        (_, [] | [_]) => Err(Refusal::new(405, "")),
        _ => Err(Refusal::no_object()),
    }
}
