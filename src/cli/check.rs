//! `cartbridge check`: everything that would keep `serve` from working, without starting it.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::{StartError, load_routes};
use crate::config::{Config, admin_key};
use crate::connection::ConnectionName;
use crate::mistake::Mistake;
use crate::store::Store as _;
use crate::store::sqlite::{OpenError, Sqlite};
use crate::tls::Certificate;

pub(super) async fn run(file: Option<PathBuf>) -> ExitCode {
    let mut mistakes: Vec<String> = Vec::new();
    let mut warnings: Vec<Mistake> = Vec::new();
    let config = match Config::load(file.as_deref()) {
        Ok(config) => {
            let keys = config.master_key().map_err(OpenError::from);
            let path = config.sqlite_path().unwrap_or_default();
            if let Err(error) = keys.and_then(|keys| Sqlite::check_keys(&path, keys)) {
                mistakes.push(error.to_string());
            }
            config
        }
        Err(problems) => {
            mistakes.extend(problems.iter().map(ToString::to_string));
            Config::default()
        }
    };
    if let Err(problem) = admin_key() {
        mistakes.push(problem.to_string());
    }
    if let Some(Err(mistake)) = config.tls.as_ref().map(Certificate::load) {
        mistakes.push(mistake.to_string());
    }
    let routes = match load_routes(config.routes_dir.as_deref()) {
        Ok(routes) => {
            let unknown = config.connection.iter().flat_map(|connection| routes.unknown_choices(connection));
            mistakes.extend(unknown.map(|mistake| mistake.to_string()));
            warnings = routes.overlooked(&names(&config).await);
            routes.count()
        }
        Err(StartError::Routes(errors)) => {
            mistakes.extend(errors.iter().map(ToString::to_string));
            0
        }
        Err(error) => {
            mistakes.push(error.to_string());
            0
        }
    };
    for warning in warnings {
        println!("warning: {warning}");
    }
    if mistakes.is_empty() {
        println!("All is well: {} connection(s) in the file, {routes} route(s).", config.connection.len());
        return ExitCode::SUCCESS;
    }
    for mistake in &mistakes {
        println!("{mistake}");
    }
    println!("\n{} mistake(s).", mistakes.len());
    ExitCode::FAILURE
}

/// The names of all connections: those of the file, and those of the database as far as that can be read.
async fn names(config: &Config) -> Vec<ConnectionName> {
    let mut names: Vec<ConnectionName> = config.connection.iter().map(|it| it.name.clone()).collect();
    let path = config.sqlite_path().filter(|path| path.exists());
    if let (Some(path), Ok(keys)) = (path, config.master_key())
        && let Ok(store) = Sqlite::open_read_only(&path, keys)
        && let Ok(stored) = store.connections().await
    {
        names.extend(stored.readable.into_iter().map(|stored| stored.connection.name));
        names.extend(stored.unreadable.into_iter().map(|stored| stored.name));
    }
    names
}
