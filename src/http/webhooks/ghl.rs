//! `POST /webhooks/ghl`: HighLevel speaks, for all locations at one address.
//!
//! HighLevel repeats a delivery only when it is answered 429; any 5xx loses the event. So whatever keeps us from storing
//! is answered 429 (HighLevel, Webhook Integration Guide, "retries").

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ghl::webhook::{Envelope, EnvelopeError, SignatureError, Verifier};

use super::{Receipt, TOLERANCE, Verified, bad_shape, raw_body, turned_away, unverified};
use crate::clock::in_words;
use crate::connection::{ConnectionName, GhlSide};
use crate::event::Source;
use crate::http::error::{Problem, Result};
use crate::http::{HttpState, Shared};
use crate::inbox::{Incoming, ShapeError};
use crate::reason::Code;
use crate::registry::Live;

/// The one address for all locations.
pub(in crate::http) const PATH: &str = "/webhooks/ghl";

/// A repetition may be this late: 6 retries, 10 minutes apart, with jitter.
const LATEST_RETRY: Duration = Duration::from_hours(2);

/// HighLevel's side: the connections of the location that the body names.
#[derive(Debug)]
pub struct Ghl {
    connections: Vec<ConnectionName>,
    location: String,
    /// The app was uninstalled.
    uninstall: Option<Uninstall>,
}

/// What `UNINSTALL` says (webhook-events/AppUninstall).
#[derive(Debug)]
struct Uninstall {
    app: Option<String>,
    /// For the whole company.
    company: Option<ghl::CompanyId>,
    /// The connections whose own keys have signed it.
    by: Vec<ConnectionName>,
    at: Option<jiff::Timestamp>,
}

/// An event of HighLevel's.
///
/// Signed with `X-GHL-Signature` (Ed25519 over the raw body). One URL for all locations.
#[utoipa::path(post, path = "/webhooks/ghl", tag = "webhooks",
    params(
        ("x-ghl-signature" = String, Header, description = "base64 of the Ed25519 signature over the raw body"),
        ("x-wh-signature" = Option<String>, Header, description = "HighLevel's old signature; only where a connection allows it"),
    ),
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 202, description = "stored", body = Receipt),
        (status = 200, description = "a duplicate, or a location that no connection has", body = Object),
        (status = 400, description = "not JSON, or not of HighLevel's form", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "signature or timestamp", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "over 1 MiB", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "not stored: send it again", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn receive(State(state): State<Shared>, webhook: Verified<Ghl>) -> Result<Response> {
    if let Some(uninstall) = &webhook.side.uninstall {
        disconnect(&state, &webhook, uninstall).await.map_err(|error| again_later(&state, &error.into()))?;
    }
    // Two stores may share a location; then each has its own event. The first receipt is as good as the other.
    let Some((first, others)) = webhook.side.connections.split_first() else {
        if state.registry.has_unreadable() {
            // The location may be that of a connection that cannot be read.
            return Err(again_later(&state, &super::unusable()));
        }
        state.monitor.webhook("ghl", "unknown-location");
        tracing::warn!(
            location.id = webhook.side.location,
            "a webhook came for a location that no connection has"
        );
        let body = serde_json::json!({
            "ignored": true, "reason": "no connection has this location",
        });
        return Ok((StatusCode::OK, axum::Json(body)).into_response());
    };
    for other in others {
        state
            .inbox
            .append(other, webhook.said.clone())
            .await
            .map_err(|error| again_later(&state, &error.into()))?;
    }
    let appended =
        state.inbox.append(first, webhook.said).await.map_err(|error| again_later(&state, &error.into()))?;
    state.monitor.webhook("ghl", if appended.duplicate { "duplicate" } else { "stored" });
    Ok(Receipt::new(appended, &state.public_url).into_response())
}

/// Puts out of use what was uninstalled, before that is acknowledged. A delivery that is known is not taken twice: the app may
/// have been installed again since.
async fn disconnect(
    state: &HttpState,
    webhook: &Verified<Ghl>,
    uninstall: &Uninstall,
) -> crate::store::Result<()> {
    let mut names = webhook.side.connections.clone();
    if let Some(company) = uninstall.company.as_ref().filter(|_| webhook.side.location.is_empty()) {
        names = state.tokens.of_company(company).await?;
        names.retain(|name| uninstall.by.contains(name));
    }
    for name in names {
        if state.inbox.known(&name, Source::Ghl, webhook.said.source_id()).await?.is_none() {
            let app = uninstall.app.as_deref();
            state.tokens.uninstalled(&state.registry, &[name], app, uninstall.at).await?;
        }
    }
    Ok(())
}

impl FromRequest<Shared> for Verified<Ghl> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Shared) -> Result<Self> {
        verified(request, state)
            .await
            .inspect_err(|problem| turned_away(state, "ghl", "a webhook of HighLevel", problem))
    }
}

