//! Opens what a command works on: the configuration and its database.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::clock::Clock;
use crate::config::Config;
use crate::mistake::Mistake;
use crate::store::sqlite::Sqlite;
use crate::store::{Origin, Store};
use crate::vault::{Key, Vault};

/// The configuration, or all that is wrong with it.
pub(super) fn config(file: Option<PathBuf>) -> anyhow::Result<Config> {
    Config::load(file.as_deref()).map_err(|problems| anyhow::anyhow!(all(&problems)))
}

/// The database of the configuration, made where it is missing: for commands that set up a new bridge.
pub(super) fn open_or_make(file: Option<PathBuf>) -> anyhow::Result<(Config, Arc<dyn Store>)> {
    let config = config(file)?;
    let path = config.sqlite_path().unwrap_or_default();
    let store = Sqlite::open_with(&path, config.master_key()?).context("the database cannot be opened")?;
    Ok((config, Arc::new(store)))
}

/// The database of the configuration. The bridge may be running beside: both see each other's changes.
pub(super) fn open(file: Option<PathBuf>) -> anyhow::Result<(Config, Arc<dyn Store>)> {
    path(&config(file.clone())?)?;
    open_or_make(file)
}

/// The database of the configuration, for reading alone: nothing in it can be changed. As long as there is none yet, an empty one
/// with the connections of the file, which is gone with the folder.
pub(super) async fn open_read_only_or_empty(
    file: Option<PathBuf>,
) -> anyhow::Result<(Config, Arc<dyn Store>, Option<TempDir>)> {
    let config = config(file)?;
    if let Ok(path) = path(&config) {
        let store =
            Sqlite::open_read_only(&path, config.master_key()?).context("the database cannot be read")?;
        return Ok((config, Arc::new(store), None));
    }
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let store = Sqlite::open_temporary(&folder.path().join("empty.db"), Vault::new(Key::generate()))
        .context("no temporary database can be made")?;
    let now = Clock::system().now();
    for connection in &config.connection {
        store.put_connection(connection, Origin::File, now).await?;
    }
    Ok((config, Arc::new(store), Some(folder)))
}

/// Where the database of a configuration is; it must be there.
pub(super) fn path(config: &Config) -> anyhow::Result<PathBuf> {
    let path = config.sqlite_path().unwrap_or_default();
    if !path.exists() {
        bail!(
            "there is no database at {} yet: start `cartbridge serve` once, or name its configuration with --config",
            path.display()
        );
    }
    Ok(path)
}

fn all(problems: &[Mistake]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    format!("the configuration has {} mistake(s):\n  {}", lines.len(), lines.join("\n  "))
}
