//! `kill -9` in the middle of an import.

use std::time::{Duration, Instant};

use sandbox::Options;
use serde_json::{Value, json};

use crate::app::ADMIN_KEY;
use crate::crash::Killable;

#[tokio::test]
async fn an_import_that_is_killed_at_any_moment_loses_nobody_and_doubles_nobody() {
    const CUSTOMERS: usize = 160;
    let options = Options { search_lag: Duration::ZERO, ..Options::default() };
    let mut app = Killable::start_with(options).await;
    let delay = json!({ "kind": "delay", "ms": 20, "times": 0 });
    app.sandbox.ghl().fault(serde_json::from_value(delay).unwrap());
    let seed = json!({ "action": "customers.seed", "users": super::crowd(CUSTOMERS) });
    app.sandbox.cscart().act(seed).await.unwrap();

    let asked = json!({ "connection": "my-shop", "kind": "import" });
    let url = format!("{}/api/jobs", app.url);
    let answer = app.http.post(url).bearer_auth(ADMIN_KEY).json(&asked).send().await.unwrap();
    let started: Value = answer.json().await.unwrap();
    let url = format!("{}/api/jobs/{}", app.url, started["id"].as_str().unwrap());
    let began = Instant::now();
    let mut kills = 0;
    let job = loop {
        let job: Value =
            app.http.get(&url).bearer_auth(ADMIN_KEY).send().await.unwrap().json().await.unwrap();
        if job["state"] == "done" {
            break job;
        }
        assert!(job["state"] != "failed" && began.elapsed() < Duration::from_mins(2), "{job}");
        let made = app.sandbox.ghl().state()["contacts"].as_array().unwrap().len();
        if kills < 4 && made >= kills * 35 + 10 {
            kills += 1;
            app.kill_and_restart().await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(kills, 4);
    // What was made when the answer was lost is found, and counts as made.
    assert_eq!(job["outcomes"], json!({ "created": CUSTOMERS }), "{job}");
    let state = app.sandbox.ghl().state();
    let contacts = state["contacts"].as_array().unwrap();
    assert_eq!(contacts.len(), CUSTOMERS);
    for n in 0..CUSTOMERS {
        let email = format!("person{n}@example.com");
        assert_eq!(
            contacts.iter().filter(|contact| contact["email"] == email.as_str()).count(),
            1,
            "{email}"
        );
    }
    app.end().await;
}
