//! `cartbridge restored`: a person says that the database is a backup that was put back.

use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::connection::ConnectionName;
use crate::lock::{Lock, Work};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The bridge notices by itself that its database is older than the file `<database>.generation` beside it says. It cannot where that \
file was restored together with the database, or where the backup was put on another machine: then run this, once, while the bridge \
is stopped and before it starts with the backup.")]
pub(super) struct Arguments {
    /// When the backup was made (7d, 2026-11-01, 2026-11-01T12:00:00Z); without it, the time of the last event in it. To be said where
    /// the bridge has worked with the backup since
    #[arg(long, value_name = "TIME", value_parser = super::since::parse)]
    since: Option<Timestamp>,
}

pub(super) async fn run(file: Option<PathBuf>, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = super::database::config(file.clone())?;
    // A bridge that runs would go on with what it has read at its start.
    let _lock = Lock::take(&super::database::path(&config)?, Work::Restored).await?;
    let (_, store) = super::database::open(file)?;
    let restore = store.put_restore(arguments.since, Clock::system().now()).await?;
    let stored = store.connections().await?.readable;
    let names: Vec<&ConnectionName> = stored.iter().map(|stored| &stored.connection.name).collect();
    println!("It is on record from now on that {}.", restore.told(names));
    println!("Start the bridge first: `cartbridge serve`.");
    Ok(ExitCode::SUCCESS)
}
