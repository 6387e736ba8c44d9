//! A store without the add-on: it is asked for what is new.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sandbox::{CscartVersion, Options};
use serde_json::{Value, json};

use crate::app::{QUICK, TestApp, ada};

/// A bridge that polls every second, and a store without the add-on that has a customer and an order already.
async fn spawn(version: CscartVersion, settings: Value) -> TestApp {
    let app = spawn_with(version, "true").await;
    app.sandbox.cscart().settings(settings).unwrap();
    app
}

async fn spawn_with(version: CscartVersion, mode: &str) -> TestApp {
    let options = Options { strict_rate: false, cscart_version: version, ..Options::default() };
    TestApp::spawn_edited(options, QUICK, |text, _| {
        text.replace(
            "polling = false",
            &format!("polling = {mode}\npoll_min_seconds = 1\npoll_max_seconds = 1"),
        )
    })
    .await
}

/// The usual one, without the add-on, after its first poll.
async fn without_addon(version: CscartVersion) -> TestApp {
    let app = spawn(version, json!({ "addon": false })).await;
    polled(&app).await;
    app
}

async fn polling(app: &TestApp) -> Value {
    let (status, connection) = app.api("GET", "/api/connections/my-shop", None).await;
    assert_eq!(status, 200, "{connection}");
    connection["polling"].clone()
}

/// Waits for a poll that began after now.
async fn polled(app: &TestApp) {
    for _ in 0..2 {
        let before = polling(app).await["last_at"].clone();
        app.until("there was a poll", async || {
            let now = polling(app).await;
            (now["last_at"] != before && now["last_at"].is_string()).then_some(())
        })
        .await;
    }
}

