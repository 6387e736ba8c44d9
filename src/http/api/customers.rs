//! A customer as the store's page shows him, and links made by hand.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connections::{customer, find};
use super::events::{Accepted, required_body};
use crate::event::Subject;
use crate::http::auth::{Allowed, Operate, Read};
use crate::http::error::{Problem, Result};
use crate::http::{HttpState, Shared};
use crate::inbox::Incoming;
use crate::link::{Customer, Link};
use crate::reason::Code;
use crate::registry::Live;
use crate::store::LinkChange;
use crate::sync::Shadow;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show, link))
}

/// A customer and his contact.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct CustomerView {
    /// The customer, such as `customer:42`.
    customer: String,
    /// The contact's id in HighLevel; null: not linked.
    contact_id: Option<String>,
    /// The contact's page in HighLevel, for a person to open; null: not linked.
    contact_url: Option<String>,
    /// The tags on the contact that the bridge put there.
    tags: Vec<String>,
    /// What was last fetched: `contact`, `tasks`, `welcome_task`, `notes`, `appointments`, and in `missing` why a part is
    /// null; a note that came from the store has its `storeNoteId`. Null: nothing yet.
    #[schema(value_type = Option<Object>)]
    view: Option<Value>,
    /// When it was fetched.
    #[schema(value_type = Option<String>, format = DateTime)]
    fetched_at: Option<Timestamp>,
}

/// A customer as the store's page shows him. Answers from what was fetched before, and never waits for HighLevel.
#[utoipa::path(get, path = "/api/connections/{name}/customers/{customer}", tag = "customers",
    params(("name" = String, Path, description = "the connection's name"), ("customer" = String, Path, description = "`42` or `guest:<e-mail>`")),
    security(("api_key" = [])), responses(
    (status = 200, description = "the customer", body = CustomerView),
    (status = 400, description = "no customer", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such connection", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "it is stored and cannot be read", body = Problem, content_type = "application/problem+json"),
))]
async fn show(
    _: Allowed<Read>,
    State(state): State<Shared>,
    Path((name, who)): Path<(String, String)>,
) -> Result<Json<CustomerView>> {
    let live = find(&state, &name)?;
    let customer = customer(&Value::String(who))?;
    Ok(Json(CustomerView::of(&state, &live, &customer).await?))
}

impl CustomerView {
    /// What the bridge knows of a customer, without asking anybody.
    pub(in crate::http) async fn of(state: &HttpState, live: &Live, customer: &Customer) -> Result<Self> {
        let link = state.store.link(&live.connection.name, customer).await?;
        let view = state.store.view(&live.connection.name, customer).await?;
        Ok(Self {
            customer: customer.to_string(),
            contact_id: link.as_ref().map(|link| link.contact_id.to_string()),
            contact_url: link.as_ref().and_then(|link| live.connection.ghl.contact_url(&link.contact_id)),
            tags: link.map(|link| link.tags.into_iter().collect()).unwrap_or_default(),
            fetched_at: view.as_ref().map(|view| view.fetched_at),
            view: view.map(|view| view.view),
        })
    }

    /// Whether the customer has a contact whose state is to be had and is older than this, or not known.
    pub(in crate::http) fn is_older_than(&self, age: SignedDuration, now: Timestamp) -> bool {
        self.contact_id.is_some() && self.fetched_at.is_none_or(|at| now.duration_since(at) > age)
    }
}

/// The contact that a customer is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LinkByHand {
    /// The contact's id in HighLevel.
    contact_id: String,
}

/// Link a customer with a contact by hand.
///
/// Replaces the link that there was. The contact and its tasks are then fetched for the store's page.
#[utoipa::path(put, path = "/api/connections/{name}/customers/{customer}", tag = "customers",
    params(("name" = String, Path, description = "the connection's name"), ("customer" = String, Path, description = "`42` or `guest:<e-mail>`")),
    request_body = LinkByHand, security(("api_key" = [])), responses(
    (status = 202, description = "linked; the event fetches the contact", body = Accepted),
    (status = 400, description = "no customer, or no contact", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such connection", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "the contact belongs to another customer", body = Problem, content_type = "application/problem+json"),
))]
async fn link(
    _: Allowed<Operate>,
    State(state): State<Shared>,
    Path((name, who)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response> {
    let live = find(&state, &name)?;
    let customer = customer(&Value::String(who))?;
    let asked: LinkByHand = required_body(&body)?;
    if asked.contact_id.trim().is_empty() {
        return Err(Problem::bad_request(
            "`contact_id` is empty: copy it from the contact's page in HighLevel",
        ));
    }
    let contact_id: ghl::ContactId = asked.contact_id.trim().to_owned().into();
    let connection = live.connection.name.clone();
    let owners = state.store.links_of_contact(&connection, &contact_id).await?;
    if let Some(owner) = owners.iter().find(|link| link.customer != customer) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            Code::Conflict,
            "It cannot be done now",
            format!("contact {contact_id} is linked to {}: link that one elsewhere first", owner.customer),
        ));
    }
    let link = Link {
        connection: connection.clone(),
        customer: customer.clone(),
        contact_id,
        shadow: Shadow::default(),
        tags: std::collections::BTreeSet::new(),
        state_at: Timestamp::UNIX_EPOCH,
    };
    state.store.put_links(vec![LinkChange::Put(link)]).await?;
    let payload = json!({ "data": { "customer": customer.to_string() } });
    let incoming = Incoming::manual("linked", Subject::customer(&customer), &payload);
    let appended = state.inbox.append(&connection, incoming).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted::new(appended.id, &state))).into_response())
}
