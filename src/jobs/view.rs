//! A job as it is shown: the same by API and command line.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::estimate::{ALLOWED, WINDOW};
use super::{Job, JobState, Options, Outcome, Place};

/// A job, and how far it has come.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobView {
    /// Its id.
    pub id: String,
    /// The connection.
    pub connection: String,
    /// `import`, `resync` or `verify`.
    pub kind: &'static str,
    /// What was chosen: `dry_run`, `page_size`, `sample`, `since`.
    #[schema(value_type = Object)]
    pub options: Options,
    /// `queued`, `running`, `paused`, `done`, `failed` or `cancelled`.
    pub state: &'static str,
    /// Why it waits, has failed or was stopped.
    pub reason: Option<String>,
    /// What it is at: `counting`, `choosing`, `contacts` (reading the location's), `customers` (comparing the store's),
    /// `leftovers`, `ending` (the last events are under way).
    pub step: &'static str,
    /// How many contacts the location has; null: not known yet.
    pub contacts: Option<u64>,
    /// How many of them were read.
    pub contacts_read: u64,
    /// How many customers are looked at; null: not known yet.
    pub customers: Option<u64>,
    /// How many of them were compared: those that are done with, and those whose events are under way.
    pub examined: u64,
    /// How many of them are done with.
    pub done: u64,
    /// How many events of it are under way.
    pub open: u64,
    /// How many customers ended how; in a dry run, how they would.
    #[schema(value_type = Object)]
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Calls to HighLevel, those of its events among them.
    pub calls: u64,
    /// Calls to HighLevel that are still to be made, as far as that can be told; null: it cannot be told yet.
    pub calls_left: Option<u64>,
    /// Calls to the store.
    pub store_calls: u64,
    /// Customers a second, since it began to run the last time; null: not known yet.
    pub rate: Option<f64>,
    /// Seconds until it is done: as long as HighLevel's rate limit takes for the calls that are left, if nothing else uses it; without
    /// such calls, at that rate. Null: not known.
    pub eta_seconds: Option<u64>,
    /// Which part of HighLevel's rate limit (100 calls in 10 seconds) it uses, 0 to 1; null: not known yet.
    pub budget_share: Option<f64>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it began.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

impl JobView {
    /// A job as it is shown at a time. `allowed`: how many calls in a window are meant for it.
    pub fn new(job: &Job, now: Timestamp, allowed: u32) -> Self {
        let progress = &job.progress;
        let done = progress.done();
        let running = job.resumed_at.filter(|_| job.state == JobState::Running || job.state.is_over());
        let seconds = running.map(|since| {
            let until = job.finished_at.unwrap_or(now);
            until.duration_since(since).as_secs_f64().max(0.001)
        });
        let rate = seconds.map(|seconds| done.saturating_sub(job.resumed_done) as f64 / seconds);
        let calls_left = job.calls_left();
        let left = job.customers().map(|all| all.saturating_sub(done));
        let eta_seconds = match (calls_left, rate, left) {
            _ if job.state != JobState::Running => None,
            (Some(calls @ 1..), _, _) => Some((calls * WINDOW.as_secs()).div_ceil(u64::from(allowed.max(1)))),
            (_, Some(rate), Some(left)) if rate > 0.0 => Some((left as f64 / rate).ceil() as u64),
            _ => None,
        };
        let budget_share = seconds.map(|seconds| {
            let calls = progress.calls.saturating_sub(job.resumed_calls) as f64;
            let all = f64::from(ALLOWED) / WINDOW.as_secs_f64() * seconds;
            (calls / all.max(1.0)).min(1.0)
        });
        Self {
            id: job.id.to_string(),
            connection: job.connection.to_string(),
            kind: job.kind.as_str(),
            options: job.options,
            state: job.state.as_str(),
            reason: job.reason.clone(),
            step: match &job.place {
                Place::Counting => "counting",
                Place::Choosing { .. } => "choosing",
                Place::Contacts { .. } => "contacts",
                Place::Customers { .. } => "customers",
                Place::Leftovers { .. } => "leftovers",
                Place::Ending => "ending",
            },
            contacts: progress.contacts,
            contacts_read: progress.contacts_read,
            customers: job.customers(),
            examined: progress.examined(),
            done,
            open: progress.outcomes.of(Outcome::Open),
            outcomes: progress.outcomes.shown(),
            calls: progress.calls,
            calls_left,
            store_calls: progress.store_calls,
            rate,
            eta_seconds,
            budget_share,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }
    }

    /// Whether it does nothing more unless a person asks for it.
    pub fn is_over(&self) -> bool {
        self.state.parse().is_ok_and(JobState::is_over)
    }
}
