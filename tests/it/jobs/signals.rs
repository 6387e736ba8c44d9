//! A job that a command carries out by itself: Ctrl-C, `kill -9`, and a bridge that wants to start meanwhile.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr};

use super::program::{cartbridge, command, told};
use super::{crowd, seed, spawn_slow, until};
use crate::app::TestApp;
use crate::program::{Desk, text};

const CUSTOMERS: usize = 300;

/// An import by a command, without a bridge, that has made some contacts; answers the job's id as well.
struct Import {
    child: Child,
    told: Lines<BufReader<ChildStderr>>,
    id: String,
}

impl Import {
    async fn begin(app: &TestApp, more: &[&str]) -> Self {
        let arguments = [&["import", "my-shop", "--yes"], more].concat();
        let mut child = command(app, &arguments).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
        let id = loop {
            let line = told.next_line().await.unwrap().unwrap();
            if let Some(id) = line.strip_prefix("Job ") {
                break id.trim_end_matches('.').to_owned();
            }
        };
        Self { child, told, id }
    }

    async fn signal(&self, signal: &str) {
        let process = self.child.id().unwrap().to_string();
        let sent = tokio::process::Command::new("kill").args([signal, &process]).status().await.unwrap();
        assert!(sent.success());
    }

    /// Reads until a line that holds these words.
    async fn says(&mut self, words: &str) {
        while let Some(line) = self.told.next_line().await.unwrap() {
            if line.contains(words) {
                return;
            }
        }
        panic!("it ended without saying {words}");
    }

    /// What else it says, and how it ends.
    async fn ends(mut self) -> (String, Option<i32>) {
        let mut said = String::new();
        while let Some(line) = self.told.next_line().await.unwrap() {
            said.push_str(&line);
            said.push('\n');
        }
        (said, self.child.wait().await.unwrap().code())
    }
}

/// A store with customers, a HighLevel that takes its time, and no bridge.
async fn without_bridge() -> TestApp {
    let mut app = with_bridge().await;
    app.close().await;
    app
}

/// The same with a bridge.
async fn with_bridge() -> TestApp {
    let app = spawn_slow().await;
    seed(&app, crowd(CUSTOMERS)).await;
    app.sandbox.ghl().clear_faults();
    app.fault(json!({ "method": "POST", "path": "/contacts/", "kind": "delay", "ms": 400, "times": 0 }));
    app
}

async fn until_some_are_made(app: &TestApp) {
    app.until_true("some contacts are made", || app.ghl("contacts").len() >= 10).await;
}

async fn shown(app: &TestApp, id: &str) -> Value {
    let shown = cartbridge(app, &["jobs", "show", id]).await;
    serde_json::from_slice(&shown.stdout).unwrap_or_else(|error| panic!("{error}: {}", told(&shown)))
}

/// All are contacts, and each is one.
fn assert_all_are_made_once(app: &TestApp) {
    let contacts = app.ghl("contacts");
    assert_eq!(contacts.len(), CUSTOMERS);
    for n in 0..CUSTOMERS {
        let email = format!("person{n}@example.com");
        assert_eq!(contacts.iter().filter(|contact| contact["email"] == *email).count(), 1, "{email}");
    }
}

