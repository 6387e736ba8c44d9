//! What a person asks of a job: stop for now, go on, end.

use jiff::Timestamp;

use super::runner::forget_all;
use super::{Job, JobId, JobState};
use crate::store::{Result, Store};

/// Stops a job for now. Events that it has filed go on; these are few.
pub async fn pause(store: &dyn Store, id: JobId, now: Timestamp) -> Result<Job> {
    store.move_job(id, &[JobState::Queued, JobState::Running], JobState::Paused, None, now).await
}

/// Lets a job go on where it was, as soon as no other of its connection runs.
pub async fn resume(store: &dyn Store, id: JobId, now: Timestamp) -> Result<Job> {
    store.move_job(id, &[JobState::Paused, JobState::Failed], JobState::Queued, None, now).await
}

/// Ends a job. What it has done stays done.
pub async fn cancel(store: &dyn Store, id: JobId, now: Timestamp) -> Result<Job> {
    const OPEN: [JobState; 4] = [JobState::Queued, JobState::Running, JobState::Paused, JobState::Failed];
    let job = store.move_job(id, &OPEN, JobState::Cancelled, None, now).await?;
    forget_all(store, id).await?;
    Ok(job)
}
