//! Carries jobs out: of each connection one at a time. What a step has found out and where the next one begins is one
//! transaction, so a job that is killed goes on where it was.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::SignedDuration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::calls::{Caller, Hands, Trouble};
use super::step::{self, Ended};
use super::{Job, JobId, JobState, Progress};
use crate::clock::Clock;
use crate::config::EngineConfig;
use crate::connection::ConnectionName;
use crate::custom_fields::CustomFields;
use crate::inbox::Inbox;
use crate::monitor::Monitor;
use crate::registry::{Live, Registry};
use crate::restore::Restore;
use crate::store::{self, Store};
use crate::tokens::Tokens;

/// How soon a job that somebody has asked for, or stopped, is noticed.
const LOOK: Duration = Duration::from_millis(500);

/// After so many failures in a row a job has failed.
const TRIES: u32 = 20;

/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_mins(1);

/// Everything that jobs need.
pub struct Runner {
    /// Everything durable.
    pub store: Arc<dyn Store>,
    /// The connections in use.
    pub registry: Registry,
    /// What calls to HighLevel go with.
    pub tokens: Tokens,
    /// The time.
    pub clock: Clock,
    /// Counters.
    pub monitor: Monitor,
    /// Told when there are new events.
    pub inbox: Inbox,
    /// The custom fields of the locations.
    pub custom_fields: CustomFields,
    /// The database's last restore, if there was any.
    pub restore: Option<Restore>,
    /// How long to wait between two tries.
    pub config: EngineConfig,
}

