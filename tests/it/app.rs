//! `TestApp`: a bridge with its own database, a sandbox, and the verbs that people use.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cartbridge::app::App;
use cartbridge::clock::Clock;
use cartbridge::config::Config;
use cartbridge::store::Store;
use cartbridge::store::sqlite::Sqlite;
use cartbridge::vault::{Key, Vault};
use sandbox::{Entry, Options, Sandbox};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The admin key of every test.
pub const ADMIN_KEY: &str = "an-admin-key-of-at-least-32-characters";

/// How long a condition may take to come true. Far more than it needs: machines are shared.
const PATIENCE: Duration = Duration::from_secs(90);

/// A bridge that serves, and the two systems that it stands between.
pub struct TestApp {
    /// Where the bridge is.
    pub url: String,
    /// Both systems.
    pub sandbox: Sandbox,
    /// What the bridge has stored.
    pub store: Arc<dyn Store>,
    /// The bridge's clock.
    pub clock: Clock,
    /// For requests to the bridge.
    pub http: reqwest::Client,
    /// Dead letters are expected.
    pub may_have_dead_letters: bool,
    config: String,
    /// How often its database was closed.
    closed: usize,
    stop: CancellationToken,
    server: Option<JoinHandle<std::io::Result<()>>>,
    folder: tempfile::TempDir,
}

/// Engine settings that make waiting short; what they decide stays the same.
pub const QUICK: &str = "[engine]\nfold_window_ms = 150\nsettle_ms = 100\nindex_lag_ms = 2500\nretry_base_ms = 20\nretry_max_ms = 200\ncall_timeout_ms = 2000\n";

impl TestApp {
    /// A bridge and a sandbox with the usual settings.
    pub async fn spawn() -> Self {
        Self::spawn_with(Options { strict_rate: false, ..Options::default() }, QUICK).await
    }

    /// A bridge with other engine settings, and a sandbox with other options.
    pub async fn spawn_with(options: Options, settings: &str) -> Self {
        Self::spawn_edited(options, settings, |text, _| text).await
    }

