//! API keys.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::events::required_body;
use crate::access::{ApiKey, KeyHash, Role};
use crate::http::Shared;
use crate::http::auth::{Admin, Allowed};
use crate::http::error::{Problem, Result};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(revoke))
}

/// A key, without itself.
#[derive(Debug, Serialize, ToSchema)]
struct KeyView {
    id: String,
    name: String,
    /// `read`, `operate` or `admin`.
    role: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<jiff::Timestamp>,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            role: key.role.as_str(),
            id: key.id,
            name: key.name,
            created_at: key.created_at,
            revoked_at: key.revoked_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct KeyList {
    items: Vec<KeyView>,
}

/// All API keys, without the keys themselves.
#[utoipa::path(get, path = "/api/keys", tag = "keys", security(("api_key" = [])), responses(
    (status = 200, description = "the keys", body = KeyList),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
))]
async fn list(_: Allowed<Admin>, State(state): State<Shared>) -> Result<Json<KeyList>> {
    Ok(Json(KeyList { items: state.store.keys().await?.into_iter().map(KeyView::from).collect() }))
}

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// What to call it.
    name: String,
    /// `read`, `operate` or `admin`.
    #[schema(value_type = String)]
    role: Role,
}

/// A key that was made. This is the only time that it is shown.
#[derive(Debug, Serialize, ToSchema)]
struct MadeKey {
    id: String,
    key: String,
}

/// Make an API key.
#[utoipa::path(post, path = "/api/keys", tag = "keys", request_body = NewKey, security(("api_key" = [])), responses(
    (status = 201, description = "made; shown only now", body = MadeKey),
    (status = 400, description = "no such role", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
))]
async fn add(_: Allowed<Admin>, State(state): State<Shared>, body: Bytes) -> Result<Response> {
    let asked: NewKey = required_body(&body)?;
    let (key, secret) = ApiKey::generate(asked.name, asked.role, state.clock.now());
    state.store.add_key(&key, KeyHash::of(&secret)).await?;
    let made = MadeKey { id: key.id, key: secret.expose_secret().to_owned() };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Revoke an API key.
#[utoipa::path(delete, path = "/api/keys/{id}", tag = "keys", params(("id" = String, Path, description = "the key's id")),
    security(("api_key" = [])), responses(
    (status = 204, description = "revoked"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such key", body = Problem, content_type = "application/problem+json"),
))]
async fn revoke(
    _: Allowed<Admin>,
    State(state): State<Shared>,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    state.store.revoke_key(&id, state.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
