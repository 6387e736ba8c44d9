//! The bridge as a process of its own, so that it can really be killed.

use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// The database's name in the folder.
pub(super) const DATABASE: &str = "cartbridge.db";
/// The connection between the two simulated systems; the sandbox's store sends there unless told otherwise.
const CONNECTION: &str = "my-shop";
/// How long the bridge may take to start.
const START: Duration = Duration::from_secs(30);

/// A running bridge.
pub(super) struct Bridge {
    config: PathBuf,
    log: PathBuf,
    url: String,
    key: String,
    child: Child,
}

impl Bridge {
    /// Writes a configuration for the sandbox and starts the bridge with it.
    pub(super) async fn start(folder: &Path, announcement: &Value) -> anyhow::Result<Self> {
        let address = free_address().await?;
        let url = format!("http://{address}");
        let config = folder.join("cartbridge.toml");
        let text = configuration(address, &folder.join(DATABASE), announcement);
        // It holds the keys to both simulated systems, as a real one may hold those to the real ones.
        let private = File::options().write(true).create(true).truncate(true).mode(0o600).open(&config);
        private
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("{} cannot be written", config.display()))?;
        let log = folder.join("bridge.log");
        let key = format!("demo-{}", uuid::Uuid::new_v4().simple());
        let child = spawn(&config, &log, &key)?;
        let bridge = Self { config, log, url, key, child };
        bridge.ready().await?;
        Ok(bridge)
    }

    /// Where it listens.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The admin key for its API.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The configuration that it was started with.
    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    /// `kill -9`: no goodbye, nothing is finished.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("the bridge cannot be killed")
    }

    /// Starts it again on the same database and at the same address.
    pub(super) async fn restart(&mut self) -> anyhow::Result<()> {
        self.child = spawn(&self.config, &self.log, &self.key)?;
        self.ready().await
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            if let Ok(answer) = reqwest::get(format!("{}/readyz", self.url)).await
                && answer.status().is_success()
            {
                return Ok(());
            }
            if started.elapsed() > START {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                bail!("the bridge did not start; its log says:\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn spawn(config: &Path, log: &Path, key: &str) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("this program cannot find itself")?;
    let log =
        File::options().create(true).append(true).open(log).context("the bridge's log cannot be written")?;
    let child = Command::new(program)
        .args(["serve", "--config"])
        .arg(config)
        .env("CARTBRIDGE_ADMIN_KEY", key)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn();
    child.context("the bridge cannot be started")
}

/// An address that is free now; the bridge takes it a moment later, and again after it was killed.
async fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("there is no free port")?;
    listener.local_addr().context("the socket has no address")
}

fn configuration(listen: SocketAddr, database: &Path, announcement: &Value) -> String {
    let (ghl, cscart) = (&announcement["ghl"], &announcement["cscart"]);
    // JSON's strings are TOML's basic strings.
    format!(
        r#"# Made by `cartbridge demo`: a bridge between the two simulated systems.
listen = "{listen}"
database = {database}

[engine]
settle_ms = 500          # the simulated HighLevel is never slow by itself, so there is little to wait for
retry_base_ms = 300

[[connection]]
name = "{CONNECTION}"
[connection.ghl]
location_id = {location}
token = {token}
api_url = {api_url}
webhook_public_keys = [{public_key}]
[connection.cscart]
url = {store}
email = {email}
api_key = {api_key}
webhook_secrets = [{secret}]
"#,
        database = Value::String(format!("sqlite://{}", database.display())),
        location = ghl["location_id"],
        token = ghl["token"],
        api_url = ghl["url"],
        public_key = ghl["webhook_public_key"],
        store = cscart["url"],
        email = cscart["email"],
        api_key = cscart["api_key"],
        secret = cscart["webhook_secret"],
    )
}
