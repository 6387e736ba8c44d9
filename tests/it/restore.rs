//! A backup that is put back: nothing is lost that can be had again, nothing is made twice, and nobody is alarmed for nothing.

use std::path::Path;

use sandbox::Options;
use serde_json::{Value, json};

use crate::app::{QUICK, TestApp, ada};
use crate::flows::Flow;
use crate::program::{Desk, text};

/// A bridge in a location that has a field for the customer's number.
async fn spawn() -> TestApp {
    let app = TestApp::spawn().await;
    number_field(&app).await;
    app
}

async fn number_field(app: &TestApp) {
    let field = json!({ "action": "custom_field.create", "name": "cscart customer id", "dataType": "TEXT" });
    app.highlevel(field).await;
}

fn person(n: usize) -> Value {
    json!({ "email": format!("person{n}@example.com"), "firstname": format!("Person{n}"), "b_country": "US" })
}

/// How many things of a kind HighLevel was made to make.
fn made(app: &TestApp, kind: &str) -> usize {
    app.calls().iter().filter(|call| call.effect.as_ref().is_some_and(|effect| effect.kind == kind)).count()
}

/// The store delivers again what it has delivered since the first `known` deliveries.
async fn deliver_again(app: &TestApp, known: usize) {
    for delivery in app.sandbox.cscart().deliveries().into_iter().skip(known) {
        app.shop(json!({ "action": "webhook.redeliver", "webhook_id": delivery.webhook_id })).await;
    }
    app.settled().await;
}

/// A person brings every customer up to date; answers the job.
async fn resync(app: &TestApp, options: Value) -> Value {
    let job = json!({ "connection": "my-shop", "kind": "resync", "options": options });
    let (status, started) = app.api("POST", "/api/jobs", Some(job)).await;
    assert_eq!(status, 202, "{started}");
    let path = format!("/api/jobs/{}", started["id"].as_str().unwrap());
    app.until("the job is done", async || {
        let (_, job) = app.api("GET", &path, None).await;
        (job["state"] == "done").then_some(job)
    })
    .await
}

/// Waits until whatever happens from now on has happened after the start: the store's times are whole seconds.
async fn next_second(app: &TestApp) {
    let now = app.clock.now().as_second();
    app.until_true("a second has begun", || app.clock.now().as_second() > now).await;
}

#[tokio::test]
async fn what_the_lost_time_has_made_is_found_again_when_it_is_delivered_again_and_resynced() {
    let mut app = spawn().await;
    app.register(person(1)).await;
    let backup = app.backup();
    let known = app.sandbox.cscart().deliveries().len();
    let id = app.register(ada()).await;
    app.shop(json!({ "action": "note.add", "user_id": id, "body": "Rang." })).await;
    let change = json!({ "email": "countess@example.com", "phone": "(202) 555-0199" });
    app.shop(json!({ "action": "customer.update", "user_id": id, "user": change })).await;
    app.settled().await;
    assert_eq!((app.ghl("contacts").len(), app.ghl("tasks").len(), app.ghl("notes").len()), (2, 2, 1));

    app.put_back(&backup).await;
    assert!(app.store.restore().await.unwrap().is_some(), "it was noticed");
    deliver_again(&app, known).await;
    let job = resync(&app, json!({})).await;
    assert_eq!(job["outcomes"], json!({ "equal": 2 }), "{job}");
    let story = app.story().await;
    assert_eq!((made(&app, "contact.created"), app.ghl("contacts").len()), (2, 2), "{story}");
    assert_eq!((made(&app, "task.created"), made(&app, "note.created")), (2, 1), "{story}");
    let contacts = app.ghl("contacts");
    assert!(contacts.iter().any(|contact| contact["email"] == "countess@example.com"), "{contacts:#?}");

    // From here on it is as it was.
    let before = app.calls().len();
    app.shop(json!({ "action": "customer.update", "user_id": id, "user": { "lastname": "King" } })).await;
    app.settled().await;
    assert_eq!(app.call_names()[before..], ["PUT /contacts/*"]);
    app.end().await;
}

#[tokio::test]
async fn a_customer_of_the_lost_time_who_changes_his_address_keeps_his_contact() {
    let mut app = spawn().await;
    let backup = app.backup();
    let id = app.register(ada()).await;
    app.put_back(&backup).await;
    next_second(&app).await;
    let change = json!({ "email": "countess@example.com", "phone": "(202) 555-0199" });
    app.shop(json!({ "action": "customer.update", "user_id": id, "user": change })).await;
    app.settled().await;
    let contacts = app.ghl("contacts");
    assert_eq!(contacts.len(), 1, "{}", app.story().await);
    assert_eq!(contacts[0]["email"], "countess@example.com");
    app.end().await;
}

