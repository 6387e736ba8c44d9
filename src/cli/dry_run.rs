//! `cartbridge dry-run`: what an event would set off, and what would differ for those of the last days.

mod print;

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::Value;

use crate::app::load_routes;
use crate::connection::ConnectionName;
use crate::dry_run::{self, Asked, Comparison, DryRuns, Since, TriedRoute, Which};
use crate::event::EventId;
use crate::link::Customer;

#[derive(Debug, clap::Args)]
#[command(after_help = "Nothing is written: not to the database, not to HighLevel, not to the store.

  cartbridge dry-run --event event.json
  cartbridge dry-run --event 0193a7c2-… --route routes/customer-to-contact.toml
  cartbridge dry-run --since 7d --route routes/customer-to-contact.toml")]
pub(super) struct Arguments {
    /// An event: a file with the body of a webhook, or with `type` and `data` (`-`: standard input); or the id of an event that was
    /// received, which is tried as it was then
    #[arg(long, value_name = "FILE|ID", required_unless_present = "since", conflicts_with = "since")]
    event: Option<String>,
    /// Try all events received since then (7d, 30m, 2026-11-24, 2026-11-24T12:00:00Z), and show what would differ from what was
    /// done
    #[arg(long, value_name = "WHEN", value_parser = super::since::parse)]
    since: Option<Timestamp>,
    /// Try this route as well: in place of the one of its name, or beside the others
    #[arg(long, value_name = "FILE")]
    route: Option<PathBuf>,
    /// The connection, where there are several
    #[arg(long, value_name = "NAME")]
    connection: Option<ConnectionName>,
    /// Ask the real store where a step needs it, with GET only
    #[arg(long)]
    ask_store: bool,
    /// How many events at most, the newest (with --since)
    #[arg(long, default_value_t = 1000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print JSON, as `POST /api/dry-run` answers
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(file: Option<PathBuf>, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let route = arguments.route.as_deref().map(tried).transpose()?;
    let since = arguments.since;
    let event = arguments.event.as_deref().map(which).transpose()?;
    let (config, store, _folder) = super::database::open_read_only_or_empty(file).await?;
    let routes = load_routes(config.routes_dir.as_deref())?;
    let call_timeout = config.engine.call_timeout();
    let runs = DryRuns::new(dry_run::Setup { store, routes, call_timeout, zone: config.time_zone.0 });
    let Arguments { connection, ask_store, limit, json, .. } = arguments;
    if let Some(since) = since {
        let asked = Since { connection, since, limit: limit as usize, route, ask_store };
        let comparison = many(&runs, asked).await?;
        if json {
            println!("{}", serde_json::to_string_pretty(&comparison)?);
        } else {
            print::comparison(&comparison, since, limit);
        }
    } else if let Some(event) = event {
        let report = runs.run(Asked { connection, event, route, ask_store }).await?;
        if json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print::report(&report);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows what the resync of a customer would do. 0: it would end well; 1: it would not; 2: it would wait.
pub(super) async fn resync(
    file: Option<PathBuf>,
    name: ConnectionName,
    customer: &Customer,
) -> anyhow::Result<ExitCode> {
    let (config, store, _folder) = super::database::open_read_only_or_empty(file).await?;
    let routes = load_routes(config.routes_dir.as_deref())?;
    let call_timeout = config.engine.call_timeout();
    let runs = DryRuns::new(dry_run::Setup { store, routes, call_timeout, zone: config.time_zone.0 });
    let report = runs.run(Asked::resync(name, customer)).await?;
    print::report(&report);
    let states: Vec<&str> = report.phases.iter().map(|phase| phase.state).collect();
    Ok(match states.as_slice() {
        states if states.iter().all(|state| *state == "done") => ExitCode::SUCCESS,
        states if states.contains(&"dead") || states.contains(&"ignored") => ExitCode::from(1),
        _ => ExitCode::from(2),
    })
}

/// Tries many events, with a bar where a person is looking.
async fn many(runs: &DryRuns, asked: Since) -> Result<Comparison, dry_run::Error> {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let compared = runs.since(asked, |done, many| {
        bar.set_length(many as u64);
        bar.set_position(done as u64);
    });
    let compared = compared.await;
    bar.finish_and_clear();
    compared
}

fn tried(path: &Path) -> anyhow::Result<TriedRoute> {
    let content =
        std::fs::read(path).with_context(|| format!("the route {} cannot be read", path.display()))?;
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(TriedRoute { file, content })
}

fn which(event: &str) -> anyhow::Result<Which> {
    if let Ok(id) = event.parse::<EventId>()
        && !Path::new(event).exists()
    {
        return Ok(Which::Recorded(id));
    }
    let mut text = String::new();
    if event == "-" {
        std::io::stdin().read_to_string(&mut text).context("the event cannot be read from standard input")?;
    } else {
        text = std::fs::read_to_string(event).with_context(|| {
            format!(
                "{event} cannot be read: give a file with an event, or the id of an event that was received"
            )
        })?;
    }
    let told: Value = serde_json::from_str(&text).with_context(|| format!("{event} is not JSON"))?;
    Ok(Which::Told(told))
}
