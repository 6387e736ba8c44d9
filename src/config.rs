//! The configuration: one file, and the environment over it.
//!
//! `CARTBRIDGE__SECTION__KEY` overrides a key; for a connection the section is `CONNECTION__` and its name in capitals
//! with `_` for `-`. A secret can also stand in a file of its own: the same key with `_file` behind it.

mod environment;
mod locate;
mod secret_files;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::connection::Connection;
use crate::mistake::{self, Mistake};

/// Everything that can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address under which HighLevel and the store reach the bridge; none: `http://<listen>`.
    pub public_url: Option<String>,
    /// The database, as a URL: `sqlite://data/cartbridge.db`.
    pub database: String,
    /// A folder of routes that override and add to the embedded ones.
    pub routes_dir: Option<PathBuf>,
    /// How the engine works.
    pub engine: EngineConfig,
    /// The connections defined in the file.
    pub connection: Vec<Connection>,
}

/// How the engine works. The defaults suit one store or a hundred.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// How many subjects are worked on at the same time.
    pub workers: usize,
    /// How long, in milliseconds, a change of a customer waits for further ones, to send them as one.
    pub fold_window_ms: u64,
    /// How long, in milliseconds, one call to HighLevel or the store may take.
    pub call_timeout_ms: u64,
    /// How long, in milliseconds, to wait after a create of unknown outcome before looking whether it happened.
    pub settle_ms: u64,
    /// The first delay, in milliseconds, before a failed event is tried again; it grows from there.
    pub retry_base_ms: u64,
    /// The longest delay, in milliseconds, between two tries.
    pub retry_max_ms: u64,
    /// After so many failed tries an event becomes a dead letter.
    pub max_tries: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            database: "sqlite://data/cartbridge.db".into(),
            routes_dir: None,
            engine: EngineConfig::default(),
            connection: Vec::new(),
        }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            workers: 64,
            fold_window_ms: 500,
            call_timeout_ms: 30_000,
            settle_ms: 5_000,
            retry_base_ms: 1_000,
            retry_max_ms: 15 * 60 * 1_000,
            max_tries: 100,
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
        let problems = config.contradictions(place);
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// Where the database file is.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        self.database.strip_prefix("sqlite://").map(PathBuf::from)
    }

    /// The address that HighLevel and the store are told.
    pub fn public_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen)).trim_end_matches('/').to_owned()
    }

    /// Everything that cannot work, however well it is written.
    fn contradictions(&self, place: &str) -> Vec<Mistake> {
        let mut problems = Vec::new();
        let mut problem = |what: String, mend: &str| {
            problems.push(Mistake { place: place.to_owned(), position: None, what, mend: mend.to_owned() });
        };
        if self.sqlite_path().is_none_or(|path| path.as_os_str().is_empty()) {
            problem(
                format!("`database` is `{}`", without_password(&self.database)),
                "use `sqlite://path/to/file.db`; this version keeps its data in SQLite only",
            );
        }
        let lease_ms = crate::store::LEASE.as_millis() as u64;
        if self.engine.call_timeout_ms * 2 > lease_ms {
            problem(
                format!("`engine.call_timeout_ms` is {}", self.engine.call_timeout_ms),
                &format!("at most {}: a call must end before its lease does", lease_ms / 2),
            );
        }
        if self.engine.workers == 0 {
            problem("`engine.workers` is 0".into(), "at least 1, or nothing is ever done");
        }
        let mut names = HashSet::new();
        for connection in &self.connection {
            if !names.insert(&connection.name) {
                problem(format!("two connections are called `{}`", connection.name), "give each a name of its own");
            }
            for what in connection_problems(connection) {
                problem(format!("connection `{}`: {}", connection.name, what.0), what.1);
            }
        }
        problems
    }
}

/// What keeps a connection from working, each with its mend.
pub fn connection_problems(connection: &Connection) -> Vec<(String, &'static str)> {
    let mut problems = Vec::new();
    if connection.ghl.location_id.as_str().trim().is_empty() {
        problems.push(("`ghl.location_id` is empty".into(), "copy it from the location's settings in HighLevel"));
    }
    if connection.ghl.token.is_none() && connection.ghl.oauth.is_none() {
        problems.push((
            "it has neither `ghl.token` nor `ghl.oauth`".into(),
            "make a Private Integration Token in the location's settings and give it as `ghl.token`",
        ));
    }
    if connection.cscart.webhook_secrets.is_empty() {
        problems.push((
            "`cscart.webhook_secrets` is empty".into(),
            "give the secret that the store's add-on shows (`whsec_…`)",
        ));
    }
    for (index, secret) in connection.cscart.webhook_secrets.iter().enumerate() {
        if cscart::webhook::Secret::parse(secret.expose_secret()).is_err() {
            problems.push((
                format!("`cscart.webhook_secrets[{index}]` is not a webhook secret"),
                "it is `whsec_` followed by base64, as the store's add-on shows it",
            ));
        }
    }
    for (key, url) in [("ghl.api_url", &connection.ghl.api_url), ("cscart.url", &connection.cscart.url)] {
        if reqwest::Url::parse(url).ok().is_none_or(|url| !matches!(url.scheme(), "http" | "https")) {
            problems.push((format!("`{key}` is `{url}`"), "give an address that begins with https://"));
        }
    }
    let keys = &connection.ghl.webhook_public_keys;
    if !keys.is_empty()
        && let Err(error) = ghl::webhook::Verifier::from_pem(keys)
    {
        problems.push((
            format!("`ghl.webhook_public_keys` cannot be used: {error}"),
            "give PEM public keys (Ed25519), or leave it empty for HighLevel's own",
        ));
    }
    problems
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

fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://…{}", &url[..scheme], &url[at..]),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests;
