//! The command line: with a running bridge beside it, and without one.

use std::process::Output;

use serde_json::json;
use tokio::process::Command;

use super::{crowd, seed, spawn};
use crate::app::TestApp;

/// A command with the bridge's configuration.
pub(super) fn command(app: &TestApp, arguments: &[&str]) -> Command {
    let config = app.database().with_extension("toml");
    std::fs::write(&config, app.config()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cartbridge"));
    command
        .args(arguments)
        .arg("--config")
        .arg(&config)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    command
}

pub(super) async fn cartbridge(app: &TestApp, arguments: &[&str]) -> Output {
    command(app, arguments).output().await.unwrap()
}

pub(super) fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn without_a_running_bridge_an_import_just_works_and_verify_tells_by_its_exit_code() {
    let mut app = spawn().await;
    app.close().await;
    seed(&app, crowd(40)).await;
    let asked = cartbridge(&app, &["import", "my-shop"]).await;
    assert!(!asked.status.success() && told(&asked).contains("give --yes"), "{}", told(&asked));
    assert!(app.ghl("contacts").is_empty());

    let import = cartbridge(&app, &["import", "my-shop", "--yes"]).await;
    assert!(import.status.success(), "{}", told(&import));
    assert!(told(&import).contains("40 created"), "{}", told(&import));
    assert_eq!(app.ghl("contacts").len(), 40);

    assert!(!told(&import).contains("of ?") && !told(&import).contains("0/0"), "{}", told(&import));

    let path = app.database().with_extension("csv");
    let verify = cartbridge(&app, &["verify", "my-shop", "--report", path.to_str().unwrap()]).await;
    assert_eq!(verify.status.code(), Some(0), "{}", told(&verify));
    let report = std::fs::read_to_string(&path).unwrap();
    assert_eq!(report.lines().count(), 41, "{report}");

    let id = app.ghl("contacts")[0]["id"].clone();
    let edit = json!({ "lastName": "Edited" });
    app.highlevel(json!({ "action": "contact.update", "contact_id": id, "contact": edit, "deliver": false }))
        .await;
    let verify = cartbridge(&app, &["verify", "my-shop"]).await;
    assert_eq!(verify.status.code(), Some(0), "a person's change is kept: {}", told(&verify));
    assert!(told(&verify).contains("1 kept"), "{}", told(&verify));

    app.highlevel(json!({ "action": "contact.delete", "contact_id": id, "deliver": false })).await;
    let verify = cartbridge(&app, &["verify", "my-shop"]).await;
    assert_eq!(verify.status.code(), Some(1), "{}", told(&verify));
    assert!(told(&verify).contains("1 missing_contact"), "{}", told(&verify));
    let verify = cartbridge(&app, &["verify", "no-shop"]).await;
    assert_eq!(verify.status.code(), Some(2), "{}", told(&verify));
    app.sandbox.shutdown().await;
}

#[tokio::test]
async fn a_running_bridge_carries_out_what_the_command_line_asks_for() {
    let app = spawn().await;
    seed(&app, crowd(40)).await;
    let import = cartbridge(&app, &["import", "my-shop", "--yes"]).await;
    assert!(import.status.success(), "{}", told(&import));
    assert!(told(&import).contains("The running bridge carries it out"), "{}", told(&import));
    assert_eq!(app.ghl("contacts").len(), 40);
    let list = cartbridge(&app, &["jobs", "list", "--json"]).await;
    let job: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!((&job["state"], &job["done"]), (&json!("done"), &json!(40)));
    let report = cartbridge(&app, &["jobs", "report", job["id"].as_str().unwrap(), "--format", "json"]).await;
    let lines: Vec<serde_json::Value> = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(lines.len(), 40);
    app.end().await;
}

#[tokio::test]
async fn a_job_whose_cost_cannot_be_told_at_the_moment_is_done_all_the_same() {
    let mut app = spawn().await;
    app.close().await;
    seed(&app, crowd(3)).await;
    let store_is_away = json!({ "path": "/api/users*", "kind": "status", "status": 503 });
    for (command, fault, outcomes) in [
        ("import", Some(json!({ "path": "/contacts/search", "kind": "status", "status": 429 })), "3 created"),
        ("resync", Some(json!({ "path": "/contacts/search", "kind": "reset_after" })), "3 equal"),
        ("verify", None, "3 equal"),
    ] {
        match fault {
            Some(fault) => app.fault(fault),
            None => app.sandbox.cscart().fault(serde_json::from_value(store_is_away.clone()).unwrap()),
        }
        let all: &[&str] = if command == "resync" { &["--all"] } else { &[] };
        let ended = cartbridge(&app, &[&[command, "my-shop", "--yes"], all].concat()).await;
        assert!(ended.status.success(), "{}", told(&ended));
        for part in ["What it will cost cannot be told", outcomes] {
            assert!(told(&ended).contains(part), "{command}: {part} in {}", told(&ended));
        }
    }
    app.sandbox.shutdown().await;
}

#[tokio::test]
async fn a_dry_run_needs_nobody_to_say_yes() {
    let mut app = spawn().await;
    app.close().await;
    seed(&app, crowd(3)).await;
    let dry = cartbridge(&app, &["import", "my-shop", "--dry-run"]).await;
    assert!(dry.status.success() && told(&dry).contains("3 created"), "{}", told(&dry));
    assert!(app.ghl("contacts").is_empty());
    let list = cartbridge(&app, &["jobs", "list"]).await;
    assert!(told(&list).contains("(dry run)"), "{}", told(&list));
    app.sandbox.shutdown().await;
}

#[tokio::test]
async fn a_report_that_cannot_be_written_is_found_out_before_anything_is_done() {
    let mut app = spawn().await;
    app.close().await;
    seed(&app, crowd(3)).await;
    let folder = app.database().parent().unwrap().to_owned();
    for bad in [folder.join("missing/report.csv"), folder] {
        let verify = cartbridge(&app, &["verify", "my-shop", "--report", bad.to_str().unwrap()]).await;
        assert_eq!(verify.status.code(), Some(2), "{}", told(&verify));
        assert!(told(&verify).contains("the report cannot be written to"), "{}", told(&verify));
    }
    assert_eq!(app.calls().len(), 0);
    let list = cartbridge(&app, &["jobs", "list", "--json"]).await;
    assert_eq!(String::from_utf8_lossy(&list.stdout), "", "{}", told(&list));
    app.sandbox.shutdown().await;
}

#[tokio::test]
async fn a_report_of_a_job_that_failed_says_that_it_is_partial() {
    let mut app = spawn().await;
    app.close().await;
    seed(&app, crowd(150)).await;
    // The second page of the store's customers is refused for good.
    let refused = json!({ "path": "/api/users*", "kind": "status", "status": 403, "skip": 3, "times": 0 });
    app.sandbox.cscart().fault(serde_json::from_value(refused).unwrap());
    for ending in ["csv", "json"] {
        let path = app.database().with_extension(ending);
        std::fs::write(&path, "what was there before").unwrap();
        let verify = cartbridge(&app, &["verify", "my-shop", "--report", path.to_str().unwrap()]).await;
        assert_eq!(verify.status.code(), Some(2), "{}", told(&verify));
        assert!(told(&verify).contains("is partial: the job is failed"), "{}", told(&verify));
        let report = std::fs::read_to_string(&path).unwrap();
        let line = report.lines().nth(1).unwrap();
        assert!(line.contains("(partial report)") && line.contains("customers are done with"), "{report}");
    }
    app.sandbox.shutdown().await;
}
