//! Secrets: sealed at rest, each in its row; the master key comes from where it should, can be changed while the bridge runs,
//! and nothing that anybody reads shows any of them.

mod at_rest;
mod key_sources;
mod rotation;
mod silence;

use std::path::{Path, PathBuf};
use std::process::Output;

use tokio::process::Command;

/// The secrets of the connection in [`CONFIG`].
const SECRETS: [&str; 5] = [
    "pit-00000000-1111-2222-3333-444444444444",
    "client-secret-5555",
    "client-secret-before-6666",
    "store-api-key-7777",
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
];

/// A folder with a database in it, and the program run on that.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.configure("");
        desk
    }

    /// A configuration with one connection, with further lines in front.
    fn configure(&self, lines: &str) {
        let [token, client_secret, previous, api_key, webhook_secret] = SECRETS;
        let text = format!(
            "listen = \"127.0.0.1:0\"\ndatabase = \"sqlite://{}\"\n{lines}\n[[connection]]\nname = \"my-shop\"\n[connection.ghl]\n\
             location_id = \"loc1\"\ntoken = \"{token}\"\n[connection.ghl.oauth]\nclient_id = \"id\"\nclient_secret = \
             \"{client_secret}\"\nprevious_client_secret = \"{previous}\"\n[connection.cscart]\nurl = \
             \"https://shop.example.com\"\napi_key = \"{api_key}\"\nwebhook_secrets = [\"whsec_{webhook_secret}\"]\n",
            self.database().display()
        );
        std::fs::write(self.path("cartbridge.toml"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn database(&self) -> PathBuf {
        self.path("test.db")
    }

    fn key_file(&self) -> PathBuf {
        self.path("test.db.key")
    }

    async fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cartbridge"))
            .args(arguments)
            .envs(variables.iter().copied())
            .current_dir(self.folder.path())
            .kill_on_drop(true)
            .output()
            .await
            .unwrap()
    }

    async fn ok(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.run(arguments, variables).await;
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs a command that must fail; answers what it says.
    async fn refused(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.run(arguments, variables).await;
        assert!(!output.status.success(), "{arguments:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }

    /// Takes a connection into the database that the file does not define, with the same secrets.
    async fn add(&self, name: &str, variables: &[(&str, &str)]) {
        std::fs::write(self.path("token"), SECRETS[0]).unwrap();
        std::fs::write(self.path("webhook"), format!("whsec_{}", SECRETS[4])).unwrap();
        let made = [
            "connection",
            "add",
            name,
            "--location-id",
            "loc1",
            "--token-file",
            "token",
            "--store-url",
            "https://shop.example.com",
            "--webhook-secrets-file",
            "webhook",
        ];
        self.ok(&made, variables).await;
        for file in ["token", "webhook"] {
            std::fs::remove_file(self.path(file)).unwrap();
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A new master key, as `openssl rand -base64 32` makes it.
fn new_key() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(rand::random::<[u8; 32]>())
}

/// Every file under a folder with its bytes, but for those that end in one of `but`.
fn files(folder: &Path, but: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() {
            found.extend(files(&path, but));
        } else if !but.iter().any(|ending| name.ends_with(ending)) {
            found.push((name, std::fs::read(&path).unwrap()));
        }
    }
    found
}

fn holds(bytes: &[u8], wanted: &str) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}

/// Whether a file is the one place where the master key may stand.
fn is_key_file(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "key")
}
