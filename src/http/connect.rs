//! Connecting in a browser: to HighLevel's chooser and back. No key is needed: whoever connects shows HighLevel that the
//! location is his, and tokens for another location are not taken.

mod page;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use ghl::oauth::Scopes;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::find_connection;
use super::error::Problem;
use super::{HttpState, Shared};
use crate::connection::ConnectionName;
use crate::grant::CONNECT_TTL;
use crate::reason::Code;
use crate::tokens::{AskedScopes, BeginError, Callback, CallbackError, Connected};
use page::{Link, Page, ScopeRow, closed};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(begin)).routes(routes!(callback))
}

#[derive(Debug, Deserialize)]
struct Asked {
    scopes: Option<String>,
    #[serde(default)]
    white_label: bool,
}

/// Begin to connect a connection with HighLevel.
///
/// For a browser, which is sent to HighLevel's chooser. `scopes=needed` asks for everything that the routes need.
#[utoipa::path(get, path = "/connect/ghl/{connection}", tag = "connect",
    params(
        ("connection" = String, Path, description = "the connection's name"),
        ("scopes" = Option<String>, Query, description = "`needed`, or scopes with blanks between them; without it: those of the configuration and those that were allowed before"),
        ("white_label" = Option<bool>, Query, description = "the chooser without HighLevel's name on it"),
    ),
    responses(
        (status = 303, description = "to the chooser; a cookie tells this browser from others"),
        (status = 400, description = "scopes that are none", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no such connection", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "the connection is not connected this way", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "the database cannot be used", body = Problem, content_type = "application/problem+json"),
    ))]
async fn begin(
    State(state): State<Shared>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    match try_begin(&state, &name, &asked).await {
        Ok(answer) => closed(answer),
        Err(problem) => tell(&headers, problem, None),
    }
}

async fn try_begin(state: &HttpState, name: &str, asked: &Asked) -> super::error::Result<Response> {
    let live = find_connection(state, name).map_err(|_| {
        let detail = format!("there is no connection `{name}` here");
        Problem::new(StatusCode::NOT_FOUND, Code::UnknownConnection, "There is no such connection", detail)
    })?;
    let scopes = AskedScopes::parse(asked.scopes.as_deref());
    let begun = state.tokens.begin(&live, scopes, asked.white_label).await.map_err(not_begun)?;
    let cookie = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{}",
        cookie_name(state),
        begun.nonce,
        CONNECT_TTL.as_secs(),
        if is_https(state) { "; Secure" } else { "" },
    );
    let mut answer = Redirect::to(&begun.url).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// HighLevel sends the browser back.
///
/// The redirect URL of the marketplace app, one for all connections.
#[utoipa::path(get, path = "/connect/callback", tag = "connect",
    params(
        ("state" = Option<String>, Query, description = "what `GET /connect/ghl/{connection}` sent along; good once, for 10 minutes, in the same browser"),
        ("code" = Option<String>, Query, description = "what the tokens are got for"),
        ("error" = Option<String>, Query, description = "why there is no code"),
    ),
    responses(
        (status = 200, description = "connected: what was allowed (a page, or JSON for who takes no HTML)", body = Object),
        (status = 400, description = "nothing was connected", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "HighLevel or the person did not allow it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "the tokens are for something else, or the connection was changed", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "HighLevel gave no tokens", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "the database cannot be used", body = Problem, content_type = "application/problem+json"),
    ))]
async fn callback(
    State(state): State<Shared>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    // RFC 6749, section 3.1: a parameter stands once. Whoever has put in another one wants something else.
    let value = |name: &str| {
        let mut values = query.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone());
        let value = values.next().filter(|value| !value.is_empty());
        if values.next().is_some() { None } else { value }
    };
    let callback = Callback {
        state: value("state"),
        nonce: cookie(&headers, cookie_name(&state)),
        code: value("code").map(SecretString::from),
        error: value("error"),
    };
    let mut answer = match state.tokens.callback(&state.registry, callback).await {
        Ok(connected) => tell_connected(&state, &headers, &connected),
        Err(error) => {
            tracing::warn!("a connect came to nothing: {error}");
            let link = error.connection().map(|name| again(&state, name));
            // Somebody else's link must not end what was begun in this browser.
            let is_ours = error.connection().is_some() && !matches!(error, CallbackError::OtherBrowser(_));
            let answer = tell(&headers, not_connected(error), link);
            if !is_ours {
                return answer;
            }
            answer
        }
    };
    let over = format!("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0", cookie_name(&state));
    let over = if is_https(&state) { format!("{over}; Secure") } else { over };
    if let Ok(over) = HeaderValue::from_str(&over) {
        answer.headers_mut().insert(header::SET_COOKIE, over);
    }
    answer
}

