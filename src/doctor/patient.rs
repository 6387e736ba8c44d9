//! What there is to examine: the configuration, the database, and the connections of both.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::{Chart, Finding};
use crate::app::load_routes;
use crate::clock::Clock;
use crate::config::{Config, flaws_of};
use crate::connection::{Connection, ConnectionName};
use crate::monitor::Monitor;
use crate::reason::{Code, Reason};
use crate::registry::{Live, Registry};
use crate::routes::Routes;
use crate::store::sqlite::Sqlite;
use crate::store::{Connections, Origin, Store, in_full};
use crate::tls::Certificate;
use crate::tokens::{self, Tokens};
use crate::vault::{Key, Vault};

/// The bridge as it is set up.
pub(super) struct House {
    pub(super) config: Config,
    routes: Routes,
    store: Arc<dyn Store>,
    stored: Connections,
    /// In place of a database that is not there yet.
    scratch: Option<TempDir>,
}

/// A connection, and what its definition looks like.
pub(super) struct Patient {
    pub(super) name: ConnectionName,
    /// None: it is stored and cannot be read.
    pub(super) connection: Option<(Connection, Origin)>,
    finding: Finding,
}

impl Patient {
    /// What its definition looks like.
    pub(super) fn finding(&self) -> Finding {
        self.finding.clone()
    }
}

/// Looks at the bridge itself. None: without that, no connection can be looked at.
pub(super) async fn house(chart: &mut Chart<'_>, file: Option<&Path>) -> Option<House> {
    let (config, routes) = match configuration(file) {
        Ok((config, routes)) => {
            let (connections, count) = (config.connection.len(), routes.count());
            let told = format!("{connections} connection(s) in the file, {count} route(s), no mistakes");
            chart.note("configuration", &Finding::Good(told));
            (config, routes)
        }
        Err(reason) => {
            chart.note("configuration", &Finding::Failed(reason));
            return None;
        }
    };
    let path = config.sqlite_path().unwrap_or_default();
    let place = path.display();
    match database(&config, &path).await {
        Ok((store, stored, scratch)) => {
            let found = if scratch.is_some() {
                let text =
                    format!("there is no database at {place} yet: the first `cartbridge serve` makes it");
                Finding::warning(Code::Database, text)
            } else {
                Finding::Good(format!("{place} can be written, and its master key is there"))
            };
            chart.note("database", &found);
            Some(House { config, routes, store, stored, scratch })
        }
        Err(reason) => {
            chart.note("database", &Finding::Failed(reason));
            None
        }
    }
}

/// The configuration and the routes, without the mistakes that keep `serve` from starting.
fn configuration(file: Option<&Path>) -> Result<(Config, Routes), Reason> {
    let mistake = |text: String| Reason::new(Code::Configuration, text);
    let config = Config::load(file).map_err(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        mistake(lines.join("; "))
    })?;
    if let Some(Err(flaw)) = config.tls.as_ref().map(Certificate::load) {
        return Err(mistake(flaw.to_string()));
    }
    let routes = load_routes(config.routes_dir.as_deref()).map_err(|error| mistake(error.to_string()))?;
    Ok((config, routes))
}

/// The database, and the connections in it. One that is not there yet is not made: an empty one stands in for it.
async fn database(
    config: &Config,
    path: &Path,
) -> Result<(Arc<dyn Store>, Connections, Option<TempDir>), Reason> {
    let unusable = |error: &dyn std::error::Error| Reason::new(Code::Database, in_full(error));
    let keys = config.master_key().map_err(|error| unusable(&error))?;
    let (store, scratch): (Arc<dyn Store>, _) = if path.exists() {
        (Arc::new(Sqlite::open_with(path, keys).map_err(|error| unusable(&error))?), None)
    } else {
        let folder = tempfile::tempdir().map_err(|error| unusable(&error))?;
        let vault = Vault::new(Key::generate());
        let empty = Sqlite::open(&folder.path().join("empty.db"), vault).map_err(|error| unusable(&error))?;
        (Arc::new(empty), Some(folder))
    };
    store.ping().await.map_err(|error| Reason::from(&error))?;
    let stored = store.connections().await.map_err(|error| Reason::from(&error))?;
    Ok((store, stored, scratch))
}

impl House {
    /// Every connection, by name: as the file has it, else as the database has it.
    pub(super) fn patients(&self) -> Vec<Patient> {
        let mut patients: Vec<Patient> =
            self.config.connection.iter().map(|connection| self.of_file(connection)).collect();
        let in_file = |name: &ConnectionName| self.config.connection.iter().any(|one| one.name == *name);
        for stored in self.stored.readable.iter().filter(|stored| !in_file(&stored.connection.name)) {
            patients.push(match stored.origin {
                Origin::Api => Patient {
                    name: stored.connection.name.clone(),
                    connection: Some((stored.connection.clone(), Origin::Api)),
                    finding: sound(&stored.connection, "defined in the database"),
                },
                Origin::File => Patient {
                    name: stored.connection.name.clone(),
                    connection: Some((stored.connection.clone(), Origin::File)),
                    finding: Finding::warning(
                        Code::Configuration,
                        "it is not in the configuration file any more: the next start of `cartbridge serve` drops it",
                    ),
                },
            });
        }
        for stored in self.stored.unreadable.iter().filter(|stored| !in_file(&stored.name)) {
            let why = in_full(&stored.error);
            patients.push(Patient {
                name: stored.name.clone(),
                connection: None,
                finding: Finding::failed(
                    Code::ConnectionUnusable,
                    format!("it is stored and cannot be used: {why}"),
                ),
            });
        }
        patients.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
        patients
    }

    fn of_file(&self, connection: &Connection) -> Patient {
        let in_use = self.stored.readable.iter().find(|stored| stored.connection.name == connection.name);
        let is_in_use = in_use.is_some_and(|stored| stored.connection.to_stored() == connection.to_stored());
        let finding = if is_in_use || self.scratch.is_some() {
            sound(connection, "defined in the file")
        } else {
            let text = "the file's definition is not in use yet: restart `cartbridge serve`";
            Finding::warning(Code::Configuration, text)
        };
        Patient {
            name: connection.name.clone(),
            connection: Some((connection.clone(), Origin::File)),
            finding,
        }
    }

    /// The connection's clients. None: it cannot be read.
    pub(super) fn live(&self, patient: &Patient, clock: &Clock) -> Option<Live> {
        let (connection, origin) = patient.connection.clone()?;
        let timeout = self.config.engine.call_timeout();
        Some(Registry::new(Arc::clone(&self.store), clock.clone(), timeout).ready(connection, origin))
    }

    /// What calls to HighLevel go with, as the bridge itself has it.
    pub(super) fn tokens(&self, clock: &Clock) -> Tokens {
        Tokens::new(tokens::Setup {
            store: Arc::clone(&self.store),
            clock: clock.clone(),
            monitor: Monitor::default(),
            wake: Arc::default(),
            routes: self.routes.clone(),
            public_url: self.config.public_url().into(),
            call_timeout: self.config.engine.call_timeout(),
        })
    }
}

/// What a definition looks like, going by itself.
fn sound(connection: &Connection, place: &str) -> Finding {
    match flaws_of(connection).first() {
        Some(flaw) => Finding::failed(Code::Configuration, format!("{}: {}", flaw.what, flaw.mend)),
        None => Finding::Good(place.to_owned()),
    }
}
