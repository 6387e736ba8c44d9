//! `cartbridge demo`: the whole story, over real HTTP, against the sandbox.

mod bridge;
mod stage;
mod story;
mod tally;
mod timeline;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use sandbox::{Options, Sandbox};

use bridge::Bridge;
use stage::Stage;
use timeline::Timeline;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Keep the database, the configuration and the bridge's log in this folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Leave all three running afterwards, and print their URLs and keys
    #[arg(long)]
    keep: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let temporary = tempfile::tempdir().context("no temporary folder can be made")?;
    let folder = arguments.data.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    refuse_used(folder)?;

    let sandbox = Sandbox::start(Options { search_lag: Duration::from_secs(2), ..Options::default() }).await;
    let sandbox = sandbox.context("the sandbox cannot start")?;
    let bridge = Bridge::start(folder, &sandbox.announcement()).await?;
    let delivered = serde_json::json!({ "deliver_to": bridge.url() });
    for control in [sandbox.ghl(), sandbox.cscart()] {
        control.settings(delivered.clone()).map_err(|error| anyhow::anyhow!(error.to_string()))?;
    }

    let timeline = Timeline::begin();
    Timeline::place("the store (simulated)", sandbox.cscart_url());
    Timeline::place("HighLevel (simulated)", sandbox.ghl_url());
    Timeline::place("Cartbridge", bridge.url());
    let mut stage = Stage::new(sandbox, bridge, timeline);
    let interrupted = tokio::select! {
        () = story::play(&mut stage) => false,
        _ = tokio::signal::ctrl_c() => true,
    };
    if !interrupted {
        tally::print(&mut stage).await;
        if arguments.keep {
            stage.keep(folder).await?;
        }
    }
    let failed = stage.failures();
    stage.end().await;
    if interrupted {
        return Ok(ExitCode::from(130));
    }
    if let Some(folder) = &arguments.data {
        println!("\nDatabase, configuration and log are in {}.", folder.display());
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A database from an earlier demo belongs to another sandbox: nothing would fit.
fn refuse_used(folder: &Path) -> anyhow::Result<()> {
    let database = folder.join(bridge::DATABASE);
    if database.exists() {
        anyhow::bail!(
            "{} is there from an earlier demo: name another folder, or remove it",
            database.display()
        );
    }
    Ok(())
}
