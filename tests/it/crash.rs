//! `kill -9` at any moment: what was acknowledged is carried out, and once.

use std::process::Stdio;
use std::time::Duration;

use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::app::{ADMIN_KEY, QUICK, config_text};

/// The real program as a process, with a sandbox in this one.
pub struct Killable {
    /// Both systems.
    pub sandbox: Sandbox,
    /// Where the bridge is.
    pub url: String,
    config: std::path::PathBuf,
    child: Child,
    /// For requests to the bridge.
    pub http: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Killable {
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> Self {
        Self::start_with_route(options, "").await
    }

    /// With this text, if there is one, as a route beside the shipped ones.
    async fn start_with_route(options: Options, route: &str) -> Self {
        let sandbox = Sandbox::start(Options { strict_rate: false, ..options }).await.unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let url = format!("http://{address}");
        for control in [sandbox.ghl(), sandbox.cscart()] {
            control.settings(json!({ "deliver_to": url })).unwrap();
        }
        sandbox.cscart().settings(json!({ "outbox_retry_ms": 20 })).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("cartbridge.toml");
        let database = folder.path().join("test.db").display().to_string();
        let text = config_text(&sandbox.announcement(), &database, &url, QUICK);
        let mut first = format!("listen = \"{address}\"");
        if !route.is_empty() {
            let routes = folder.path().join("routes");
            std::fs::create_dir(&routes).unwrap();
            std::fs::write(routes.join("flow.toml"), route).unwrap();
            first = format!("{first}\nroutes_dir = \"{}\"", routes.display());
        }
        std::fs::write(&config, format!("{first}\n{text}")).unwrap();
        let child = spawn(&config);
        let app = Self { sandbox, url, config, child, http: reqwest::Client::new(), _folder: folder };
        app.ready().await;
        app
    }

    /// Where the bridge's database is.
    fn database(&self) -> std::path::PathBuf {
        self.config.with_file_name("test.db")
    }

    /// The generation of the bridge's database, and until when it lacks something.
    fn generation(&self) -> (i64, Option<i64>) {
        let database = rusqlite::Connection::open(self.database()).unwrap();
        database.busy_timeout(Duration::from_secs(10)).unwrap();
        let sql = "SELECT number, lost_until FROM generation";
        database.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }

    /// Kills the bridge as soon as it has begun a generation, again and again: before or after the file beside the database has it.
    async fn kill_as_it_begins(&mut self, times: usize) {
        for _ in 0..times {
            self.child.kill().await.unwrap();
            let (before, _) = self.generation();
            self.child = spawn(&self.config);
            let started = std::time::Instant::now();
            while self.generation().0 == before {
                assert!(started.elapsed() < Duration::from_secs(30), "the bridge does not start");
                tokio::task::yield_now().await;
            }
        }
        self.kill_and_restart().await;
    }

    /// Ends the test.
    pub async fn end(mut self) {
        self.child.kill().await.unwrap();
        self.sandbox.shutdown().await;
    }

    async fn ready(&self) {
        let started = std::time::Instant::now();
        while self.http.get(format!("{}/readyz", self.url)).send().await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "the bridge does not start");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn kill_and_restart(&mut self) {
        self.child.kill().await.unwrap();
        self.child = spawn(&self.config);
        self.ready().await;
    }

    async fn open(&self) -> Option<u64> {
        let answer =
            self.http.get(format!("{}/api/stats", self.url)).bearer_auth(ADMIN_KEY).send().await.ok()?;
        let stats: Value = answer.json().await.ok()?;
        Some(["pending", "working", "waiting"].iter().map(|state| stats[state].as_u64().unwrap_or(0)).sum())
    }

    /// The events in a state.
    async fn events(&self, state: &str) -> Vec<Value> {
        let url = format!("{}/api/events?state={state}", self.url);
        let answer = self.http.get(url).bearer_auth(ADMIN_KEY).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["items"].as_array().unwrap().clone()
    }

    /// How many notes on contacts say each of these.
    fn notes(&self, texts: &[&str]) -> Vec<usize> {
        let state = self.sandbox.ghl().state();
        let notes = state["notes"].as_array().unwrap();
        texts.iter().map(|text| notes.iter().filter(|note| note["bodyText"] == *text).count()).collect()
    }

    /// What a person does in the store.
    async fn shop(&self, action: Value) -> Value {
        self.sandbox.cscart().act(action).await.unwrap()
    }

    /// Waits until the fault that was set has struck: the call is in HighLevel's hands.
    async fn struck(&self) {
        let faults = format!("{}/_sandbox/faults", self.sandbox.ghl_url());
        let started = std::time::Instant::now();
        loop {
            let left: Value = self.http.get(&faults).send().await.unwrap().json().await.unwrap();
            if left.as_array().is_some_and(Vec::is_empty) {
                return;
            }
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "no call was made that the fault could strike"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub async fn settled(&self) {
        let started = std::time::Instant::now();
        loop {
            let undelivered =
                self.sandbox.cscart().deliveries().iter().filter(|delivery| !delivery.delivered).count();
            if undelivered == 0 && self.open().await == Some(0) {
                return;
            }
            assert!(started.elapsed() < Duration::from_mins(1), "it does not come to rest");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn spawn(config: &std::path::Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_cartbridge"))
        .args(["serve", "--config"])
        .arg(config)
        .env("CARTBRIDGE_ADMIN_KEY", ADMIN_KEY)
        .env("CARTBRIDGE_LOG", "error")
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn killed_at_any_moment_it_loses_nothing_and_doubles_nothing() {
    const CUSTOMERS: usize = 40;
    let mut app = Killable::start().await;
    // Answers take a moment, so that the kills fall into the middle of calls too.
    app.sandbox
        .ghl()
        .fault(serde_json::from_value(json!({ "kind": "delay", "ms": 15, "times": 0 })).unwrap());
    for n in 0..CUSTOMERS {
        let user = json!({ "email": format!("person{n}@example.com"), "firstname": format!("Person{n}") });
        let register = app.sandbox.cscart().act(json!({ "action": "customer.register", "user": user })).await;
        let id = register.unwrap()["user_id"].clone();
        let note =
            json!({ "action": "note.add", "user_id": id, "body": format!("Note for {n}"), "deliver": true });
        app.sandbox.cscart().act(note).await.unwrap();
        if n % 4 == 3 {
            // Not at the same point each time: what is under way differs by then.
            tokio::time::sleep(Duration::from_millis((n as u64 * 7) % 60)).await;
            app.kill_and_restart().await;
        }
    }
    app.settled().await;

    let state = app.sandbox.ghl().state();
    for (what, key, name) in [
        ("contacts", "firstName", "Person"),
        ("tasks", "title", "Welcome Person"),
        ("notes", "bodyText", "Note for "),
    ] {
        let held = state[what].as_array().unwrap();
        for n in 0..CUSTOMERS {
            let made = held.iter().filter(|thing| thing[key] == format!("{name}{n}")).count();
            assert_eq!(made, 1, "{what} for customer {n}");
        }
        assert_eq!(held.len(), CUSTOMERS);
    }
    app.child.kill().await.unwrap();
    app.sandbox.shutdown().await;
}

/// Kills the bridge while each create is with HighLevel: before it is carried out, and after, when only the answer is
/// missing. After the first the ledger stands as if the call had never left.
async fn killed_within_each_create(allow_duplicate_contacts: bool) {
    let options =
        Options { allow_duplicate_contacts, search_lag: Duration::from_millis(500), ..Options::default() };
    let mut app = Killable::start_with(options).await;
    let mut round = 0;
    for path in ["/contacts/", "/contacts/*/tasks", "/contacts/*/notes"] {
        for processed in [false, true] {
            round += 1;
            let what =
                format!("{path}, processed: {processed}, duplicates allowed: {allow_duplicate_contacts}");
            let name = format!("Ada{round}");
            let email = format!("ada{round}@example.com");
            if allow_duplicate_contacts {
                // Somebody else's contact with the same address.
                let other = json!({ "email": email, "firstName": "Somebody" });
                app.sandbox.ghl().act(json!({ "action": "contact.create", "contact": other })).await.unwrap();
            }
            let slow = json!({
                "method": "POST", "path": path, "kind": "delay", "ms": 60_000, "processed": processed,
            });
            app.sandbox.ghl().fault(serde_json::from_value(slow).unwrap());
            let user = json!({ "email": email, "firstname": name });
            let made = app.shop(json!({ "action": "customer.register", "user": user })).await;
            let note = json!({ "action": "note.add", "user_id": made["user_id"], "body": format!("Rang twice. {round}") });
            app.shop(note.clone()).await;
            app.struck().await;
            app.kill_and_restart().await;
            // The same note once more: it is another one.
            app.shop(note).await;
            app.settled().await;

            let state = app.sandbox.ghl().state();
            let count = |kept: &str, key: &str, text: &str| {
                state[kept].as_array().unwrap().iter().filter(|thing| thing[key] == text).count()
            };
            assert_eq!(count("contacts", "firstName", &name), 1, "{what}");
            assert_eq!(count("tasks", "title", &format!("Welcome {name}")), 1, "{what}");
            assert_eq!(count("notes", "bodyText", &format!("Rang twice. {round}")), 2, "{what}");
        }
    }
    app.child.kill().await.unwrap();
    app.sandbox.shutdown().await;
}

#[tokio::test]
async fn killed_while_highlevel_has_the_call_each_create_happens_once() {
    killed_within_each_create(false).await;
}

#[tokio::test]
async fn killed_while_highlevel_has_the_call_each_create_happens_once_where_duplicates_are_allowed() {
    killed_within_each_create(true).await;
}

#[tokio::test]
async fn a_polite_stop_finishes_what_is_in_flight_and_gives_the_leases_back() {
    let mut app = Killable::start().await;
    let slow =
        json!({ "method": "POST", "path": "/contacts/", "kind": "delay", "ms": 400, "processed": false });
    app.sandbox.ghl().fault(serde_json::from_value(slow).unwrap());
    let user = json!({ "email": "ada@example.com", "firstname": "Ada" });
    app.sandbox.cscart().act(json!({ "action": "customer.register", "user": user })).await.unwrap();
    // The call is under way when the signal comes.
    let id = app.child.id().unwrap().to_string();
    let ended = Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
    assert!(ended.success());
    let status = app.child.wait().await.unwrap();
    assert!(status.success(), "{status}");
    let state = app.sandbox.ghl().state();
    assert_eq!(state["contacts"].as_array().unwrap().len(), 1);
    app.child = spawn(&app.config);
    app.ready().await;
    app.settled().await;
    let state = app.sandbox.ghl().state();
    assert_eq!(
        (state["contacts"].as_array().unwrap().len(), state["tasks"].as_array().unwrap().len()),
        (1, 1)
    );
    app.child.kill().await.unwrap();
    app.sandbox.shutdown().await;
}

/// A note for each product of an order.
fn note_for_each(step: &str) -> String {
    format!(
        "description = \"a note for each product\"\non = [\"cscart.order.created\"]\n\
         [[step]]\nid = \"contact\"\ndo = \"ghl.contact.ensure\"\n\
         [[step]]\nid = \"note\"\nfor_each = \"data.order.products\"\n{step}\n"
    )
}

/// An order of five products, and the bridge killed while the call for the third is with HighLevel.
async fn killed_at_the_third_item(step: &str, processed: bool) -> Killable {
    let options = Options { search_lag: Duration::ZERO, ..Options::default() };
    let mut app = Killable::start_with_route(options, &note_for_each(step)).await;
    let slow = json!({
        "method": "POST", "path": "/contacts/*/notes", "skip": 2, "kind": "delay", "ms": 60_000, "processed": processed,
    });
    app.sandbox.ghl().fault(serde_json::from_value(slow).unwrap());
    let user = json!({ "email": "ada@example.com", "firstname": "Ada" });
    let made = app.shop(json!({ "action": "customer.register", "user": user })).await;
    let products: Vec<Value> = NAMES
        .iter()
        .enumerate()
        .map(|(n, name)| json!({ "product_id": n + 1, "product": name, "amount": 1, "price": "9.00" }))
        .collect();
    app.shop(json!({ "action": "order.place", "user_id": made["user_id"], "products": products })).await;
    app.struck().await;
    app.kill_and_restart().await;
    app.settled().await;
    app
}

#[tokio::test]
async fn killed_at_its_start_again_and_again_it_takes_its_database_for_no_backup() {
    let mut app = Killable::start().await;
    app.shop(json!({ "action": "customer.register", "user": { "email": "ada@example.com" } })).await;
    app.settled().await;
    app.kill_as_it_begins(10).await;
    let (number, lost_until) = app.generation();
    assert!(number > 10, "{number}");
    assert_eq!(lost_until, None);
    app.end().await;
}

const NAMES: [&str; 5] = ["pen", "ink", "nib", "pad", "clip"];

#[tokio::test]
async fn killed_in_the_middle_of_a_list_each_item_is_done_once() {
    let step = "do = \"ghl.note.save\"\nwith = { note_id = \"order-{{ item.product_id }}\", body = \"{{ item.product }}\" }";
    for processed in [false, true] {
        let mut app = killed_at_the_third_item(step, processed).await;
        assert_eq!(app.notes(&NAMES), [1; 5], "processed: {processed}");
        app.child.kill().await.unwrap();
        app.sandbox.shutdown().await;
    }
}

#[tokio::test]
async fn killed_in_the_middle_of_plain_calls_none_is_sent_again_by_itself() {
    let step = "do = \"ghl.note.create\"\nwith = { body = \"{{ item.product }}\" }";
    for (processed, third) in [(false, 0), (true, 1)] {
        let mut app = killed_at_the_third_item(step, processed).await;
        assert_eq!(app.notes(&NAMES), [1, 1, third, 0, 0], "processed: {processed}");
        let dead = app.events("dead").await;
        assert_eq!((dead.len(), &dead[0]["state_code"]), (1, &json!("may-be-done")), "{dead:#?}");
        // Once more over a restart: it is still for a person.
        app.kill_and_restart().await;
        app.settled().await;
        assert_eq!(app.notes(&NAMES), [1, 1, third, 0, 0]);

        let replay = format!("{}/api/events/{}/replay", app.url, dead[0]["id"].as_str().unwrap());
        let answer = app.http.post(replay).bearer_auth(ADMIN_KEY).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        app.settled().await;
        assert_eq!(app.notes(&NAMES), [1, 1, third + 1, 1, 1], "processed: {processed}");
        app.child.kill().await.unwrap();
        app.sandbox.shutdown().await;
    }
}