#[tokio::test]
async fn a_resync_finds_customers_of_the_lost_time_by_their_numbers() {
    for options in [json!({}), json!({ "since": "2020-01-01T00:00:00Z" })] {
        let mut app = spawn().await;
        let backup = app.backup();
        let id = app.register(ada()).await;
        app.put_back(&backup).await;
        let change = json!({ "email": "countess@example.com", "phone": "(202) 555-0199" });
        let change = json!({ "action": "customer.update", "user_id": id, "user": change, "deliver": false });
        app.shop(change).await;
        // The search shows what was made before.
        app.until("it is in the index", async || {
            let query =
                json!({ "locationId": app.sandbox.announcement()["ghl"]["location_id"], "pageLimit": 1 });
            let url = format!("{}/contacts/search", app.sandbox.ghl_url());
            let token = app.sandbox.announcement()["ghl"]["token"].as_str().unwrap().to_owned();
            let request = app.http.post(url).bearer_auth(token).header("Version", "2021-07-28").json(&query);
            let found: Value = request.send().await.unwrap().json().await.unwrap();
            (found["total"] == 1).then_some(())
        })
        .await;
        let job = resync(&app, options.clone()).await;
        assert_eq!(job["outcomes"], json!({ "adopted": 1 }), "{options}: {job}");
        let contacts = app.ghl("contacts");
        assert_eq!(contacts.len(), 1, "{}", app.story().await);
        assert_eq!(contacts[0]["email"], "countess@example.com");
        app.end().await;
    }
}

#[tokio::test]
async fn where_duplicates_are_allowed_nothing_is_made_twice_either() {
    let options = Options { strict_rate: false, allow_duplicate_contacts: true, ..Options::default() };
    let mut app = TestApp::spawn_with(options, QUICK).await;
    // Without the field by which the contact could be found.
    let backup = app.backup();
    let id = app.register(ada()).await;
    app.shop(json!({ "action": "note.add", "user_id": id, "body": "Rang." })).await;
    app.settled().await;
    app.put_back(&backup).await;
    deliver_again(&app, 0).await;
    assert_eq!(
        (made(&app, "contact.created"), made(&app, "task.created"), made(&app, "note.created")),
        (1, 1, 1),
        "{}",
        app.story().await
    );
    app.end().await;
}

#[tokio::test]
async fn a_token_that_may_not_read_the_fields_finds_what_has_the_same_address() {
    let mut app = spawn().await;
    let backup = app.backup();
    app.register(ada()).await;
    app.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly", "contacts.write"] })).unwrap();
    app.put_back(&backup).await;
    deliver_again(&app, 0).await;
    assert_eq!((made(&app, "contact.created"), made(&app, "task.created")), (1, 1), "{}", app.story().await);
    let event = &app.events("type=customer.created").await[0];
    let effect = &app.event(event["id"].as_str().unwrap()).await["effects"][0];
    assert!(effect["result"]["left_out"].to_string().contains("locations/customFields.readonly"), "{effect}");
    let job = resync(&app, json!({})).await;
    assert_eq!(job["outcomes"], json!({ "equal": 1 }), "{job}");
    app.end().await;
}

#[tokio::test]
async fn where_two_stores_share_a_location_a_number_says_nothing() {
    let mut app = spawn().await;
    let announcement = app.sandbox.announcement();
    let (ghl, cscart) = (&announcement["ghl"], &announcement["cscart"]);
    let other = json!({
        "name": "other-shop",
        "ghl": { "location_id": ghl["location_id"], "token": ghl["token"], "api_url": ghl["url"] },
        "cscart": { "url": "https://other.example.com", "webhook_secrets": [cscart["webhook_secret"]] },
    });
    let (status, answer) = app.api("POST", "/api/connections", Some(other)).await;
    assert_eq!(status, 201, "{answer}");
    let backup = app.backup();
    let id = app.register(ada()).await;
    app.put_back(&backup).await;
    let user =
        json!({ "user_id": id, "email": "bea@example.com", "firstname": "Bea", "timestamp": 1_577_836_800 });
    let at = app.clock.now().to_string();
    let body = json!({ "type": "customer.updated", "timestamp": at, "store": {}, "data": { "user": user } });
    let (status, answer) = app.deliver_to("other-shop", "msg_1", &body).await;
    assert_eq!(status, 202, "{answer}");
    app.settled().await;
    let mut emails: Vec<Value> = app.ghl("contacts").iter().map(|contact| contact["email"].clone()).collect();
    emails.sort_by_key(ToString::to_string);
    assert_eq!(emails, ["ada@example.com", "bea@example.com"], "{}", app.story().await);
    app.end().await;
}

