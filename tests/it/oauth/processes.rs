//! Several processes on one database, and one that is killed in the middle.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cartbridge::app::load_routes;
use cartbridge::clock::Clock;
use cartbridge::monitor::Monitor;
use cartbridge::registry::{Live, Registry};
use cartbridge::store::Store;
use cartbridge::store::sqlite::Sqlite;
use cartbridge::tokens::{Setup, Tokens, Unready};
use cartbridge::vault::Source;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::{connected, expire, refreshes, register, stand};
use crate::app::{ADMIN_KEY, TestApp};

/// What another process has: its own handle on the database, its own memory.
struct Process {
    tokens: Tokens,
    live: Arc<Live>,
}

impl Process {
    async fn on(database: &Path, clock: &Clock) -> Self {
        let keys = Source::choose(None, None, None, database).unwrap();
        let store: Arc<dyn Store> = Arc::new(Sqlite::open_with(database, keys).unwrap());
        let registry = Registry::new(Arc::clone(&store), clock.clone(), Duration::from_secs(2));
        registry.reload().await.unwrap();
        let tokens = Tokens::new(Setup {
            store: Arc::clone(&store),
            clock: clock.clone(),
            monitor: Monitor::default(),
            wake: Arc::default(),
            routes: load_routes(None).unwrap(),
            public_url: "http://bridge.example.com".into(),
            call_timeout: Duration::from_secs(2),
        });
        let live = registry.get(&"my-shop".parse().unwrap()).unwrap();
        Self { tokens, live }
    }

    async fn bearer(&self) -> Result<String, Unready> {
        Ok(self.tokens.bearer(&self.live).await?.token.expose_secret().to_owned())
    }
}

#[tokio::test]
async fn two_processes_on_one_database_renew_once_and_use_the_same_token() {
    let app = connected().await;
    let one = Process::on(&app.database(), &app.clock).await;
    let other = Process::on(&app.database(), &app.clock).await;
    // Both know the old pair.
    assert_eq!(one.bearer().await.unwrap(), other.bearer().await.unwrap());
    expire(&app).await;
    // The answer takes its time, so that the other one has to wait for it.
    app.fault(json!({ "kind": "delay", "ms": 300, "path": "/oauth/token" }));
    let calls = (0..50).map(|n| if n % 2 == 0 { one.bearer() } else { other.bearer() });
    let tokens = futures::future::join_all(calls).await;
    let first = tokens[0].as_ref().unwrap();
    assert!(tokens.iter().all(|token| token.as_ref().unwrap() == first));
    assert_eq!(refreshes(&app).len(), 1);
    app.end().await;
}

#[tokio::test]
async fn nobody_gets_a_new_token_before_it_is_on_disk_and_a_database_that_is_held_costs_none() {
    let app = connected().await;
    let process = Process::on(&app.database(), &app.clock).await;
    let old = process.bearer().await.unwrap();
    expire(&app).await;
    app.fault(json!({ "kind": "delay", "ms": 700, "path": "/oauth/token", "processed": true }));
    let renewed = process.bearer();
    tokio::pin!(renewed);
    let held = async {
        app.until_true("HighLevel has renewed the pair", || {
            app.sandbox.ghl().state()["tokens"]["refreshed"] == 1
        })
        .await;
        let other = rusqlite::Connection::open(app.database()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    };
    let other = tokio::select! {
        other = held => other,
        _ = &mut renewed => panic!("it was answered too soon"),
    };
    // Longer than a write waits for a database that another program holds.
    let waited = tokio::time::timeout(Duration::from_millis(3500), &mut renewed).await;
    assert!(waited.is_err(), "it is not on disk yet");
    other.execute_batch("ROLLBACK").unwrap();
    let new = renewed.await.unwrap();
    assert_ne!(new, old);
    let stored = app.store.grant_of(&"my-shop".parse().unwrap()).await.unwrap().unwrap().grant;
    assert_eq!(stored.pair.access_token.expose_secret(), new);
    assert_eq!(refreshes(&app).len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_process_notices_that_another_has_disconnected_or_connected() {
    let app = connected().await;
    let other = Process::on(&app.database(), &app.clock).await;
    other.bearer().await.unwrap();
    other.tokens.look().await.unwrap();
    app.highlevel(json!({ "action": "oauth.uninstall" })).await;
    other.tokens.look().await.unwrap();
    assert!(matches!(other.bearer().await, Err(Unready::Disconnected { .. })));
    super::connect(&app, "").await;
    other.tokens.look().await.unwrap();
    other.bearer().await.unwrap();
    app.end().await;
}

#[tokio::test]
async fn killed_between_highlevels_answer_and_our_commit_it_ends_in_a_clear_state() {
    let mut app = connected().await;
    app.close().await;
    app.highlevel(json!({ "action": "oauth.expire" })).await;
    // HighLevel renews the pair, and says so too late.
    app.fault(json!({ "kind": "delay", "ms": 60_000, "path": "/oauth/token", "processed": true }));
    let mut program = Program::start(&app).await;
    let made = app.shop(json!({ "action": "customer.register", "user": crate::app::ada() })).await;
    let id = made["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    // The journal shows a call when it is answered; the sandbox's state shows at once that the pair is a new one.
    app.until_true("HighLevel has renewed the pair", || {
        app.sandbox.ghl().state()["tokens"]["refreshed"] == 1
    })
    .await;
    program.child.kill().await.unwrap();
    app.sandbox.ghl().clear_faults();

    let _program = Program::start(&app).await;
    let parked = app.until_state(&id, "parked").await;
    let reason = parked["state_reason"].as_str().unwrap();
    assert!(reason.contains("cut off") && reason.contains("/connect/ghl/my-shop"), "{reason}");
    assert_eq!(stand(&app).await["status"], "disconnected");
    super::connect(&app, "").await;
    app.until_state(&id, "done").await;
    assert_eq!(app.ghl("contacts").len(), 1);
    app.sandbox.shutdown().await;
}

/// The real program on the database and at the address of a [`TestApp`] that is closed.
struct Program {
    child: Child,
}

impl Program {
    async fn start(app: &TestApp) -> Self {
        let config = app.database().with_file_name("program.toml");
        let address = app.url.strip_prefix("http://").unwrap();
        std::fs::write(&config, format!("listen = \"{address}\"\n{}", app.config())).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_cartbridge"))
            .args(["serve", "--config"])
            .arg(&config)
            .env("CARTBRIDGE_ADMIN_KEY", ADMIN_KEY)
            .env("CARTBRIDGE_LOG", "off")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let started = Instant::now();
        while app.http.get(format!("{}/readyz", app.url)).send().await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "the bridge does not start");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { child }
    }
}

#[tokio::test]
async fn the_command_line_prints_the_address_waits_and_tells_what_was_allowed() {
    let app = super::spawn("").await;
    let config = app.database().with_file_name("program.toml");
    let address = app.url.strip_prefix("http://").unwrap();
    std::fs::write(&config, format!("listen = \"{address}\"\n{}", app.config())).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cartbridge"));
        command.args(arguments).arg("--config").arg(&config).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true).spawn().unwrap()
    };
    let waited = run(&["connect", "ghl", "my-shop", "--timeout", "0"]).wait_with_output().await.unwrap();
    assert_eq!(waited.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&waited.stderr).contains("Nobody has connected"), "{waited:?}");

    let waiting = run(&["connect", "ghl", "my-shop", "--scopes", "needed"]);
    super::connect(&app, "scopes=needed").await;
    let output = waiting.wait_with_output().await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    let address = format!("{}/connect/ghl/my-shop?scopes=needed", app.url);
    assert!(told.contains(&address) && told.contains("contacts.readonly contacts.write"), "{told}");

    let shown = run(&["connection", "show", "my-shop"]).wait_with_output().await.unwrap();
    let told = String::from_utf8_lossy(&shown.stdout);
    assert!(told.contains("HighLevel: connected") && told.contains("customer-to-contact"), "{told}");
    let unknown = run(&["connect", "ghl", "no-shop"]).wait_with_output().await.unwrap();
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no connection `no-shop`"), "{unknown:?}");
    app.end().await;
}

