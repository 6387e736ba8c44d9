//! The binary: reads the arguments, sets up the log, calls into the library.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

/// Every event is many small allocations on several threads: the system's allocator takes a quarter of the time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = cartbridge::cli::Arguments::parse();
    let filter =
        EnvFilter::try_from_env("CARTBRIDGE_LOG").unwrap_or_else(|_| EnvFilter::new(arguments.default_log()));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if arguments.log_json {
        log.json().init();
    } else {
        log.with_ansi(std::io::stderr().is_terminal()).with_target(false).init();
    }
    match cartbridge::cli::run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cartbridge: {error:#}");
            ExitCode::FAILURE
        }
    }
}
