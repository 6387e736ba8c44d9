//! Events: what came in and what was done for it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Caller;
use crate::app::{TestApp, ada};

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect()
}

#[tokio::test]
async fn an_event_has_the_shape_that_other_programs_rely_on() {
    let app = TestApp::spawn().await;
    app.fault(
        json!({ "method": "POST", "path": "/contacts/", "kind": "status", "status": 500, "body": "<html>" }),
    );
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    let id = made["delivery"]["body"]["id"].as_str().unwrap();
    app.until_state(id, "done").await;
    let event = Caller::admin(&app).get(&format!("/api/events/{id}")).await.body;

    // Contracts, section 3: these keys, none absent, and what we have added to them.
    let agreed = BTreeSet::from([
        "id",
        "connection",
        "source",
        "source_id",
        "type",
        "subject",
        "received_at",
        "occurred_at",
        "state",
        "state_reason",
        "next_attempt_at",
        "folded_into",
        "replayed_from",
        "effects",
    ]);
    assert_eq!(keys(&event), &agreed | &BTreeSet::from(["tries", "payload", "state_code"]));
    assert_eq!(event["id"], id);
    assert_eq!((&event["connection"], &event["source"]), (&json!("my-shop"), &json!("cscart")));
    assert_eq!(event["source_id"], made["delivery"]["webhook_id"]);
    assert_eq!((&event["type"], &event["state"]), (&json!("customer.created"), &json!("done")));
    assert_eq!(event["subject"], format!("customer:{}", made["user_id"]));
    for key in ["next_attempt_at", "folded_into", "replayed_from"] {
        assert!(event[key].is_null(), "{key}: {event}");
    }
    for key in ["received_at", "occurred_at"] {
        let time = event[key].as_str().unwrap();
        assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{key}: {time}");
    }
    assert_eq!(event["payload"]["data"]["user"]["email"], "ada@example.com");

    let effects = event["effects"].as_array().unwrap();
    let agreed =
        BTreeSet::from(["route", "route_version", "step", "operation", "state", "result", "attempts"]);
    for effect in effects {
        assert_eq!(keys(effect), agreed);
    }
    let create = &effects[0];
    assert_eq!(
        (&create["route"], &create["operation"]),
        (&json!("customer-to-contact"), &json!("ghl.contact.create"))
    );
    assert_eq!(
        (&create["state"], &create["result"]["contact_id"]),
        (&json!("done"), &app.ghl("contacts")[0]["id"])
    );
    let attempts = create["attempts"].as_array().unwrap();
    assert!(attempts.len() >= 2, "the one that failed, and those after it: {attempts:#?}");
    let agreed = BTreeSet::from(["at", "ms", "status", "error"]);
    for attempt in attempts {
        assert_eq!(keys(attempt), &agreed | &BTreeSet::from(["method", "path", "request", "response"]));
    }
    assert_eq!(attempts[0]["status"], 500);
    assert!(attempts[0]["error"].is_string() && attempts[0]["ms"].is_number());
    assert_eq!(attempts[0]["response"], "<html>", "what came back, also when it is not JSON");
    let last = attempts.last().unwrap();
    assert_eq!((&last["status"], &last["error"]), (&json!(201), &Value::Null));
    let told = event.to_string();
    let token = app.sandbox.announcement()["ghl"]["token"].as_str().unwrap().to_owned();
    assert!(!told.contains(&token), "no secret is in the record");
    app.end().await;
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    for number in 0..5 {
        let body = json!({ "type": "review.created", "data": { "review": { "user_id": number % 2 + 1 } } });
        app.deliver(&format!("review_{number}"), &body).await;
    }
    app.shop(json!({ "action": "ping" })).await;
    app.settled().await;
    let ids = async |query: &str| -> Vec<Value> {
        let page = caller.get(&format!("/api/events?{query}")).await;
        assert_eq!(page.status, 200, "{query}: {page:?}");
        page.body["items"].as_array().unwrap().iter().map(|event| event["source_id"].clone()).collect()
    };
    let all = ids("").await;
    assert_eq!(all.len(), 6);
    assert_eq!(ids("type=review.created&subject=customer:2").await, ["review_3", "review_1"]);
    assert_eq!(ids("state=ignored&connection=my-shop").await, all);
    assert_eq!(ids("state=done").await, [""; 0]);
    assert_eq!(ids("connection=nobody").await, [""; 0]);
    assert_eq!(ids("state=&type=&subject=&cursor=").await, all, "an empty field of a form is none");
    let third = &caller.get("/api/events").await.body["items"][2].clone();
    let time = third["received_at"].as_str().unwrap();
    assert_eq!([ids(&format!("since={time}")).await, ids(&format!("until={time}")).await].concat(), all);

    let (mut query, mut pages) = ("limit=2&type=review.created".to_owned(), Vec::new());
    loop {
        let page = caller.get(&format!("/api/events?{query}")).await.body;
        pages.push(page["items"].as_array().unwrap().len());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=2&type=review.created&cursor={cursor}");
    }
    assert_eq!(pages, [2, 2, 1]);
    let item = &caller.get("/api/events?limit=1").await.body["items"][0];
    assert!(item.get("payload").is_none() && item.get("effects").is_none(), "{item}");
    app.end().await;
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_and_named() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    for (query, named) in [
        ("stat=dead", "stat"),
        ("State=dead", "State"),
        ("state=deadd", "deadd"),
        ("connection=My%20Shop", "connection"),
        ("since=yesterday", "since"),
        ("until=2026-13-01T00:00:00Z", "until"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("cursor=first", "cursor"),
    ] {
        let answer = caller.get(&format!("/api/events?{query}")).await;
        assert_eq!((answer.status, answer.code()), (400, "bad-request"), "{query}");
        assert!(answer.detail().contains(named), "{query}: {answer:?}");
    }
    for path in ["/api/events/00000000-0000-7000-8000-000000000000", "/api/events/no-uuid"] {
        let answer = caller.get(path).await;
        assert_eq!((answer.status, answer.code()), (404, "not-found"), "{path}");
    }
    app.end().await;
}

#[tokio::test]
async fn what_is_not_served_is_told_as_a_problem() {
    let app = TestApp::spawn().await;
    for (method, path, status, code, allow) in [
        ("GET", "/", 404, "not-found", None),
        ("GET", "/api", 404, "not-found", None),
        ("GET", "/api/nothing", 404, "not-found", None),
        ("POST", "/webhooks", 404, "not-found", None),
        ("GET", "/api/events/%FF", 400, "bad-request", None),
        ("DELETE", "/api/events", 405, "method-not-allowed", Some("GET,HEAD")),
        ("GET", "/webhooks/ghl", 405, "method-not-allowed", Some("POST")),
        ("PATCH", "/api/connections/my-shop", 405, "method-not-allowed", Some("DELETE,GET,HEAD,PUT")),
    ] {
        let request = app.http.request(method.parse().unwrap(), format!("{}{path}", app.url));
        let answer = request.bearer_auth(crate::app::ADMIN_KEY).send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{method} {path}");
        let allowed = answer.headers().get("allow").map(|allow| {
            let mut methods: Vec<_> = allow.to_str().unwrap().split(',').map(str::trim).collect();
            methods.sort_unstable();
            methods.join(",")
        });
        assert_eq!(allowed.as_deref(), allow, "{method} {path}");
        let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(status)), "{method} {path}");
    }
    let caller = Caller::admin(&app);
    let large =
        caller.request("POST", "/api/events/replay").body(vec![b' '; 3 * 1024 * 1024]).send().await.unwrap();
    assert_eq!(large.status(), 413);
    assert_eq!(large.headers()["content-type"], "application/problem+json");
    app.end().await;
}

#[tokio::test]
async fn stats_count_every_state() {
    let app = TestApp::spawn().await;
    app.sandbox.ghl().settings(json!({ "deliver_to": null })).unwrap();
    app.shop(json!({ "action": "ping" })).await;
    app.register(ada()).await;
    let stats = Caller::admin(&app).get("/api/stats").await.body;
    let expected = json!({ "pending": 0, "working": 0, "waiting": 0, "parked": 0, "done": 1, "ignored": 1, "folded": 0, "dead": 0 });
    assert_eq!(stats, expected);
    let metrics = app.http.get(format!("{}/metrics", app.url)).send().await.unwrap();
    assert!(metrics.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = metrics.text().await.unwrap();
    for line in ["cartbridge_events{state=\"done\"} 1", "cartbridge_events{state=\"ignored\"} 1", "# EOF"] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(app.http.get(format!("{}{path}", app.url)).send().await.unwrap().status(), 200, "{path}");
    }
    app.end().await;
}