#[tokio::test]
async fn a_new_customer_after_a_restore_costs_two_calls() {
    let mut app = spawn().await;
    let backup = app.backup();
    app.register(ada()).await;
    app.put_back(&backup).await;
    next_second(&app).await;
    let before = app.calls().len();
    let id = app.register(person(1)).await;
    assert_eq!(app.call_names()[before..], ["POST /contacts/", "POST /contacts/*/tasks"]);
    app.shop(json!({ "action": "note.add", "user_id": id, "body": "Rang." })).await;
    app.settled().await;
    assert_eq!(app.call_names()[before + 2..], ["POST /contacts/*/notes"]);
    app.end().await;
}

#[tokio::test]
async fn an_order_after_a_restore_costs_no_call_more_however_it_goes_on() {
    let options = Options { strict_rate: false, ..Options::default() };
    let switched_on =
        |text, _: &Value| format!("{text}\n[connection.settings.routes]\nrefund-to-task = true\n");
    let mut app = TestApp::spawn_edited(options, QUICK, switched_on).await;
    let id = app.register(ada()).await;
    let backup = app.backup();
    app.register(person(1)).await;
    app.put_back(&backup).await;
    next_second(&app).await;
    let order = app.shop(json!({ "action": "order.place", "user_id": id, "products": [] })).await;
    app.settled().await;
    let before = app.calls().len();
    app.shop(json!({ "action": "order.status", "order_id": order["order_id"], "status": "I" })).await;
    app.settled().await;
    let calls = app.call_names().split_off(before);
    assert_eq!(calls, ["POST /contacts/*/notes", "POST /contacts/*/tasks"], "{}", app.story().await);
    app.end().await;
}

#[tokio::test]
async fn a_database_that_is_gone_is_one_that_was_restored() {
    let mut app = spawn().await;
    app.register(ada()).await;
    app.close().await;
    std::fs::remove_file(app.database()).unwrap();
    app.start_again().await;
    deliver_again(&app, 0).await;
    assert_eq!((made(&app, "contact.created"), made(&app, "task.created")), (1, 1), "{}", app.story().await);
    app.end().await;
}

#[tokio::test]
async fn a_call_that_cannot_be_looked_for_is_left_to_a_person() {
    let mut flow = Flow::spawn(
        r#"
        [[step]]
        id = "look"
        do = "ghl.contact.get"
        [[step]]
        id = "write"
        do = "ghl.note.create"
        with = { body = "Sold." }
        "#,
    )
    .await;
    flow.app.may_have_dead_letters = true;
    let down =
        json!({ "kind": "status", "status": 503, "headers": { "retry-after": "3600" }, "method": "GET" });
    flow.app.fault(down);
    let id = flow.ping(json!({})).await;
    let waiting = flow.app.until_state(&id, "waiting").await;
    let backup = flow.app.backup();
    flow.app.replay(&waiting).await;
    flow.app.until_state(&id, "done").await;

    flow.app.put_back(&backup).await;
    flow.app.replay(&waiting).await;
    let dead = flow.app.until_state(&id, "dead").await;
    assert_eq!(dead["state_code"], "may-be-done", "{dead}");
    assert!(dead["state_reason"].as_str().unwrap().contains("before the database was restored"), "{dead}");
    assert_eq!(flow.notes(), ["Sold."]);
    // Whoever has looked may have it done again.
    flow.app.replay(&dead).await;
    flow.app.until_state(&id, "done").await;
    assert_eq!(flow.notes(), ["Sold.", "Sold."]);
    flow.app.end().await;
}

#[tokio::test]
async fn starts_upgrades_and_starts_that_are_cut_off_alarm_nobody() {
    let mut app = TestApp::spawn().await;
    let newest = format!("{}.generation", app.database().display());
    let number = || std::fs::read_to_string(&newest).unwrap().trim().parse::<u64>().unwrap();
    app.register(ada()).await;
    for _ in 0..3 {
        let before = number();
        app.start_again().await;
        assert!(number() > before);
        assert_eq!(app.store.restore().await.unwrap(), None, "a start");
    }
    // The process ended between the database's number and the file's.
    app.close().await;
    std::fs::write(&newest, format!("{}\n", number() - 1)).unwrap();
    app.start_again().await;
    assert_eq!(app.store.restore().await.unwrap(), None, "a start that was cut off");
    // The file was never written, or is none.
    for damage in ["", "something else"] {
        app.close().await;
        std::fs::write(&newest, damage).unwrap();
        app.start_again().await;
        assert_eq!(app.store.restore().await.unwrap(), None, "{damage:?}");
    }
    // A version that knew no generations has left the database.
    app.close().await;
    std::fs::remove_file(&newest).unwrap();
    let database = rusqlite::Connection::open(app.database()).unwrap();
    database.execute("DELETE FROM generation", []).unwrap();
    drop(database);
    app.start_again().await;
    assert_eq!(app.store.restore().await.unwrap(), None, "an upgrade");
    app.end().await;
}