#[tokio::test]
async fn stores_of_one_location_share_one_grant_and_one_refresh() {
    let app = connected().await;
    let announced = app.sandbox.announcement();
    let (ghl, cscart) = (&announced["ghl"], &announced["cscart"]);
    let second: Value = json!({
        "name": "second-shop",
        "ghl": {
            "location_id": ghl["location_id"], "api_url": ghl["url"],
            "oauth": { "client_id": ghl["client_id"], "client_secret": ghl["client_secret"], "chooser_url": ghl["url"] },
            "webhook_public_keys": [ghl["webhook_public_key"]],
        },
        "cscart": { "url": cscart["url"], "webhook_secrets": [cscart["webhook_secret"]] },
    });
    let (status, made) = app.api("POST", "/api/connections", Some(second)).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["status"], "not_connected");
    super::connect(&app, "scopes=needed").await;
    let (_, shown) = app.api("GET", "/api/connections/second-shop", None).await;
    assert_eq!(shown["status"], "connected", "the same location, the same client: {shown}");

    expire(&app).await;
    register(&app).await;
    app.sandbox.cscart().settings(json!({ "connection": "second-shop" })).unwrap();
    let user = json!({ "email": "b@example.com" });
    app.shop(json!({ "action": "customer.register", "user": user })).await;
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 2);
    assert_eq!(refreshes(&app).len(), 1);

    let (status, _) = app.api("DELETE", "/api/connections/second-shop", None).await;
    assert_eq!(status, 204);
    assert_eq!(app.store.grant_heads().await.unwrap().len(), 1, "what one uses stays when the other goes");
    app.end().await;
}

#[tokio::test]
async fn a_connection_for_oauth_is_made_on_the_command_line() {
    let app = super::spawn("").await;
    let config = app.database().with_file_name("program.toml");
    std::fs::write(&config, app.config()).unwrap();
    let secret = app.database().with_file_name("secret");
    std::fs::write(&secret, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n").unwrap();
    let secret = secret.display().to_string();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cartbridge"));
        command.args([
            "connection",
            "add",
            "new-shop",
            "--location-id",
            "loc",
            "--store-url",
            "https://s.example.com",
        ]);
        command.args(["--webhook-secrets-file", &secret]).args(arguments).arg("--config").arg(&config);
        command.output().unwrap()
    };
    let neither = run(&[]);
    assert_eq!(neither.status.code(), Some(2), "{neither:?}");
    let made = run(&["--client-id", "client", "--client-secret-file", &secret]);
    assert!(made.status.success(), "{made:?}");
    let told = String::from_utf8_lossy(&made.stdout);
    assert!(told.contains("/connect/callback") && told.contains("cartbridge connect ghl new-shop"), "{told}");
    let view = app
        .until("the bridge has noticed", async || {
            let (status, view) = app.api("GET", "/api/connections/new-shop", None).await;
            (status == 200).then_some(view)
        })
        .await;
    assert_eq!(view["status"], "not_connected", "{view}");
    app.end().await;
}
