//! The connection code of the store's add-on.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connections::find;
use crate::connection_code::{ConnectionCode, StoreIs};
use crate::http::Shared;
use crate::http::auth::{Admin, Allowed};
use crate::http::error::{Problem, Result};
use crate::reason::Code;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The store runs on the bridge's machine and may call it at a loopback address.
    #[serde(default)]
    same_machine: bool,
}

/// What a store's add-on is connected with.
#[derive(Serialize, ToSchema)]
struct AddonCode {
    /// The code. It holds the webhook secret: treat it as a password.
    #[schema(example = "cb1_eyJ1cmwiOiJodHRwczovL2JyaWRnZS5leGFtcGxlLmNvbSJ9")]
    code: String,
}

/// The connection code of the store's add-on.
///
/// It holds the bridge's address, the connection's name and its newest webhook secret: whoever has it can send events in the
/// store's name and see its customers.
#[utoipa::path(get, path = "/api/connections/{name}/code", tag = "connections",
    params(("name" = String, Path, description = "the connection's name"), Asked),
    security(("api_key" = [])), responses(
    (status = 200, description = "the code; not to be cached", body = AddonCode),
    (status = 400, description = "a query that cannot be read", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such connection", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "no code would work: the detail says why", body = Problem, content_type = "application/problem+json"),
))]
async fn show(
    _: Allowed<Admin>,
    State(state): State<Shared>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let live = find(&state, &name)?;
    let store = if asked.same_machine { StoreIs::OnThisMachine } else { StoreIs::Elsewhere };
    let code = ConnectionCode::new(&live.connection, &state.public_url, store).map_err(|none| {
        Problem::new(StatusCode::CONFLICT, Code::Conflict, "It cannot be done now", none.to_string())
    })?;
    let code = AddonCode { code: code.expose().to_owned() };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(code)).into_response())
}
