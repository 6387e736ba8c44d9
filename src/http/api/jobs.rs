//! Jobs: imports, resyncs of many, verifications.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connections::find;
use super::events::required_body;
use crate::http::Shared;
use crate::http::auth::{Allowed, Operate, Read};
use crate::http::error::{Problem, Result};
use crate::jobs::{self, Asked, Estimate, Format, Job, JobId, JobKind, JobView, Options, Report};

/// How often whoever follows a job is told how far it has come.
const TOLD_EVERY: Duration = Duration::from_secs(1);

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list, start))
        .routes(routes!(show))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(cancel))
        .routes(routes!(follow))
        .routes(routes!(report))
}

/// A job to be done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewJob {
    /// The connection's name.
    connection: String,
    /// `import`, `resync` or `verify`.
    #[schema(value_type = String)]
    kind: JobKind,
    /// `page_size`: contacts read with one call, 1 to 500; `sample`: only so many customers (a verification); `since`: only
    /// customers who are new since then, or have events or orders (a resync).
    #[serde(default)]
    #[schema(value_type = Object)]
    options: Options,
    /// Compare only, and report what would be done.
    #[serde(default)]
    dry_run: bool,
}

/// A job that will run, and what it will cost.
#[derive(Debug, Serialize, ToSchema)]
struct Started {
    /// The job's id.
    id: String,
    /// Where its progress can be asked for.
    status_url: String,
    /// What it will cost; null: one of the two sides does not answer.
    estimate: Option<Estimate>,
    /// Why there is no estimate: the job meets with the same, and tries again.
    estimate_problem: Option<String>,
}

/// Start a job.
///
/// It runs as soon as no other of its connection does. Both sides are asked first how many customers and contacts there are.
#[utoipa::path(post, path = "/api/jobs", tag = "jobs", request_body = NewJob, security(("api_key" = [])), responses(
    (status = 202, description = "it will run", body = Started),
    (status = 400, description = "a job that cannot be understood", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such connection", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "it is stored and cannot be read", body = Problem, content_type = "application/problem+json"),
))]
async fn start(_: Allowed<Operate>, State(state): State<Shared>, body: Bytes) -> Result<Response> {
    let asked: NewJob = required_body(&body)?;
    let live = find(&state, &asked.connection)?;
    let options = Options { dry_run: asked.dry_run || asked.options.dry_run, ..asked.options };
    options.check(asked.kind).map_err(Problem::bad_request)?;
    let estimated = jobs::estimate(
        &*state.store,
        &state.tokens,
        &state.clock,
        &state.monitor,
        Asked { live: &live, kind: asked.kind, options },
    );
    let (estimate, estimate_problem) = match estimated.await {
        Ok(estimate) => (Some(estimate), None),
        Err(why) => (None, Some(why)),
    };
    let job = Job::new(live.connection.name.clone(), asked.kind, options, state.clock.now());
    state.store.add_job(&job).await?;
    let id = job.id.to_string();
    let status_url = format!("{}/api/jobs/{id}", state.public_url);
    Ok((StatusCode::ACCEPTED, Json(Started { id, status_url, estimate, estimate_problem })).into_response())
}

/// Which jobs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Of this connection.
    connection: Option<String>,
    /// How many, 1 to 500; without it 50.
    limit: Option<usize>,
}

#[derive(Debug, Serialize, ToSchema)]
struct JobList {
    items: Vec<JobView>,
}

/// Jobs, newest first.
#[utoipa::path(get, path = "/api/jobs", tag = "jobs", params(Which), security(("api_key" = [])), responses(
    (status = 200, description = "the newest jobs", body = JobList),
    (status = 400, description = "a filter that cannot be understood", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
))]
async fn list(
    _: Allowed<Read>,
    State(state): State<Shared>,
    Query(which): Query<Which>,
) -> Result<Json<JobList>> {
    let limit = match which.limit.unwrap_or(50) {
        limit @ 1..=500 => limit,
        limit => return Err(Problem::bad_request(format!("`limit` is {limit} and must be 1 to 500"))),
    };
    let connection = match which.connection.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => {
            Some(name.parse().map_err(|error| Problem::bad_request(format!("`connection`: {error}")))?)
        }
        None => None,
    };
    let jobs = state.store.jobs(connection.as_ref(), limit).await?;
    Ok(Json(JobList { items: jobs.iter().map(|job| view(&state, job)).collect() }))
}

