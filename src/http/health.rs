//! Health, for supervisors and for Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::error::{Problem, Result};
use crate::reason::Code;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// The process runs.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "it runs", body = String)))]
async fn healthz() -> &'static str {
    "ok\n"
}

/// Events can be stored. Not while the bridge is stopping, nor while its database cannot be written.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "ready", body = String),
    (status = 503, description = "not ready", body = Problem, content_type = "application/problem+json"),
))]
async fn readyz(State(state): State<Shared>) -> Result<&'static str> {
    if state.monitor.is_stopping() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Stopping,
            "The bridge is stopping",
            "it finishes what it has begun and takes nothing new",
        ));
    }
    state.store.ping().await?;
    Ok("ready\n")
}

/// Counters in the form that Prometheus reads.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, description = "counters", body = String)))]
async fn metrics(State(state): State<Shared>) -> Result<Response> {
    let counts = state.store.counts().await?;
    let mut connections = Vec::new();
    for live in state.registry.all().values() {
        connections.push((Arc::clone(live), state.tokens.status(live).await?.state.works()));
    }
    state.monitor.connections(&connections);
    let text = state.monitor.render(&counts);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
