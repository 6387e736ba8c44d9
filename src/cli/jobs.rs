//! `cartbridge jobs`: see imports, resyncs and verifications, stop them and let them go on.

pub(super) mod follow;
pub(super) mod host;
mod progress;
mod report_file;
pub(super) mod start;

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::connection::ConnectionName;
use crate::jobs::{self, Format, Job, JobId, JobState, JobView};
use crate::lock;
use crate::store::Store;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List jobs, newest first
    List {
        /// Of this connection
        #[arg(long, value_name = "NAME")]
        connection: Option<ConnectionName>,
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show one job as JSON
    Show {
        /// Its id
        id: JobId,
    },
    /// Follow a job until it is over; without a running bridge, carry it out
    Follow {
        /// Its id
        id: JobId,
    },
    /// Stop a job for now
    Pause {
        /// Its id
        id: JobId,
    },
    /// Let a paused or failed job go on where it was, and follow it; without a running bridge, carry it out
    Resume {
        /// Its id
        id: JobId,
        /// Do not wait until it is over
        #[arg(long)]
        no_wait: bool,
    },
    /// End a job; what it has done stays done
    Cancel {
        /// Its id
        id: JobId,
    },
    /// Print what became of each customer
    Report {
        /// The job's id
        id: JobId,
        /// How
        #[arg(long, value_enum, default_value = "csv")]
        format: Format,
        /// Leave out the customers that are equal
        #[arg(long)]
        differences: bool,
    },
}

pub(super) async fn run(file: Option<PathBuf>, command: Command) -> anyhow::Result<ExitCode> {
    let (config, store) = super::database::open(file)?;
    let now = Clock::system().now();
    let held = lock::is_held(&super::database::path(&config)?);
    let allowed = Allowed::of(&*store).await?;
    let view = |job: &Job| view(job, now, &allowed, held);
    let moved = match command {
        Command::List { connection, limit, json } => {
            let jobs = store.jobs(connection.as_ref(), limit.clamp(1, 10_000)).await?;
            let views: Vec<JobView> = jobs.iter().map(view).collect();
            if json {
                for view in &views {
                    println!("{}", serde_json::to_string(view)?);
                }
            } else {
                println!("{}", table(&views));
            }
            return Ok(ExitCode::SUCCESS);
        }
        Command::Show { id } => {
            let Some(job) = store.job(id).await? else { return no_job(id) };
            println!("{}", serde_json::to_string_pretty(&view(&job))?);
            return Ok(ExitCode::SUCCESS);
        }
        Command::Follow { id } => {
            if store.job(id).await?.is_none() {
                return no_job(id);
            }
            return follow::run(config, store, id).await;
        }
        Command::Report { id, format, differences } => {
            let Some(job) = store.job(id).await? else { return no_job(id) };
            let mut report = jobs::Report::new(Arc::clone(&store), &job, format, differences);
            while let Some(part) = report.next().await? {
                print!("{part}");
            }
            return Ok(ExitCode::SUCCESS);
        }
        Command::Pause { id } => jobs::pause(&*store, id, now).await?,
        Command::Resume { id, no_wait } => {
            let Some(job) = store.job(id).await? else { return no_job(id) };
            // One that nobody has stopped goes on by itself, or was left by a process that is gone: there is nothing to be moved.
            let job = match job.state {
                JobState::Queued | JobState::Running => job,
                _ => jobs::resume(&*store, id, now).await?,
            };
            if !no_wait {
                return follow::run(config, store, id).await;
            }
            job
        }
        Command::Cancel { id } => jobs::cancel(&*store, id, now).await?,
    };
    let moved = view(&moved);
    let why = moved.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    println!("Job {} is {}{why}.", moved.id, moved.state);
    Ok(ExitCode::SUCCESS)
}

/// A job as it is shown. One that should go on while no process works with the database says so: what the database has of it is
/// from before that process ended.
fn view(job: &Job, now: Timestamp, allowed: &Allowed, held: bool) -> JobView {
    let mut view = JobView::new(job, now, allowed.to(job));
    if held || !matches!(job.state, JobState::Queued | JobState::Running) {
        return view;
    }
    if job.state == JobState::Running {
        view.state = INTERRUPTED;
        (view.rate, view.eta_seconds, view.budget_share) = (None, None, None);
    }
    view.reason = Some(format!(
        "no bridge runs on this database: it goes on with the next one, or with `cartbridge jobs follow {}`",
        job.id
    ));
    view
}

/// How many calls of a window are meant for the bridge, by connection.
struct Allowed(HashMap<ConnectionName, u32>);

impl Allowed {
    async fn of(store: &dyn Store) -> anyhow::Result<Self> {
        let stored = store.connections().await?.readable.into_iter().map(|stored| stored.connection);
        Ok(Self(stored.map(|connection| (connection.name, jobs::allowed(&connection.ghl))).collect()))
    }

    fn to(&self, job: &Job) -> u32 {
        self.0.get(&job.connection).copied().unwrap_or(jobs::ALLOWED)
    }
}

fn no_job(id: JobId) -> anyhow::Result<ExitCode> {
    bail!("there is no job {id}; `cartbridge jobs list` shows them")
}

fn table(views: &[JobView]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
        .set_header(["id", "asked for", "connection", "kind", "state", "done", "outcomes", "why"]);
    for view in views {
        let all = view.customers.map_or("?".to_owned(), |all| all.to_string());
        table.add_row([
            view.id.clone(),
            format!("{:.0}", view.created_at),
            view.connection.clone(),
            if view.options.dry_run { format!("{} (dry run)", view.kind) } else { view.kind.to_owned() },
            view.state.to_owned(),
            format!("{} of {all}", view.done),
            follow::outcomes(view),
            view.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}

/// The state of a job whose process has ended without a word. The next bridge goes on with it, so the database need not know.
const INTERRUPTED: &str = "interrupted";

/// The database that jobs are kept in.
type Shared = Arc<dyn Store>;
