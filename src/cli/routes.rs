//! `cartbridge routes`: help with writing routes.

use std::process::ExitCode;

/// Commands about routes.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Print the JSON Schema of route files: editors complete and check them with it
    Schema,
}

pub(super) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Schema => println!("{:#}", crate::flow::schema()),
    }
    Ok(ExitCode::SUCCESS)
}
