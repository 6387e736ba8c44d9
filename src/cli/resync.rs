//! `cartbridge resync`: compare customers on both sides and repair the difference.

mod one;

use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;

use super::dry_run;
use super::jobs::start::{self, Asking};
use crate::connection::ConnectionName;
use crate::jobs::{JobKind, Options};
use crate::link::Customer;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The resync of one customer ends with 0: it is done, or nothing had to be; 1: a person has to look at it; 2: it is not done yet.
That of several ends with 0: it is done; 2: it was stopped or has failed.")]
pub(super) struct Arguments {
    /// The connection's name
    name: ConnectionName,
    #[command(flatten)]
    who: Who,
    /// Change nothing: report what would be done; of one customer print each call with its body
    #[arg(long)]
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
    #[arg(long, value_name = "ID", conflicts_with = "report")]
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
        return if dry_run {
            dry_run::resync(file, name, &customer).await
        } else {
            one::run(file, &name, &customer, !asking.no_wait).await
        };
    }
    let options = Options { dry_run, page_size, since: who.since, ..Options::default() };
    start::run(file, name, JobKind::Resync, options, asking).await
}
