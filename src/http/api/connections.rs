//! Connections: which store is paired with which location.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::events::{Accepted, required_body};
use super::health::Health;
use crate::connection::{Connection, ConnectionName};
use crate::dry_run;
use crate::http::auth::{Admin, Allowed, Operate, Read};
use crate::http::error::{Problem, Result};
use crate::http::{HttpState, Shared};
use crate::inbox::Incoming;
use crate::link::Customer;
use crate::polling::Standing;
use crate::reason::Code;
use crate::registry::Live;
use crate::store::Origin;
use crate::tokens::ConnectionState;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(show, replace, remove))
        .routes(routes!(resync))
}

/// A connection as it may be seen: of secrets only whether they are there.
#[derive(Debug, Serialize, ToSchema)]
struct ConnectionView {
    /// Its definition, as in `cartbridge.toml`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    definition: Value,
    /// `file` (read-only here) or `api`.
    #[schema(value_type = String)]
    origin: Origin,
    /// Whether it can work with HighLevel.
    status: ConnectionState,
    /// Why it stands so, and what to do.
    status_reason: Option<String>,
    /// Where a person connects it; null: it has a Private Integration Token.
    connect_url: Option<String>,
    /// The URL for the store's add-on.
    cscart_webhook_url: String,
    /// The URL for HighLevel.
    ghl_webhook_url: String,
    /// How it is doing.
    health: Health,
    /// Whether the store is polled, because its add-on is not there.
    polling: PollingView,
}

/// How the polling of a store goes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionPolling)]
struct PollingView {
    /// Whether it is polled.
    on: bool,
    /// When the last poll ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_at: Option<jiff::Timestamp>,
    /// When the next one is due.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<jiff::Timestamp>,
    /// What was wrong with the last one, and what to do.
    last_error: Option<String>,
    /// What polling cannot see; only the add-on tells it.
    cannot_see: Vec<&'static str>,
}

impl From<Standing> for PollingView {
    fn from(standing: Standing) -> Self {
        let Standing { on, last_at, next_at, last_error, cannot_see } = standing;
        Self { on, last_at, next_at, last_error, cannot_see }
    }
}

impl ConnectionView {
    async fn new(live: &Live, state: &HttpState) -> Result<Self> {
        let status = state.tokens.status(live).await?;
        Ok(Self {
            definition: live.connection.to_public(),
            origin: live.origin,
            status: status.state,
            status_reason: status.reason,
            connect_url: live
                .connection
                .ghl
                .token
                .is_none()
                .then(|| state.tokens.connect_url(&live.connection.name)),
            cscart_webhook_url: format!("{}/webhooks/cscart/{}", state.public_url, live.connection.name),
            ghl_webhook_url: format!("{}/webhooks/ghl", state.public_url),
            health: Health::of(live),
            polling: state.polling.standing(live).await?.into(),
        })
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct ConnectionList {
    items: Vec<ConnectionView>,
}

/// All connections.
#[utoipa::path(get, path = "/api/connections", tag = "connections", security(("api_key" = [])), responses(
    (status = 200, description = "the connections, by name", body = ConnectionList),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
))]
async fn list(_: Allowed<Read>, State(state): State<Shared>) -> Result<Json<ConnectionList>> {
    let all = state.registry.all();
    let mut items: Vec<_> = all.values().collect();
    items.sort_by(|a, b| a.connection.name.cmp(&b.connection.name));
    let mut views = Vec::with_capacity(items.len());
    for live in items {
        views.push(ConnectionView::new(live, &state).await?);
    }
    Ok(Json(ConnectionList { items: views }))
}

/// Make a connection.
#[utoipa::path(post, path = "/api/connections", tag = "connections", request_body = Object, security(("api_key" = [])), responses(
    (status = 201, description = "made", body = ConnectionView),
    (status = 400, description = "a definition that cannot work", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "there is one of this name", body = Problem, content_type = "application/problem+json"),
))]
async fn add(_: Allowed<Admin>, State(state): State<Shared>, body: Bytes) -> Result<Response> {
    let connection = definition(&body)?;
    if state.registry.get(&connection.name).is_some() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            Code::Conflict,
            "It cannot be done now",
            format!("there is a connection `{0}`: change it with PUT /api/connections/{0}", connection.name),
        ));
    }
    store_connection(&state, connection, StatusCode::CREATED).await
}

