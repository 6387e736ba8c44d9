//! The configuration: one file, and the environment over it.
//!
//! `CARTBRIDGE__SECTION__KEY` overrides a key; for a connection the section is `CONNECTION__` and its name in capitals
//! with `_` for `-`. A secret can also stand in a file of its own: the same key with `_file` behind it.

mod contradictions;
mod environment;
mod incoming;
mod locate;
mod reachable;
mod retry;
mod secret_files;
mod zone;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::connection::Connection;
use crate::mistake::{self, Mistake};
use crate::vault;

pub use contradictions::{Flaw, flaws_of};
pub use incoming::{TlsFiles, TrustedProxies};
pub use reachable::reachable;
pub use retry::RetryConfig;
pub use zone::Zone;

/// Everything that can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address under which HighLevel and the store reach the bridge; none: `http://<listen>`, or `https://` with
    /// [`Config::tls`].
    pub public_url: Option<String>,
    /// Whose word on where a request comes from is taken.
    pub trusted_proxies: TrustedProxies,
    /// Serve HTTPS with this certificate; none: plain HTTP, for a proxy in front.
    pub tls: Option<TlsFiles>,
    /// The database, as a URL: `sqlite://data/cartbridge.db`.
    pub database: String,
    /// The file with the master key, in place of `<database>.key`.
    pub key_file: Option<PathBuf>,
    /// A folder of routes that override and add to the embedded ones.
    pub routes_dir: Option<PathBuf>,
    /// The time zone in which schedules tell the time of the day; without it UTC.
    pub time_zone: Zone,
    /// How the engine works.
    pub engine: EngineConfig,
    /// The connections defined in the file.
    pub connection: Vec<Connection>,
}

/// How the engine works. The defaults suit one store or a hundred.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// How many subjects of one connection are worked on at the same time. Each connection has as many of its own, so that
    /// none has to wait for another.
    pub workers_per_connection: usize,
    /// How long, in milliseconds, a change of a customer waits for further ones, to send them as one.
    pub fold_window_ms: u64,
    /// How long, in milliseconds, one call to HighLevel or the store may take.
    pub call_timeout_ms: u64,
    /// How long, in milliseconds, to wait after a create of unknown outcome before looking whether it happened. It is sent
    /// again only after a second look when three times as long have passed.
    pub settle_ms: u64,
    /// How long, in milliseconds, HighLevel's search may lag behind writes. Matters only where a location allows duplicate
    /// contacts, after a create of unknown outcome, and after a restore.
    pub index_lag_ms: u64,
    /// The shortest delay, in milliseconds, before a failed event is tried again; the next ones grow from there.
    pub retry_base_ms: u64,
    /// The longest delay, in milliseconds, between two tries.
    pub retry_max_ms: u64,
    /// After so many failed tries an event becomes a dead letter.
    pub max_tries: u32,
    /// An event that has been failing for so many hours becomes a dead letter.
    pub max_age_hours: u32,
    /// After so many runs of a route within ten minutes for the same subject, each set off by HighLevel, the next such event
    /// becomes a dead letter: flows that set each other off would never end.
    pub loop_limit: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            trusted_proxies: TrustedProxies::default(),
            tls: None,
            database: "sqlite://data/cartbridge.db".into(),
            key_file: None,
            routes_dir: None,
            time_zone: Zone::default(),
            engine: EngineConfig::default(),
            connection: Vec::new(),
        }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            workers_per_connection: 128,
            fold_window_ms: 500,
            call_timeout_ms: 30_000,
            settle_ms: 5_000,
            index_lag_ms: 20_000,
            retry_base_ms: 1_000,
            retry_max_ms: 15 * 60 * 1_000,
            max_tries: 500,
            max_age_hours: 72,
            loop_limit: 20,
        }
    }
}

impl EngineConfig {
    /// See [`EngineConfig::call_timeout_ms`].
    pub fn call_timeout(&self) -> Duration {
        Duration::from_millis(self.call_timeout_ms)
    }
}

impl Config {
    /// Reads the file (which may be missing when it was not asked for by name) and the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, Vec<Mistake>> {
        let default = Path::new("cartbridge.toml");
        let path = file.unwrap_or(default);
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => String::new(),
            Err(error) => {
                return Err(vec![Mistake {
                    place: path.display().to_string(),
                    position: None,
                    what: format!("it cannot be read: {error}"),
                    mend: "give the path of a readable UTF-8 file with `--config`".into(),
                }]);
            }
        };
        Self::parse(&path.display().to_string(), &text, &environment::variables())
    }

    /// Reads a configuration from text and variables; `place` names the text in messages.
    pub fn parse(place: &str, text: &str, variables: &[(String, String)]) -> Result<Self, Vec<Mistake>> {
        let text = text.trim_start_matches('\u{feff}');
        let mut table: toml::Table = toml::from_str(text).map_err(|error| {
            vec![Mistake {
                place: place.to_owned(),
                position: error.span().map(|span| mistake::position(text, span.start)),
                what: error.message().to_owned(),
                mend: "write it as TOML; strings need quotes".into(),
            }]
        })?;
        environment::overlay(&mut table, variables)?;
        secret_files::resolve(&mut table, place)?;
        let config: Self = serde_path_to_error::deserialize(toml::Value::Table(table))
            .map_err(|error| vec![locate::problem(place, text, variables, &error)])?;
        let problems = contradictions::find(&config, place, text);
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// Where the database file is.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        self.database.strip_prefix("sqlite://").map(PathBuf::from)
    }

    /// Where the master key comes from: `CARTBRIDGE_KEY`, `CARTBRIDGE_KEY_FILE`, `key_file`, or beside the database.
    pub fn master_key(&self) -> Result<vault::Source, vault::KeyError> {
        let [key, file] = ["CARTBRIDGE_KEY", "CARTBRIDGE_KEY_FILE"].map(environment::text);
        vault::Source::choose(
            key.as_ref().map(secrecy::ExposeSecret::expose_secret),
            file.as_ref().map(secrecy::ExposeSecret::expose_secret),
            self.key_file.as_deref(),
            &self.sqlite_path().unwrap_or_default(),
        )
    }

    /// How the listening socket is spoken to.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The address that HighLevel and the store are told.
    pub fn public_url(&self) -> String {
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("{}://{}", self.scheme(), self.listen))
            .trim_end_matches('/')
            .to_owned()
    }
}

/// The admin key from the environment, if it is there and long enough.
pub fn admin_key() -> Result<Option<SecretString>, Mistake> {
    let Some(key) = environment::secret("CARTBRIDGE_ADMIN_KEY")? else { return Ok(None) };
    if key.expose_secret().len() < 32 {
        return Err(Mistake {
            place: "CARTBRIDGE_ADMIN_KEY".into(),
            position: None,
            what: format!("it has {} characters", key.expose_secret().len()),
            mend: "use at least 32, for example from `openssl rand -hex 32`".into(),
        });
    }
    Ok(Some(key))
}

#[cfg(test)]
mod tests;
