//! `cartbridge import`: the store's customers become contacts.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::connection::ConnectionName;
use crate::jobs::{JobKind, Options};

use super::jobs::start::{self, Asking};

#[derive(Debug, clap::Args)]
#[command(after_help = "Ends with 0: it is done; 2: it was stopped or has failed.")]
pub(super) struct Arguments {
    /// The connection's name
    name: ConnectionName,
    /// Compare only, and report what would be done
    #[arg(long)]
    dry_run: bool,
    /// How many contacts are read with one call, 1 to 500 (100 unless it is said)
    #[arg(long, value_name = "N")]
    page_size: Option<u32>,
    #[command(flatten)]
    asking: Asking,
}

pub(super) async fn run(file: Option<PathBuf>, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let options =
        Options { dry_run: arguments.dry_run, page_size: arguments.page_size, ..Options::default() };
    start::run(file, arguments.name, JobKind::Import, options, arguments.asking).await
}