/// One connection.
#[utoipa::path(get, path = "/api/connections/{name}", tag = "connections", params(("name" = String, Path, description = "its name")),
    security(("api_key" = [])), responses(
    (status = 200, description = "the connection", body = ConnectionView),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such connection", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "it is stored and cannot be read", body = Problem, content_type = "application/problem+json"),
))]
async fn show(
    _: Allowed<Read>,
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Result<Json<ConnectionView>> {
    let live = find(&state, &name)?;
    Ok(Json(ConnectionView::new(&live, &state).await?))
}

/// Replace a connection.
///
/// What GET shows can be sent back: where a secret is `"(set)"`, the stored one is kept. Parked events go on.
#[utoipa::path(put, path = "/api/connections/{name}", tag = "connections", params(("name" = String, Path, description = "its name")),
    request_body = Object, security(("api_key" = [])), responses(
    (status = 200, description = "replaced", body = ConnectionView),
    (status = 400, description = "a definition that cannot work", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such connection", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "it is defined in the file, or cannot be read", body = Problem, content_type = "application/problem+json"),
))]
async fn replace(
    _: Allowed<Admin>,
    State(state): State<Shared>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response> {
    let before = find(&state, &name)?;
    let mut given: Value = required_body(&body)?;
    forget_view(&mut given);
    keep_secrets(&mut given, &before.connection.to_stored());
    let connection = definition(given.to_string().as_bytes())?;
    if connection.name != before.connection.name {
        return Err(Problem::bad_request("a connection's name cannot change: it is part of its webhook URL"));
    }
    store_connection(&state, connection, StatusCode::OK).await
}

/// Remove a connection. Its events stay.
#[utoipa::path(delete, path = "/api/connections/{name}", tag = "connections", params(("name" = String, Path, description = "its name")),
    security(("api_key" = [])), responses(
    (status = 204, description = "removed"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such connection", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "it is defined in the file, or cannot be read", body = Problem, content_type = "application/problem+json"),
))]
async fn remove(
    _: Allowed<Admin>,
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Result<StatusCode> {
    let live = find(&state, &name)?;
    state.store.remove_connection(&live.connection.name).await?;
    state.registry.reload().await?;
    state.tokens.changed(&live.connection.name);
    Ok(StatusCode::NO_CONTENT)
}

/// Whom to compare.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Resync {
    /// The customer: `42`, `"42"` or `"customer:42"`.
    #[schema(value_type = String, example = "42")]
    customer: Value,
    /// Change nothing, and answer what would be done: every call with its body.
    #[serde(default)]
    dry_run: bool,
}

/// Compare one customer on both sides and repair the difference.
///
/// With `dry_run` the store is asked for the customer, and what would be sent to HighLevel is answered in place of being sent.
#[utoipa::path(post, path = "/api/connections/{name}/resync", tag = "connections",
    params(("name" = String, Path, description = "the connection's name")),
    request_body = Resync, security(("api_key" = [])), responses(
    (status = 200, description = "a dry run: what would be done", body = dry_run::Report),
    (status = 202, description = "it will run", body = Accepted),
    (status = 400, description = "no customer", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such connection", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "it is stored and cannot be read", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "two dry runs are under way already", body = Problem, content_type = "application/problem+json"),
))]
async fn resync(
    _: Allowed<Operate>,
    State(state): State<Shared>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response> {
    let live = find(&state, &name)?;
    let asked: Resync = required_body(&body)?;
    let customer = customer(&asked.customer)?;
    if asked.dry_run {
        let report =
            state.dry_runs.run(dry_run::Asked::resync(live.connection.name.clone(), &customer)).await?;
        return Ok(Json(report).into_response());
    }
    let appended = state.inbox.append(&live.connection.name, Incoming::resync(&customer)).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted::new(appended.id, &state))).into_response())
}

/// A customer as people write one: a number, or text.
pub(in crate::http) fn customer(value: &Value) -> Result<Customer> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.parse().map_err(Problem::bad_request)
}

