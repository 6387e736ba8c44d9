//! Dry runs: what an event would set off.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::events::required_body;
use crate::connection::BadName;
use crate::dry_run::{Asked, Error, Report, TriedRoute, Which};
use crate::http::Shared;
use crate::http::auth::{Allowed, Operate};
use crate::http::error::{Problem, Result};
use crate::reason::Code;

/// When one of those under way may have ended.
const AGAIN: Duration = Duration::from_secs(2);

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(dry_run))
}

/// What is to be tried: `event` or `event_id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DryRunRequest {
    /// The connection; may be left out with `event_id`, and where there is only one.
    connection: Option<String>,
    /// An event as it would be sent: the body of a webhook, or `type` and `data`.
    #[schema(value_type = Option<Object>)]
    event: Option<Value>,
    /// An event that was received. It is tried as it was then.
    event_id: Option<String>,
    /// A route as it stands in its file, to be tried as well.
    route: Option<String>,
    /// The route's id: it takes the place of the route of this id. Without it the route is tried beside the others.
    route_id: Option<String>,
    /// Ask the real store where a step needs it, with GET only. Nothing is ever written to it.
    #[serde(default)]
    ask_store: bool,
}

impl DryRunRequest {
    fn parse(self) -> Result<Asked> {
        let event = match (self.event, self.event_id) {
            (Some(event), None) => Which::Told(event),
            (None, Some(id)) => Which::Recorded(id.parse().map_err(|_| {
                Problem::not_found(format!("there is no event `{id}`: an event's id is a UUID"))
            })?),
            _ => return Err(Problem::bad_request("give either `event` or `event_id`")),
        };
        let connection = self.connection.map(|name| name.parse()).transpose();
        let connection = connection.map_err(|error: BadName| Problem::bad_request(error.to_string()))?;
        let id = self.route_id.unwrap_or_else(|| "tried".to_owned());
        let route =
            self.route.map(|text| TriedRoute { file: format!("{id}.toml"), content: text.into_bytes() });
        Ok(Asked { connection, event, route, ask_store: self.ask_store })
    }
}

/// Try an event without doing anything.
///
/// The event is carried out against a simulated HighLevel that holds what the bridge knows. The answer has every call with its
/// body, every condition with what it looked at, and what was skipped and why. Nothing is written, neither here nor there.
#[utoipa::path(post, path = "/api/dry-run", tag = "events", request_body = DryRunRequest, security(("api_key" = [])), responses(
    (status = 200, description = "what would be done", body = Report),
    (status = 400, description = "no event, or a route with mistakes", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such connection or event", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "two are under way already", body = Problem, content_type = "application/problem+json"),
))]
async fn dry_run(
    _: Allowed<Operate>,
    State(state): State<Shared>,
    body: axum::body::Bytes,
) -> Result<Json<Report>> {
    let asked = required_body::<DryRunRequest>(&body)?.parse()?;
    Ok(Json(state.dry_runs.run(asked).await?))
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Busy => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, Code::TooManyAtOnce, "Too many at once", detail)
                    .retry_after(AGAIN)
            }
            Error::NoConnection { .. } | Error::NoEvent(_) => Self::not_found(detail),
            Error::WhichConnection(_) | Error::OtherConnection(..) | Error::Event(_) | Error::Route(_) => {
                Self::bad_request(detail)
            }
            Error::Store(error) => error.into(),
            Error::Setup(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a dry run cannot be set up");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    Code::Internal,
                    "The dry run cannot be made",
                    detail,
                )
            }
        }
    }
}
