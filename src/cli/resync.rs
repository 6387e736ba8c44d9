//! `cartbridge resync`: compare one customer on both sides and repair the difference.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use serde_json::json;
use tokio::sync::Notify;

use crate::app::load_routes;
use crate::clock::Clock;
use crate::connection::ConnectionName;
use crate::event::Subject;
use crate::inbox::{Inbox, Incoming};
use crate::link::Customer;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The connection's name
    name: ConnectionName,
    /// The customer's id in the store
    #[arg(long, value_name = "ID")]
    customer: Customer,
}

pub(super) async fn run(file: Option<PathBuf>, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (config, store) = super::database::open(file)?;
    if !store.connections().await?.readable.iter().any(|stored| stored.connection.name == arguments.name) {
        bail!("there is no connection `{}`; `cartbridge connection list` shows all", arguments.name);
    }
    let routes = load_routes(config.routes_dir.as_deref())?;
    let inbox = Inbox::new(store, routes, Clock::system(), Arc::new(Notify::new()), Duration::ZERO);
    let payload = json!({ "data": { "customer": arguments.customer.to_string() } });
    let incoming = Incoming::manual("resync", Subject::customer(&arguments.customer), &payload);
    let appended = inbox.append(&arguments.name, incoming).await?;
    println!(
        "Event {0} will run as soon as the bridge does; `cartbridge events show {0}` tells how it went.",
        appended.id
    );
    Ok(ExitCode::SUCCESS)
}