pub(in crate::http) fn find(state: &HttpState, name: &str) -> Result<std::sync::Arc<Live>> {
    let name = name.parse::<ConnectionName>().map_err(|error| Problem::not_found(error.to_string()))?;
    state.registry.get(&name).ok_or_else(|| match state.registry.unreadable(&name) {
        Some(why) => Problem::new(
            StatusCode::CONFLICT,
            Code::Conflict,
            "It cannot be done now",
            format!("connection `{name}` cannot be used: {why}. POST /api/connections takes it anew, with its secrets"),
        ),
        None => Problem::not_found(format!("there is no connection `{name}`; GET /api/connections lists them")),
    })
}

fn definition(body: &[u8]) -> Result<Connection> {
    let connection: Connection = required_body(body)?;
    if let Some(place) = unknown_secret(&connection) {
        return Err(Problem::bad_request(format!(
            "`{place}` is \"{SET}\", and nothing is stored that it could stand for: give the secret itself"
        )));
    }
    let flaws = crate::config::flaws_of(&connection);
    if flaws.is_empty() {
        return Ok(connection);
    }
    let all: Vec<String> = flaws.into_iter().map(|flaw| format!("{}: {}", flaw.what, flaw.mend)).collect();
    Err(Problem::bad_request(all.join("; ")))
}

async fn store_connection(state: &HttpState, connection: Connection, status: StatusCode) -> Result<Response> {
    let now = state.clock.now();
    state.store.put_connection(&connection, Origin::Api, now).await?;
    state.registry.reload().await?;
    state.tokens.changed(&connection.name);
    state.store.unpark(&connection.name, now).await?;
    state.inbox.wake();
    let live = find(state, connection.name.as_str())?;
    Ok((status, Json(ConnectionView::new(&live, state).await?)).into_response())
}

/// Takes away what [`ConnectionView`] has put around the definition.
fn forget_view(given: &mut Value) {
    if let Some(given) = given.as_object_mut() {
        for key in [
            "origin",
            "status",
            "status_reason",
            "connect_url",
            "cscart_webhook_url",
            "ghl_webhook_url",
            "health",
            "polling",
        ] {
            given.remove(key);
        }
    }
}

/// What stands for a secret that is there.
const SET: &str = "(set)";

/// Puts the stored secrets where `"(set)"` stands, so that what GET shows can be sent back. Webhook secrets have no names:
/// the first `"(set)"` is the first of those stored, whatever was put in front of it.
fn keep_secrets(given: &mut Value, stored: &Value) {
    for pointer in
        ["/ghl/token", "/ghl/oauth/client_secret", "/ghl/oauth/previous_client_secret", "/cscart/api_key"]
    {
        if let Some(text) = given.pointer_mut(pointer).filter(|text| **text == SET)
            && let Some(secret) = stored.pointer(pointer).filter(|secret| secret.is_string())
        {
            *text = secret.clone();
        }
    }
    let mut secrets = stored["cscart"]["webhook_secrets"].as_array().into_iter().flatten();
    let given = given.pointer_mut("/cscart/webhook_secrets").and_then(Value::as_array_mut);
    for text in given.into_iter().flatten().filter(|text| **text == SET) {
        if let Some(secret) = secrets.next() {
            *text = secret.clone();
        }
    }
}

/// The first place where `"(set)"` still stands: nothing is stored that it could stand for.
fn unknown_secret(connection: &Connection) -> Option<&'static str> {
    let is_set = |secret: &SecretString| secret.expose_secret() == SET;
    let (ghl, cscart) = (&connection.ghl, &connection.cscart);
    if ghl.token.as_ref().is_some_and(is_set) {
        Some("ghl.token")
    } else if ghl.oauth.as_ref().is_some_and(|oauth| is_set(&oauth.client_secret)) {
        Some("ghl.oauth.client_secret")
    } else if ghl.oauth.as_ref().and_then(|oauth| oauth.previous_client_secret.as_ref()).is_some_and(is_set) {
        Some("ghl.oauth.previous_client_secret")
    } else if cscart.api_key.as_ref().is_some_and(is_set) {
        Some("cscart.api_key")
    } else if cscart.webhook_secrets.iter().any(is_set) {
        Some("cscart.webhook_secrets")
    } else {
        None
    }
}
