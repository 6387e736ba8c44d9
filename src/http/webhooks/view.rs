//! `POST /addon/{connection}/view`: the store's page of a customer asks what HighLevel knows of him.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::cscart::signed;
use super::seen::Replay;
use super::{Verified, bad_shape, turned_away, unverified};
use crate::http::Shared;
use crate::http::api::{CustomerView, read_customer};
use crate::http::error::{Problem, Result};
use crate::inbox::{Incoming, ShapeError};
use crate::link::Customer;
use crate::reason::Code;
use crate::registry::Live;

/// What was fetched so long ago is fetched anew when somebody looks.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

/// The side of the store that asks.
pub struct Asking {
    live: Arc<Live>,
    /// The question's `webhook-id`.
    id: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    /// The customer: `42`, `"42"`, `"customer:42"` or `"guest:<e-mail>"`.
    #[schema(value_type = String, example = "42")]
    customer: Value,
}

/// A customer and his contact, for the store's page.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AddonView {
    #[serde(flatten)]
    customer: CustomerView,
    /// HighLevel is being asked anew: in a few seconds there is more to see.
    refreshing: bool,
}

/// What the store's page of a customer shows.
///
/// Signed as the store's webhooks are, with an id of its own for each question. Answers from what was fetched before and never
/// waits for HighLevel; what is older than 30 seconds is fetched anew in the background, as `customer.viewed` asks for.
#[utoipa::path(post, path = "/addon/{connection}/view", tag = "add-on",
    params(
        ("connection" = String, Path, description = "the connection's name"),
        ("webhook-id" = String, Header, description = "the question's id: each has its own"),
        ("webhook-timestamp" = i64, Header, description = "when it was sent, in seconds since 1970"),
        ("webhook-signature" = String, Header, description = "`v1,<base64 HMAC-SHA256 of \"id.timestamp.body\">`, several with spaces between"),
    ),
    request_body(content = Question, content_type = "application/json"),
    responses(
        (status = 200, description = "the customer", body = AddonView),
        (status = 400, description = "not JSON, or no customer", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "signature or timestamp", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no such connection", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "it was answered before", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "over 1 MiB", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "the connection, or the database, cannot be used now", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn answer(
    State(state): State<Shared>,
    asked: Verified<Asking, Customer>,
) -> Result<Json<AddonView>> {
    let Verified { side: Asking { live, id }, said: who } = asked;
    state.monitor.webhook("cscart", "asked");
    let customer = CustomerView::of(&state, &live, &who).await?;
    let mut refreshing = customer.is_older_than(FRESH, state.clock.now());
    if refreshing {
        let looked = viewed(&id, &who).map_err(|error| bad_shape(&error))?;
        if let Err(error) = state.inbox.append(&live.connection.name, looked).await {
            // What is known can be shown all the same.
            tracing::warn!(error = &error as &dyn std::error::Error, "a contact is not fetched anew");
            refreshing = false;
        }
    }
    Ok(Json(AddonView { customer, refreshing }))
}

/// That somebody looks at a customer's page, as the store itself would say it.
fn viewed(id: &str, who: &Customer) -> std::result::Result<Incoming, ShapeError> {
    let user = match who {
        Customer::User(id) => json!({ "user_id": id }),
        Customer::Guest(email) => json!({ "user_id": 0, "email": email, "guest": true }),
    };
    let body = json!({ "type": "customer.viewed", "data": { "user": user } });
    Incoming::from_cscart(id, body.to_string().into_bytes())
}

impl FromRequest<Shared> for Verified<Asking, Customer> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Shared) -> Result<Self> {
        verified(request, state)
            .await
            .inspect_err(|problem| turned_away(state, "cscart", "a question of a store", problem))
    }
}

async fn verified(request: Request, state: &Shared) -> Result<Verified<Asking, Customer>> {
    let signed = signed(request, state).await?;
    let now = state.clock.now().as_second();
    state.seen.first(&signed.live.connection.name, &signed.id, signed.sent, now).map_err(refusal)?;
    let question: Question = serde_json::from_slice(&signed.body).map_err(|error| {
        Problem::bad_request(format!("the body is not `{{\"customer\": \"42\"}}`: {error}"))
    })?;
    let said = read_customer(&question.customer)?;
    Ok(Verified { side: Asking { live: signed.live, id: signed.id }, said })
}

fn refusal(replay: Replay) -> Problem {
    match replay {
        Replay::Answered => Problem::new(
            StatusCode::CONFLICT,
            Code::Conflict,
            "It was answered before",
            "a question with this `webhook-id` was answered: give each its own, and sign it anew",
        ),
        Replay::BeforeStart => unverified(
            Code::TimestampStale,
            "it was signed before the bridge was started: ask again, signed anew; if that does not help, set the store's clock by \
             NTP",
        ),
    }
}
