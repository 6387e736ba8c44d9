//! What is to happen later happens at its time, once, whether the bridge ran all the while or not.

use std::time::Duration;

use cartbridge::event::Subject;
use cartbridge::timer::Timer;
use jiff::SignedDuration;
use serde_json::Value;

use crate::app::TestApp;

/// Puts a timer that is due so many hours from now.
async fn put(app: &TestApp, key: &str, hours: i64) -> Timer {
    let timer = Timer {
        connection: "my-shop".parse().unwrap(),
        key: key.into(),
        subject: Subject::other(format!("test:{key}")),
        due_at: app.clock.now() + SignedDuration::from_hours(hours),
        kind: "due".into(),
        payload: b"{}".to_vec(),
    };
    app.store.put_timer(timer.clone()).await.unwrap();
    timer
}

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

async fn fired(app: &TestApp, count: usize) -> Vec<Value> {
    app.until("the timers have fired", async || {
        let events = app.events("").await;
        (events.len() == count && events.iter().all(|event| event["state"] == "ignored")).then_some(events)
    })
    .await
}

#[tokio::test]
async fn a_timer_becomes_an_event_when_its_time_has_come_and_no_sooner() {
    let app = TestApp::spawn().await;
    put(&app, "later", 48).await;
    let sooner = put(&app, "sooner", 24).await;
    app.clock.advance(hours(23));
    // One that is due at once shows that the timers were looked at since.
    put(&app, "probe", 0).await;
    assert_eq!(fired(&app, 1).await[0]["subject"], "test:probe");
    app.clock.advance(hours(2));
    let events = fired(&app, 2).await;
    assert_eq!(events[0]["subject"], "test:sooner");
    assert_eq!(events[0]["source"], "schedule");
    assert_eq!(
        events[0]["occurred_at"],
        sooner.due_at.to_string(),
        "when it was due, not when it was looked at"
    );
    let left = app.store.timers(None, 10).await.unwrap();
    assert_eq!(left.iter().map(|timer| timer.key.as_str()).collect::<Vec<_>>(), ["later"]);
    app.end().await;
}

#[tokio::test]
async fn a_timer_that_came_due_while_the_bridge_was_down_fires_at_the_next_start_once() {
    let mut app = TestApp::spawn().await;
    put(&app, "wait", 24).await;
    app.stop().await;
    app.clock.advance(hours(72));
    app.start_again().await;
    let before = fired(&app, 1).await;
    app.start_again().await;
    put(&app, "probe", 0).await;
    let after = fired(&app, 2).await;
    assert_eq!((&after[1]["id"], &after[0]["subject"]), (&before[0]["id"], &Value::from("test:probe")));
    app.end().await;
}
