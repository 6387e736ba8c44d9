//! `cartbridge resync`: compare customers on both sides and repair the difference.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Notify;

use super::jobs::start::{self, Asking};
use crate::app::load_routes;
use crate::clock::Clock;
use crate::connection::ConnectionName;
use crate::event::Subject;
use crate::inbox::{Inbox, Incoming};
use crate::jobs::{JobKind, Options};
use crate::link::Customer;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The connection's name
    name: ConnectionName,
    #[command(flatten)]
    who: Who,
    /// Compare only, and report what would be done
    #[arg(long, conflicts_with = "customer")]
    dry_run: bool,
    /// How many contacts are read with one call, 1 to 500 (100 unless it is said)
    #[arg(long, value_name = "N", conflicts_with = "customer")]
    page_size: Option<u32>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Who {
    /// One customer, by the id in the store
    #[arg(long, value_name = "ID")]
    customer: Option<Customer>,
    /// Customers who are new since then, or have events or orders (7d, 30m, 2026-11-01, 2026-11-01T12:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = super::since::parse)]
    since: Option<Timestamp>,
    /// All customers
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(file: Option<PathBuf>, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { name, who, dry_run, page_size, asking } = arguments;
    if let Some(customer) = who.customer {
        return one(file, &name, &customer).await;
    }
    let options = Options { dry_run, page_size, since: who.since, ..Options::default() };
    start::run(file, name, JobKind::Resync, options, asking).await
}

/// Files the event of one customer.
async fn one(file: Option<PathBuf>, name: &ConnectionName, customer: &Customer) -> anyhow::Result<ExitCode> {
    let (config, store) = super::database::open(file)?;
    if !store.connections().await?.readable.iter().any(|stored| stored.connection.name == *name) {
        bail!("there is no connection `{name}`; `cartbridge connection list` shows all");
    }
    let routes = load_routes(config.routes_dir.as_deref())?;
    let inbox = Inbox::new(store, routes, Clock::system(), Arc::new(Notify::new()), Duration::ZERO);
    let payload = json!({ "data": { "customer": customer.to_string() } });
    let incoming = Incoming::manual("resync", Subject::customer(customer), &payload);
    let appended = inbox.append(name, incoming).await?;
    println!(
        "Event {0} will run as soon as the bridge does; `cartbridge events show {0}` tells how it went.",
        appended.id
    );
    Ok(ExitCode::SUCCESS)
}
