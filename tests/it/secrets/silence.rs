//! Nothing that anybody reads shows a secret: no log, no answer, no file, no message about a mistake.

use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cartbridge::config::Config;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::{Desk, SECRETS, files, holds, is_key_file, text};
use crate::app::{ADMIN_KEY, QUICK, config_text};

/// Every form in which the secrets of a connection to the sandbox could show.
fn forms(ghl: &Value, cscart: &Value) -> Vec<String> {
    let secret = |value: &Value| value.as_str().unwrap().to_owned();
    let webhook_secret = secret(&cscart["webhook_secret"]);
    let api_key = secret(&cscart["api_key"]);
    vec![
        secret(&ghl["token"]),
        secret(&ghl["client_secret"]),
        webhook_secret.trim_start_matches("whsec_").to_owned(),
        webhook_secret.trim_start_matches("whsec_").trim_end_matches('=').to_owned(),
        STANDARD.encode(format!("{}:{api_key}", secret(&cscart["email"]))),
        api_key,
    ]
}

fn assert_silent(secrets: &[String], written: &[(String, Vec<u8>)]) {
    for (name, bytes) in written {
        for secret in secrets {
            assert!(!holds(bytes, secret), "{secret} in {name}");
        }
    }
}

#[tokio::test]
async fn nothing_that_the_demo_writes_holds_a_secret_however_much_it_logs() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cartbridge"))
        .args(["demo", "--data", "kept"])
        .env("CARTBRIDGE_LOG", "trace")
        .current_dir(folder.path())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let kept = folder.path().join("kept");
    // The configuration is the bridge's input: there a person writes them, if he does not name files.
    let config: toml::Table = std::fs::read_to_string(kept.join("cartbridge.toml")).unwrap().parse().unwrap();
    let connection: Value = serde_json::to_value(&config["connection"][0]).unwrap();
    let mut cscart = connection["cscart"].clone();
    cscart["webhook_secret"] = cscart["webhook_secrets"][0].clone();
    let mut ghl = connection["ghl"].clone();
    // The demo's connection has no client.
    ghl["client_secret"] = ghl["token"].clone();
    let secrets = forms(&ghl, &cscart);
    let mut written = files(&kept, &["cartbridge.toml"]);
    let log = std::fs::read(kept.join("bridge.log")).unwrap();
    assert!(holds(&log, "TRACE"), "it has logged all there is");
    assert!(written.iter().any(|(name, _)| name.ends_with("cartbridge.db")));
    written.push(("standard output".into(), output.stdout));
    written.push(("standard error".into(), output.stderr));
    assert_silent(&secrets, &written);
    let key = std::fs::read_to_string(kept.join("cartbridge.db.key")).unwrap().trim().to_owned();
    written.retain(|(name, _)| !is_key_file(name));
    assert_silent(&[key], &written);
    for name in ["ada@example.com", "Lovelace"] {
        assert!(!holds(&log, name), "nor anybody's name or address in the log: {name}");
    }
}

/// The real program, with all that it writes in a folder.
struct Bridge {
    desk: Desk,
    sandbox: Sandbox,
    url: String,
    http: reqwest::Client,
    child: Child,
    /// Everything that the API has answered.
    answers: Vec<(String, Vec<u8>)>,
}

impl Bridge {
    async fn start() -> Self {
        let sandbox = Sandbox::start(Options { strict_rate: false, ..Options::default() }).await.unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let url = format!("http://{address}");
        for control in [sandbox.ghl(), sandbox.cscart()] {
            control.settings(json!({ "deliver_to": url })).unwrap();
        }
        let desk = Desk::new();
        let announcement = sandbox.announcement();
        let text = config_text(&announcement, &desk.database().display().to_string(), &url, QUICK);
        let client = format!(
            "oauth = {{ client_id = \"id\", client_secret = {} }}\n",
            announcement["ghl"]["client_secret"]
        );
        let text = text.replace("[connection.cscart]", &format!("{client}[connection.cscart]"));
        std::fs::write(desk.path("cartbridge.toml"), format!("listen = \"{address}\"\n{text}")).unwrap();
        let output = || std::fs::File::options().create(true).append(true).open(desk.path("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_cartbridge"))
            .arg("serve")
            .current_dir(desk.folder.path())
            .env("CARTBRIDGE_ADMIN_KEY", ADMIN_KEY)
            .env("CARTBRIDGE_LOG", "trace")
            .stdout(Stdio::from(output()))
            .stderr(Stdio::from(output()))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let bridge = Self { desk, sandbox, url, http: reqwest::Client::new(), child, answers: Vec::new() };
        let ready = async || bridge.http.get(format!("{}/readyz", bridge.url)).send().await.ok().map(drop);
        until("it starts", ready).await;
        bridge
    }