/// How many events there are of each type.
async fn told(app: &TestApp) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for event in app.events("limit=100").await.into_iter().filter(|event| event["source"] == "cscart") {
        assert!(event["source_id"].as_str().unwrap().starts_with("poll:"), "{event}");
        *told.entry(event["type"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    told
}

fn counts(counts: &[(&str, usize)]) -> BTreeMap<String, usize> {
    counts.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

#[tokio::test]
async fn new_customers_and_orders_come_once_and_what_was_there_before_is_no_news() {
    let app = without_addon(CscartVersion::V4_20).await;
    assert_eq!(told(&app).await, counts(&[]));
    let id = app.shop(json!({ "action": "customer.register", "user": ada() })).await["user_id"].clone();
    let order = app.shop(json!({ "action": "order.place", "user_id": id })).await["order_id"].clone();
    polled(&app).await;
    app.shop(json!({ "action": "order.status", "order_id": order, "status": "P" })).await;
    polled(&app).await;
    polled(&app).await;
    app.settled().await;
    assert_eq!(
        told(&app).await,
        counts(&[("customer.created", 1), ("order.created", 1), ("order.status_changed", 1)])
    );
    let changed = app.events("type=order.status_changed").await;
    let changed = app.event(changed[0]["id"].as_str().unwrap()).await;
    assert_eq!(changed["subject"], format!("customer:{id}"));
    let order = &changed["payload"]["data"]["order"];
    assert_eq!((&order["previous_status"], &order["status"]), (&json!("O"), &json!("P")));
    let created = app.events("type=customer.created").await;
    let created = app.event(created[0]["id"].as_str().unwrap()).await;
    let user = &created["payload"]["data"]["user"];
    assert!(
        user.get("b_city").is_none() && user.get("usergroups").is_none(),
        "what the API does not give is unsaid"
    );
    assert_eq!(app.tags_of("ada@example.com"), ["buyer", "cs-cart", "customer"]);
    assert_eq!(app.ghl("tasks").len(), 1, "a new customer is welcomed");
    app.end().await;
}

#[tokio::test]
async fn what_happens_while_the_bridge_is_down_comes_once_when_it_is_up_again() {
    let mut app = without_addon(CscartVersion::V4_20).await;
    for number in 0..3 {
        let user = json!({ "email": format!("before{number}@example.com") });
        app.shop(json!({ "action": "customer.register", "user": user })).await;
    }
    polled(&app).await;
    app.stop().await;
    // More than a page, so that the last ones are on another one.
    for number in 0..260 {
        let user = json!({ "email": format!("down{number}@example.com") });
        app.shop(json!({ "action": "customer.register", "user": user })).await;
    }
    let guest = json!({ "action": "guest.checkout", "email": "guest@example.com", "firstname": "Grace", "b_city": "London" });
    app.shop(guest).await;
    app.start_again().await;
    polled(&app).await;
    polled(&app).await;
    let mut subjects = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let (_, page) =
            app.api("GET", &format!("/api/events?type=customer.created&limit=100{cursor}"), None).await;
        for event in page["items"].as_array().unwrap() {
            *subjects.entry(event["subject"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
        match &page["next_cursor"] {
            Value::Null => break,
            next => {
                cursor = format!("&cursor={}", next.as_str().map_or_else(|| next.to_string(), str::to_owned));
            }
        }
    }
    assert_eq!(subjects.len(), 264, "263 customers and a guest");
    assert!(subjects.values().all(|count| *count == 1), "each once");
    assert!(subjects.contains_key("guest:guest@example.com"));
    app.stop().await;
    app.sandbox.shutdown().await;
}

#[tokio::test]
async fn what_was_stored_and_not_yet_written_down_as_read_is_not_told_twice() {
    let mut app = without_addon(CscartVersion::V4_20).await;
    let state = |app: &TestApp| -> String {
        let database = rusqlite::Connection::open(app.database()).unwrap();
        database.query_row("SELECT state FROM polls", [], |row| row.get(0)).unwrap()
    };
    let before = state(&app);
    let id = app.shop(json!({ "action": "customer.register", "user": ada() })).await["user_id"].clone();
    app.shop(json!({ "action": "order.place", "user_id": id })).await;
    polled(&app).await;
    app.settled().await;
    assert_ne!(state(&app), before);
    app.stop().await;
    // As if the process had been killed after the events were stored, before it was written down how far that was.
    let database = rusqlite::Connection::open(app.database()).unwrap();
    database.execute("UPDATE polls SET state = ?", [before]).unwrap();
    drop(database);
    app.start_again().await;
    polled(&app).await;
    assert_eq!(told(&app).await, counts(&[("customer.created", 1), ("order.created", 1)]));
    app.end().await;
}

#[tokio::test]
async fn a_store_whose_clock_is_hours_off_is_read_all_the_same_and_its_times_are_put_right() {
    for offset in [-5 * 3600, 5 * 3600] {
        let app = spawn(CscartVersion::V4_20, json!({ "addon": false, "clock_offset_s": offset })).await;
        polled(&app).await;
        let id = app.shop(json!({ "action": "customer.register", "user": ada() })).await["user_id"].clone();
        let order = app.shop(json!({ "action": "order.place", "user_id": id })).await["order_id"].clone();
        polled(&app).await;
        app.shop(json!({ "action": "order.status", "order_id": order, "status": "C" })).await;
        polled(&app).await;
        app.settled().await;
        assert_eq!(
            told(&app).await,
            counts(&[("customer.created", 1), ("order.created", 1), ("order.status_changed", 1)]),
            "{offset}"
        );
        for event in app.events("limit=10").await {
            let at: Timestamp = event["occurred_at"].as_str().unwrap().parse().unwrap();
            assert!(at.duration_since(Timestamp::now()).abs().as_secs() < 120, "{event}");
        }
        app.end().await;
    }
}

#[tokio::test]
async fn an_old_version_shows_what_happens_to_its_newest_orders_and_says_that_it_is_not_all() {
    let app = without_addon(CscartVersion::V4_10).await;
    let order =
        app.shop(json!({ "action": "order.place", "email": "guest@example.com" })).await["order_id"].clone();
    polled(&app).await;
    for status in ["P", "O", "P"] {
        app.shop(json!({ "action": "order.status", "order_id": order, "status": status })).await;
        polled(&app).await;
    }
    app.settled().await;
    assert_eq!(
        told(&app).await,
        counts(&[("customer.created", 1), ("order.created", 1), ("order.status_changed", 3)]),
        "back and forth is told each time"
    );
    let cannot_see = polling(&app).await["cannot_see"].clone();
    for what in ["deletions", "notes", "changes of orders other than the newest 100"] {
        assert!(cannot_see.as_array().unwrap().contains(&json!(what)), "{cannot_see}");
    }
    app.end().await;
}

#[tokio::test]
async fn an_import_a_missing_address_and_one_address_in_two_storefronts_are_each_one_customer() {
    let mut app = spawn(CscartVersion::V4_20, json!({ "addon": false, "shared_users": false })).await;
    app.may_have_dead_letters = true;
    polled(&app).await;
    let import = |user: Value| json!({ "action": "customers.seed", "users": [user] });
    app.shop(import(json!({ "email": "old@example.com", "timestamp": "1500000000", "firstname": "🛒" })))
        .await;
    app.shop(import(json!({ "firstname": "Nobody", "phone": "(202) 555-0143" }))).await;
    for company in [1, 2] {
        let user = json!({ "email": "twice@example.com", "company_id": company });
        app.shop(json!({ "action": "customer.register", "user": user })).await;
    }
    polled(&app).await;
    app.settled().await;
    assert_eq!(told(&app).await, counts(&[("customer.created", 3), ("customer.updated", 1)]));
    let imported = app.events("type=customer.updated").await;
    assert_eq!(imported[0]["subject"], "customer:2");
    let old: Vec<_> =
        app.ghl("contacts").into_iter().filter(|contact| contact["email"] == "old@example.com").collect();
    assert_eq!(old.len(), 1);
    assert!(
        app.ghl("tasks").iter().all(|task| task["contactId"] != old[0]["id"]),
        "nobody is welcomed by an import"
    );
    app.end().await;
}

#[tokio::test]
async fn a_page_in_place_of_the_api_is_told_and_polling_goes_on_once_it_is_gone() {
    let app = without_addon(CscartVersion::V4_20).await;
    let page = json!({
        "kind": "status", "status": 200, "times": 0, "path": "/api/*",
        "body": "<!DOCTYPE html><html><head><title>Store closed</title></head></html>",
    });
    app.sandbox.cscart().fault(serde_json::from_value(page).unwrap());
    app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    let error = app
        .until("the error is shown", async || polling(&app).await["last_error"].as_str().map(str::to_owned))
        .await;
    assert!(error.contains("maintenance page") && error.contains("Store closed"), "{error}");
    assert_eq!(told(&app).await, counts(&[]));
    app.sandbox.cscart().clear_faults();
    polled(&app).await;
    app.settled().await;
    assert_eq!(told(&app).await, counts(&[("customer.created", 1)]));
    assert_eq!(polling(&app).await["last_error"], Value::Null);
    app.end().await;
}

#[tokio::test]
async fn by_itself_a_store_is_polled_only_until_its_add_on_is_heard() {
    let mut app = spawn_with(CscartVersion::V4_20, "\"auto\"").await;
    polled(&app).await;
    assert_eq!(polling(&app).await["on"], true);
    app.shop(json!({ "action": "ping" })).await;
    assert_eq!(polling(&app).await["on"], true, "a ping may be the doctor's");
    app.register(ada()).await;
    assert_eq!(
        polling(&app).await,
        json!({ "on": false, "last_at": null, "next_at": null, "last_error": null, "cannot_see": [] })
    );
    app.start_again().await;
    assert_eq!(polling(&app).await["on"], false, "that is remembered");
    app.end().await;
}

#[tokio::test]
async fn a_polled_store_needs_no_webhook_secret() {
    let config = |mode: &str| {
        let text = format!(
            "[[connection]]\nname = \"my-shop\"\n[connection.ghl]\nlocation_id = \"x\"\ntoken = \"pit-x\"\n[connection.cscart]\n\
             url = \"https://shop.example.com\"\nemail = \"a@b.co\"\napi_key = \"key\"\npolling = {mode}\n"
        );
        cartbridge::config::Config::parse("test.toml", &text, &[])
    };
    assert!(config("true").is_ok());
    for mode in ["false", "\"auto\""] {
        let mistakes = config(mode).unwrap_err();
        assert!(mistakes[0].what.contains("webhook_secrets"), "{mistakes:?}");
    }
    assert!(config("\"sometimes\"").is_err());
}
