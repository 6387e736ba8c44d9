//! Pause, resume, cancel, and one job of a connection at a time.

use serde_json::json;

use super::{crowd, job, report, seed, spawn_slow, start, until};

#[tokio::test]
async fn a_paused_job_files_nothing_more_and_resumed_goes_on_where_it_was() {
    const CUSTOMERS: usize = 450;
    let app = spawn_slow().await;
    seed(&app, crowd(CUSTOMERS)).await;
    let id = start(&app, json!({ "kind": "import" })).await;
    app.until("some are done", async || (job(&app, &id).await["done"].as_u64() >= Some(50)).then_some(()))
        .await;
    let (status, paused) = app.api("POST", &format!("/api/jobs/{id}/pause"), None).await;
    assert_eq!((status, &paused["state"]), (200, &json!("paused")));
    app.settled().await;
    let made = app.ghl("contacts").len();
    assert!(made < CUSTOMERS, "it was over before it was paused");

    let lines = report(&app, &paused).await;
    assert_eq!(lines[0]["customer"], "(partial report)", "{}", lines[0]);
    assert!(lines[0]["reason"].as_str().unwrap().contains("of 450 customers are done with"), "{}", lines[0]);

    let (status, refused) = app.api("POST", &format!("/api/jobs/{id}/pause"), None).await;
    assert_eq!((status, &refused["code"]), (409, &json!("conflict")), "{refused}");
    let (status, _) = app.api("POST", &format!("/api/jobs/{id}/resume"), None).await;
    assert_eq!(status, 200);
    let done = until(&app, &id, "done").await;
    assert_eq!(done["outcomes"], json!({ "created": CUSTOMERS }), "{done}");
    assert_eq!((&done["examined"], &done["calls_left"]), (&json!(CUSTOMERS), &json!(0)));
    assert_ne!(report(&app, &done).await[0]["customer"], "(partial report)");
    assert_eq!(app.ghl("contacts").len(), CUSTOMERS);
    app.end().await;
}

#[tokio::test]
async fn a_second_job_waits_for_the_first_and_a_cancelled_one_ends() {
    let app = spawn_slow().await;
    seed(&app, crowd(400)).await;
    let first = start(&app, json!({ "kind": "import" })).await;
    until(&app, &first, "running").await;
    let second = start(&app, json!({ "kind": "verify" })).await;
    app.until("some are done", async || (job(&app, &first).await["done"].as_u64() >= Some(20)).then_some(()))
        .await;
    assert_eq!(job(&app, &second).await["state"], "queued");
    let (status, _) = app.api("POST", &format!("/api/jobs/{first}/cancel"), None).await;
    assert_eq!(status, 200);
    until(&app, &second, "done").await;
    assert_eq!(job(&app, &first).await["state"], "cancelled");
    app.settled().await;
    assert!(app.ghl("contacts").len() < 400);
    app.end().await;
}

#[tokio::test]
async fn a_job_goes_on_after_the_bridge_was_stopped_and_started() {
    let mut app = spawn_slow().await;
    seed(&app, crowd(300)).await;
    let id = start(&app, json!({ "kind": "import" })).await;
    app.until("some are done", async || (job(&app, &id).await["done"].as_u64() >= Some(20)).then_some(()))
        .await;
    app.start_again().await;
    let done = until(&app, &id, "done").await;
    assert_eq!(done["outcomes"], json!({ "created": 300 }), "{done}");
    assert_eq!(app.ghl("contacts").len(), 300);
    app.end().await;
}
