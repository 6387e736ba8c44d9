//! Events: what came in, what was done for it, and doing it again.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::engine::requests;
use crate::event::{EventId, State as EventState, Subject};
use crate::http::auth::{Allowed, Operate, Read};
use crate::http::error::{Problem, Result};
use crate::http::{HttpState, Shared};
use crate::mistake;
use crate::show::{EventDetail, EventSummary};
use crate::store::EventFilter;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(replay))
        .routes(routes!(replay_all))
        .routes(routes!(stats))
}

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Of this connection.
    connection: Option<String>,
    /// In this state: pending, working, waiting, parked, done, ignored, folded, dead.
    state: Option<String>,
    /// Of this type, such as `customer.created` or `cscart.customer.created`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// About this subject, such as `customer:42`.
    subject: Option<String>,
    /// Received at this time or later (RFC 3339).
    since: Option<String>,
    /// Received before this time (RFC 3339).
    until: Option<String>,
}

impl Filter {
    fn parse(&self) -> Result<EventFilter> {
        fn parsed<T>(name: &str, text: Option<&String>) -> Result<Option<T>>
        where
            T: std::str::FromStr<Err: std::fmt::Display>,
        {
            let parse = |text: &String| {
                text.parse().map_err(|error| Problem::bad_request(format!("`{name}`: {error}")))
            };
            text.filter(|text| !text.is_empty()).map(parse).transpose()
        }
        Ok(EventFilter {
            connection: parsed("connection", self.connection.as_ref())?,
            state: parsed::<EventState>("state", self.state.as_ref())?,
            kind: self.kind.clone().filter(|kind| !kind.is_empty()),
            subject: self.subject.clone().filter(|subject| !subject.is_empty()).map(Subject::other),
            since: parsed("since", self.since.as_ref())?,
            until: parsed("until", self.until.as_ref())?,
        })
    }
}

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// How many, 1 to 500; without it 50.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct EventPage {
    items: Vec<EventSummary>,
    /// Where the next page begins; null: this was the last one.
    next_cursor: Option<String>,
}

/// Events, newest first.
#[utoipa::path(get, path = "/api/events", tag = "events", params(Filter, Paging), security(("api_key" = [])), responses(
    (status = 200, description = "a page of events", body = EventPage),
    (status = 400, description = "a filter that cannot be understood", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
))]
async fn list(
    _: Allowed<Read>,
    State(state): State<Shared>,
    Query(paging): Query<Paging>,
    Query(query): Query<std::collections::BTreeMap<String, String>>,
) -> Result<Json<EventPage>> {
    let filter = filter_of(query)?.parse()?;
    let cursor = match paging.cursor.as_deref().filter(|cursor| !cursor.is_empty()) {
        Some(cursor) => Some(cursor.parse().map_err(|_| {
            Problem::bad_request("`cursor` is not one: pass `next_cursor` of the page before, unchanged")
        })?),
        None => None,
    };
    let limit = match paging.limit.unwrap_or(50) {
        limit @ 1..=500 => limit,
        limit => return Err(Problem::bad_request(format!("`limit` is {limit} and must be 1 to 500"))),
    };
    let page = state.store.events(&filter, cursor, limit).await?;
    Ok(Json(EventPage {
        items: page.events.iter().map(EventSummary::from).collect(),
        next_cursor: page.next.map(|seq| seq.to_string()),
    }))
}

/// A filter that is misspelt must not list everything.
fn filter_of(mut query: std::collections::BTreeMap<String, String>) -> Result<Filter> {
    query.remove("limit");
    query.remove("cursor");
    serde_json::from_value(serde_json::json!(query)).map_err(|error| Problem::bad_request(error.to_string()))
}

/// One event: its payload and everything done for it.
#[utoipa::path(get, path = "/api/events/{id}", tag = "events", params(("id" = String, Path, description = "the event's id")),
    security(("api_key" = [])), responses(
    (status = 200, description = "the event", body = EventDetail),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such event", body = Problem, content_type = "application/problem+json"),
))]
async fn show(
    _: Allowed<Read>,
    State(state): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<EventDetail>> {
    let id = event_id(&id)?;
    match state.store.event(id).await? {
        Some((event, effects)) => Ok(Json(EventDetail::new(&event, &effects))),
        None => Err(no_event(id)),
    }
}

/// How to replay.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct ReplayOptions {
    /// Do again also what is done.
    force: bool,
}

