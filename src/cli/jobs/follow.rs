//! Follows a job to its end. Where no bridge runs on the database, one does for as long as that takes.

use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::access::{ApiKey, Role};
use crate::app::{App, StartError};
use crate::clock::{Clock, in_words};
use crate::config::Config;
use crate::jobs::{JobId, JobKind, JobState, JobView};

/// How often the bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(250);
/// How many times as often as a line is written where there is no terminal.
const LINE_AFTER: u32 = 20;

pub(in crate::cli) async fn run(config: Config, store: Shared, id: JobId) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    let own = own_bridge(config, &stop).await?;
    if own.is_some() {
        eprintln!("No bridge runs on this database, so this command carries the job out. To stop: Ctrl-C.");
        tokio::spawn(super::super::serve::stop_on_signal(stop.clone()));
    } else {
        eprintln!("The running bridge carries it out. Ctrl-C ends only the watching.");
    }
    let ended = watch(&store, id, &stop).await;
    let stopped = stop.is_cancelled();
    stop.cancel();
    if let Some(bridge) = own {
        bridge.await??;
    }
    if stopped {
        eprintln!(
            "Stopped where it was: `cartbridge jobs follow {id}`, or the bridge when it runs, goes on from there."
        );
        return Ok(ExitCode::from(2));
    }
    let view = ended?;
    eprintln!("{}", summary(&view));
    Ok(exit_code(&view))
}

/// A bridge of our own, which takes no webhooks; none: another one runs.
async fn own_bridge(
    mut config: Config,
    stop: &CancellationToken,
) -> anyhow::Result<Option<JoinHandle<std::io::Result<()>>>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    // Nobody is to call it.
    config.tls = None;
    let clock = Clock::system();
    let (_, key) = ApiKey::generate("job", Role::Admin, clock.now());
    match App::build(config, Some(key), clock).await {
        Ok(app) => Ok(Some(tokio::spawn(app.run(listener, stop.clone())))),
        Err(StartError::Locked(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Shows how far the job has come, until it is over or somebody stops.
async fn watch(store: &Shared, id: JobId, stop: &CancellationToken) -> anyhow::Result<JobView> {
    let clock = Clock::system();
    let bar = ProgressBar::new(0);
    bar.set_style(
        ProgressStyle::with_template("{prefix} [{wide_bar}] {pos}/{len} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let terminal = !bar.is_hidden();
    let mut round = 0;
    loop {
        let job = store.job(id).await?.ok_or_else(|| anyhow::anyhow!("there is no job {id} any more"))?;
        let view = JobView::new(&job, clock.now());
        if view.is_over() || job.state == JobState::Paused {
            bar.finish_and_clear();
            return Ok(view);
        }
        let (done, all) = if view.step == "contacts" {
            (view.contacts_read, view.contacts)
        } else {
            (view.done, view.customers)
        };
        bar.set_length(all.unwrap_or_default());
        bar.set_position(done);
        bar.set_prefix(view.step);
        bar.set_message(pace(&view));
        if !terminal && round % LINE_AFTER == 0 {
            let all = all.map_or("?".to_owned(), |all| all.to_string());
            eprintln!("{}: {done} of {all} {}", view.step, pace(&view));
        }
        round += 1;
        tokio::select! {
            () = tokio::time::sleep(DRAWN_EVERY) => {}
            () = stop.cancelled() => return Ok(view),
        }
    }
}

/// Rate, time left, and how much of the rate limit it uses.
fn pace(view: &JobView) -> String {
    let mut told = Vec::new();
    if let Some(rate) = view.rate.filter(|rate| *rate > 0.0) {
        told.push(format!("{rate:.1}/s"));
    }
    if let Some(seconds) = view.eta_seconds {
        told.push(format!("{} left", in_words(seconds.max(1))));
    }
    if let Some(share) = view.budget_share {
        told.push(format!("{:.0} % of the rate limit", share * 100.0));
    }
    if let Some(reason) = &view.reason {
        told.push(format!("waits: {reason}"));
    }
    told.join(", ")
}

/// How many customers ended how, in a line.
pub(super) fn outcomes(view: &JobView) -> String {
    let all: Vec<String> = view.outcomes.iter().map(|(word, count)| format!("{count} {word}")).collect();
    all.join(", ")
}

fn summary(view: &JobView) -> String {
    let calls = if view.done > 0 {
        format!("{:.3} a customer", view.calls as f64 / view.done as f64)
    } else {
        "no customers".to_owned()
    };
    let why = view.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!(
        "The job is {}{why}. {} customers, {} contacts: {}. {} calls to HighLevel ({calls}), {} to the store.\n\
         `cartbridge jobs report {}` tells of each customer.",
        view.state,
        view.done,
        view.contacts.unwrap_or_default(),
        outcomes(view),
        view.calls,
        view.store_calls,
        view.id
    )
}

/// 0: all is well; 1: customers are left who differ or were not taken; 2: it has not come to its end.
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
