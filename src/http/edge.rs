//! What surrounds every handler: a limit of time, and one form for whatever is refused before a handler runs.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::Problem;
use super::webhooks::FROM_HIGHLEVEL;
use crate::reason::Code;

/// Longer than any answer takes; a request that hangs is given up.
const LIMIT: Duration = Duration::from_secs(30);
/// HighLevel gives up on a slow answer and never comes again (its Webhook Integration Guide, "retries"; how long it waits
/// is not documented), so it is answered while it listens.
const LIMIT_FOR_HIGHLEVEL: Duration = Duration::from_secs(10);

/// Gives up on a request that takes too long.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    let limit = if request.uri().path() == FROM_HIGHLEVEL { LIMIT_FOR_HIGHLEVEL } else { LIMIT };
    tokio::time::timeout(limit, next.run(request)).await.unwrap_or_else(|_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Timeout,
            "It took too long",
            format!(
                "the request was not complete, or not answered, within {} seconds: send it again",
                limit.as_secs()
            ),
        )
        .retry_after(Duration::from_secs(30))
        .into_response()
    })
}

/// The framework refuses some requests by itself and in plain text (a query that does not parse, a body that is too
/// large): they are told in the form of all other problems.
pub(super) async fn as_problem(answer: Response) -> Response {
    let status = answer.status();
    let told = answer.headers().get(header::CONTENT_TYPE);
    let is_problem = told.is_some_and(|kind| kind == "application/problem+json");
    // A page for a person: see `connect`. The framework itself writes none.
    let is_page = told.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_problem || is_page || !(status.is_client_error() || status.is_server_error()) {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    // Longer than anything that the framework says.
    let text = to_bytes(body, 4096).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let (code, title) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => (Code::BodyTooLarge, "The body is too large"),
        _ if status.is_client_error() => (Code::BadRequest, "The request cannot be understood"),
        _ => (Code::Internal, "The bridge made a mistake"),
    };
    let detail = if text.is_empty() { status.to_string() } else { text.into_owned() };
    let problem = serde_json::to_string(&Problem::new(status, code, title, detail)).unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Response::from_parts(parts, Body::from(problem))
}
