//! The program as a person starts it.

use std::process::Output;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::app::TestApp;

/// A folder with a configuration, and the commands run in it.
pub struct Desk {
    /// Where the commands run.
    pub folder: tempfile::TempDir,
}

impl Desk {
    /// With this `cartbridge.toml`.
    pub fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cartbridge.toml"), config).unwrap();
        Self { folder }
    }

    /// Runs a command.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cartbridge"))
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .await
            .unwrap()
    }

    /// Runs a command that has to succeed; answers what it prints.
    pub async fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }
}

/// What a program has printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn the_demo_holds_every_line_of_its_story() {
    let desk = Desk::new("");
    let told = desk.ok(&["demo", "--data", "kept"]).await;
    assert!(told.contains("Every line of the story held"), "{told}");
    for file in ["cartbridge.db", "cartbridge.toml", "bridge.log"] {
        assert!(desk.folder.path().join("kept").join(file).exists(), "{file}");
    }
    let again = desk.run(&["demo", "--data", "kept"]).await;
    assert!(!again.status.success() && text(&again.stderr).contains("name another folder"), "{again:?}");
}

#[tokio::test]
async fn the_sandbox_announces_itself_in_its_first_line() {
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    let mut sandbox = Command::new(env!("CARGO_BIN_EXE_cartbridge"))
        .args(["sandbox", "--ghl", "127.0.0.1:0", "--cscart", "127.0.0.1:0", "--seed", "7"])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let first = BufReader::new(sandbox.stdout.take().unwrap()).lines().next_line().await.unwrap().unwrap();
    let announced: Value = serde_json::from_str(&first).unwrap();
    for (side, keys) in [
        (
            "ghl",
            ["url", "location_id", "company_id", "token", "client_id", "client_secret", "webhook_public_key"]
                .as_slice(),
        ),
        ("cscart", &["url", "email", "api_key", "webhook_secret"]),
    ] {
        for key in keys {
            assert!(
                announced[side][key].as_str().is_some_and(|value| !value.is_empty()),
                "{side}.{key} in {first}"
            );
        }
    }
    let url = announced["ghl"]["url"].as_str().unwrap();
    let answer = reqwest::get(format!("{url}/_sandbox/journal")).await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!([]));
    sandbox.kill().await.unwrap();
}

#[tokio::test]
async fn check_names_file_line_and_mend_for_every_mistake() {
    let desk = Desk::new("listn = \"127.0.0.1:1\"\n");
    let output = desk.run(&["check"]).await;
    assert!(!output.status.success());
    let told = text(&output.stdout);
    assert!(told.contains("cartbridge.toml:1:1: ") && told.contains("did you mean `listen`?"), "{told}");

    let desk = Desk::new("routes_dir = \"flows\"\n");
    std::fs::create_dir(desk.folder.path().join("flows")).unwrap();
    let route = "on = [\"cscart.note.created\"]\n[[step]]\nid = \"x\"\ndo = \"ghl.note.sav\"\n";
    std::fs::write(desk.folder.path().join("flows/mine.toml"), route).unwrap();
    let output = desk.run(&["check"]).await;
    assert!(!output.status.success());
    let told = text(&output.stdout);
    assert!(told.contains("mine.toml:4:6: ") && told.contains("did you mean `ghl.note.save`?"), "{told}");

    let desk = Desk::new("");
    assert!(desk.ok(&["check"]).await.contains("All is well"));
}

#[tokio::test]
async fn check_warns_of_files_that_no_connection_reads() {
    let desk = Desk::new("routes_dir = \"flows\"\n");
    std::fs::create_dir_all(desk.folder.path().join("flows/my-shop")).unwrap();
    std::fs::copy("routes/order-to-tags.toml", desk.folder.path().join("flows/my-shop/mine.toml")).unwrap();
    let told = desk.ok(&["check"]).await;
    assert!(told.contains("warning: my-shop/: ") && told.contains("All is well"), "{told}");
}

#[tokio::test]
async fn routes_are_listed_and_tried_before_the_bridge_has_run() {
    let connection = "[[connection]]\nname = \"my-shop\"\n[connection.ghl]\nlocation_id = \"ve9EPM428h8vShlRW1KT\"\n\
                      token = \"pit-1\"\n[connection.cscart]\nurl = \"https://shop.example.com\"\n\
                      webhook_secrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]\n";
    let desk = Desk::new(&format!("database = \"sqlite://new.db\"\n{connection}"));
    assert!(desk.ok(&["routes", "list"]).await.contains("my-shop"));
    let event = json!({ "type": "customer.created", "data": { "user": { "user_id": 42, "email": "ada@example.com" } } });
    std::fs::write(desk.folder.path().join("event.json"), event.to_string()).unwrap();
    assert!(desk.ok(&["dry-run", "--event", "event.json"]).await.contains("/contacts/"));
    assert!(!desk.folder.path().join("new.db").exists());
}

#[tokio::test]
async fn serve_refuses_a_wrong_configuration_with_advice() {
    let desk = Desk::new("[[connection]]\nname = \"My Shop\"\n");
    let output = desk.run(&["serve"]).await;
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("cannot name a connection"), "{output:?}");
}

