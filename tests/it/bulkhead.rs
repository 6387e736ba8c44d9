//! One location that is slow, used up or down delays no other; and how what failed is tried again.

use std::time::{Duration, Instant};

use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

use crate::app::{QUICK, TestApp};

/// A bridge between two shops and two locations: `my-shop` with the app's own, `other-shop` with another.
async fn two(settings: &str) -> (TestApp, Sandbox) {
    let app = TestApp::spawn_with(Options { strict_rate: false, ..Options::default() }, settings).await;
    let other = Sandbox::start(Options { strict_rate: false, seed: 7, ..Options::default() }).await.unwrap();
    for sandbox in [&app.sandbox, &other] {
        let unlimited = json!({ "rate": { "max": 1_000_000, "daily": 100_000_000 } });
        sandbox.ghl().settings(unlimited).unwrap();
    }
    let (theirs, ours) = (other.announcement(), app.sandbox.announcement());
    let definition = json!({
        "name": "other-shop",
        "ghl": {
            "location_id": theirs["ghl"]["location_id"], "token": theirs["ghl"]["token"], "api_url": theirs["ghl"]["url"],
            "webhook_public_keys": [theirs["ghl"]["webhook_public_key"]],
        },
        "cscart": { "url": ours["cscart"]["url"], "webhook_secrets": [ours["cscart"]["webhook_secret"]] },
    });
    let (status, answer) = app.api("POST", "/api/connections", Some(definition)).await;
    assert_eq!(status, 201, "{answer}");
    (app, other)
}

/// A new customer of a shop; answers the event's id.
async fn customer(app: &TestApp, shop: &str, n: usize) -> String {
    let body = json!({
        "type": "customer.created", "timestamp": app.clock.now().to_string(),
        "store": { "url": "https://shop.example.com" },
        "data": { "user": {
            "user_id": n, "user_type": "C", "status": "A", "email": format!("person{n}@example.com"),
            "firstname": format!("Person{n}"), "b_country": "US",
        } },
    });
    let (id, body) = (format!("msg_{n}"), body.to_string());
    let announcement = app.sandbox.announcement();
    let secret = announcement["cscart"]["webhook_secret"].as_str().unwrap();
    let secret = cscart::webhook::Secret::parse(secret).unwrap();
    let now = app.clock.now().as_second();
    let request = app
        .http
        .post(format!("{}/webhooks/cscart/{shop}", app.url))
        .header("webhook-id", &id)
        .header("webhook-timestamp", now)
        .header("webhook-signature", cscart::webhook::sign(&secret, &id, now, body.as_bytes()))
        .body(body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    answer["id"].as_str().unwrap().to_owned()
}

fn fault(sandbox: &Sandbox, fault: Value) {
    sandbox.ghl().fault(serde_json::from_value(fault).unwrap());
}

fn posts(sandbox: &Sandbox) -> usize {
    sandbox.ghl().journal().iter().filter(|call| call.method == "POST").count()
}

async fn health(app: &TestApp, shop: &str) -> Value {
    let (status, connection) = app.api("GET", &format!("/api/connections/{shop}"), None).await;
    assert_eq!(status, 200);
    connection["health"].clone()
}

/// How long a customer of `my-shop` takes from its webhook to its contact, the longest of several.
async fn longest(app: &TestApp, from: usize) -> Duration {
    let mut longest = Duration::ZERO;
    for n in from..from + 10 {
        let started = Instant::now();
        let id = customer(app, "my-shop", n).await;
        app.until_state(&id, "done").await;
        longest = longest.max(started.elapsed());
    }
    longest
}

#[tokio::test]
async fn a_slow_highlevel_delays_nobody_else() {
    let (app, slow) = two(&QUICK.replace("call_timeout_ms = 2000", "call_timeout_ms = 20000")).await;
    fault(&slow, json!({ "kind": "delay", "ms": 1500, "times": 0 }));
    for n in 0..300 {
        customer(&app, "other-shop", n).await;
    }
    app.until("it is under way", async || (posts(&slow) > 0).then_some(())).await;
    let took = longest(&app, 1000).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    let (_, stats) = app.api("GET", "/api/stats", None).await;
    let open: u64 = ["pending", "working"].iter().map(|state| stats[state].as_u64().unwrap()).sum();
    assert!(open > 100, "the other one is still at it: {stats}");
    app.end().await;
    slow.shutdown().await;
}

#[tokio::test]
async fn a_used_up_rate_limit_delays_nobody_else() {
    let (app, tight) = two(QUICK).await;
    tight
        .ghl()
        .settings(json!({ "strict_rate": true, "rate": { "max": 5, "interval_ms": 10_000 } }))
        .unwrap();
    for n in 0..300 {
        customer(&app, "other-shop", n).await;
    }
    app.until("it is used up", async || (tight.ghl().journal().len() >= 5).then_some(())).await;
    let took = longest(&app, 1000).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(tight.ghl().journal().iter().all(|call| call.status != Some(429)));
    app.end().await;
    tight.shutdown().await;
}

#[tokio::test]
async fn two_connections_with_the_same_token_draw_on_one_budget() {
    let app = TestApp::spawn_with(Options { strict_rate: true, ..Options::default() }, QUICK).await;
    app.sandbox.ghl().settings(json!({ "rate": { "max": 10, "interval_ms": 1000 } })).unwrap();
    let announcement = app.sandbox.announcement();
    let (ghl, cscart) = (&announcement["ghl"], &announcement["cscart"]);
    let definition = json!({
        "name": "other-shop",
        "ghl": { "location_id": ghl["location_id"], "token": ghl["token"], "api_url": ghl["url"], "requests_per_window": 8 },
        "cscart": { "url": cscart["url"], "webhook_secrets": [cscart["webhook_secret"]] },
    });
    let (status, answer) = app.api("POST", "/api/connections", Some(definition)).await;
    assert_eq!(status, 201, "{answer}");
    for n in 0..20 {
        customer(&app, if n % 2 == 0 { "my-shop" } else { "other-shop" }, n).await;
    }
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 20);
    assert!(app.calls().iter().all(|call| call.status != Some(429)));
    for shop in ["my-shop", "other-shop"] {
        assert_eq!(health(&app, shop).await["budget"]["allowed"], 8, "the least that one of them says");
    }
    app.end().await;
}

