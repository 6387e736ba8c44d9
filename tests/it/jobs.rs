//! Imports, resyncs of many and verifications.

mod agreeing;
mod asking;
mod conflicts;
mod importing;
mod killed;
mod live;
mod mapped;
mod one;
mod program;
mod signals;
mod stopping;
mod troubles;
mod verifying;

use std::time::Duration;

use sandbox::Options;
use serde_json::{Value, json};

use crate::app::{ADMIN_KEY, QUICK, TestApp};

/// A bridge whose HighLevel shows at once what was written.
async fn spawn() -> TestApp {
    let options = Options { strict_rate: false, search_lag: Duration::ZERO, ..Options::default() };
    TestApp::spawn_with(options, &patient()).await
}

/// Settings with which no call is given up because a machine is busy: calls are counted here.
fn patient() -> String {
    QUICK.replace("call_timeout_ms = 2000", "call_timeout_ms = 60000")
}

/// The same, with a bridge that takes its time: an import is not over before somebody can stop it.
async fn spawn_slow() -> TestApp {
    let options = Options { strict_rate: false, search_lag: Duration::ZERO, ..Options::default() };
    let app = TestApp::spawn_with(options, &format!("{}workers_per_connection = 8\n", patient())).await;
    app.fault(json!({ "method": "POST", "path": "/contacts/", "kind": "delay", "ms": 40, "times": 0 }));
    app
}

/// Customers who have been in the store for long; answers their ids.
async fn seed(app: &TestApp, users: Vec<Value>) -> Vec<u64> {
    let made = app.shop(json!({ "action": "customers.seed", "users": users })).await;
    serde_json::from_value(made["user_ids"].clone()).unwrap()
}

/// So many customers who have nothing in common.
fn crowd(count: usize) -> Vec<Value> {
    let person = |n| {
        json!({
            "email": format!("person{n}@example.com"), "firstname": format!("Person{n}"), "lastname": "Example",
            "phone": format!("+1202555{n:04}"),
        })
    };
    (0..count).map(person).collect()
}

/// Starts a job; answers its id.
async fn start(app: &TestApp, mut job: Value) -> String {
    job["connection"] = json!("my-shop");
    let (status, started) = app.api("POST", "/api/jobs", Some(job)).await;
    assert_eq!(status, 202, "{started}");
    started["id"].as_str().unwrap().to_owned()
}

/// A job as the API shows it.
async fn job(app: &TestApp, id: &str) -> Value {
    let (status, job) = app.api("GET", &format!("/api/jobs/{id}"), None).await;
    assert_eq!(status, 200, "{job}");
    job
}

/// Waits until a job is in a state; answers it.
async fn until(app: &TestApp, id: &str, state: &str) -> Value {
    app.until(&format!("the job is {state}"), async || {
        let job = job(app, id).await;
        assert!(job["state"] != "failed" || state == "failed", "{job}");
        (job["state"] == state).then_some(job)
    })
    .await
}

/// Does a whole job; answers it as it is then.
async fn done(app: &TestApp, asked: Value) -> Value {
    let id = start(app, asked).await;
    until(app, &id, "done").await
}

/// The report of a job, as objects.
async fn report(app: &TestApp, job: &Value) -> Vec<Value> {
    let url = format!("{}/api/jobs/{}/report", app.url, job["id"].as_str().unwrap());
    let request = app.http.get(url).bearer_auth(ADMIN_KEY).header("accept", "application/json");
    request.send().await.unwrap().json().await.unwrap()
}

/// How a customer ended, with the reason.
fn outcome(report: &[Value], customer: u64) -> (String, String) {
    let line = report.iter().find(|line| line["customer"] == format!("customer:{customer}"));
    let line = line.unwrap_or_else(|| panic!("customer {customer} is not in the report: {report:#?}"));
    (line["outcome"].as_str().unwrap().to_owned(), line["reason"].as_str().unwrap().to_owned())
}

/// How many requests of a kind HighLevel got.
fn count(app: &TestApp, method: &str, path: &str) -> usize {
    app.call_names().iter().filter(|call| **call == format!("{method} {path}")).count()
}
