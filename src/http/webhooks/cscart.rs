//! `POST /webhooks/cscart/{connection}`: the store's add-on speaks.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::HeaderMap;
use cscart::webhook::{SignatureError, verify};

use super::{Receipt, TOLERANCE, Verified, bad_shape, raw_body, turned_away, unverified};
use crate::clock::in_words;
use crate::connection::ConnectionName;
use crate::http::error::{Problem, Result};
use crate::http::{HttpState, Shared};
use crate::inbox::Incoming;
use crate::reason::Code;
use crate::registry::Live;

/// The side of the store: the connection in the URL, whose secret has signed.
#[derive(Debug)]
pub struct CsCart {
    connection: ConnectionName,
}

/// A store's event.
///
/// Stored first, acknowledged after. Signed as Standard Webhooks describes it; the body is described in the README.
#[utoipa::path(post, path = "/webhooks/cscart/{connection}", tag = "webhooks",
    params(
        ("connection" = String, Path, description = "the connection's name"),
        ("webhook-id" = String, Header, description = "the event's id, the same over all repetitions"),
        ("webhook-timestamp" = i64, Header, description = "when it was sent, in seconds since 1970"),
        ("webhook-signature" = String, Header, description = "`v1,<base64 HMAC-SHA256 of \"id.timestamp.body\">`, several with spaces between"),
    ),
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 202, description = "stored", body = Receipt),
        (status = 200, description = "a duplicate: the first one's id", body = Receipt),
        (status = 400, description = "not JSON, or not of the agreed form", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "signature or timestamp", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no such connection", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "over 1 MiB", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "not stored: send it again", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn receive(State(state): State<Shared>, webhook: Verified<CsCart>) -> Result<Receipt> {
    let kind = webhook.said.kind().to_owned();
    let appended = state.inbox.append(&webhook.side.connection, webhook.said).await.inspect_err(|_| {
        state.monitor.webhook("cscart", "not-stored");
    })?;
    state.polling.heard(&webhook.side.connection, &kind).await;
    state.monitor.webhook("cscart", if appended.duplicate { "duplicate" } else { "stored" });
    Ok(Receipt::new(appended, &state.public_url))
}

impl FromRequest<Shared> for Verified<CsCart> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Shared) -> Result<Self> {
        verified(request, state)
            .await
            .inspect_err(|problem| turned_away(state, "cscart", "a webhook of a store", problem))
    }
}

async fn verified(request: Request, state: &HttpState) -> Result<Verified<CsCart>> {
    let signed = signed(request, state).await?;
    let said = Incoming::from_cscart(&signed.id, signed.body).map_err(|error| bad_shape(&error))?;
    Ok(Verified { side: CsCart { connection: signed.live.connection.name.clone() }, said })
}

/// What a store has signed: webhooks and questions alike.
pub(super) struct Signed {
    /// The connection in the URL, whose secret has signed.
    pub(super) live: Arc<Live>,
    /// Its `webhook-id`.
    pub(super) id: String,
    /// Its `webhook-timestamp`.
    pub(super) sent: i64,
    /// The bytes that were signed.
    pub(super) body: Vec<u8>,
}

/// Checks size, signature and age.
pub(super) async fn signed(request: Request, state: &HttpState) -> Result<Signed> {
    let (mut parts, body): (_, Body) = request.into_parts();
    let name = axum::RequestPartsExt::extract::<Path<String>>(&mut parts).await;
    let name: Option<ConnectionName> = name.ok().and_then(|Path(name)| name.parse().ok());
    let live = name.as_ref().and_then(|name| state.registry.get(name));
    if name.as_ref().is_some_and(|name| state.registry.unreadable(name).is_some()) {
        return Err(super::unusable());
    }
    let Some(live) = live else {
        return Err(Problem::new(
            axum::http::StatusCode::NOT_FOUND,
            Code::UnknownConnection,
            "There is no such connection",
            "no connection has this name: compare the URL with the one that `cartbridge connection show NAME` prints",
        ));
    };
    if live.webhook_secrets.is_empty() {
        return Err(unverified(
            Code::NoWebhookSecret,
            "this connection takes no webhooks of its store: it has no webhook secret. To connect the store's add-on, give it one in \
             `cscart.webhook_secrets`",
        ));
    }
    let body = raw_body(&parts.headers, body).await?;
    let header = |name: &str| text_header(&parts.headers, name);
    let id = header("webhook-id");
    let (sent, now) = (header("webhook-timestamp"), state.clock.now().as_second());
    verify(&live.webhook_secrets, id, sent, header("webhook-signature"), &body, now, TOLERANCE)
        .map_err(|error| refusal(error, apart(sent, now)))?;
    let (id, sent) = (id.unwrap_or_default().to_owned(), seconds(sent).unwrap_or(now));
    Ok(Signed { live, id, sent, body })
}

fn seconds(header: Option<&str>) -> Option<i64> {
    header?.parse().ok()
}

fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// How far the time of sending is from now. Told only after the signature fits.
fn apart(sent: Option<&str>, now: i64) -> String {
    in_words(now.abs_diff(seconds(sent).unwrap_or(now)))
}

/// Says what the sender can mend; never which part of a secret or which of several secrets did not fit.
fn refusal(error: SignatureError, apart: String) -> Problem {
    match error {
        SignatureError::MissingHeader(name) => unverified(
            Code::SignatureMissing,
            format!(
                "the header `{name}` is missing, empty or too long: sign as Standard Webhooks describes it"
            ),
        ),
        SignatureError::MalformedTimestamp => {
            unverified(Code::TimestampMalformed, "`webhook-timestamp` must be seconds since 1970, in digits")
        }
        SignatureError::TimestampTooOld => unverified(
            Code::TimestampStale,
            format!(
                "`webhook-timestamp` is {apart} behind the bridge's clock, and 5 minutes are allowed: sign each repetition anew, \
                 and set both clocks by NTP"
            ),
        ),
        SignatureError::TimestampTooNew => unverified(
            Code::TimestampFuture,
            format!(
                "`webhook-timestamp` is {apart} ahead of the bridge's clock, and 5 minutes are allowed: set the store's clock by \
                 NTP"
            ),
        ),
        SignatureError::NoMatch => unverified(
            Code::SignatureMismatch,
            "no signature fits: compare the secret in the store's add-on with the connection's, and sign the body as it is sent",
        ),
    }
}