#[tokio::test]
async fn an_older_database_is_noticed_while_the_later_one_runs_as_well() {
    let mut app = TestApp::spawn().await;
    let backup = app.backup();
    let newest = format!("{}.generation", app.database().display());
    let before = std::fs::read_to_string(&newest).unwrap();
    app.register(ada()).await;
    app.until_true("the file has followed", || std::fs::read_to_string(&newest).unwrap() != before).await;
    // What a process leaves that is killed now.
    let left = std::fs::read_to_string(&newest).unwrap();
    app.close().await;
    std::fs::write(&newest, left).unwrap();
    std::fs::copy(&backup, app.database()).unwrap();
    app.start_again().await;
    assert!(app.store.restore().await.unwrap().is_some());
    app.end().await;
}

/// The configuration of a bridge for commands beside it.
fn desk(app: &TestApp) -> Desk {
    let listen = app.url.trim_start_matches("http://");
    Desk::new(&format!("listen = \"{listen}\"\n{}", app.config()))
}

/// What the doctor says of the restore; null: nothing.
async fn diagnosis(desk: &Desk) -> Value {
    let output = desk.run(&["doctor", "my-shop", "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["check"] == "restore").cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_folder_that_was_restored_as_a_whole_is_told_by_a_command() {
    let mut app = spawn().await;
    let newest = format!("{}.generation", app.database().display());
    let (backup, number) = (app.backup(), std::fs::read(&newest).unwrap());
    app.register(ada()).await;
    let desk = desk(&app);
    let refused = desk.run(&["restored"]).await;
    assert!(!refused.status.success() && text(&refused.stderr).contains("Stop it"), "{refused:?}");

    app.close().await;
    std::fs::copy(&backup, app.database()).unwrap();
    std::fs::write(&newest, number).unwrap();
    let told = desk.ok(&["restored", "--since", "2026-11-20"]).await;
    assert!(
        told.contains("2026-11-20T00:00:00Z") && told.contains("cartbridge resync my-shop --all"),
        "{told}"
    );
    app.start_again().await;
    deliver_again(&app, 0).await;
    assert_eq!((made(&app, "contact.created"), made(&app, "task.created")), (1, 1), "{}", app.story().await);
    app.end().await;
}

#[tokio::test]
async fn the_doctor_tells_of_a_restore_until_it_is_made_good() {
    let mut app = spawn().await;
    let desk = desk(&app);
    assert_eq!(diagnosis(&desk).await, Value::Null);
    app.register(ada()).await;
    let backup = app.backup();
    app.register(person(1)).await;
    app.put_back(&backup).await;
    let told = diagnosis(&desk).await;
    assert_eq!((&told["outcome"], &told["code"]), (&json!("warning"), &json!("restored")), "{told}");
    let last = app.events("type=customer.created").await[0]["received_at"].as_str().unwrap()[..19].to_owned();
    for part in ["`cartbridge resync my-shop --all`", &format!("--since {last}Z")] {
        assert!(told["found"].as_str().unwrap().contains(part), "{part}: {told}");
    }
    resync(&app, json!({})).await;
    let told = diagnosis(&desk).await;
    assert_eq!(told["outcome"], "ok", "{told}");
    app.end().await;
}

/// What is said when it happens, for whoever reads only the log.
#[tokio::test]
async fn the_log_says_it_at_the_start() {
    let mut app = TestApp::spawn().await;
    let backup = app.backup();
    app.register(ada()).await;
    app.close().await;
    std::fs::copy(&backup, app.database()).unwrap();
    let log = first_lines(&desk(&app), app.database().as_path()).await;
    assert!(
        log.contains("restored from a backup") && log.contains("cartbridge resync my-shop --all"),
        "{log}"
    );
    app.start_again().await;
    app.end().await;
}

/// Starts the real program, and stops it when it listens; answers what it has logged.
async fn first_lines(desk: &Desk, database: &Path) -> String {
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    assert!(database.exists());
    let mut bridge = tokio::process::Command::new(env!("CARGO_BIN_EXE_cartbridge"))
        .args(["serve"])
        .current_dir(desk.folder.path())
        .env("CARTBRIDGE_ADMIN_KEY", crate::app::ADMIN_KEY)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(bridge.stderr.take().unwrap()).lines();
    let mut log = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        log.push_str(&line);
        log.push('\n');
        if line.contains("listening on") {
            break;
        }
    }
    bridge.kill().await.unwrap();
    log
}
