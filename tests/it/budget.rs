//! HighLevel's limits: used to the full, never exceeded, and the most urgent first.

use std::time::Duration;

use sandbox::{Entry, Options};
use serde_json::{Value, json};

use crate::app::{QUICK, TestApp};

/// A bridge and a HighLevel that keeps to its limits.
async fn strict(rate: Value) -> TestApp {
    let app = TestApp::spawn_with(Options { strict_rate: true, ..Options::default() }, QUICK).await;
    app.sandbox.ghl().settings(json!({ "rate": rate })).unwrap();
    app
}

fn person(n: usize) -> Value {
    json!({ "email": format!("person{n}@example.com"), "firstname": format!("Person{n}"), "b_country": "US" })
}

/// A customer's event with the store's own words; answers its id.
async fn tell(app: &TestApp, id: &str, kind: &str, user: usize) -> String {
    let body = json!({
        "type": kind, "timestamp": app.clock.now().to_string(),
        "store": { "url": "https://shop.example.com" },
        "data": { "user": {
            "user_id": user, "user_type": "C", "status": "A", "email": format!("person{user}@example.com"),
            "firstname": format!("Person{user}"), "b_country": "US",
        } },
    });
    let (status, answer) = app.deliver(id, &body).await;
    assert_eq!(status, 202, "{answer}");
    answer["id"].as_str().unwrap().to_owned()
}

fn refused(app: &TestApp) -> usize {
    app.calls().iter().filter(|call| call.status == Some(429)).count()
}

fn ms(entry: &Entry) -> i64 {
    entry.at.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// Makes calls to HighLevel beside the bridge, with the same token.
async fn use_the_token(app: &TestApp, times: usize) {
    let announcement = app.sandbox.announcement();
    let text = |key: &str| announcement["ghl"][key].as_str().unwrap().to_owned();
    for _ in 0..times {
        let request = app.http.get(format!("{}/locations/{}", text("url"), text("location_id")));
        let request = request.bearer_auth(text("token")).header("Version", "2021-07-28");
        request.send().await.unwrap();
    }
}

#[tokio::test]
async fn a_backlog_drains_at_the_allowed_rate_without_a_single_429() {
    const WINDOWS: usize = 6;
    let app = strict(json!({ "max": 50, "interval_ms": 2000 })).await;
    // Two calls each: the contact, and the task that welcomes.
    for n in 0..WINDOWS * 25 {
        tell(&app, &format!("msg_{n}"), "customer.created", n + 1).await;
    }
    app.settled().await;
    assert_eq!(refused(&app), 0);
    let calls = app.calls();
    assert_eq!(calls.len(), WINDOWS * 50);
    // The last call of the n-th fifty can leave n − 1 windows after the first; of the time that takes, 2 % may be lost.
    let took = ms(&calls[WINDOWS * 50 - 1]) - ms(&calls[0]);
    let full = (WINDOWS as i64 - 1) * 2000;
    assert!(took >= full, "{took}");
    // A burst itself takes a moment, and the processor is shared: half a window for all of it.
    let lost = took - full - 1000;
    assert!(lost * 100 <= full * 2, "{took} ms in place of {full}");
    app.end().await;
}

#[tokio::test]
async fn what_others_use_with_the_same_token_is_left_to_them_within_a_window() {
    let app = strict(json!({ "max": 40, "interval_ms": 1000 })).await;
    for n in 0..150 {
        tell(&app, &format!("msg_{n}"), "customer.created", n + 1).await;
    }
    app.until("the bridge has begun", async || (app.calls().len() > 40).then_some(())).await;
    let others = async {
        for _ in 0..60 {
            use_the_token(&app, 1).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let seen = async {
        app.until("they are noticed", async || {
            let (_, connection) = app.api("GET", "/api/connections/my-shop", None).await;
            (connection["health"]["budget"]["used_by_others"].as_u64()? > 5).then_some(())
        })
        .await;
        (app.calls().len(), refused(&app))
    };
    let ((), (noticed, before)) = tokio::join!(others, seen);
    app.settled().await;
    let ours: Vec<Entry> =
        app.calls().into_iter().skip(noticed).filter(|call| !call.path.starts_with("/locations/")).collect();
    let late = ours.iter().filter(|call| call.status == Some(429)).count();
    assert!(late * 10 <= ours.len(), "{late} of {} after they were noticed, {before} before", ours.len());
    assert_eq!(app.ghl("contacts").len(), 150);
    app.end().await;
}

#[tokio::test]
async fn at_the_limit_of_the_day_events_are_parked_until_it_ends_and_go_on_by_themselves() {
    let app = strict(json!({ "daily": 10 })).await;
    for n in 0..9 {
        tell(&app, &format!("msg_{n}"), "customer.created", n + 1).await;
    }
    let parked = app
        .until("some are parked", async || {
            let (_, stats) = app.api("GET", "/api/stats", None).await;
            let of = |state: &str| stats[state].as_u64().unwrap();
            (of("parked") > 0 && of("pending") + of("working") + of("waiting") == 0).then(|| of("parked"))
        })
        .await;
    assert!((4..=8).contains(&parked), "{parked}");
    let event = &app.events("state=parked").await[0];
    let until: jiff::Timestamp = event["next_attempt_at"].as_str().unwrap().parse().unwrap();
    let hours = until.duration_since(app.clock.now()).as_hours();
    assert!((0..=24).contains(&hours), "{event}");
    let reason = event["state_reason"].as_str().unwrap();
    assert!(reason.contains("for the day") && reason.contains(&until.to_string()[..16]), "{reason} {until}");
    let (_, connection) = app.api("GET", "/api/connections/my-shop", None).await;
    assert_eq!(connection["health"]["budget"]["left_today"], 0, "{connection}");
    assert_eq!(app.calls().len() - refused(&app), 10);

    app.sandbox.ghl().settings(json!({ "rate": { "daily": 1000 } })).unwrap();
    app.clock.advance(Duration::try_from(until.duration_since(app.clock.now())).unwrap());
    app.settled().await;
    app.until("all are done", async || (app.ghl("contacts").len() == 9).then_some(())).await;
    assert!(app.events("state=parked").await.is_empty());
    app.end().await;
}

#[tokio::test]
async fn a_person_comes_before_live_events_before_retries_before_a_backfill() {
    let app = strict(json!({ "max": 4, "interval_ms": 1000 })).await;
    // Customers with contacts, whose later events are one call each.
    for n in 1..=2 {
        tell(&app, &format!("created_{n}"), "customer.created", n).await;
    }
    app.settled().await;
    let done = app.calls().len();
    app.fault(json!({ "kind": "status", "status": 500, "method": "POST", "path": "/contacts/", "times": 1 }));
    let failed = tell(&app, "will fail", "customer.created", 900).await;
    app.until_state(&failed, "waiting").await;
    for n in 100..130 {
        tell(&app, &format!("live_{n}"), "customer.created", n).await;
    }
    app.until("they queue", async || (app.calls().len() >= done + 8).then_some(())).await;
    let resync = json!({ "customer": app.shop(json!({ "action": "customer.register", "user": person(500) })).await["user_id"] });
    let (status, asked) = app.api("POST", "/api/connections/my-shop/resync", Some(resync)).await;
    assert_eq!(status, 202, "{asked}");
    let at = app.calls().len();
    app.until_state(asked["id"].as_str().unwrap(), "done").await;
    let passed = app.calls().len() - at;
    assert!(passed <= 24, "{passed} calls came before the person");
    app.settled().await;
    app.end().await;
}