async fn verified(request: Request, state: &HttpState) -> Result<Verified<Ghl>> {
    let (parts, body) = request.into_parts();
    let body = raw_body(&parts.headers, body).await?;
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let (signature, legacy) = (header("x-ghl-signature"), header("x-wh-signature"));

    // The body is not trusted yet, so it cannot say whose key to use: every set of keys in use is tried once, and only
    // connections whose own keys have signed may take the event.
    let all = state.registry.all();
    let mut tried: Vec<(&GhlSide, std::result::Result<(), SignatureError>)> = Vec::new();
    let mut trusted: Vec<&Arc<Live>> = Vec::new();
    for live in all.values() {
        let side = &live.connection.ghl;
        let known =
            tried.iter().find(|(other, _)| other.shares_webhook_keys_with(side)).map(|(_, verdict)| *verdict);
        let verdict = known.unwrap_or_else(|| {
            let verdict = live.verifier.verify(signature, legacy, &body);
            tried.push((side, verdict));
            verdict
        });
        if verdict.is_ok() {
            trusted.push(live);
        }
    }
    // One that HighLevel has signed, for a location that no connection has, is none the less from HighLevel.
    let by_highlevel = || Verifier::default().verify(signature, legacy, &body);
    if trusted.is_empty()
        && let Err(error) = by_highlevel()
    {
        return Err(refused(error));
    }

    let envelope = Envelope::parse(&body).map_err(|error| {
        bad_shape(&match error {
            EnvelopeError::NotJson(source) => ShapeError::NotJson(source),
            other => ShapeError::NotThisShape(other.to_string()),
        })
    })?;
    let location = envelope.location_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
    let mut connections: Vec<ConnectionName> = trusted
        .iter()
        .filter(|live| live.connection.ghl.location_id.as_str() == location)
        .map(|live| live.connection.name.clone())
        .collect();
    // The receipt is the first one's: a repetition must be answered with the same.
    connections.sort();
    let timestamp = envelope.timestamp;
    let uninstall = (envelope.kind == "UNINSTALL").then(|| Uninstall {
        app: envelope.app_id.as_ref().map(ToString::to_string),
        company: envelope.company_id.clone(),
        by: trusted.iter().map(|live| live.connection.name.clone()).collect(),
        at: timestamp,
    });
    let incoming = Incoming::from_ghl(&envelope, body);
    check_age(state, &connections, timestamp, &incoming).await?;
    Ok(Verified { side: Ghl { connections, location, uninstall }, said: incoming })
}

/// A repetition may carry the time of the first delivery. A known event is answered as a duplicate whatever its age; an
/// unknown one may be old only when we ourselves have asked for repetitions.
async fn check_age(
    state: &HttpState,
    connections: &[ConnectionName],
    timestamp: Option<jiff::Timestamp>,
    incoming: &Incoming,
) -> Result<()> {
    let Some(timestamp) = timestamp else { return Ok(()) };
    let age_ms = state.clock.now().as_millisecond() - timestamp.as_millisecond();
    if age_ms.unsigned_abs() <= TOLERANCE.as_millis() as u64 {
        return Ok(());
    }
    for connection in connections {
        let known = state.inbox.known(connection, Source::Ghl, incoming.source_id()).await;
        if known.map_err(|error| again_later(state, &error.into()))?.is_some() {
            return Ok(());
        }
    }
    let latest_ms = LATEST_RETRY.as_millis() as i64;
    let asked_for =
        state.clock.now().as_millisecond().saturating_sub(state.monitor.refused_ghl_at_ms()) <= latest_ms;
    let apart = in_words(age_ms.unsigned_abs() / 1000);
    match age_ms {
        age if age > 0 && age <= latest_ms && asked_for => Ok(()),
        age if age > 0 => Err(unverified(
            Code::TimestampStale,
            format!(
                "`timestamp` is {apart} behind the bridge's clock, 5 minutes are allowed, and the event is not a repetition that \
                 was asked for: set the clock of the bridge's machine by NTP"
            ),
        )),
        _ => Err(unverified(
            Code::TimestampFuture,
            format!(
                "`timestamp` is {apart} ahead of the bridge's clock, and 5 minutes are allowed: set the clock of the bridge's \
                 machine by NTP"
            ),
        )),
    }
}

/// Whatever has failed on the way, a mistake of ours and a lack of time included, is answered as what HighLevel repeats.
pub(in crate::http) async fn ask_highlevel_again(
    State(state): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let is_theirs = request.uri().path() == PATH;
    let answer = next.run(request).await;
    if is_theirs && answer.status().is_server_error() {
        let problem = Problem::new(
            answer.status(),
            Code::NotStored,
            "The event was not stored",
            "the bridge made a mistake or took too long, and its log tells more: send the event again",
        );
        return again_later(&state, &problem).into_response();
    }
    answer
}

/// HighLevel repeats only a 429.
fn again_later(state: &HttpState, problem: &Problem) -> Problem {
    state.monitor.refused_ghl(state.clock.now());
    state.monitor.webhook("ghl", "not-stored");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, problem.code, problem.title, problem.detail.clone())
        .retry_after(Duration::from_mins(1))
}

fn refused(error: SignatureError) -> Problem {
    match error {
        SignatureError::Missing => unverified(
            Code::SignatureMissing,
            "the header `X-GHL-Signature` is missing: is this URL meant for the workflow webhook?",
        ),
        SignatureError::Malformed => {
            unverified(Code::SignatureMalformed, "`X-GHL-Signature` is not the base64 of a signature")
        }
        _ => unverified(Code::SignatureMismatch, "the signature does not fit the body as it was received"),
    }
}
