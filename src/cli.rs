//! The command line: one file a command.

#[macro_use]
mod out;

mod catalogue;
mod check;
mod connect;
mod connection;
mod connection_code;
mod database;
mod demo;
mod doctor;
mod dry_run;
mod events;
mod health;
mod import;
mod jobs;
mod key;
mod restored;
mod resync;
mod routes;
mod sandbox;
mod serve;
mod since;
mod test_routes;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// Keeps the customers of a CS-Cart store and the contacts of a HighLevel location in step.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "First time here? `cartbridge demo` shows everything, without any account."
)]
pub struct Arguments {
    /// The configuration file (without it: cartbridge.toml, if it is there)
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the log as JSON, one object a line
    #[arg(long, global = true)]
    pub log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the bridge
    Serve(serve::Arguments),
    /// Play the whole story against a simulated HighLevel and a simulated store
    Demo(demo::Arguments),
    /// Run the simulated HighLevel and the simulated store
    Sandbox(sandbox::Arguments),
    /// Check the configuration and the routes; name file, line and mend for each mistake
    Check,
    /// Make, list, show and remove connections
    #[command(subcommand)]
    Connection(connection::Command),
    /// Connect a connection with HighLevel: print the address to open in a browser, and wait
    #[command(subcommand)]
    Connect(connect::Command),
    /// List, show and replay events
    #[command(subcommand)]
    Events(events::Command),
    /// List the routes and where they run, or help to write one
    #[command(subcommand)]
    Routes(routes::Command),
    /// Make contacts of the store's customers
    Import(import::Arguments),
    /// Compare customers on both sides and repair the difference: one, those of late, or all
    Resync(resync::Arguments),
    /// Compare both sides and report every difference, without changing anything
    Verify(verify::Arguments),
    /// See imports, resyncs and verifications; stop them and let them go on
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Say that the database was restored from a backup, where the bridge cannot notice it by itself
    Restored(restored::Arguments),
    /// Try an event without doing anything: show each call that it would set off
    DryRun(dry_run::Arguments),
    /// Run the tests of the routes: the built-in ones, and those in the folder of your own
    TestRoutes(test_routes::Arguments),
    /// Make, list and revoke API keys; change the master key
    #[command(subcommand)]
    Key(key::Command),
    /// Check everything that a connection needs, and say what to do about what is wrong
    Doctor(doctor::Arguments),
    /// Search what can be done in HighLevel and what can set off a route
    Catalogue(catalogue::Arguments),
    /// Ask the running bridge whether it can store events
    Health,
    /// Print the description of the API (openapi.yaml)
    Openapi,
}

impl Arguments {
    /// What is logged when `CARTBRIDGE_LOG` does not say: a server tells what it does, a command only what goes wrong.
    pub fn default_log(&self) -> &'static str {
        match self.command {
            Command::Serve(_) => "info",
            _ => "error",
        }
    }
}

/// So many threads may wait for the disk at most. The database has eight readers; a thread that has read keeps memory for the next
/// time, and without a bound a busy bridge has dozens of them.
const BLOCKING_THREADS: usize = 12;

/// Runs a command.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.config;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        match arguments.command {
            Command::Serve(arguments) => serve::run(config, arguments).await,
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Sandbox(arguments) => sandbox::run(arguments).await,
            Command::Check => Ok(check::run(config).await),
            Command::Connection(command) => connection::run(config, command).await,
            Command::Connect(command) => connect::run(config, command).await,
            Command::Events(command) => events::run(config, command).await,
            Command::Routes(command) => routes::run(config, command).await,
            Command::Import(arguments) => import::run(config, arguments).await,
            Command::Verify(arguments) => verify::run(config, arguments).await,
            Command::Jobs(command) => jobs::run(config, command).await,
            Command::Resync(arguments) => resync::run(config, arguments).await,
            Command::Restored(arguments) => restored::run(config, arguments).await,
            Command::DryRun(arguments) => dry_run::run(config, arguments).await,
            Command::TestRoutes(arguments) => test_routes::run(config, arguments).await,
            Command::Key(command) => key::run(config, command).await,
            Command::Doctor(arguments) => doctor::run(config, arguments).await,
            Command::Catalogue(arguments) => catalogue::run(&arguments),
            Command::Health => health::run(config).await,
            Command::Openapi => {
                print!("{}", crate::http::openapi::yaml());
                Ok(ExitCode::SUCCESS)
            }
        }
    })
}
