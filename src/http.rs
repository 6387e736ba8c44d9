//! What comes in over HTTP: webhooks, the API, health. A handler extracts, calls one function, answers.

pub mod api;
pub mod auth;
mod connect;
mod edge;
pub mod error;
mod health;
pub mod listener;
pub mod openapi;
pub mod proxy;
pub mod webhooks;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, Request, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

use crate::clock::Clock;
use crate::config::TrustedProxies;
use crate::dry_run::DryRuns;
use crate::inbox::Inbox;
use crate::monitor::Monitor;
use crate::polling::Polling;
use crate::registry::Registry;
use crate::routes::Routes;
use crate::store::Store;
use crate::tokens::Tokens;
use auth::AdminKey;
use proxy::Client;

/// What the handlers share.
#[derive(Clone)]
pub struct HttpState {
    /// Everything durable.
    pub store: Arc<dyn Store>,
    /// Where events go.
    pub inbox: Inbox,
    /// The connections in use.
    pub registry: Registry,
    /// Counters and health.
    pub monitor: Monitor,
    /// The time.
    pub clock: Clock,
    /// The key from the environment.
    pub admin_key: AdminKey,
    /// The tokens for HighLevel.
    pub tokens: Tokens,
    /// Stores that are polled.
    pub polling: Polling,
    /// The address that others are told.
    pub public_url: Arc<str>,
    /// Whose word on where a request comes from is taken.
    pub trusted_proxies: TrustedProxies,
    /// Tries events without doing anything.
    pub dry_runs: DryRuns,
    /// The flows.
    pub routes: Routes,
}

/// [`HttpState`] as the handlers get it: each request clones it several times.
#[derive(Clone)]
struct Shared {
    state: Arc<HttpState>,
    /// Questions that were answered.
    seen: Arc<webhooks::Seen>,
}

impl Deref for Shared {
    type Target = HttpState;
    fn deref(&self) -> &HttpState {
        &self.state
    }
}

/// Everything that is served.
pub fn router(state: HttpState) -> Router {
    let seen = Arc::new(webhooks::Seen::new(state.clock.now()));
    let state = Shared { state: Arc::new(state), seen };
    let request_id = HeaderName::from_static("x-request-id");
    let (api, _) = openapi::documented_router().split_for_parts();
    Router::new()
        .merge(api)
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn(edge::in_time))
        .layer(map_response(edge::as_problem))
        .layer(from_fn_with_state(state.clone(), webhooks::ask_highlevel_again))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            header::HeaderValue::from_static("nosniff"),
        ))
        .layer(PropagateRequestIdLayer::new(request_id.clone()))
        .layer(TraceLayer::new_for_http().make_span_with(|request: &Request<_>| {
            // The path names connections and events; the query may hold anything, so it is left out.
            let client = request.extensions().get::<Client>().and_then(|client| client.address);
            let client = client.map(tracing::field::display);
            tracing::debug_span!("http", method = %request.method(), path = request.uri().path(), client)
        }))
        .layer(SetRequestIdLayer::new(request_id, MakeRequestUuid))
        .layer(from_fn_with_state(state.clone(), proxy::know_client))
        .with_state(state)
}