impl Runner {
    /// Carries out jobs until `stop`, and ends when each has written down where it is.
    pub async fn run(self, stop: CancellationToken) {
        let runner = Arc::new(self);
        let mut at_work: HashMap<ConnectionName, JoinHandle<()>> = HashMap::new();
        while !stop.is_cancelled() {
            at_work.retain(|_, task| !task.is_finished());
            match runner.store.jobs_to_run().await {
                Ok(jobs) => {
                    for job in jobs {
                        at_work
                            .entry(job.connection.clone())
                            .or_insert_with(|| tokio::spawn(Arc::clone(&runner).work_on(job, stop.clone())));
                    }
                }
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "cannot read the jobs");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => {}
            }
        }
        for (_, task) in at_work {
            drop(task.await);
        }
    }

    async fn work_on(self: Arc<Self>, job: Job, stop: CancellationToken) {
        let (id, connection) = (job.id, job.connection.clone());
        let work = AssertUnwindSafe(self.carry_out(job, &stop)).catch_unwind().await;
        let failed = match work {
            Ok(Ok(())) => return,
            Ok(Err(error)) => store::in_full(&error),
            Err(_) => {
                "the bridge made a mistake, which its log tells more about; resume it to try again".to_owned()
            }
        };
        tracing::error!(job.id = %id, %connection, "job {id} cannot go on: {failed}");
        self.end(id, JobState::Failed, Some(failed)).await;
    }

    /// Makes step after step, until it is over or somebody stops it.
    async fn carry_out(&self, job: Job, stop: &CancellationToken) -> store::Result<()> {
        let id = job.id;
        if job.state == JobState::Queued {
            self.store.move_job(id, &[JobState::Queued], JobState::Running, None, self.clock.now()).await?;
            tracing::info!(job.id = %id, connection = %job.connection, "job {id} ({}) begins", job.kind);
        }
        let (mut failures, mut noted) = (0, job.reason.is_some());
        while !stop.is_cancelled() {
            let Some(job) = self.store.job(id).await?.filter(|job| job.state == JobState::Running) else {
                return self.forget(id).await;
            };
            let Some(live) = self.registry.get(&job.connection) else {
                let gone = format!(
                    "connection `{}` is gone or cannot be used: mend it, then resume",
                    job.connection
                );
                self.end(id, JobState::Failed, Some(gone)).await;
                return Ok(());
            };
            let trouble = match self.step(&live, &job).await {
                Ok(Some(wait)) => {
                    failures = 0;
                    if std::mem::take(&mut noted) {
                        self.store.note_job(id, None).await?;
                    }
                    pause(wait, stop).await;
                    continue;
                }
                Ok(None) => {
                    tracing::info!(job.id = %id, connection = %job.connection, "job {id} is done");
                    self.end(id, JobState::Done, None).await;
                    return self.forget(id).await;
                }
                Err(trouble) => trouble,
            };
            let (why, wait) = match trouble {
                Trouble::Wait { until, why } => {
                    let wait = until.duration_since(self.clock.now()).max(SignedDuration::ZERO);
                    (why.text, Duration::try_from(wait).unwrap_or_default())
                }
                Trouble::Retry(why) if failures < TRIES => {
                    failures += 1;
                    (format!("{} (try {failures} of {TRIES})", why.text), self.back_off(failures))
                }
                Trouble::Retry(why) | Trouble::Fatal(why) => {
                    tracing::error!(job.id = %id, connection = %job.connection, code = %why.code, "job {id} has failed: {why}");
                    self.end(id, JobState::Failed, Some(why.text)).await;
                    return Ok(());
                }
                Trouble::Store(store::Error::Busy | store::Error::Unavailable(_)) if failures < TRIES => {
                    failures += 1;
                    pause(self.back_off(failures), stop).await;
                    continue;
                }
                Trouble::Store(error) => return Err(error),
            };
            self.store.note_job(id, Some(why)).await?;
            noted = true;
            self.wait(id, wait, stop).await?;
        }
        Ok(())
    }

    /// Waits, unless a person stops the job meanwhile.
    async fn wait(&self, id: JobId, wait: Duration, stop: &CancellationToken) -> store::Result<()> {
        let mut left = wait.max(Duration::from_millis(1));
        while !left.is_zero() && !stop.is_cancelled() {
            let now = left.min(LOOK);
            pause(now, stop).await;
            left -= now;
            if self.store.job(id).await?.is_none_or(|job| job.state != JobState::Running) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// One step: how long to wait before the next one; none: it is done.
    async fn step(&self, live: &Live, job: &Job) -> Result<Option<Duration>, Trouble> {
        let caller = Caller::new(live, &self.tokens, &self.clock, &self.monitor);
        let number = self.restore.and_then(|_| self.registry.number_field(&live.connection));
        let hands = Hands { caller, store: &self.store, custom_fields: &self.custom_fields, number };
        let made = step::make(&hands, job).await;
        let (calls, store_calls) = hands.caller.spent();
        let spent = Progress { calls, store_calls, ..Progress::default() };
        match made {
            Ok(Ended::Step(made)) => {
                let (mut step, chunk) = *made;
                step.progress.add(&spent);
                let filed = !chunk.events.is_empty();
                if self.store.job_step(job.id, step, chunk).await? && filed {
                    self.inbox.wake();
                }
                Ok(Some(Duration::ZERO))
            }
            Ok(Ended::Later(wait)) => Ok(Some(wait)),
            Ok(Ended::Over) => Ok(None),
            Err(trouble) => {
                // What failed was paid for as well.
                let step = store::jobs::Step { place: job.place.clone(), progress: spent };
                self.store.job_step(job.id, step, store::jobs::Chunk::default()).await?;
                Err(trouble)
            }
        }
    }

    async fn end(&self, id: JobId, state: JobState, reason: Option<String>) {
        let moved = self.store.move_job(id, &[JobState::Running], state, reason, self.clock.now()).await;
        if let Err(error) = moved
            && !matches!(error, store::Error::Conflict(_))
        {
            tracing::error!(error = &error as &dyn std::error::Error, job.id = %id, "cannot end job {id}");
        }
    }

    /// Forgets the contacts that were read, if it does not go on.
    async fn forget(&self, id: JobId) -> store::Result<()> {
        let state = self.store.job(id).await?.map(|job| job.state);
        if matches!(state, Some(JobState::Done | JobState::Cancelled)) {
            forget_all(&*self.store, id).await?;
        }
        Ok(())
    }

    fn back_off(&self, failures: u32) -> Duration {
        let base = Duration::from_millis(self.config.retry_base_ms);
        let longest = LONGEST.min(Duration::from_millis(self.config.retry_max_ms));
        base.saturating_mul(1 << failures.min(16)).min(longest)
    }
}

/// Forgets the contacts that a job has read, some at a time.
pub(super) async fn forget_all(store: &dyn Store, id: JobId) -> store::Result<()> {
    while store.forget_contacts(id).await? {}
    Ok(())
}

async fn pause(wait: Duration, stop: &CancellationToken) {
    if !wait.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => {}
        }
    }
}
