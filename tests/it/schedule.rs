//! Routes that run by themselves: at their time, once, also when the bridge was down then.

use std::time::Duration;

use cartbridge::timer::Timer;
use jiff::{SignedDuration, Timestamp};
use sandbox::Options;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{QUICK, TestApp};

/// A bridge with these routes.
async fn bridge(folder: &TempDir, routes: &[(&str, &str)], top: &str) -> TestApp {
    for (name, text) in routes {
        std::fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
    }
    let path = folder.path().display().to_string();
    let options = Options { strict_rate: false, ..Options::default() };
    TestApp::spawn_edited(options, QUICK, |text, _| format!("routes_dir = \"{path}\"\n{top}{text}")).await
}

/// The timer of a route, as soon as it is armed.
async fn armed(app: &TestApp, key: &str) -> Timer {
    app.until("the timer is armed", async || {
        app.store.timers_named(key).await.unwrap().into_iter().find(|timer| timer.due_at > app.clock.now())
    })
    .await
}

/// Moves the clock to a moment after a time.
fn go_to(app: &TestApp, time: Timestamp) {
    let wait = time.duration_since(app.clock.now()) + SignedDuration::from_secs(1);
    app.clock.advance(Duration::try_from(wait).unwrap());
}

/// The events of a schedule, newest first, when there are so many of them and all are done.
async fn done(app: &TestApp, kind: &str, count: usize) -> Vec<Value> {
    app.until("the schedule has fired", async || {
        let events = app.events(&format!("type={kind}")).await;
        (events.len() == count && events.iter().all(|event| event["state"] == "done")).then_some(events)
    })
    .await
}

const DAILY: &str = r#"
    on = ["schedule"]
    every = "1d"
    at = "09:00"
    [[step]]
    id = "nothing"
    if = "event.type != 'schedule' or data.route != 'daily' or not today"
    do = "ghl.contact.fetch"
"#;

/// It must not run with the other one: it would be a dead letter. (Its own time may come as well, on a Sunday.)
const WEEKLY: &str = r#"
    on = ["schedule"]
    every = "1w"
    [[step]]
    id = "nobody"
    if = "data.route != 'weekly'"
    do = "ghl.contact.fetch"
"#;

#[tokio::test]
async fn a_route_runs_at_its_time_in_the_time_zone_and_no_other_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let app = bridge(&folder, &[("daily", DAILY), ("weekly", WEEKLY)], "time_zone = \"Asia/Tokyo\"\n").await;
    let timer = armed(&app, "schedule/daily").await;
    // Tokyo is nine hours ahead of UTC, all year.
    assert!(timer.due_at.to_string().ends_with("T00:00:00Z"), "{timer:?}");
    go_to(&app, timer.due_at);
    let event = done(&app, "due&subject=schedule:daily", 1).await.remove(0);
    assert_eq!((&event["subject"], &event["source"]), (&json!("schedule:daily"), &json!("schedule")));
    assert_eq!(event["occurred_at"], timer.due_at.to_string());
    let next = armed(&app, "schedule/daily").await;
    assert_eq!(next.due_at.duration_since(timer.due_at), SignedDuration::from_hours(24));
    go_to(&app, next.due_at);
    done(&app, "due&subject=schedule:daily", 2).await;
    app.end().await;
}

#[tokio::test]
async fn a_connection_has_its_own_time_zone_and_else_that_of_the_bridge_for_routes_and_days_alike() {
    let folder = tempfile::tempdir().unwrap();
    let rules = "[connection.settings.fields]\nwebsite = \"https://{{ 1764000000 | date('%H') }}.example.com\"\n\
         date_of_birth = \"1764000000\"\n";
    let top = "time_zone = \"Asia/Tokyo\"\n";
    let mut app = bridge(&folder, &[("daily", DAILY)], top).await;
    for (settings, hour, time, day) in [
        ("", "01", "T00:00:00Z", "2025-11-25"),
        ("[connection.settings]\ntime_zone = \"Asia/Dubai\"\n", "20", "T05:00:00Z", "2025-11-24"),
    ] {
        let plain = app.config().split("[connection.settings").next().unwrap().to_owned();
        app.edit_config(|_| format!("{plain}\n{settings}{rules}"));
        app.start_again().await;
        app.until("the route is armed for the time zone", async || {
            armed(&app, "schedule/daily").await.due_at.to_string().ends_with(time).then_some(())
        })
        .await;
        let id = u64::from(hour == "20") + 77;
        let user = json!({ "user_id": id, "email": format!("c{id}@example.com"), "firstname": "C" });
        let body = json!({ "type": "customer.created", "timestamp": app.clock.now().to_string(), "store": {}, "data": { "user": user } });
        assert_eq!(app.deliver(&format!("m{id}"), &body).await.0, 202);
        app.settled().await;
        let contacts = app.ghl("contacts");
        let contact = contacts.iter().find(|it| it["email"] == format!("c{id}@example.com")).unwrap();
        assert_eq!(contact["website"], format!("https://{hour}.example.com"));
        assert!(contact["dateOfBirth"].as_str().unwrap().starts_with(day), "{contact}");
    }
    app.end().await;
}