#[tokio::test]
async fn ctrl_c_pauses_the_job_and_resume_goes_on_where_it_was() {
    let app = without_bridge().await;
    let path = app.database().with_extension("csv");
    let import = Import::begin(&app, &["--report", path.to_str().unwrap()]).await;
    let id = import.id.clone();
    until_some_are_made(&app).await;

    let desk = Desk::new(&format!("listen = \"127.0.0.1:0\"\n{}", app.config()));
    let serve = desk.run(&["serve"]).await;
    assert!(!serve.status.success());
    let who = format!("process {} is a command that carries out job {id}", import.child.id().unwrap());
    for part in [who.as_str(), "Ctrl-C", "cartbridge jobs resume"] {
        assert!(text(&serve.stderr).contains(part), "{part} in {}", text(&serve.stderr));
    }

    import.signal("-INT").await;
    let (said, code) = import.ends().await;
    assert_eq!(code, Some(2), "{said}");
    for part in [
        "of 300 customers examined",
        "calls to make",
        "The job is paused",
        &format!("cartbridge jobs resume {id}"),
        "is partial",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let report = std::fs::read_to_string(&path).unwrap();
    assert!(report.lines().nth(1).unwrap().contains("(partial report)"), "{report}");
    assert!(app.ghl("contacts").len() < CUSTOMERS, "it was over before it was stopped");
    assert_eq!(shown(&app, &id).await["state"], "paused");

    app.sandbox.ghl().clear_faults();
    let resumed = cartbridge(&app, &["jobs", "resume", &id]).await;
    assert_eq!(resumed.status.code(), Some(0), "{}", told(&resumed));
    assert_eq!(shown(&app, &id).await["outcomes"], json!({ "created": CUSTOMERS }));
    assert_all_are_made_once(&app);
    app.sandbox.shutdown().await;
}

#[tokio::test]
async fn a_second_ctrl_c_ends_at_once_and_the_job_is_paused_all_the_same() {
    let app = without_bridge().await;
    let mut import = Import::begin(&app, &[]).await;
    let id = import.id.clone();
    until_some_are_made(&app).await;
    // What is under way from now on takes longer than anybody would wait.
    app.sandbox.ghl().clear_faults();
    app.fault(json!({ "method": "POST", "path": "/contacts/", "kind": "delay", "ms": 600_000, "times": 0 }));
    let before = app.calls().len();
    app.until_true("a call hangs", || app.calls().len() > before).await;
    import.signal("-TERM").await;
    import.says("Ctrl-C once more ends at once").await;
    let paused = || {
        let database = rusqlite::Connection::open(app.database()).unwrap();
        database.query_row("SELECT state FROM jobs", [], |row| row.get::<_, String>(0)).unwrap() == "paused"
    };
    app.until_true("the job is paused", paused).await;
    import.signal("-INT").await;
    let (said, code) = import.ends().await;
    assert_eq!(code, Some(130), "{said}");
    assert_eq!(shown(&app, &id).await["state"], "paused");
    app.sandbox.shutdown().await;
}

#[tokio::test]
async fn a_job_whose_process_was_killed_is_shown_as_interrupted_and_can_be_resumed() {
    let app = without_bridge().await;
    let mut import = Import::begin(&app, &[]).await;
    let id = import.id.clone();
    until_some_are_made(&app).await;
    import.child.kill().await.unwrap();
    let job = shown(&app, &id).await;
    assert_eq!(job["state"], "interrupted", "{job}");
    assert!(job["reason"].as_str().unwrap().contains("no bridge runs on this database"), "{job}");
    let list = cartbridge(&app, &["jobs", "list"]).await;
    assert!(told(&list).contains("interrupted"), "{}", told(&list));

    app.sandbox.ghl().clear_faults();
    let resumed = cartbridge(&app, &["jobs", "resume", &id]).await;
    assert_eq!(resumed.status.code(), Some(0), "{}", told(&resumed));
    assert_all_are_made_once(&app);
    app.sandbox.shutdown().await;
}

#[tokio::test]
async fn ctrl_c_while_the_bridge_carries_the_job_out_ends_only_the_watching() {
    let app = with_bridge().await;
    let path = app.database().with_extension("json");
    let import = Import::begin(&app, &["--report", path.to_str().unwrap()]).await;
    let id = import.id.clone();
    until_some_are_made(&app).await;
    import.signal("-INT").await;
    let (said, code) = import.ends().await;
    assert_eq!(code, Some(2), "{said}");
    for part in ["The bridge goes on with it", &format!("cartbridge jobs follow {id}"), "is partial"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let report: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(report[0]["customer"], "(partial report)", "{}", report[0]);
    app.sandbox.ghl().clear_faults();
    until(&app, &id, "done").await;
    assert_all_are_made_once(&app);
    app.end().await;
}

#[tokio::test]
async fn whoever_watches_is_told_when_the_bridge_has_stopped_and_watches_on_when_it_is_back() {
    let mut app = with_bridge().await;
    let mut import = Import::begin(&app, &[]).await;
    until_some_are_made(&app).await;
    app.stop().await;
    import.says("no bridge runs on this database").await;
    app.sandbox.ghl().clear_faults();
    app.start_again().await;
    let (said, code) = import.ends().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("The job is done"), "{said}");
    assert_all_are_made_once(&app);
    app.end().await;
}