    /// A bridge whose configuration was changed, given what the sandbox announces.
    pub async fn spawn_edited(
        options: Options,
        settings: &str,
        edit: impl Fn(String, &Value) -> String,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sandbox_is_strict = options.strict_rate;
        let sandbox = Sandbox::start(Options { deliver_to: Some(url.clone()), ..options }).await.unwrap();
        if !sandbox_is_strict {
            sandbox.ghl().settings(json!({ "rate": { "max": 1_000_000, "daily": 100_000_000 } })).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let text = config_text(
            &sandbox.announcement(),
            &folder.path().join("test.db").display().to_string(),
            &url,
            settings,
        );
        let text = edit(text, &sandbox.announcement());
        let config = Config::parse("test.toml", &text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        let clock = Clock::system();
        let app = App::build(config, Some(SecretString::from(ADMIN_KEY)), clock.clone()).await.unwrap();
        let store = app.store();
        let stop = CancellationToken::new();
        let server = Some(tokio::spawn(app.run(listener, stop.clone())));
        Self {
            url,
            sandbox,
            store,
            clock,
            http: reqwest::Client::new(),
            may_have_dead_letters: false,
            closed: 0,
            config: text,
            stop,
            server,
            folder,
        }
    }

    /// Where the bridge's database is.
    pub fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("test.db")
    }

    /// What a person does in the store; answers what it made and how its webhook was answered.
    pub async fn shop(&self, action: Value) -> Value {
        self.sandbox.cscart().act(action).await.unwrap()
    }

    /// A shopper registers, and everything that follows is done; answers the customer's id.
    pub async fn register(&self, user: Value) -> Value {
        let made = self.shop(json!({ "action": "customer.register", "user": user })).await;
        assert_eq!(made["delivery"]["status"], 202, "{made}");
        self.settled().await;
        made["user_id"].clone()
    }

    /// Delivers a body of one's own with the store's signature; answers status and body.
    pub async fn deliver(&self, id: &str, body: &Value) -> (u16, Value) {
        self.deliver_to("my-shop", id, body).await
    }

    /// The same, to another connection that takes the same secret.
    pub async fn deliver_to(&self, connection: &str, id: &str, body: &Value) -> (u16, Value) {
        let announcement = self.sandbox.announcement();
        let secret =
            cscart::webhook::Secret::parse(announcement["cscart"]["webhook_secret"].as_str().unwrap())
                .unwrap();
        let body = body.to_string();
        let now = self.clock.now().as_second();
        let request = self
            .http
            .post(format!("{}/webhooks/cscart/{connection}", self.url))
            .header("webhook-id", id)
            .header("webhook-timestamp", now)
            .header("webhook-signature", cscart::webhook::sign(&secret, id, now, body.as_bytes()))
            .body(body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    /// What a person does in HighLevel.
    pub async fn highlevel(&self, action: Value) -> Value {
        self.sandbox.ghl().act(action).await.unwrap()
    }

    /// Something goes wrong in HighLevel, once unless it says otherwise.
    pub fn fault(&self, fault: Value) {
        self.sandbox.ghl().fault(serde_json::from_value(fault).unwrap());
    }

    /// A request to the API with the admin key.
    pub async fn api(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request =
            self.http.request(method.parse().unwrap(), format!("{}{path}", self.url)).bearer_auth(ADMIN_KEY);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// The events, newest first.
    pub async fn events(&self, query: &str) -> Vec<Value> {
        let (status, page) = self.api("GET", &format!("/api/events?{query}"), None).await;
        assert_eq!(status, 200, "{page}");
        page["items"].as_array().unwrap().clone()
    }

    /// One event with its effects.
    pub async fn event(&self, id: &str) -> Value {
        let (status, event) = self.api("GET", &format!("/api/events/{id}"), None).await;
        assert_eq!(status, 200, "{event}");
        event
    }

    /// A person replays an event; answers the id to watch.
    pub async fn replay(&self, event: &Value) -> String {
        let (status, accepted) =
            self.api("POST", &format!("/api/events/{}/replay", event["id"].as_str().unwrap()), None).await;
        assert_eq!(status, 202, "{accepted}");
        accepted["id"].as_str().unwrap().to_owned()
    }

    /// Waits until nothing is under way or waiting any more.
    pub async fn settled(&self) {
        self.until("nothing is open", async || {
            let (_, stats) = self.api("GET", "/api/stats", None).await;
            let open = ["pending", "working", "waiting"]
                .iter()
                .map(|state| stats[state].as_u64().unwrap())
                .sum::<u64>();
            (open == 0).then_some(())
        })
        .await;
    }

    /// Waits until an event is in a state; answers it.
    pub async fn until_state(&self, id: &str, state: &str) -> Value {
        self.until(state, async || {
            let event = self.event(id).await;
            (event["state"] == state).then_some(event)
        })
        .await
    }

    /// Waits for a condition.
    pub async fn until<T>(&self, what: &str, condition: impl AsyncFn() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(value) = condition().await {
                return value;
            }
            assert!(started.elapsed() <= PATIENCE, "it never came true that {what}\n{}", self.story().await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The requests that HighLevel got.
    pub fn calls(&self) -> Vec<Entry> {
        self.sandbox.ghl().journal()
    }

    /// The requests that HighLevel got, as `POST /contacts/`, with ids as `*`.
    pub fn call_names(&self) -> Vec<String> {
        self.calls().iter().map(|call| format!("{} {}", call.method, pattern(&call.path))).collect()
    }

    /// What HighLevel holds.
    pub fn ghl(&self, what: &str) -> Vec<Value> {
        self.sandbox.ghl().state()[what].as_array().unwrap().clone()
    }

    /// The tags of the only contact with an e-mail address, sorted.
    pub fn tags_of(&self, email: &str) -> Vec<String> {
        let found: Vec<Value> =
            self.ghl("contacts").into_iter().filter(|contact| contact["email"] == email).collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        let mut tags: Vec<String> = serde_json::from_value(found[0]["tags"].clone()).unwrap();
        tags.sort();
        tags
    }

    /// Everything that happened, for whoever wants to know why a test failed.
    pub async fn story(&self) -> String {
        let mut story = String::new();
        for event in self.events("limit=30").await.iter().rev() {
            let event = self.event(event["id"].as_str().unwrap()).await;
            let _ = writeln!(
                story,
                "{} {} {} {}",
                event["type"], event["subject"], event["state"], event["state_reason"]
            );
            for effect in event["effects"].as_array().unwrap() {
                let _ = writeln!(
                    story,
                    "    {} {} {} {}",
                    effect["step"], effect["operation"], effect["state"], effect["result"]
                );
            }
        }
        for call in self.calls() {
            let _ = writeln!(story, "{} {} -> {:?} {:?}", call.method, call.path, call.status, call.fault);
        }
        story
    }

    /// Stops the bridge as a signal would, and waits until it has.
    pub async fn stop(&mut self) {
        self.stop.cancel();
        if let Some(server) = self.server.take() {
            server.await.unwrap().unwrap();
        }
    }

    /// The configuration.
    pub fn config(&self) -> &str {
        &self.config
    }

    /// Waits for a condition that asks nothing of the bridge, which may not be running.
    pub async fn until_true(&self, what: &str, condition: impl Fn() -> bool) {
        let started = Instant::now();
        while !condition() {
            assert!(started.elapsed() <= PATIENCE, "it never came true that {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Changes the configuration that the bridge will start with again.
    pub fn edit_config(&mut self, edit: impl FnOnce(&str) -> String) {
        self.config = edit(&self.config);
    }

    /// Stops the bridge and closes its database, so that the file can be copied or replaced.
    pub async fn close(&mut self) {
        self.stop().await;
        self.closed += 1;
        let nothing = self.folder.path().join(format!("nothing-{}.db", self.closed));
        self.store = Arc::new(Sqlite::open(&nothing, Vault::new(Key::generate())).unwrap());
        // Whoever closes last removes SQLite's log, unless two close at the same moment: then nobody does.
        let log = format!("{}-wal", self.database().display());
        let started = Instant::now();
        while std::path::Path::new(&log).exists() {
            assert!(started.elapsed() <= PATIENCE, "the database is not closed");
            tokio::time::sleep(Duration::from_millis(5)).await;
            let last = rusqlite::Connection::open(self.database()).unwrap();
            let read = last.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
            assert!(read.is_ok_and(|tables| tables > 0), "the database cannot be read");
        }
    }

    /// Makes a backup of the database while the bridge runs; answers where it is.
    pub fn backup(&self) -> std::path::PathBuf {
        let backup = self.database().with_extension("backup");
        let database = rusqlite::Connection::open(self.database()).unwrap();
        database.execute("VACUUM INTO ?", [backup.to_str().unwrap()]).unwrap();
        backup
    }

    /// Stops the bridge, puts a backup in the place of its database, and starts it again.
    pub async fn put_back(&mut self, backup: &std::path::Path) {
        self.close().await;
        std::fs::copy(backup, self.database()).unwrap();
        self.start_again().await;
    }

    /// Starts the bridge again at its old address, with what is in its database by now.
    pub async fn start_again(&mut self) {
        self.stop().await;
        let address = self.url.strip_prefix("http://").unwrap();
        let listener = TcpListener::bind(address).await.unwrap();
        let config = Config::parse("test.toml", &self.config, &[]).unwrap();
        let app = App::build(config, Some(SecretString::from(ADMIN_KEY)), self.clock.clone()).await.unwrap();
        self.store = app.store();
        self.stop = CancellationToken::new();
        self.server = Some(tokio::spawn(app.run(listener, self.stop.clone())));
    }

    /// Ends the test: the bridge stops in good order and has left nothing behind that nobody asked for.
    pub async fn end(mut self) {
        if !self.may_have_dead_letters {
            let dead = self.events("state=dead").await;
            assert!(dead.is_empty(), "dead letters are left: {dead:#?}\n{}", self.story().await);
        }
        self.stop().await;
        self.sandbox.shutdown().await;
    }
}

/// The configuration of a bridge for a sandbox.
pub fn config_text(announcement: &Value, database: &str, public_url: &str, settings: &str) -> String {
    let (ghl, cscart) = (&announcement["ghl"], &announcement["cscart"]);
    format!(
        "public_url = \"{public_url}\"\ndatabase = \"sqlite://{database}\"\n{settings}\n\
         [[connection]]\nname = \"my-shop\"\n[connection.ghl]\nlocation_id = {}\ntoken = {}\napi_url = {}\nwebhook_public_keys = [{}]\n\
         [connection.cscart]\nurl = {}\nemail = {}\napi_key = {}\nwebhook_secrets = [{}]\n\
         polling = false\nconcurrency = 32\nrequests_per_second = 1000\n",
        ghl["location_id"],
        ghl["token"],
        ghl["url"],
        ghl["webhook_public_key"],
        cscart["url"],
        cscart["email"],
        cscart["api_key"],
        cscart["webhook_secret"],
    )
}

/// A customer as a shopper fills in the form.
pub fn ada() -> Value {
    json!({
        "email": "ada@example.com", "firstname": "Ada", "lastname": "Lovelace", "phone": "(202) 555-0143",
        "b_address": "12 St James's Sq", "b_city": "Washington", "b_state": "DC", "b_country": "US", "b_zipcode": "20500",
    })
}

/// A path with ids as `*`.
fn pattern(path: &str) -> String {
    let is_id = |part: &&str| part.len() >= 20 && part.chars().all(|c| c.is_ascii_alphanumeric());
    path.split('/').map(|part| if is_id(&part) { "*" } else { part }).collect::<Vec<_>>().join("/")
}