#[tokio::test]
async fn times_that_were_missed_while_the_bridge_was_down_are_made_up_by_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = bridge(&folder, &[("daily", DAILY)], "").await;
    let timer = armed(&app, "schedule/daily").await;
    app.stop().await;
    go_to(&app, timer.due_at + SignedDuration::from_hours(24 * 5 + 3));
    app.start_again().await;
    let last = timer.due_at + SignedDuration::from_hours(24 * 5);
    assert_eq!(done(&app, "due", 1).await[0]["occurred_at"], last.to_string(), "the last of them");
    let next = armed(&app, "schedule/daily").await;
    assert_eq!(next.due_at.duration_since(last), SignedDuration::from_hours(24));
    app.end().await;
}

#[tokio::test]
async fn a_schedule_that_is_changed_or_gone_is_armed_anew_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let app = bridge(&folder, &[("daily", DAILY)], "").await;
    let timer = armed(&app, "schedule/daily").await;
    std::fs::write(folder.path().join("daily.toml"), DAILY.replace("09:00", "09:30")).unwrap();
    app.until("it is half an hour later", async || {
        let moved = armed(&app, "schedule/daily").await;
        moved.due_at.to_string().ends_with("T09:30:00Z").then_some(())
    })
    .await;
    assert!(timer.due_at.to_string().ends_with("T09:00:00Z"));
    std::fs::remove_file(folder.path().join("daily.toml")).unwrap();
    app.until("it is gone", async || {
        app.store.timers_named("schedule").await.unwrap().is_empty().then_some(())
    })
    .await;
    app.end().await;
}

const BIRTHDAY: &str = r#"
    on = ["schedule.customer"]
    every = "1d"
    at = "09:00"
    when = "contact.date_of_birth and contact.date_of_birth[5:] == today[5:]"
    [[step]]
    id = "tag"
    do = "ghl.tags.add"
    with = { tags = "{{ ['birthday ' ~ today[:4]] }}" }
"#;

#[tokio::test]
async fn who_has_birthday_is_met_once_that_day_and_nobody_else_costs_an_event() {
    let folder = tempfile::tempdir().unwrap();
    let app = bridge(&folder, &[("birthday", BIRTHDAY)], "").await;
    let timer = armed(&app, "schedule.customer/birthday").await;
    let today = timer.due_at.to_string()[..10].to_owned();
    let born =
        |date: String| format!("{date}T00:00:00Z").parse::<Timestamp>().unwrap().as_second().to_string();
    let celebrated = born(format!("2000{}", &today[4..]));
    let other_day = if today.ends_with("-15") { "2000-01-14" } else { "2000-01-15" };
    for (name, birthday) in
        [("ada", celebrated), ("bob", born(other_day.to_owned())), ("cleo", String::new())]
    {
        app.register(
            json!({ "email": format!("{name}@example.com"), "firstname": name, "birthday": birthday }),
        )
        .await;
    }
    let calls = app.calls().len();
    go_to(&app, timer.due_at);
    let event = done(&app, "customer", 1).await.remove(0);
    let tag = format!("birthday {}", &today[..4]);
    assert_eq!(app.tags_of("ada@example.com"), [tag.as_str(), "cs-cart", "customer"]);
    assert_eq!(app.tags_of("bob@example.com"), ["cs-cart", "customer"]);
    assert_eq!(app.calls().len(), calls + 1, "the others cost no call");
    let source_id = event["source_id"].as_str().unwrap();
    assert!(source_id.starts_with(&format!("schedule/birthday/{today}/customer:")), "{source_id}");

    // As after a crash in the middle: the run begins again, and meets nobody twice.
    armed(&app, "schedule.customer/birthday").await;
    app.store.put_timer(timer.clone()).await.unwrap();
    let next = armed(&app, "schedule.customer/birthday").await;
    assert_eq!(done(&app, "customer", 1).await[0]["id"], event["id"]);
    // The next day is nobody's.
    go_to(&app, next.due_at);
    let after = app
        .until("that day has passed", async || {
            let timer = armed(&app, "schedule.customer/birthday").await;
            (timer.due_at > next.due_at).then_some(timer)
        })
        .await;
    assert_eq!(after.due_at.duration_since(next.due_at), SignedDuration::from_hours(24));
    assert_eq!(done(&app, "customer", 1).await[0]["id"], event["id"]);
    app.end().await;
}

#[tokio::test]
async fn a_condition_that_cannot_be_told_is_a_dead_letter_that_names_the_route() {
    let folder = tempfile::tempdir().unwrap();
    let broken = BIRTHDAY
        .replace("contact.date_of_birth[5:] == today[5:]", "today | float > 1")
        .replace("contact.date_of_birth and ", "");
    let mut app = bridge(&folder, &[("birthday", &broken)], "").await;
    app.may_have_dead_letters = true;
    let timer = armed(&app, "schedule.customer/birthday").await;
    app.register(json!({ "email": "ada@example.com", "firstname": "Ada" })).await;
    go_to(&app, timer.due_at);
    let dead = app.until("it is told", async || app.events("state=dead").await.pop()).await;
    assert_eq!(dead["state_code"], "route-mistake");
    assert!(dead["state_reason"].as_str().unwrap().contains("route `birthday`"), "{dead}");
    app.end().await;
}