/// One job, and how far it has come.
#[utoipa::path(get, path = "/api/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "the job's id")),
    security(("api_key" = [])), responses(
    (status = 200, description = "the job", body = JobView),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such job", body = Problem, content_type = "application/problem+json"),
))]
async fn show(
    _: Allowed<Read>,
    State(state): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<JobView>> {
    let job = job(&state, &id).await?;
    Ok(Json(view(&state, &job)))
}

/// Stop a job for now.
///
/// It files nothing more; the events that are under way (250 at most) go on.
#[utoipa::path(post, path = "/api/jobs/{id}/pause", tag = "jobs", params(("id" = String, Path, description = "the job's id")),
    security(("api_key" = [])), responses(
    (status = 200, description = "it is paused", body = JobView),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such job", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "it does not run", body = Problem, content_type = "application/problem+json"),
))]
async fn pause(
    _: Allowed<Operate>,
    State(state): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<JobView>> {
    let job = jobs::pause(&*state.store, job_id(&id)?, state.clock.now()).await?;
    Ok(Json(view(&state, &job)))
}

/// Let a paused or failed job go on where it was.
#[utoipa::path(post, path = "/api/jobs/{id}/resume", tag = "jobs", params(("id" = String, Path, description = "the job's id")),
    security(("api_key" = [])), responses(
    (status = 200, description = "it goes on as soon as no other of its connection runs", body = JobView),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such job", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "it is neither paused nor failed", body = Problem, content_type = "application/problem+json"),
))]
async fn resume(
    _: Allowed<Operate>,
    State(state): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<JobView>> {
    let job = jobs::resume(&*state.store, job_id(&id)?, state.clock.now()).await?;
    Ok(Json(view(&state, &job)))
}

/// End a job. What it has done stays done.
#[utoipa::path(post, path = "/api/jobs/{id}/cancel", tag = "jobs", params(("id" = String, Path, description = "the job's id")),
    security(("api_key" = [])), responses(
    (status = 200, description = "it is cancelled", body = JobView),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "the key does not allow it", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such job", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "it is over already", body = Problem, content_type = "application/problem+json"),
))]
async fn cancel(
    _: Allowed<Operate>,
    State(state): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<JobView>> {
    let job = jobs::cancel(&*state.store, job_id(&id)?, state.clock.now()).await?;
    Ok(Json(view(&state, &job)))
}

/// Follow a job: server-sent events `progress`, one a second, each with the job as JSON; the last one when it is over.
#[utoipa::path(get, path = "/api/jobs/{id}/events", tag = "jobs", params(("id" = String, Path, description = "the job's id")),
    security(("api_key" = [])), responses(
    (status = 200, description = "events, until the job is over", body = String, content_type = "text/event-stream"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such job", body = Problem, content_type = "application/problem+json"),
))]
async fn follow(
    _: Allowed<Read>,
    State(state): State<Shared>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = std::result::Result<Event, Infallible>>>> {
    let first = job(&state, &id).await?;
    let told = stream::unfold((state, Some(first), Duration::ZERO), async |(state, job, wait)| {
        let Job { id, .. } = job?;
        tokio::time::sleep(wait).await;
        // A bridge that stops waits for no one who follows.
        if state.monitor.is_stopping() {
            return None;
        }
        let job = state.store.job(id).await.ok().flatten()?;
        let view = view(&state, &job);
        let event = Event::default().event("progress").json_data(&view).ok()?;
        Some((Ok(event), (state, (!view.is_over()).then_some(job), TOLD_EVERY)))
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::default()))
}

/// Which part of a report.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Part {
    /// Leave out the customers that are equal.
    differences: bool,
}

/// What became of each customer: as CSV, or as JSON if `Accept` asks for it.
///
/// As long as the job is not done, the first line says that the report is partial, and why.
#[utoipa::path(get, path = "/api/jobs/{id}/report", tag = "jobs",
    params(("id" = String, Path, description = "the job's id"), Part), security(("api_key" = [])), responses(
    (status = 200, description = "a line for each customer", body = String, content_type = "text/csv"),
    (status = 401, description = "no API key", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "no such job", body = Problem, content_type = "application/problem+json"),
))]
async fn report(
    _: Allowed<Read>,
    State(state): State<Shared>,
    Path(id): Path<String>,
    Query(part): Query<Part>,
    headers: HeaderMap,
) -> Result<Response> {
    let job = job(&state, &id).await?;
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let (format, kind, ending) = if accepts.contains("json") {
        (Format::Json, "application/json", "json")
    } else {
        (Format::Csv, "text/csv; charset=utf-8", "csv")
    };
    let name = format!("attachment; filename=\"{}-{}-{}.{ending}\"", job.kind, job.connection, job.id);
    let report = Report::new(std::sync::Arc::clone(&state.store), &job, format, part.differences);
    let mut response = Response::new(Body::from_stream(report.parts()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // Made of words and ids, which are good in a header.
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// A job as it is shown now.
fn view(state: &Shared, job: &Job) -> JobView {
    let live = state.registry.get(&job.connection);
    let allowed = live.map_or(jobs::ALLOWED, |live| jobs::allowed(&live.connection.ghl));
    JobView::new(job, state.clock.now(), allowed)
}

fn job_id(text: &str) -> Result<JobId> {
    text.parse().map_err(|_| Problem::not_found(format!("there is no job `{text}`: a job's id is a UUID")))
}

async fn job(state: &Shared, text: &str) -> Result<Job> {
    let id = job_id(text)?;
    state.store.job(id).await?.ok_or_else(|| Problem::not_found(format!("there is no job {id}")))
}
