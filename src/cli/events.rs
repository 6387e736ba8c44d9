//! `cartbridge events`: what came in, what was done for it, and doing it again.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::connection::ConnectionName;
use crate::engine::requests;
use crate::event::{EventId, State, Subject};
use crate::show::{EventDetail, EventSummary};
use crate::store::EventFilter;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List events, newest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show one event: its payload and everything done for it
    Show {
        /// Its id
        id: EventId,
    },
    /// Run an event again, or all that fit a filter (without --state: the dead letters)
    Replay {
        /// The event's id
        #[arg(required_unless_present = "all")]
        id: Option<EventId>,
        /// All that fit the filter
        #[arg(long, conflicts_with = "id")]
        all: bool,
        #[command(flatten)]
        filter: Filter,
        /// Do again also what is done
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Filter {
    /// Of this connection
    #[arg(long, value_name = "NAME")]
    connection: Option<ConnectionName>,
    /// In this state (pending, working, waiting, parked, done, ignored, folded, dead)
    #[arg(long)]
    state: Option<State>,
    /// Of this type, such as customer.created or cscart.customer.created
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// About this subject, such as customer:42
    #[arg(long)]
    subject: Option<String>,
    /// Received at this time or later (7d, 30m, 2026-11-24, 2026-11-24T12:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = super::since::parse)]
    since: Option<Timestamp>,
    /// Received before this time
    #[arg(long, value_name = "TIME", value_parser = super::since::parse)]
    until: Option<Timestamp>,
}

impl From<Filter> for EventFilter {
    fn from(filter: Filter) -> Self {
        Self {
            connection: filter.connection,
            state: filter.state,
            kind: filter.kind,
            subject: filter.subject.map(Subject::other),
            since: filter.since,
            until: filter.until,
        }
    }
}

pub(super) async fn run(file: Option<PathBuf>, command: Command) -> anyhow::Result<ExitCode> {
    let (_, store) = super::database::open(file)?;
    let clock = Clock::system();
    match command {
        Command::List { filter, limit, json } => {
            let page = store.events(&filter.into(), None, limit.clamp(1, 10_000)).await?;
            let summaries = page.events.iter().map(EventSummary::from);
            if json {
                for summary in summaries {
                    println!("{}", serde_json::to_string(&summary)?);
                }
                return Ok(ExitCode::SUCCESS);
            }
            let mut table = comfy_table::Table::new();
            table
                .load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY)
                .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
                .set_header(["id", "received", "connection", "type", "subject", "state", "why"]);
            for summary in summaries {
                table.add_row([
                    summary.id,
                    summary.received_at.to_string(),
                    summary.connection,
                    format!("{}.{}", summary.source, summary.kind),
                    summary.subject,
                    summary.state.to_owned(),
                    summary.state_reason.unwrap_or_default(),
                ]);
            }
            println!("{table}");
            if page.next.is_some() {
                println!("There are more; raise --limit or narrow the filter.");
            }
        }
        Command::Show { id } => match store.event(id).await? {
            Some((event, effects)) => {
                println!("{}", serde_json::to_string_pretty(&EventDetail::new(&event, &effects))?);
            }
            None => bail!("there is no event {id}; `cartbridge events list` shows them"),
        },
        Command::Replay { id: Some(id), force, .. } => {
            let run = requests::replay(&*store, &clock, id, force).await?;
            println!("Event {run} will run; `cartbridge events show {run}` tells how it went.");
        }
        Command::Replay { id: None, filter, force, .. } => {
            let mut filter = EventFilter::from(filter);
            filter.state = Some(filter.state.unwrap_or(State::Dead));
            let (replayed, skipped) = requests::replay_all(&*store, &clock, &filter, force).await?;
            println!(
                "{replayed} event(s) will run; {skipped} left alone because they are being carried out."
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
