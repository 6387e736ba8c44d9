//! Follows a job to its end, or until a person stops it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use tokio_util::sync::CancellationToken;

use super::host::Host;
use super::progress::Progress;
use super::{Allowed, Shared, view};
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::{self, JobId, JobKind, JobState, JobView};
use crate::lock::{Work, is_held};
use crate::store::Error;

/// How often it is looked how far the job has come.
const LOOK: Duration = Duration::from_millis(250);

pub(in crate::cli) async fn run(config: Config, store: Shared, id: JobId) -> anyhow::Result<ExitCode> {
    let database = crate::cli::database::path(&config)?;
    let host = Host::begin(config, Work::Job(id)).await?;
    if host.is_own() {
        eprintln!("No bridge runs on this database, so this command carries the job out. Ctrl-C pauses it.");
    } else {
        eprintln!("The running bridge carries it out. Ctrl-C ends only the watching.");
    }
    let is_own = host.is_own();
    let others = (!is_own).then_some(database);
    let followed = Followed { store: &store, id, allowed: Allowed::of(&*store).await?, others };
    let ended = followed.watch(host.asked_to_stop()).await;
    if ended.as_ref().is_ok_and(Option::is_none) && is_own {
        eprintln!("Stopping: what is under way is finished first. Ctrl-C once more ends at once.");
        pause(&store, id).await?;
    }
    host.end().await?;
    let view = match ended? {
        Some(view) => view,
        None if !is_own => {
            eprintln!("The bridge goes on with it: `cartbridge jobs follow {id}` watches again.");
            return Ok(ExitCode::from(2));
        }
        None => {
            // What was under way has ended since the job looked last.
            store.resolve_job(id).await?;
            followed.look().await?.0
        }
    };
    eprintln!("{}", summary(&view));
    Ok(exit_code(&view))
}

/// Pauses a job, unless it is over or paused already.
async fn pause(store: &Shared, id: JobId) -> anyhow::Result<()> {
    match jobs::pause(&**store, id, Clock::system().now()).await {
        Ok(_) | Err(Error::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A job that is followed.
struct Followed<'a> {
    store: &'a Shared,
    id: JobId,
    allowed: Allowed,
    /// The database whose lock tells whether a bridge runs; none: this command is one.
    others: Option<PathBuf>,
}

impl Followed<'_> {
    /// The job as it is now, and how many calls in a window are meant for it.
    async fn look(&self) -> anyhow::Result<(JobView, u32)> {
        let id = self.id;
        let job = self.store.job(id).await?.ok_or_else(|| anyhow!("there is no job {id} any more"))?;
        let held = self.others.as_ref().is_none_or(|database| is_held(database));
        let view = view(&job, Clock::system().now(), &self.allowed, held);
        Ok((view, self.allowed.to(&job)))
    }

    /// Shows how far it has come, until it does nothing more; none: somebody has asked to stop.
    async fn watch(&self, asked: &CancellationToken) -> anyhow::Result<Option<JobView>> {
        let mut progress = Progress::new();
        let ended = loop {
            let (view, allowed) = self.look().await?;
            if view.is_over() || view.state == JobState::Paused.as_str() {
                break Some(view);
            }
            progress.show(&view, allowed);
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = asked.cancelled() => break None,
            }
        };
        progress.end();
        Ok(ended)
    }
}

/// How many customers ended how, in a line.
pub(super) fn outcomes(view: &JobView) -> String {
    let all: Vec<String> = view.outcomes.iter().map(|(word, count)| format!("{count} {word}")).collect();
    all.join(", ")
}

fn summary(view: &JobView) -> String {
    let JobView { id, state, done, open, .. } = view;
    let calls = if *done > 0 {
        format!("{:.3} a customer", view.calls as f64 / *done as f64)
    } else {
        "no customers".to_owned()
    };
    let why = view.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let all = view.customers.filter(|all| all != done).map(|all| format!(" of {all}")).unwrap_or_default();
    let outcomes = if view.outcomes.is_empty() { String::new() } else { format!(": {}", outcomes(view)) };
    let mut told = vec![format!(
        "The job is {state}{why}. {done}{all} customers, {} contacts{outcomes}. {} calls to HighLevel ({calls}), {} to the store.",
        view.contacts.unwrap_or_default(),
        view.calls,
        view.store_calls,
    )];
    if *open > 0 {
        told.push(format!("{open} more were begun, and go on by themselves when a bridge runs."));
    }
    if [JobState::Paused, JobState::Failed].iter().any(|it| it.as_str() == *state) {
        told.push(format!("`cartbridge jobs resume {id}` lets it go on where it was."));
    }
    told.push(format!("`cartbridge jobs report {id}` tells of each customer."));
    told.join("\n")
}

/// 0: all is well; 1: a verification has found customers who differ; 2: it has not come to its end.
fn exit_code(view: &JobView) -> ExitCode {
    let count = |words: &[&str]| words.iter().filter_map(|word| view.outcomes.get(word)).sum::<u64>();
    if view.state != JobState::Done.as_str() {
        ExitCode::from(2)
    } else if view.kind == JobKind::Verify.as_str()
        && count(&["differs", "missing_contact", "missing_customer", "conflict"]) > 0
    {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}
