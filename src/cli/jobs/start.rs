//! Starts a job: says what it will cost, asks, files it, and follows it.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use tokio::sync::Notify;

use super::report_file::ReportFile;
use super::{Shared, follow};
use crate::app::load_routes;
use crate::clock::{Clock, in_words};
use crate::config::Config;
use crate::connection::ConnectionName;
use crate::jobs::{self, Asked, Estimate, Job, JobKind, Options};
use crate::monitor::Monitor;
use crate::registry::Registry;
use crate::store::{Connections, Origin};
use crate::tokens::{self, Tokens};

/// How a job is started.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Asking {
    /// Do not ask whether to go on
    #[arg(long)]
    yes: bool,
    /// Do not wait until it is over
    #[arg(long)]
    pub(in crate::cli) no_wait: bool,
    /// Write what became of each customer into this file when it is over: CSV, or JSON if the name ends with .json. Of a job that was
    /// stopped it tells what it can, and says so in its first line
    #[arg(long, value_name = "FILE", conflicts_with = "no_wait")]
    report: Option<PathBuf>,
}

pub(in crate::cli) async fn run(
    file: Option<PathBuf>,
    name: ConnectionName,
    kind: JobKind,
    options: Options,
    asking: Asking,
) -> anyhow::Result<ExitCode> {
    options.check(kind).map_err(|what| anyhow::anyhow!(what))?;
    let report = asking.report.map(ReportFile::at).transpose()?;
    let (config, store) = crate::cli::database::open_or_make(file)?;
    let clock = Clock::system();
    take_in(&config, &store, &clock).await?;
    match estimated(&config, &store, &clock, &name, kind, options).await? {
        Ok(estimate) => eprintln!("{}", told(&estimate, kind, options)),
        Err(why) => eprintln!(
            "What it will cost cannot be told: {why}.\nThe job meets with the same, and tries again. {}",
            nature(kind, options)
        ),
    }
    let job = Job::new(name, kind, options, clock.now());
    // What sends nothing needs nobody to say yes to it.
    if job.sends() && !asking.yes && !go_on()? {
        eprintln!("Nothing was done.");
        return Ok(ExitCode::SUCCESS);
    }
    store.add_job(&job).await?;
    eprintln!("Job {}.", job.id);
    if asking.no_wait {
        eprintln!(
            "It runs as soon as the bridge does; `cartbridge jobs show {}` tells how far it has come.",
            job.id
        );
        return Ok(ExitCode::SUCCESS);
    }
    let ended = follow::run(config, Arc::clone(&store), job.id).await;
    // However it has ended: what it has done until then is worth a report.
    if let Some(report) = report {
        report.write(&store, job.id).await?;
    }
    ended
}

/// Takes in the configuration's connections where no bridge has yet. Those that are stored are the bridge's to change.
pub(in crate::cli) async fn take_in(config: &Config, store: &Shared, clock: &Clock) -> anyhow::Result<()> {
    let Connections { readable, unreadable } = store.connections().await?;
    let stored: Vec<&ConnectionName> = readable
        .iter()
        .map(|stored| &stored.connection.name)
        .chain(unreadable.iter().map(|unreadable| &unreadable.name))
        .collect();
    for connection in config.connection.iter().filter(|it| !stored.contains(&&it.name)) {
        store.put_connection(connection, Origin::File, clock.now()).await?;
    }
    Ok(())
}

/// What the job will cost, or why that cannot be told. An error: there is no such connection to do it for.
async fn estimated(
    config: &Config,
    store: &Shared,
    clock: &Clock,
    name: &ConnectionName,
    kind: JobKind,
    options: Options,
) -> anyhow::Result<Result<Estimate, String>> {
    let registry = Registry::new(Arc::clone(store), clock.clone(), config.engine.call_timeout());
    registry.reload().await?;
    let Some(live) = registry.get(name) else {
        match registry.unreadable(name) {
            Some(why) => bail!("connection `{name}` cannot be used: {why}"),
            None => bail!("there is no connection `{name}`; `cartbridge connection list` shows all"),
        }
    };
    let monitor = Monitor::default();
    let tokens = Tokens::new(tokens::Setup {
        store: Arc::clone(store),
        clock: clock.clone(),
        monitor: monitor.clone(),
        wake: Arc::new(Notify::new()),
        routes: load_routes(config.routes_dir.as_deref())?,
        public_url: config.public_url().into(),
        call_timeout: config.engine.call_timeout(),
    });
    let asked = Asked { live: &live, kind, options };
    let estimate = jobs::estimate(&**store, &tokens, clock, &monitor, asked).await;
    tokens.finish().await;
    Ok(estimate)
}

fn told(estimate: &Estimate, kind: JobKind, options: Options) -> String {
    let Estimate { customers, contacts, linked, calls, calls_at_most, seconds, seconds_at_most } = estimate;
    let what = nature(kind, options);
    let most = if calls_at_most > calls {
        format!(
            "; at most {calls_at_most} calls, {}, if every customer has changed",
            in_words((*seconds_at_most).max(1))
        )
    } else {
        String::new()
    };
    format!(
        "{customers} customers to look at ({linked} of the store's are linked already), {contacts} contacts in the location.\n\
         About {calls} calls to HighLevel, {}{most}. {what}",
        in_words((*seconds).max(1))
    )
}

/// What it does to others.
fn nature(kind: JobKind, options: Options) -> &'static str {
    match (kind, options.dry_run) {
        (JobKind::Verify, _) => "Nothing is changed on either side.",
        (_, true) => "A dry run: nothing is sent.",
        (_, false) => "Live events go first.",
    }
}

fn go_on() -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody is there to say yes: give --yes");
    }
    eprint!("Go on? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