/// Where to watch what was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Accepted {
    /// The event's id.
    id: String,
    /// Where its status can be asked for.
    status_url: String,
}

impl Accepted {
    pub(super) fn new(id: EventId, state: &HttpState) -> Self {
        Self { id: id.to_string(), status_url: format!("{}/api/events/{id}", state.public_url) }
    }
}

/// Run an event again.
///
/// A dead or waiting event goes on under its id; what is done stays done. A finished one becomes a new event
/// (`replayed_from`), which does what is not done yet, or everything with `force`.
#[utoipa::path(post, path = "/api/events/{id}/replay", tag = "events", params(("id" = String, Path, description = "the event's id")),
    request_body(content = ReplayOptions, description = "may be left out"), security(("api_key" = [])), responses(
    (status = 202, description = "it will run", body = Accepted),
    (status = 400, description = "a body that cannot be understood", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such event", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "it is being carried out", body = Problem, content_type = "application/problem+json"),
))]
async fn replay(
    _: Allowed<Operate>,
    State(state): State<Shared>,
    Path(id): Path<String>,
    body: axum::body::Bytes,
) -> Result<Response> {
    let id = event_id(&id)?;
    let options: ReplayOptions = optional_body(&body)?;
    state.tokens.forget_denials();
    let run = requests::replay(&*state.store, &state.clock, id, options.force).await?;
    state.inbox.wake();
    Ok((StatusCode::ACCEPTED, Json(Accepted::new(run, &state))).into_response())
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplayMany {
    /// Which events; without any condition all dead letters.
    filter: Filter,
    /// Do again also what is done.
    #[serde(default)]
    force: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct Replayed {
    /// How many events run again.
    replayed: usize,
    /// How many were left alone because they are being carried out.
    skipped: usize,
}

/// Run many events again.
///
/// Everything that fits the filter; without `state`, what is dead.
#[utoipa::path(post, path = "/api/events/replay", tag = "events", request_body = ReplayMany, security(("api_key" = [])), responses(
    (status = 202, description = "they will run", body = Replayed),
    (status = 400, description = "a filter that cannot be understood", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
))]
async fn replay_all(
    _: Allowed<Operate>,
    State(state): State<Shared>,
    body: axum::body::Bytes,
) -> Result<Response> {
    let asked: ReplayMany = required_body(&body)?;
    let mut filter = asked.filter.parse()?;
    filter.state = Some(filter.state.unwrap_or(EventState::Dead));
    state.tokens.forget_denials();
    let (replayed, skipped) = requests::replay_all(&*state.store, &state.clock, &filter, asked.force).await?;
    state.inbox.wake();
    Ok((StatusCode::ACCEPTED, Json(Replayed { replayed, skipped })).into_response())
}

/// How many events are in each state.
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
struct Stats(std::collections::BTreeMap<&'static str, u64>);

/// How many events are in each state.
#[utoipa::path(get, path = "/api/stats", tag = "events", security(("api_key" = [])), responses(
    (status = 200, description = "counts by state", body = Stats),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
))]
async fn stats(_: Allowed<Read>, State(state): State<Shared>) -> Result<Json<Stats>> {
    let counts = state.store.counts().await?;
    Ok(Json(Stats(counts.into_iter().map(|(state, count)| (state.as_str(), count)).collect())))
}

fn event_id(text: &str) -> Result<EventId> {
    text.parse()
        .map_err(|_| Problem::not_found(format!("there is no event `{text}`: an event's id is a UUID")))
}

fn no_event(id: EventId) -> Problem {
    Problem::not_found(format!("there is no event {id}"))
}

/// A JSON body, with the place of what is wrong in it.
pub(super) fn required_body<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let what = mistake::without_values(&error.inner().to_string());
        Problem::bad_request(format!("the body does not fit at `{}`: {what}", error.path()))
    })
}

fn optional_body<T: serde::de::DeserializeOwned + Default>(body: &[u8]) -> Result<T> {
    if body.iter().all(u8::is_ascii_whitespace) { Ok(T::default()) } else { required_body(body) }
}
