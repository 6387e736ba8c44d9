//! Live events go first.

use std::time::Duration;

use sandbox::Options;
use serde_json::json;

use super::{crowd, job, patient, seed, start, until};
use crate::app::TestApp;

#[tokio::test]
async fn who_registers_while_an_import_uses_up_the_rate_limit_does_not_wait_for_its_end() {
    let options = Options { search_lag: Duration::ZERO, ..Options::default() };
    let app = TestApp::spawn_with(options, &patient()).await;
    app.sandbox.ghl().settings(json!({ "rate": { "max": 20, "interval_ms": 1000 } })).unwrap();
    seed(&app, crowd(400)).await;
    let id = start(&app, json!({ "kind": "import" })).await;
    app.until("it is under way", async || (job(&app, &id).await["done"].as_u64() >= Some(20)).then_some(()))
        .await;
    let user = json!({ "email": "live@example.com", "firstname": "Live" });
    let made = app.shop(json!({ "action": "customer.register", "user": user })).await;
    assert_eq!(made["delivery"]["status"], 202, "{made}");
    let event = made["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    app.until_state(&event, "done").await;
    let import = job(&app, &id).await;
    assert_eq!(import["state"], "running");
    assert!(import["done"].as_u64().unwrap() < 300, "{import}");
    app.sandbox.ghl().settings(json!({ "strict_rate": false, "rate": { "max": 1_000_000 } })).unwrap();
    let (status, _) = app.api("POST", &format!("/api/jobs/{id}/cancel"), None).await;
    assert_eq!(status, 200);
    until(&app, &id, "cancelled").await;
    app.settled().await;
    app.end().await;
}
