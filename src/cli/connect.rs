//! `cartbridge connect`: for servers without a browser. The address is opened in a browser anywhere; this waits for what comes
//! of it.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use ghl::oauth::Scopes;

use crate::clock::Clock;
use crate::config::{Config, reachable};
use crate::connection::ConnectionName;
use crate::grant::Granted;

/// How soon a connect that was finished in the browser is noticed.
const LOOK: Duration = Duration::from_millis(500);
/// Longer than a bridge that runs takes to say so.
const PROBE: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Connect a connection with its HighLevel location
    Ghl(Ghl),
}

#[derive(Debug, clap::Args)]
pub(super) struct Ghl {
    /// The connection's name
    name: ConnectionName,
    /// What to ask for: `needed` for everything that the routes need, or scopes with blanks between them
    /// [default: those of the configuration and those that were allowed before]
    #[arg(long, value_name = "SCOPES")]
    scopes: Option<String>,
    /// How many seconds to wait
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
}

pub(super) async fn run(file: Option<PathBuf>, command: Command) -> anyhow::Result<ExitCode> {
    let Command::Ghl(asked) = command;
    let (config, store) = super::database::open(file)?;
    let all = store.connections().await?;
    let Some(stored) = all.readable.into_iter().find(|stored| stored.connection.name == asked.name) else {
        bail!("there is no connection `{}`; `cartbridge connection list` shows all", asked.name);
    };
    let side = &stored.connection.ghl;
    if side.token.is_some() {
        bail!(
            "connection `{}` uses a Private Integration Token: take `ghl.token` out of it and give it `ghl.oauth` to connect this way",
            asked.name
        );
    }
    if side.oauth.is_none() {
        bail!(
            "connection `{}` has no `ghl.oauth`: give it the client id and secret of your marketplace app",
            asked.name
        );
    }
    if !is_running(&config).await {
        bail!(
            "no bridge answers at {}: start `cartbridge serve`, which HighLevel sends your browser back to",
            reachable(config.listen)
        );
    }
    let before = store.grant_of(&asked.name).await?;
    println!("Open this address in a browser, and choose the location {}:\n", side.location_id);
    println!("    {}\n", address(&config, &asked));
    if std::io::stdout().is_terminal() {
        println!("Waiting for it; Ctrl-C gives up (the address stays good).");
    }
    let clock = Clock::system();
    let wait = Duration::from_secs(asked.timeout);
    let connected = tokio::time::timeout(wait, async {
        loop {
            let now = store.grant_of(&asked.name).await?;
            if let Some(now) = now.filter(|now| is_newer(before.as_ref(), now)) {
                return anyhow::Ok(now);
            }
            tokio::time::sleep(LOOK).await;
        }
    });
    let Ok(connected) = connected.await else {
        eprintln!(
            "Nobody has connected it within {} seconds. The address stays good; run this again to wait.",
            asked.timeout
        );
        return Ok(ExitCode::FAILURE);
    };
    let granted = connected?.grant;
    let minutes = granted.refresh_at().duration_since(clock.now()).as_mins();
    println!(
        "Connected. Allowed: {}. The tokens are renewed by themselves, next in {minutes} minutes.",
        granted.scopes
    );
    println!("{}", super::connection::stand(&config, store, &asked.name).await?);
    Ok(ExitCode::SUCCESS)
}

fn is_newer(before: Option<&Granted>, now: &Granted) -> bool {
    before.is_none_or(|before| {
        before.grant.id != now.grant.id || before.grant.connected_at < now.grant.connected_at
    })
}

fn address(config: &Config, asked: &Ghl) -> String {
    let mut address = format!("{}/connect/ghl/{}", config.public_url(), asked.name);
    if let Some(scopes) = &asked.scopes {
        let Ok(scopes) = scopes.parse::<Scopes>();
        // The only characters that scopes have and addresses do not take as they are.
        address = format!("{address}?scopes={}", scopes.to_string().replace(' ', "+"));
    }
    address
}

async fn is_running(config: &Config) -> bool {
    let Ok(client) = reqwest::Client::builder().timeout(PROBE).no_proxy().build() else { return false };
    // Whoever answers this at all is there; whether it is well is not asked here.
    client.get(format!("http://{}/healthz", reachable(config.listen))).send().await.is_ok()
}
