//! `cartbridge sandbox`: both systems, simulated.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;
use sandbox::{CscartEdition, CscartVersion, Options, Sandbox};
use tokio_util::sync::CancellationToken;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the simulated HighLevel listens (port 0: any free one)
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS:PORT")]
    ghl: SocketAddr,
    /// Where the simulated store listens
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS:PORT")]
    cscart: SocketAddr,
    /// Enforce HighLevel's rate limits (100 requests in 10 seconds, 200,000 a day)
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    strict_rate: bool,
    /// Let the location have several contacts with one e-mail or phone
    #[arg(long)]
    allow_duplicate_contacts: bool,
    /// The bridge to which signed webhooks are delivered
    #[arg(long, value_name = "URL")]
    deliver_to: Option<String>,
    /// The connection's name in the store's webhook URL
    #[arg(long, default_value = "my-shop", value_name = "NAME")]
    connection: String,
    /// Which CS-Cart the store is: 4.10, 4.13, 4.15 or 4.20
    #[arg(long, default_value = "4.20", value_name = "VERSION")]
    cscart_version: CscartVersion,
    /// Which edition the store is: ultimate or multivendor
    #[arg(long, default_value = "ultimate", value_name = "EDITION")]
    edition: CscartEdition,
    /// Makes ids, keys and secrets repeatable
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let options = Options {
        ghl_addr: arguments.ghl,
        cscart_addr: arguments.cscart,
        strict_rate: arguments.strict_rate,
        allow_duplicate_contacts: arguments.allow_duplicate_contacts,
        deliver_to: arguments.deliver_to,
        connection: arguments.connection,
        seed: arguments.seed,
        cscart_version: arguments.cscart_version,
        edition: arguments.edition,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.context("the sandbox cannot start")?;
    println!("{}", sandbox.announcement());
    let stop = CancellationToken::new();
    tokio::spawn(super::serve::stop_on_signal(stop.clone()));
    stop.cancelled().await;
    sandbox.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
