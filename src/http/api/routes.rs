//! The routes in force, and the texts that they have had.

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::Shared;
use crate::http::auth::{Allowed, Read};
use crate::http::error::{Problem, Result};
use crate::show::routes::{Listing, listing};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(versions))
}

/// A text that a route has had.
#[derive(Debug, Serialize, ToSchema)]
struct Version {
    /// Tells it from the route's other texts.
    version: String,
    /// When it was first in force.
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: Timestamp,
    /// The file, as it was read.
    text: String,
}

/// The texts of a route.
#[derive(Debug, Serialize, ToSchema)]
struct Versions {
    /// The newest first.
    items: Vec<Version>,
}

/// The routes in force, and the mistakes in their files.
#[utoipa::path(get, path = "/api/routes", tag = "routes", security(("api_key" = [])), responses(
    (status = 200, description = "the routes, by id", body = Listing),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
))]
async fn list(_: Allowed<Read>, State(state): State<Shared>) -> Json<Listing> {
    let all = state.registry.all();
    let mut connections: Vec<_> = all.values().map(|live| &live.connection).collect();
    connections.sort_by(|a, b| a.name.cmp(&b.name));
    Json(listing(&state.routes, &connections))
}

/// The texts that a route has had: an effect names the one that it was carried out with.
#[utoipa::path(get, path = "/api/routes/{id}/versions", tag = "routes",
    params(("id" = String, Path, description = "the route's id")), security(("api_key" = [])), responses(
    (status = 200, description = "its texts, the newest first", body = Versions),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such route", body = Problem, content_type = "application/problem+json"),
))]
async fn versions(
    _: Allowed<Read>,
    State(state): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Versions>> {
    let versions = state.store.route_versions(&id).await?;
    if versions.is_empty() {
        return Err(Problem::not_found(format!(
            "there is no route `{id}`, and there was none: GET /api/routes lists all"
        )));
    }
    let items = versions.into_iter().map(|it| Version {
        version: it.version,
        first_seen_at: it.first_seen_at,
        text: it.text,
    });
    Ok(Json(Versions { items: items.collect() }))
}
