//! How events and their effects are shown to people and programs: the same by API and command line.

pub mod catalogue;
pub mod routes;

use ghl::oauth::Scopes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::effect::{Attempt, Effect};
use crate::event::Event;
use crate::flow::Need;
use crate::reason::Code;

/// An event in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventSummary {
    /// Its id.
    pub id: String,
    /// The connection that it belongs to.
    pub connection: String,
    /// `cscart`, `ghl`, `manual` or `schedule`.
    pub source: &'static str,
    /// The sender's own id of it.
    pub source_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// When it was received.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
    /// How far it has come.
    pub state: &'static str,
    /// Why it is in that state.
    pub state_reason: Option<String>,
    /// The kind of that reason while it is waiting, parked or dead, as `docs/errors.md` lists them; null: there is none.
    #[schema(example = "needs-scope")]
    pub state_code: Option<&'static str>,
    /// When it will be tried again.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    /// The event that was carried out in its place.
    pub folded_into: Option<String>,
    /// The event that this one runs again.
    pub replayed_from: Option<String>,
}

impl From<&Event> for EventSummary {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id.to_string(),
            connection: event.connection.to_string(),
            source: event.source.as_str(),
            source_id: event.source_id.clone(),
            kind: event.kind.clone(),
            subject: event.subject.to_string(),
            received_at: event.received_at,
            occurred_at: event.occurred_at,
            state: event.state.as_str(),
            state_reason: event.state_reason.clone(),
            state_code: event.state_code.map(Code::as_str),
            next_attempt_at: event.next_attempt_at,
            folded_into: event.folded_into.map(|id| id.to_string()),
            replayed_from: event.replayed_from.map(|id| id.to_string()),
        }
    }
}

/// One event with its payload and its ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventDetail {
    /// What lists show.
    #[serde(flatten)]
    pub summary: EventSummary,
    /// How often it was tried and failed.
    pub tries: u32,
    /// What was received.
    #[schema(value_type = Value)]
    pub payload: Value,
    /// Each step carried out for it.
    pub effects: Vec<EffectView>,
}

/// A step carried out for an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectView {
    /// The route's id.
    pub route: String,
    /// The version of the route that it was carried out with: `GET /api/routes/{id}/versions` has its text. Null: it is not
    /// known.
    pub route_version: Option<String>,
    /// The step's id.
    pub step: String,
    /// The operation, such as `ghl.contact.create`.
    pub operation: String,
    /// `planned`, `sending`, `done`, `skipped` or `failed`.
    pub state: &'static str,
    /// The ids it made, or why nothing had to be done; null: nothing came of it yet.
    #[schema(value_type = Value)]
    pub result: Value,
    /// Each HTTP exchange made for it, oldest first.
    pub attempts: Vec<AttemptView>,
}

/// One HTTP exchange.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptView {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The status that came back, if one did.
    pub status: Option<u16>,
    /// What was wrong.
    pub error: Option<String>,
    /// The body that was sent; null: none.
    #[schema(value_type = Value)]
    pub request: Option<Value>,
    /// The body that came back, as text where it is not JSON; null: none.
    #[schema(value_type = Value)]
    pub response: Option<Value>,
}

impl EventDetail {
    /// The view of an event and its ledger.
    pub fn new(event: &Event, effects: &[Effect]) -> Self {
        let payload = serde_json::from_slice(&event.payload)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&event.payload).into_owned()));
        Self {
            summary: event.into(),
            tries: event.tries,
            payload,
            effects: effects.iter().map(EffectView::from).collect(),
        }
    }
}

impl From<&Effect> for EffectView {
    fn from(effect: &Effect) -> Self {
        Self {
            route: effect.key.route.clone(),
            route_version: effect.version.clone(),
            step: effect.key.step.clone(),
            operation: effect.operation.clone(),
            state: effect.state.as_str(),
            result: effect.result.clone(),
            attempts: effect.attempts.iter().map(AttemptView::from).collect(),
        }
    }
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        let response = attempt
            .response
            .as_ref()
            .map(|text| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())));
        Self {
            at: attempt.at,
            ms: attempt.ms,
            method: attempt.method.clone(),
            path: attempt.path.clone(),
            status: attempt.status,
            error: attempt.error.clone(),
            request: attempt.request.clone(),
            response,
        }
    }
}

/// What a route needs a token to allow.
#[derive(Debug, Serialize, ToSchema)]
pub struct RouteScopes {
    /// The route.
    pub route: String,
    /// Its operations.
    pub operations: Vec<OperationScopes>,
    /// What of it the token does not allow, as far as it is known.
    pub missing: Vec<String>,
}

/// What an operation needs a token to allow.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperationScopes {
    /// The operation.
    pub operation: &'static str,
    /// Its scopes.
    pub scopes: Vec<String>,
}

/// What each route needs, with what of that is `missing`.
pub fn route_scopes(needs: &[Need], missing: &Scopes) -> Vec<RouteScopes> {
    let words = |scopes: &Scopes| scopes.iter().map(ToString::to_string).collect();
    needs
        .iter()
        .map(|need| RouteScopes {
            route: need.route.clone(),
            operations: need
                .operations
                .iter()
                .map(|(operation, scopes)| OperationScopes { operation, scopes: words(scopes) })
                .collect(),
            missing: need
                .scopes()
                .iter()
                .filter(|scope| missing.contains(scope))
                .map(ToString::to_string)
                .collect(),
        })
        .collect()
}
