//! `cartbridge jobs`: see imports, resyncs and verifications, stop them and let them go on.

pub(super) mod follow;
pub(super) mod start;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;

use crate::clock::Clock;
use crate::connection::ConnectionName;
use crate::jobs::{self, Format, JobId, JobView};
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
    /// Let a paused or failed job go on where it was
    Resume {
        /// Its id
        id: JobId,
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
    let moved = match command {
        Command::List { connection, limit, json } => {
            let jobs = store.jobs(connection.as_ref(), limit.clamp(1, 10_000)).await?;
            let views: Vec<JobView> = jobs.iter().map(|job| JobView::new(job, now)).collect();
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
            println!("{}", serde_json::to_string_pretty(&JobView::new(&job, now))?);
            return Ok(ExitCode::SUCCESS);
        }
        Command::Follow { id } => {
            if store.job(id).await?.is_none() {
                return no_job(id);
            }
            return follow::run(config, store, id).await;
        }
        Command::Report { id, format, differences } => {
            if store.job(id).await?.is_none() {
                return no_job(id);
            }
            let mut report = jobs::Report::new(Arc::clone(&store), id, format, differences);
            while let Some(part) = report.next().await? {
                print!("{part}");
            }
            return Ok(ExitCode::SUCCESS);
        }
        Command::Pause { id } => jobs::pause(&*store, id, now).await?,
        Command::Resume { id } => jobs::resume(&*store, id, now).await?,
        Command::Cancel { id } => jobs::cancel(&*store, id, now).await?,
    };
    println!("Job {} is {}.", moved.id, moved.state);
    Ok(ExitCode::SUCCESS)
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

/// The database that jobs are kept in.
type Shared = Arc<dyn Store>;
