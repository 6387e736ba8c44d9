//! The one error that has a status: `application/problem+json` (RFC 9457) with what is wrong and what to do.

use std::any::Any;
use std::time::Duration;

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::reason::Code;
use crate::store;

/// An answer that is not a success.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; the same over versions. `docs/errors.md` has a section for each.
    #[schema(value_type = String, example = "signature-mismatch")]
    pub code: Code,
    /// The kind of problem in a few words.
    pub title: &'static str,
    /// The HTTP status.
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16)]
    pub status: StatusCode,
    /// What is wrong here, and what to do.
    pub detail: String,
    /// When to try again, in seconds.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form of it")]
fn as_number<S: serde::Serializer>(
    status: &StatusCode,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

/// What a handler answers.
pub type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    /// A problem with its explanation.
    pub fn new(status: StatusCode, code: Code, title: &'static str, detail: impl Into<String>) -> Self {
        Self { code, title, status, detail: detail.into(), retry_after: None }
    }

    /// `400`: the request is not of the form that it must have.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::BadRequest, "The request cannot be understood", detail)
    }

    /// `404`: there is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::NotFound, "There is no such thing", detail)
    }

    /// The same problem, with the time after which it may be gone.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound(_) => Self::not_found(error.to_string()),
            store::Error::Conflict(_) => {
                Self::new(StatusCode::CONFLICT, Code::Conflict, "It cannot be done now", error.to_string())
            }
            store::Error::Busy
            | store::Error::Unavailable(_)
            | store::Error::LeaseLost
            | store::Error::Corrupt { .. } => {
                tracing::error!(error = &error as &dyn std::error::Error, "the database cannot be used");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    Code::StorageUnavailable,
                    "The database cannot be used now",
                    "nothing was stored; send it again later. Whoever runs the bridge: is the disk full, or does another \
                     program hold the database? The log says more.",
                )
                .retry_after(Duration::from_secs(30))
            }
        }
    }
}

pub(super) async fn not_found(uri: Uri) -> Problem {
    Problem::not_found(format!("nothing is served at {}; `openapi.yaml` lists what is", uri.path()))
}

pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        Code::MethodNotAllowed,
        "This is not answered here",
        format!("{} does not take {method}; `openapi.yaml` lists what it takes", uri.path()),
    )
}

pub(super) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    // The panic hook has logged it.
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal,
        "The bridge made a mistake",
        "this is a fault of the bridge, which its log tells more about; nothing was done",
    )
    .retry_after(Duration::from_mins(1))
    .into_response()
}
