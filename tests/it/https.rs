//! HTTPS: what goes out is encrypted, what comes in is known for what it is, and certificates are renewed while it runs.

mod certificate;
mod outgoing;
mod proxy;

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cartbridge::app::App;
use cartbridge::clock::Clock;
use cartbridge::config::Config;
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::ADMIN_KEY;

/// How long a condition may take to come true. Far more than it needs: machines are shared.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a condition.
async fn until<T>(what: &str, condition: impl AsyncFn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(started.elapsed() <= PATIENCE, "it never came true that {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A certificate for `localhost` that signs itself.
struct Identity {
    certificate: String,
    key: String,
}

impl Identity {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }

    /// Writes both files, as a renewal does.
    fn write(&self, folder: &Path) {
        std::fs::write(folder.join("cert.pem"), &self.certificate).unwrap();
        std::fs::write(folder.join("key.pem"), &self.key).unwrap();
    }

    /// Somebody who trusts this certificate and no other.
    fn trusting(&self) -> reqwest::ClientBuilder {
        let trusted = reqwest::Certificate::from_pem(self.certificate.as_bytes()).unwrap();
        reqwest::Client::builder().no_proxy().tls_certs_only([trusted])
    }

    /// Whether a new connection to this port is served with this certificate, and before a silent one is given up.
    async fn is_served_at(&self, port: u16) -> bool {
        let url = format!("https://localhost:{port}/healthz");
        let client = self.trusting().timeout(Duration::from_secs(8)).build().unwrap();
        client.get(url).send().await.is_ok()
    }
}

/// The `[tls]` section for files in this folder.
fn tls(folder: &Path) -> String {
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    format!("[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n", certificate.display(), key.display())
}

/// A bridge without connections, in this process.
struct Bridge {
    port: u16,
    folder: tempfile::TempDir,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
}

impl Bridge {
    /// With these settings; tables come last.
    async fn spawn(settings: &str) -> Self {
        Self::spawn_in(tempfile::tempdir().unwrap(), settings).await
    }

    /// With HTTPS.
    async fn spawn_with(identity: &Identity, settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        identity.write(folder.path());
        let settings = format!("{settings}{}", tls(folder.path()));
        Self::spawn_in(folder, &settings).await
    }

    async fn spawn_in(folder: tempfile::TempDir, settings: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let database = folder.path().join("test.db").display().to_string();
        let text = format!("listen = \"{address}\"\ndatabase = \"sqlite://{database}\"\n{settings}");
        let config = Config::parse("test.toml", &text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        let app = App::build(config, Some(SecretString::from(ADMIN_KEY)), Clock::system()).await.unwrap();
        let stop = CancellationToken::new();
        let server = tokio::spawn(app.run(listener, stop.clone()));
        Self { port: address.port(), folder, stop, server }
    }

    async fn end(self) {
        self.stop.cancel();
        self.server.await.unwrap().unwrap();
    }
}

/// A bridge as a program of its own, whose log can be read.
struct Program {
    child: Child,
    port: u16,
    log: Arc<Mutex<String>>,
    _folder: tempfile::TempDir,
}

impl Program {
    /// With these settings; tables come last.
    async fn start(folder: tempfile::TempDir, settings: &str, log_level: &str) -> Self {
        let settings = format!("listen = \"127.0.0.1:0\"\ndatabase = \"sqlite://test.db\"\n{settings}");
        std::fs::write(folder.path().join("cartbridge.toml"), settings).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_cartbridge"))
            .arg("serve")
            .env("CARTBRIDGE_LOG", log_level)
            .env("CARTBRIDGE_ADMIN_KEY", ADMIN_KEY)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let written = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut log = written.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut program = Self { child, port: 0, log, _folder: folder };
        let said = program.says("listening on").await;
        let address = said.split("://").nth(1).unwrap().split(',').next().unwrap();
        program.port = address.rsplit(':').next().unwrap().parse().unwrap();
        program
    }

    /// Waits for a line with these words in the log; answers it.
    async fn says(&self, words: &str) -> String {
        until(words, async || {
            self.log.lock().unwrap().lines().find(|line| line.contains(words)).map(str::to_owned)
        })
        .await
    }

    /// Sends it a signal.
    async fn signal(&self, name: &str) {
        // The shell's own: not every system has it as a program.
        let kill = format!("kill {name} {}", self.child.id().unwrap());
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
    }
}
