//! `cartbridge verify`: whether both sides show the same, without changing anything.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::connection::ConnectionName;
use crate::jobs::{JobKind, Options};

use super::jobs::start::{self, Asking};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Ends with 0: a resync has nothing to do; 1: both sides differ; 2: it could not be found out."
)]
pub(super) struct Arguments {
    /// The connection's name
    name: ConnectionName,
    /// Look at so many customers only, spread over the whole store
    #[arg(long, value_name = "N")]
    sample: Option<u32>,
    /// How many contacts are read with one call, 1 to 500 (100 unless it is said)
    #[arg(long, value_name = "N")]
    page_size: Option<u32>,
    #[command(flatten)]
    asking: Asking,
}

pub(super) async fn run(file: Option<PathBuf>, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let options = Options { sample: arguments.sample, page_size: arguments.page_size, ..Options::default() };
    let ended = start::run(file, arguments.name, JobKind::Verify, options, arguments.asking).await;
    Ok(ended.unwrap_or_else(|error| {
        eprintln!("Error: {error:#}");
        ExitCode::from(2)
    }))
}
