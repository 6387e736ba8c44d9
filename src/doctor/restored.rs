//! Whether a connection was brought up to date since the database was restored from a backup.

use super::{Finding, House};
use crate::connection::ConnectionName;
use crate::jobs::{Job, JobKind, JobState};
use crate::reason::{Code, Reason};
use crate::restore::Restore;
use crate::store;

/// So many of the newest jobs are looked at.
const JOBS: usize = 100;

/// None: the database was never restored.
pub(super) async fn finding(house: &House, name: &ConnectionName) -> Option<Finding> {
    let looked = async {
        let Some(restore) = house.store.restore().await? else { return Ok(None) };
        let jobs = house.store.jobs(Some(name), JOBS).await?;
        Ok::<_, store::Error>(Some((restore, jobs)))
    };
    let (restore, jobs) = match looked.await {
        Ok(found) => found?,
        Err(error) => return Some(Finding::Failed(Reason::from(&error))),
    };
    Some(match jobs.iter().find(|job| has_made_good(job, &restore)) {
        Some(job) => Finding::Good(format!(
            "the database was restored from a backup; both sides were compared since (job {})",
            job.id
        )),
        None => Finding::warning(Code::Restored, restore.told([name])),
    })
}

/// Whether a job has compared whoever may have been lost.
fn has_made_good(job: &Job, restore: &Restore) -> bool {
    let compares = matches!(job.kind, JobKind::Import | JobKind::Resync) && !job.options.dry_run;
    let is_far_enough = match (job.options.since, restore.lost_since) {
        (None, _) => true,
        // The command that is told has the seconds only.
        (Some(since), Some(lost)) => since.as_second() <= lost.as_second(),
        (Some(_), None) => false,
    };
    compares && is_far_enough && job.state == JobState::Done && job.created_at >= restore.lost_until
}