#[tokio::test]
async fn connections_and_keys_are_made_shown_and_removed_on_the_command_line() {
    let desk = Desk::new("database = \"sqlite://test.db\"\n");
    let write = |name: &str, text: &str| std::fs::write(desk.folder.path().join(name), text).unwrap();
    write("token", "pit-secret-1\n");
    write("secrets", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    let add = [
        "connection",
        "add",
        "my-shop",
        "--location-id",
        "loc1",
        "--token-file",
        "token",
        "--store-url",
        "https://shop.example.com",
    ];
    let made = desk.ok(&[&add[..], &["--webhook-secrets-file", "secrets"]].concat()).await;
    assert!(made.contains("/webhooks/cscart/my-shop"), "{made}");
    assert!(desk.ok(&["connection", "list"]).await.contains("loc1"));
    let shown = desk.ok(&["connection", "show", "my-shop"]).await;
    assert!(shown.contains("(set)") && !shown.contains("pit-secret-1"), "{shown}");
    desk.ok(&["connection", "remove", "my-shop"]).await;
    assert!(!desk.ok(&["connection", "list"]).await.contains("loc1"));

    write("api-key", "key-secret-1\n");
    let without_addon = [&add[..], &["--store-email", "a@b.co", "--store-api-key-file", "api-key"]].concat();
    let refused = desk.run(&without_addon).await;
    assert!(!refused.status.success() && text(&refused.stderr).contains("--polling"), "{refused:?}");
    for mode in [&["--polling"][..], &["--polling", "true"]] {
        let made = desk.ok(&[&without_addon[..], mode].concat()).await;
        assert!(made.contains("is polled") && !made.contains("connection code"), "{made}");
        let shown = desk.ok(&["connection", "show", "my-shop"]).await;
        assert!(shown.contains("\"polling\": true") && shown.contains("sends nothing"), "{shown}");
    }
    let wrong = desk.run(&[&without_addon[..], &["--polling", "sometimes"]].concat()).await;
    assert!(text(&wrong.stderr).contains("write `true`, `false` or `auto`"), "{wrong:?}");

    let key = desk.ok(&["key", "add", "grafana"]).await;
    let listed = desk.ok(&["key", "list"]).await;
    assert!(listed.contains("grafana") && !listed.contains(key.trim()), "{listed}");
}

#[tokio::test]
async fn events_are_listed_shown_and_replayed_on_the_command_line() {
    let mut app = TestApp::spawn().await;
    app.may_have_dead_letters = true;
    let refusal =
        json!({ "statusCode": 422, "message": ["city must be a string"], "error": "Unprocessable Entity" });
    app.fault(
        json!({ "method": "POST", "path": "/contacts/", "kind": "status", "status": 422, "body": refusal }),
    );
    let made = app.shop(json!({ "action": "customer.register", "user": crate::app::ada() })).await;
    let id = made["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    app.until_state(&id, "dead").await;
    let desk = Desk::new(&format!("database = \"sqlite://{}\"\n", app.database().display()));
    assert!(desk.ok(&["events", "list", "--state", "dead"]).await.contains("city must be a string"));
    let shown: Value = serde_json::from_str(&desk.ok(&["events", "show", &id]).await).unwrap();
    assert_eq!(shown["effects"][0]["attempts"][0]["status"], 422);
    for kind in ["customer.created", "cscart.customer.created"] {
        assert!(desk.ok(&["events", "list", "--type", kind, "--since", "1h"]).await.contains(&id), "{kind}");
    }
    for (wrong, words) in [(["show", "nope"], "events list"), (["list", "--since=yesterday"], "write `7d`")] {
        let output = desk.run(&[&["events"][..], &wrong].concat()).await;
        assert!(!output.status.success() && text(&output.stderr).contains(words), "{output:?}");
    }
    desk.ok(&["events", "replay", "--all", "--connection", "my-shop"]).await;
    app.until_state(&id, "done").await;
    assert_eq!(app.ghl("contacts").len(), 1);
    let told = desk.ok(&["resync", "my-shop", "--customer", &made["user_id"].to_string()]).await;
    assert!(told.contains("nothing had to be sent") && told.contains("events show"), "{told}");
    app.end().await;
}

#[tokio::test]
async fn a_second_bridge_on_the_same_database_is_refused() {
    let app = TestApp::spawn().await;
    let desk = Desk::new(&format!(
        "listen = \"127.0.0.1:0\"\ndatabase = \"sqlite://{}\"\n",
        app.database().display()
    ));
    let output = desk.run(&["serve"]).await;
    assert!(!output.status.success());
    let told = text(&output.stderr);
    let who = format!("process {} is a bridge", std::process::id());
    assert!(told.contains("another Cartbridge works with this database") && told.contains(&who), "{told}");
    app.end().await;
}

#[tokio::test]
async fn health_says_whether_the_bridge_can_store() {
    let app = TestApp::spawn().await;
    let desk = Desk::new(&format!("listen = \"{}\"\n", app.url.trim_start_matches("http://")));
    assert_eq!(desk.ok(&["health"]).await.trim(), "ready");
    let url = app.url.clone();
    app.end().await;
    let output = desk.run(&["health"]).await;
    assert!(!output.status.success() && text(&output.stderr).contains(&url), "{output:?}");
}

#[tokio::test]
async fn whoever_stops_reading_ends_a_command_without_a_word() {
    let desk = Desk::new("");
    for arguments in [
        &["catalogue"][..],
        &["catalogue", "contact", "--json"],
        &["openapi"],
        &["test-routes"],
        &["routes", "schema"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cartbridge"));
        command.args(arguments).current_dir(desk.folder.path()).kill_on_drop(true);
        let (reads, writes) = std::io::pipe().unwrap();
        drop(reads);
        let child = command.stdout(writes).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let ended = child.wait_with_output().await.unwrap();
        assert_eq!(text(&ended.stderr), "", "{arguments:?}");
        assert_eq!(ended.status.code(), Some(141), "{arguments:?}");
    }
}
