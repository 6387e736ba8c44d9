//! HighLevel takes its time: what it has received it carries out after we have hung up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::person;
use crate::app::{QUICK, TestApp};

/// Stands before HighLevel and keeps the next create back for a while, whether its sender waits or not.
#[derive(Clone)]
struct Keeper {
    to: String,
    http: reqwest::Client,
    path_ends: &'static str,
    keep: Duration,
    armed: Arc<AtomicBool>,
}

async fn pass(State(keeper): State<Keeper>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let keep = parts.method == "POST"
        && parts.uri.path().ends_with(keeper.path_ends)
        && keeper.armed.swap(false, Ordering::Relaxed);
    // In a task of its own: it goes on when the one who asked is gone.
    let passed = tokio::spawn(async move {
        if keep {
            tokio::time::sleep(keeper.keep).await;
        }
        let path = parts.uri.path_and_query().unwrap();
        let request =
            keeper.http.request(parts.method, format!("{}{path}", keeper.to)).headers(parts.headers);
        let answer = request.body(body).send().await.unwrap();
        let status = answer.status();
        (status, answer.bytes().await.unwrap())
    });
    let (status, body) = passed.await.unwrap();
    let status = StatusCode::from_u16(status.as_u16()).unwrap();
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap()
}

/// A customer of a connection whose calls go through the keeper.
async fn registers_behind_a_keeper(path_ends: &'static str, keep: Duration) -> TestApp {
    let settings = QUICK
        .replace("settle_ms = 100", "settle_ms = 400")
        .replace("call_timeout_ms = 2000", "call_timeout_ms = 500");
    let options = sandbox::Options { strict_rate: false, ..sandbox::Options::default() };
    let app = TestApp::spawn_with(options, &settings).await;
    let announcement = app.sandbox.announcement();
    let (ghl, cscart) = (&announcement["ghl"], &announcement["cscart"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let keeper = Keeper {
        to: ghl["url"].as_str().unwrap().to_owned(),
        http: reqwest::Client::new(),
        path_ends,
        keep,
        armed: Arc::new(AtomicBool::new(true)),
    };
    tokio::spawn(axum::serve(listener, axum::Router::new().fallback(pass).with_state(keeper)).into_future());
    let connection: Value = json!({
        "name": "slow-shop",
        "ghl": { "location_id": ghl["location_id"], "token": ghl["token"], "api_url": url, "webhook_public_keys": [ghl["webhook_public_key"]] },
        "cscart": { "url": cscart["url"], "webhook_secrets": [cscart["webhook_secret"]] },
    });
    let (status, answer) = app.api("POST", "/api/connections", Some(connection)).await;
    assert_eq!(status, 201, "{answer}");
    app.sandbox.cscart().settings(json!({ "connection": "slow-shop" })).unwrap();
    let made = app.shop(json!({ "action": "customer.register", "user": person(0) })).await;
    app.shop(json!({ "action": "note.add", "user_id": made["user_id"], "body": "Rang." })).await;
    app.settled().await;
    app
}

#[tokio::test]
async fn what_is_carried_out_long_after_our_timeout_is_found_by_the_second_look() {
    for path_ends in ["/contacts/", "/tasks", "/notes"] {
        // The timeout is at 500 ms, the first look at 900, the last at 1,700.
        let app = registers_behind_a_keeper(path_ends, Duration::from_millis(1200)).await;
        for what in ["contacts", "tasks", "notes"] {
            assert_eq!(app.ghl(what).len(), 1, "{path_ends}: {what}\n{}", app.story().await);
        }
        let looks = app.calls().iter().filter(|call| call.method == "GET").count();
        assert!(looks >= 2, "{path_ends}: {looks}");
        app.end().await;
    }
}