fn tell_connected(state: &HttpState, headers: &HeaderMap, connected: &Connected) -> Response {
    let needed = connected.connections.iter().map(|name| state.tokens.needed_by(name));
    let needed = needed.fold(Scopes::new(), |all, needed| all.union(&needed));
    let missing = connected.granted.missing(&needed);
    let Some(name) = connected.connections.first() else {
        return closed(StatusCode::NO_CONTENT.into_response());
    };
    if !wants_html(headers) {
        let body = serde_json::json!({
            "connections": connected.connections, "granted": connected.granted.to_string(),
            "missing": missing.to_string(),
        });
        return closed(axum::Json(body).into_response());
    }
    let mut paragraphs =
        vec![format!("Connection “{name}” works with HighLevel now. What had to wait goes on by itself.")];
    if let [_, others @ ..] = connected.connections.as_slice()
        && !others.is_empty()
    {
        let names: Vec<&str> = others.iter().map(ConnectionName::as_str).collect();
        paragraphs.push(format!("So do those of the same location: {}.", names.join(", ")));
    }
    let link = if missing.is_empty() {
        paragraphs.push("You can close this page.".into());
        None
    } else {
        paragraphs.push(
            "It may only do a part of what its routes need. What needs more waits; nothing is lost.".into(),
        );
        let href = format!("{}?scopes=needed", state.tokens.connect_url(name));
        Some(Link { href, text: "Allow the rest as well" })
    };
    let scopes = needed
        .union(&connected.granted)
        .iter()
        .map(|scope| ScopeRow { name: scope.to_string(), granted: connected.granted.contains(scope) })
        .collect();
    let title = if missing.is_empty() { "The store is connected" } else { "The store is connected, in part" };
    Page { title: title.into(), good: true, paragraphs, scopes, link }.respond(StatusCode::OK)
}

fn not_begun(error: BeginError) -> Problem {
    let status = match &error {
        BeginError::Scopes => StatusCode::BAD_REQUEST,
        BeginError::HasToken(_) | BeginError::NoClient(_) | BeginError::Chooser(_) => StatusCode::CONFLICT,
        BeginError::Store(error) => return error.clone().into(),
    };
    Problem::new(status, Code::NotConnectable, "It cannot be connected this way", error.to_string())
}

fn not_connected(error: CallbackError) -> Problem {
    let (status, code, title) = match &error {
        CallbackError::Store(error) => return error.clone().into(),
        CallbackError::NoState => (StatusCode::BAD_REQUEST, Code::NoState, "Nothing was begun here"),
        CallbackError::UnknownState => (StatusCode::BAD_REQUEST, Code::StateUnknown, "This connect is over"),
        CallbackError::OtherBrowser(_) => {
            (StatusCode::BAD_REQUEST, Code::OtherBrowser, "This is not the browser that began")
        }
        CallbackError::NoCode(_) => (StatusCode::BAD_REQUEST, Code::NoCode, "HighLevel sent no code"),
        CallbackError::Denied { .. } => (StatusCode::FORBIDDEN, Code::Denied, "HighLevel did not allow it"),
        CallbackError::Changed(_) => {
            (StatusCode::CONFLICT, Code::Changed, "The connection was changed meanwhile")
        }
        CallbackError::Unfit { .. } => {
            (StatusCode::CONFLICT, Code::UnfitGrant, "The tokens are for something else")
        }
        CallbackError::Exchange { .. } => {
            (StatusCode::BAD_GATEWAY, Code::NoTokens, "HighLevel gave no tokens")
        }
        CallbackError::Mistake => {
            (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "The bridge made a mistake")
        }
    };
    Problem::new(
        status,
        code,
        title,
        format!("{error}. Nothing was stored, and what was connected before still is"),
    )
}

/// A page for browsers, the problem itself for all others.
fn tell(headers: &HeaderMap, problem: Problem, link: Option<Link>) -> Response {
    if wants_html(headers) {
        let status = problem.status;
        Page::of_problem(&problem, link).respond(status)
    } else {
        closed(problem.into_response())
    }
}

fn again(state: &HttpState, name: &ConnectionName) -> Link {
    Link { href: state.tokens.connect_url(name), text: "Begin again" }
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.to_ascii_lowercase().contains("text/html"))
}

fn is_https(state: &HttpState) -> bool {
    state.public_url.starts_with("https://")
}

/// With `__Host-` a browser makes sure that no other host, and nobody over plain HTTP, has set it.
fn cookie_name(state: &HttpState) -> &'static str {
    if is_https(state) { "__Host-cartbridge_connect" } else { "cartbridge_connect" }
}

fn cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value.to_owned())
}
