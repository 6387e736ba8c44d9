//! HighLevel's limits: used to the full, never exceeded, and the most urgent first.

use std::cell::Cell;
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
    // From each call of the first window to the one in the same place of the last: five windows. How much of them is lost is
    // measured in `budget/window/tests.rs`, where no other test takes the processor; here they only must not be lost whole.
    let mut took: Vec<i64> = (0..50).map(|n| ms(&calls[(WINDOWS - 1) * 50 + n]) - ms(&calls[n])).collect();
    took.sort_unstable();
    let (median, full) = (took[25], (WINDOWS as i64 - 1) * 2000);
    assert!(took[0] >= full, "{took:?}");
    assert!(median < full * 3 / 2, "{median} ms in place of {full}");
    app.end().await;
}

#[tokio::test]
async fn what_others_use_with_the_same_token_is_left_to_them_within_a_window() {
    let app = strict(json!({ "max": 40, "interval_ms": 1000 })).await;
    for n in 0..150 {
        tell(&app, &format!("msg_{n}"), "customer.created", n + 1).await;
    }
    app.until("the bridge has begun", async || (app.calls().len() > 40).then_some(())).await;
    let known = Cell::new(false);
    let others = async {
        // As long as it takes on this machine, and then for some windows more. Several at once: on a busy machine each takes long.
        let mut more = 15;
        while more > 0 {
            futures::future::join_all((0..4).map(|_| use_the_token(&app, 1))).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            more -= i32::from(known.get());
        }
    };
    let seen = async {
        app.until("they are noticed", async || {
            let (_, connection) = app.api("GET", "/api/connections/my-shop", None).await;
            (connection["health"]["budget"]["used_by_others"].as_u64()? > 5).then_some(())
        })
        .await;
        known.set(true);
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
async fn a_person_does_not_wait_behind_a_backlog() {
    let app = strict(json!({ "max": 5, "interval_ms": 1000 })).await;
    for n in 0..60 {
        tell(&app, &format!("live_{n}"), "customer.created", n + 1).await;
    }
    app.until("they queue", async || (app.calls().len() >= 10).then_some(())).await;
    let before = app.calls().len();
    let asked = tell(&app, "a person looks", "customer.viewed", 1000).await;
    app.until_state(&asked, "done").await;
    let made = app.calls().len() - before;
    // Its own, with those that have a share beside it.
    assert!(made <= 10, "{made} calls until the person was served");
    let (_, stats) = app.api("GET", "/api/stats", None).await;
    assert!(stats["pending"].as_u64().unwrap() > 30, "{stats}");
    app.end().await;
}