#[tokio::test]
async fn a_highlevel_that_is_down_is_left_alone_but_for_one_probe_at_a_time() {
    let (app, down) = two(QUICK).await;
    fault(&down, json!({ "kind": "status", "status": 503, "times": 0 }));
    for n in 0..200 {
        customer(&app, "other-shop", n).await;
    }
    app.until("the breaker is open", async || {
        (health(&app, "other-shop").await["breaker"]["state"] == "open").then_some(())
    })
    .await;
    let took = longest(&app, 1000).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(health(&app, "my-shop").await["breaker"]["state"], "closed");
    let asked = posts(&down);
    assert!(asked <= 10 + 128, "{asked} calls before it was noticed");
    let (_, metrics) = app.api("GET", "/metrics", None).await;
    let metrics = metrics.as_str().unwrap();
    assert!(metrics.contains("cartbridge_breaker_open{connection=\"other-shop\"} 1"), "{metrics}");
    assert!(metrics.contains("cartbridge_breaker_open{connection=\"my-shop\"} 0"), "{metrics}");

    // Probes fail, each alone, although 200 customers wait. Besides ours there may be one whose own time has come.
    for _ in 1..=2 {
        let asked = posts(&down);
        app.clock.advance(Duration::from_mins(5));
        app.until("a probe is made", async || (posts(&down) > asked).then_some(())).await;
        app.until("it has failed", async || {
            let open = health(&app, "other-shop").await["breaker"].clone();
            (open["state"] == "open" && open["open_until"].is_string()).then_some(())
        })
        .await;
        let probes = posts(&down) - asked;
        assert!(probes <= 2, "one call a probe: {probes}");
    }
    // It works again: one probe, and then everything.
    down.ghl().clear_faults();
    app.clock.advance(Duration::from_mins(5));
    app.settled().await;
    assert_eq!(health(&app, "other-shop").await["breaker"]["state"], "closed");
    assert_eq!(down.ghl().state()["contacts"].as_array().unwrap().len(), 200);
    let (_, stats) = app.api("GET", "/api/stats", None).await;
    assert_eq!(stats["dead"], 0, "no try was burnt: {stats}");
    app.end().await;
    down.shutdown().await;
}

#[tokio::test]
async fn an_event_that_has_failed_for_too_long_is_a_dead_letter_that_says_so() {
    let settings = format!("{QUICK}max_age_hours = 2\n");
    let mut app = TestApp::spawn_with(Options { strict_rate: false, ..Options::default() }, &settings).await;
    app.may_have_dead_letters = true;
    app.fault(json!({ "kind": "status", "status": 500, "times": 0 }));
    let id = customer(&app, "my-shop", 1).await;
    let tried = async |times: usize| {
        app.until("it is tried again", async || (app.calls().len() >= times).then_some(())).await;
    };
    tried(2).await;
    app.clock.advance(Duration::from_hours(1));
    let calls = app.calls().len();
    tried(calls + 2).await;
    assert_ne!(app.event(&id).await["state"], "dead");
    app.clock.advance(Duration::from_hours(1));
    let dead = app.until_state(&id, "dead").await;
    let reason = dead["state_reason"].as_str().unwrap();
    assert!(reason.contains("given up after 2 hours") && reason.contains("500"), "{reason}");
    assert!(reason.contains("replay it"), "{reason}");
    app.end().await;
}

#[tokio::test]
async fn a_connection_has_retry_settings_of_its_own() {
    let (mut app, down) = two(QUICK).await;
    app.may_have_dead_letters = true;
    let (_, mut definition) = app.api("GET", "/api/connections/other-shop", None).await;
    definition["retry"] = json!({ "max_tries": 3, "base_ms": 1, "max_ms": 5 });
    let (status, changed) = app.api("PUT", "/api/connections/other-shop", Some(definition.clone())).await;
    assert_eq!((status, &changed["retry"]["max_tries"]), (200, &json!(3)), "{changed}");
    for sandbox in [&app.sandbox, &down] {
        fault(sandbox, json!({ "kind": "status", "status": 500, "method": "POST", "times": 4 }));
    }
    let theirs = customer(&app, "other-shop", 1).await;
    let ours = customer(&app, "my-shop", 2).await;
    let dead = app.until_state(&theirs, "dead").await;
    assert!(dead["state_reason"].as_str().unwrap().contains("after 3 tries"), "{dead}");
    app.until_state(&ours, "done").await;

    definition["retry"] = json!({ "base_ms": 10, "max_ms": 5 });
    let (status, refused) = app.api("PUT", "/api/connections/other-shop", Some(definition.clone())).await;
    assert_eq!(status, 400);
    assert!(refused.to_string().contains("retry.base_ms"), "{refused}");
    definition["retry"] = json!({ "max_trys": 5 });
    let (status, refused) = app.api("PUT", "/api/connections/other-shop", Some(definition)).await;
    assert_eq!(status, 400);
    assert!(refused.to_string().contains("max_trys"), "{refused}");
    app.end().await;
    down.shutdown().await;
}
