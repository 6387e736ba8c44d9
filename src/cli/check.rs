//! `cartbridge check`: everything that would keep `serve` from working, without starting it.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::{StartError, load_routes};
use crate::config::{Config, admin_key};
use crate::store::sqlite::{OpenError, Sqlite};
use crate::tls::Certificate;

pub(super) fn run(file: Option<PathBuf>) -> ExitCode {
    let mut mistakes: Vec<String> = Vec::new();
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
