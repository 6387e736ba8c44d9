//! The doors for webhooks. A body gets in only as [`Verified`]: its signature was checked over the raw bytes.

mod cscart;
mod ghl;
mod seen;
mod view;

pub(super) use ghl::{PATH as FROM_HIGHLEVEL, ask_highlevel_again};
pub(super) use seen::Seen;

use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{Problem, Result};
use super::{HttpState, Shared};
use crate::inbox::Incoming;
use crate::reason::Code;
use crate::store::Appended;

/// The largest body that is read.
pub const MAX_BODY: usize = 1024 * 1024;
/// How far a webhook's time may be from ours, both ways.
pub const TOLERANCE: Duration = Duration::from_mins(5);

/// What came with a signature and a time that were checked, from side `S`: a webhook, or a question. Only this module can
/// make one.
#[derive(Debug)]
pub struct Verified<S, T = Incoming> {
    side: S,
    said: T,
}

/// The receipt for an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct Receipt {
    /// The event's id.
    #[schema(example = "0192f0c1-2e4b-7c3a-9d51-5e0f6a7b8c9d")]
    pub id: String,
    /// Where its status can be asked for (with an API key).
    pub status_url: String,
    #[serde(skip)]
    duplicate: bool,
}

impl Receipt {
    /// The receipt for a stored event.
    pub fn new(appended: Appended, public_url: &str) -> Self {
        Self {
            id: appended.id.to_string(),
            status_url: format!("{public_url}/api/events/{}", appended.id),
            duplicate: appended.duplicate,
        }
    }
}

impl IntoResponse for Receipt {
    fn into_response(self) -> Response {
        let status = if self.duplicate { StatusCode::OK } else { StatusCode::ACCEPTED };
        (status, Json(self)).into_response()
    }
}

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(cscart::receive))
        .routes(routes!(ghl::receive))
        .routes(routes!(view::answer))
}

/// Reads the body as it came, up to [`MAX_BODY`].
async fn raw_body(headers: &HeaderMap, body: Body) -> Result<Vec<u8>> {
    let announced =
        headers.get(axum::http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > MAX_BODY) {
        return Err(too_large());
    }
    match to_bytes(body, MAX_BODY).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) if is_length_limit(&error) => Err(too_large()),
        Err(_) => Err(Problem::bad_request("the body ended before it was complete: send it again")),
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if inner.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = inner.source();
    }
    false
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        Code::BodyTooLarge,
        "The body is too large",
        "a webhook may have 1 MiB at most: send less at a time",
    )
}

fn bad_shape(error: &crate::inbox::ShapeError) -> Problem {
    use crate::inbox::ShapeError;
    let detail = match error {
        ShapeError::NotJson(_) => "send UTF-8 JSON as README, \"webhooks\", describes it",
        ShapeError::NotThisShape(_) => "README, \"webhooks\", describes the form",
    };
    let code = match error {
        ShapeError::NotJson(_) => Code::NotJson,
        ShapeError::NotThisShape(_) => Code::WrongShape,
    };
    Problem::new(StatusCode::BAD_REQUEST, code, "The body cannot be understood", format!("{error}; {detail}"))
}

/// For a connection that is stored and cannot be read: its secrets are missing, and its events must not be lost.
fn unusable() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        Code::ConnectionUnusable,
        "The connection cannot be used now",
        "nothing was stored; send it again later. Whoever runs the bridge: its log says what is wrong with the connection.",
    )
    .retry_after(Duration::from_mins(1))
}

/// Counts and logs what did not get in. `source`: whose it says it is.
fn turned_away(state: &HttpState, source: &'static str, what: &str, problem: &Problem) {
    state.monitor.webhook(source, problem.code.as_str());
    tracing::warn!(code = %problem.code, "{what} was refused: {}", problem.detail);
}

fn unverified(code: Code, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, "The webhook cannot be trusted", detail)
}