    async fn ask(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        let mut request =
            self.http.request(method.parse().unwrap(), format!("{}{path}", self.url)).bearer_auth(ADMIN_KEY);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let mut bytes = format!("{:?}", answer.headers()).into_bytes();
        let body = answer.bytes().await.unwrap();
        bytes.extend_from_slice(&body);
        self.answers.push((format!("the answer to {method} {path}"), bytes));
        serde_json::from_slice(&body).unwrap_or_default()
    }

    async fn settled(&self) {
        until("nothing is open", async || {
            let request = self.http.get(format!("{}/api/stats", self.url)).bearer_auth(ADMIN_KEY);
            let stats: Value = request.send().await.ok()?.json().await.ok()?;
            let open = ["pending", "working", "waiting"].iter().all(|state| stats[state] == 0);
            open.then_some(())
        })
        .await;
    }
}

async fn until<T>(what: &str, condition: impl AsyncFn() -> Option<T>) -> T {
    let started = std::time::Instant::now();
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(started.elapsed() < std::time::Duration::from_mins(1), "it never came true that {what}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn nothing_that_the_bridge_logs_stores_or_answers_holds_a_secret() {
    let mut bridge = Bridge::start().await;
    let announcement = bridge.sandbox.announcement();
    let token = announcement["ghl"]["token"].as_str().unwrap().to_owned();
    let api_key = announcement["cscart"]["api_key"].as_str().unwrap().to_owned();
    let register = json!({ "action": "customer.register", "user": crate::app::ada() });
    let customer = bridge.sandbox.cscart().act(register).await.unwrap()["user_id"].clone();
    bridge.settled().await;
    // Both sides repeat in their refusals what they were sent.
    for (status, user) in [(422, "one"), (403, "two"), (401, "three")] {
        let body = json!({ "statusCode": status, "message": format!("it is refused, Bearer {token}") });
        let fault = json!({ "method": "POST", "path": "/contacts/", "kind": "status", "status": status, "body": body });
        bridge.sandbox.ghl().fault(serde_json::from_value(fault).unwrap());
        let user = json!({ "email": format!("{user}@example.com"), "firstname": user });
        bridge.sandbox.cscart().act(json!({ "action": "customer.register", "user": user })).await.unwrap();
        bridge.settled().await;
    }
    let fault =
        json!({ "kind": "status", "status": 400, "body": { "message": format!("wrong key {api_key}") } });
    bridge.sandbox.cscart().fault(serde_json::from_value(fault).unwrap());
    for _ in 0..2 {
        bridge.ask("POST", "/api/connections/my-shop/resync", Some(json!({ "customer": customer }))).await;
        bridge.settled().await;
    }
    // Doors and API, well and badly used.
    bridge.ask("POST", "/webhooks/cscart/my-shop", Some(json!({}))).await;
    bridge.ask("POST", "/webhooks/ghl", Some(json!({}))).await;
    let made = bridge.ask("POST", "/api/keys", Some(json!({ "name": "reader", "role": "read" }))).await;
    bridge.answers.pop();
    let read_key = made["key"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    for (path, wrong) in [
        ("/ghl/token", json!(1)),
        ("/cscart/webhook_secrets", json!(announcement["cscart"]["webhook_secret"])),
    ] {
        let mut definition = json!({
            "name": "second", "ghl": { "location_id": "l", "token": token },
            "cscart": { "url": "http://127.0.0.1:9", "api_key": api_key, "webhook_secrets": [] },
        });
        *definition.pointer_mut(path).unwrap() = wrong;
        let told = bridge.ask("POST", "/api/connections", Some(definition)).await;
        assert_eq!(told["status"], 400, "{told}");
    }
    for path in [
        "/api/connections",
        "/api/connections/my-shop",
        "/api/keys",
        "/api/stats",
        "/metrics",
        "/healthz",
        "/readyz",
        "/openapi.yaml",
    ] {
        bridge.ask("GET", path, None).await;
    }
    let events = bridge.ask("GET", "/api/events?limit=100", None).await;
    let mut attempts = 0;
    for event in events["items"].as_array().unwrap() {
        let event = bridge.ask("GET", &format!("/api/events/{}", event["id"].as_str().unwrap()), None).await;
        for effect in event["effects"].as_array().unwrap() {
            attempts += effect["attempts"].as_array().unwrap().len();
        }
    }
    assert!(attempts > 5, "{attempts}");
    let told =
        bridge.answers.iter().filter(|(_, bytes)| holds(bytes, "it is refused, Bearer [redacted]")).count();
    assert!(told > 0, "what was refused is told, without the token");

    let mut secrets = forms(&announcement["ghl"], &announcement["cscart"]);
    secrets.extend([ADMIN_KEY.to_owned(), read_key]);
    let log = std::fs::read(bridge.desk.path("log")).unwrap();
    assert!(holds(&log, "TRACE"), "it has logged all there is");
    let mut written = files(bridge.desk.folder.path(), &["cartbridge.toml"]);
    assert!(written.iter().any(|(name, _)| name.ends_with("-wal")));
    written.append(&mut bridge.answers);
    assert_silent(&secrets, &written);
    let key = std::fs::read_to_string(bridge.desk.key_file()).unwrap().trim().to_owned();
    written.retain(|(name, _)| !is_key_file(name));
    assert_silent(&[key], &written);
    bridge.child.kill().await.unwrap();
    bridge.sandbox.shutdown().await;
}

#[tokio::test]
async fn a_mistake_in_a_secret_is_told_without_the_secret() {
    let [token, client_secret, _, api_key, webhook_secret] = SECRETS;
    let desk = Desk::new();
    let right = std::fs::read_to_string(desk.path("cartbridge.toml")).unwrap();
    for (line, wrong) in [
        (
            format!("webhook_secrets = [\"whsec_{webhook_secret}\"]"),
            format!("webhook_secrets = \"whsec_{webhook_secret}\""),
        ),
        (
            format!("webhook_secrets = [\"whsec_{webhook_secret}\"]"),
            format!("webhook_secrets = [\"{webhook_secret}!\"]"),
        ),
        (format!("token = \"{token}\""), format!("token = [\"{token}\"]")),
        (format!("token = \"{token}\""), format!("token = {{ value = \"{token}\" }}")),
        (format!("token = \"{token}\""), format!("token = {token}")),
        (format!("token = \"{token}\""), format!("token = \"{token}")),
        (format!("api_key = \"{api_key}\""), "api_key = 77777777".to_owned()),
        (format!("client_secret = \"{client_secret}\""), format!("client_secrte = \"{client_secret}\"")),
        (
            "[connection.ghl.oauth]\nclient_id = \"id\"\n".to_owned(),
            format!("oauth = \"{client_secret}\"\n[unknown]\n"),
        ),
    ] {
        assert!(right.contains(&line), "{line}");
        std::fs::write(desk.path("cartbridge.toml"), right.replace(&line, &wrong)).unwrap();
        for command in ["check", "serve"] {
            let output = desk.run(&[command], &[]).await;
            assert!(!output.status.success(), "{wrong}");
            let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
            for secret in SECRETS.iter().chain([&"77777777"]) {
                assert!(!told.contains(secret), "{wrong}: {told}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_that_holds_a_secret_prints_it() {
    let desk = Desk::new();
    let config = Config::load(Some(&desk.path("cartbridge.toml"))).unwrap();
    let connection = &config.connection[0];
    let printed =
        format!("{config:#?} {connection:?} {} {:?}", connection.to_public(), config.master_key().unwrap());
    for secret in SECRETS {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    assert_eq!(connection.to_public()["ghl"]["oauth"]["previous_client_secret"], "(set)");
}
