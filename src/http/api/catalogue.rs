//! What can be done in HighLevel, and what can set off a route.

use axum::Json;
use axum::extract::{Path, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::Shared;
use crate::http::auth::{Allowed, Read};
use crate::http::error::{Problem, Result};
use crate::show::catalogue::{self, Catalogue, Entry};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// What to look for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    /// Words that are all found in name, title, path or type; without it everything.
    search: String,
}

/// Actions and triggers.
#[utoipa::path(get, path = "/api/catalogue", tag = "catalogue", params(Search), security(("api_key" = [])), responses(
    (status = 200, description = "what was found, by name", body = Catalogue),
    (status = 400, description = "a parameter that is not known", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
))]
async fn list(
    _: Allowed<Read>,
    search: std::result::Result<Query<Search>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Catalogue>> {
    let Query(search) = search.map_err(|error| Problem::bad_request(error.body_text()))?;
    Ok(Json(catalogue::search(&search.search)))
}

/// One action or trigger, with everything that is known of it.
#[utoipa::path(get, path = "/api/catalogue/{name}", tag = "catalogue",
    params(("name" = String, Path, description = "its whole name, such as ghl.contact.create")),
    security(("api_key" = [])), responses(
    (status = 200, description = "an action or a trigger", body = Entry),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such name", body = Problem, content_type = "application/problem+json"),
))]
async fn show(_: Allowed<Read>, Path(name): Path<String>) -> Result<Json<Entry>> {
    catalogue::entry(&name).map(Json).ok_or_else(|| {
        Problem::not_found(format!(
            "`{name}` is neither an action nor a trigger of the catalogue: GET /api/catalogue?search= finds them"
        ))
    })
}
