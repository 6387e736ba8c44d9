//! What the API tells and what it refuses.

use serde_json::{Value, json};

use super::{crowd, done, seed, spawn, start, until};
use crate::app::ADMIN_KEY;

#[tokio::test]
async fn a_job_says_what_it_will_cost_before_it_begins() {
    let app = spawn().await;
    seed(&app, crowd(150)).await;
    let asked = json!({ "connection": "my-shop", "kind": "import" });
    let (status, started) = app.api("POST", "/api/jobs", Some(asked)).await;
    assert_eq!(status, 202);
    let estimate = &started["estimate"];
    assert_eq!((&estimate["customers"], &estimate["contacts"]), (&json!(150), &json!(0)));
    // A page of contacts, a count and the custom fields, and one for each customer; a hundred in ten seconds.
    assert_eq!((&estimate["calls"], &estimate["seconds"]), (&json!(153), &json!(16)));
    let id = started["id"].as_str().unwrap();
    let job = until(&app, id, "done").await;
    assert_eq!(job["calls"], 153);
    let (_, list) = app.api("GET", "/api/jobs?connection=my-shop", None).await;
    assert_eq!(list["items"][0]["id"], id);
    app.end().await;
}

#[tokio::test]
async fn whoever_follows_a_job_is_told_until_it_is_over() {
    let app = spawn().await;
    app.fault(json!({ "method": "POST", "path": "/contacts/", "kind": "delay", "ms": 20, "times": 0 }));
    seed(&app, crowd(150)).await;
    let id = start(&app, json!({ "kind": "import" })).await;
    let url = format!("{}/api/jobs/{id}/events", app.url);
    let mut answer = app.http.get(url).bearer_auth(ADMIN_KEY).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut told = String::new();
    while let Some(part) = answer.chunk().await.unwrap() {
        told.push_str(std::str::from_utf8(&part).unwrap());
    }
    let views: Vec<Value> = told
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    assert!(views.len() >= 2, "{told}");
    let last = views.last().unwrap();
    assert_eq!((&last["state"], &last["done"]), (&json!("done"), &json!(150)));
    app.end().await;
}

#[tokio::test]
async fn the_report_is_a_table_in_which_no_cell_is_a_formula() {
    let app = spawn().await;
    seed(&app, vec![json!({ "email": "ada@example.com", "phone": "=1+1" }), json!({})]).await;
    let import = done(&app, json!({ "kind": "import" })).await;
    let url = format!("{}/api/jobs/{}/report", app.url, import["id"].as_str().unwrap());
    let answer = app.http.get(&url).bearer_auth(ADMIN_KEY).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
    let text = answer.text().await.unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(
        reader.headers().unwrap(),
        vec!["customer", "outcome", "contact_id", "reason", "fields", "event"]
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(&rows[0][1], "created");
    assert!(rows[0][3].contains("=1+1"), "{:?}", rows[0]);
    assert_eq!(&rows[1][1], "rejected");
    assert!(rows.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])));
    app.end().await;
}

#[tokio::test]
async fn what_is_no_job_is_refused_with_what_is_wrong() {
    let app = spawn().await;
    for (job, status, what) in [
        (json!({ "connection": "my-shop", "kind": "export" }), 400, "`kind`"),
        (json!({ "connection": "no-shop", "kind": "import" }), 404, "no-shop"),
        (json!({ "connection": "my-shop", "kind": "import", "options": { "page_size": 501 } }), 400, "501"),
        (json!({ "connection": "my-shop", "kind": "import", "options": { "sample": 5 } }), 400, "`sample`"),
        (
            json!({ "connection": "my-shop", "kind": "verify", "options": { "since": "yesterday" } }),
            400,
            "since",
        ),
        (
            json!({ "connection": "my-shop", "kind": "import", "options": { "sinse": "2026-11-01T00:00:00Z" } }),
            400,
            "sinse",
        ),
    ] {
        let (answered, problem) = app.api("POST", "/api/jobs", Some(job.clone())).await;
        assert_eq!(answered, status, "{job}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(what), "{job}: {problem}");
    }
    for path in ["/api/jobs/7", "/api/jobs/0195f3a0-0000-7000-8000-000000000000/report"] {
        let (status, problem) = app.api("GET", path, None).await;
        assert_eq!(status, 404, "{problem}");
    }
    app.end().await;
}
