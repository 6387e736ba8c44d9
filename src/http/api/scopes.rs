//! What a connection may do in HighLevel, and what its routes need.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connections::find;
use crate::http::Shared;
use crate::http::auth::{Allowed, Read};
use crate::http::error::{Problem, Result};
use crate::show::{RouteScopes, route_scopes};
use crate::tokens::ConnectionState;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(scopes))
}

/// Granted against needed.
#[derive(Debug, Serialize, ToSchema)]
struct ScopesView {
    /// Whether it can work with HighLevel.
    status: ConnectionState,
    /// It may read and not write.
    read_only: bool,
    /// What the token allows; null: not known, as of a Private Integration Token.
    granted: Option<Vec<String>>,
    /// What the routes need and the token does not allow, as far as it is known.
    missing: Vec<String>,
    /// What each route needs.
    routes: Vec<RouteScopes>,
    /// Where a person allows what is missing; null: nothing is, or it is allowed at HighLevel's Private Integrations.
    expand_url: Option<String>,
}

/// What a connection may do in HighLevel, and what its routes need.
#[utoipa::path(get, path = "/api/connections/{name}/scopes", tag = "connections",
    params(("name" = String, Path, description = "the connection's name")), security(("api_key" = [])), responses(
    (status = 200, description = "granted against needed", body = ScopesView),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such connection", body = Problem, content_type = "application/problem+json"),
))]
async fn scopes(
    _: Allowed<Read>,
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Result<Json<ScopesView>> {
    let live = find(&state, &name)?;
    let status = state.tokens.status(&live).await?;
    let words = |scopes: &ghl::oauth::Scopes| scopes.iter().map(ToString::to_string).collect();
    let can_expand = live.connection.ghl.token.is_none() && !status.missing.is_empty();
    Ok(Json(ScopesView {
        status: status.state,
        read_only: status.state == ConnectionState::ReadOnly,
        granted: status.granted.as_ref().map(words),
        missing: words(&status.missing),
        routes: route_scopes(&state.tokens.needs(&live), &status.missing),
        expand_url: can_expand
            .then(|| format!("{}?scopes=needed", state.tokens.connect_url(&live.connection.name))),
    }))
}
