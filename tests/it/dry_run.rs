//! A dry run shows everything and does nothing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::app::{TestApp, ada};
use crate::program::{Desk, text};

/// What a store sends when this shopper registers.
fn registered(user_id: u64, user: Value) -> Value {
    let mut user = user;
    user["user_id"] = json!(user_id);
    json!({
        "type": "customer.created", "timestamp": "2026-11-24T12:00:00Z",
        "store": { "url": "https://shop.example.com" }, "data": { "user": user },
    })
}

async fn dry_run(app: &TestApp, body: Value) -> Value {
    let (status, report) = app.api("POST", "/api/dry-run", Some(body)).await;
    assert_eq!(status, 200, "{report}");
    report
}

/// All calls of a report, as `POST /contacts/`, with their bodies.
fn calls(report: &Value) -> Vec<(String, Value)> {
    let phases = report["phases"].as_array().unwrap();
    let steps = phases.iter().flat_map(|phase| phase["steps"].as_array().unwrap());
    let calls = steps.flat_map(|step| step["calls"].as_array().unwrap());
    calls
        .map(|call| {
            let name = format!("{} {}", call["method"].as_str().unwrap(), call["path"].as_str().unwrap());
            (name, call["body"].clone())
        })
        .collect()
}

fn names(report: &Value) -> Vec<String> {
    calls(report).into_iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn a_dry_run_shows_the_very_calls_that_the_event_then_makes_and_makes_none_itself() {
    let app = TestApp::spawn().await;
    let event = registered(42, ada());
    let report = dry_run(&app, json!({ "connection": "my-shop", "event": event })).await;
    assert_eq!(
        names(&report),
        ["POST /contacts/", "POST /contacts/<contact made in step contact>/tasks"],
        "{report:#}"
    );
    assert_eq!(report["phases"][0]["state"], "done");
    assert_eq!(report["cost"], json!({ "highlevel": 2, "store": 0 }));
    assert_eq!(app.calls().len(), 0, "HighLevel was not asked");
    assert_eq!(app.events("limit=10").await.len(), 0, "nothing was received");
    let (_, customer) = app.api("GET", "/api/connections/my-shop/customers/42", None).await;
    assert_eq!(customer["contact_id"], Value::Null, "nobody was linked");

    let (status, _) = app.deliver("msg_1", &event).await;
    assert_eq!(status, 202);
    app.settled().await;
    let made: Vec<Value> = app.calls().into_iter().map(|call| call.body).collect();
    let shown: Vec<Value> = calls(&report).into_iter().map(|(_, body)| body).collect();
    assert_eq!(shown, made, "to the last byte");
    app.end().await;
}

#[tokio::test]
async fn conditions_are_told_with_what_they_looked_at_whether_they_hold_or_not() {
    let app = TestApp::spawn().await;
    let mut owner = ada();
    owner["user_type"] = json!("A");
    let report = dry_run(&app, json!({ "event": registered(1, owner) })).await;
    let condition = &report["phases"][0]["conditions"][0];
    assert_eq!(condition["route"], "customer-to-contact");
    assert_eq!(condition["condition"], "(data.user.user_type or 'C') == 'C'");
    assert_eq!(condition["looked_at"], json!({ "data.user.user_type": "A" }));
    assert_eq!(condition["holds"], false);
    assert_eq!(names(&report), [""; 0]);

    let report = dry_run(&app, json!({ "event": registered(42, ada()) })).await;
    let conditions = report["phases"][0]["conditions"].as_array().unwrap();
    let told: Vec<(Value, Value)> =
        conditions.iter().map(|it| (it["step"].clone(), it["holds"].clone())).collect();
    assert_eq!(told, [(Value::Null, json!(true)), (json!("welcome-task"), json!(true))]);
    assert_eq!(conditions[1]["looked_at"]["event.type"], "cscart.customer.created");
    app.end().await;
}

#[tokio::test]
async fn what_the_bridge_knows_is_what_a_dry_run_starts_from() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    let contact = app.ghl("contacts")[0]["id"].as_str().unwrap().to_owned();
    let before = app.calls().len();
    let mut user = ada();
    user["firstname"] = json!("Augusta");
    let mut event = registered(id.to_string().trim_matches('"').parse().unwrap(), user);
    event["type"] = json!("customer.updated");
    event["timestamp"] = Value::Null;
    let report = dry_run(&app, json!({ "event": event })).await;
    assert_eq!(calls(&report), [(format!("PUT /contacts/{contact}"), json!({ "firstName": "Augusta" }))]);
    assert!(report["found"].as_str().unwrap().contains(&contact), "{report:#}");
    assert_eq!(app.calls().len(), before);

    event["data"]["user"]["firstname"] = json!("Ada");
    let report = dry_run(&app, json!({ "event": event })).await;
    assert_eq!(names(&report), [""; 0], "{report:#}");
    let contact_step = &report["phases"][0]["steps"][0];
    assert_eq!(
        (&contact_step["state"], &contact_step["why"]),
        (&json!("skipped"), &json!("nothing has changed"))
    );
    app.end().await;
}

#[tokio::test]
async fn an_event_that_was_received_is_tried_as_it_was_then_and_with_another_route() {
    let app = TestApp::spawn().await;
    app.register(ada()).await;
    let event = app.events("type=customer.created&limit=1").await.remove(0);
    let before = (app.calls().len(), app.event(event["id"].as_str().unwrap()).await);
    let report = dry_run(&app, json!({ "event_id": event["id"] })).await;
    assert_eq!(names(&report), ["POST /contacts/", "POST /contacts/<contact made in step contact>/tasks"]);
    assert_eq!(report["event"]["id"], event["id"]);

    let route = "on = [\"cscart.customer.created\"]\n[[step]]\nid = \"contact\"\ndo = \"ghl.contact.ensure\"\n\
                 [step.with]\ntags = [\"tried\"]\n";
    let report =
        dry_run(&app, json!({ "event_id": event["id"], "route": route, "route_id": "customer-to-contact" }))
            .await;
    let made = calls(&report);
    assert_eq!((made.len(), &made[0].1["tags"]), (1, &json!(["tried"])), "{report:#}");
    assert_eq!((app.calls().len(), app.event(event["id"].as_str().unwrap()).await), before);
    app.end().await;
}

#[tokio::test]
async fn what_comes_after_a_wait_is_shown_with_the_wait_before_it() {
    let app = TestApp::spawn().await;
    let route = "on = [\"cscart.customer.created\"]\n[[step]]\nid = \"contact\"\ndo = \"ghl.contact.ensure\"\n\
                 [step.with]\ntags = [\"new\"]\n\
                 [[step]]\nid = \"ask\"\ndo = \"ghl.task.create\"\ndelay = \"3 days\"\n[step.with]\ntitle = \"How is it?\"\n";
    let report = dry_run(
        &app,
        json!({ "event": registered(42, ada()), "route": route, "route_id": "customer-to-contact" }),
    )
    .await;
    let phases = report["phases"].as_array().unwrap();
    assert_eq!(phases.len(), 2, "{report:#}");
    assert_eq!((&phases[1]["after"], &phases[1]["after_seconds"]), (&json!("3 days"), &json!(259_200)));
    assert_eq!(phases[1]["steps"][0]["calls"][0]["path"], "/contacts/<contact made in step contact>/tasks");
    assert_eq!(app.calls().len(), 0);
    app.end().await;
}

#[tokio::test]
async fn a_store_that_was_not_asked_is_not_said_to_refuse() {
    let app = TestApp::spawn().await;
    for on_error in ["stop", "continue"] {
        let route = format!(
            "on = [\"cscart.customer.created\"]\n[[step]]\nid = \"orders\"\ndo = \"cscart.customer.orders\"\n\
             on_error = \"{on_error}\"\n"
        );
        let asked =
            json!({ "event": registered(42, ada()), "route": route, "route_id": "customer-to-contact" });
        let report = dry_run(&app, asked).await.to_string();
        assert!(report.contains("--ask-store") && !report.contains("refuses the API key"), "{report}");
    }
    app.end().await;
}

#[tokio::test]
async fn the_store_is_asked_only_where_that_is_allowed_and_only_with_get() {
    let app = TestApp::spawn().await;
    let made = app.shop(json!({ "action": "customer.register", "deliver": false, "user": ada() })).await;
    let event = json!({ "type": "note.created", "data": { "note": { "note_id": "7", "user_id": made["user_id"], "body": "Called" } } });
    let report = dry_run(&app, json!({ "event": event })).await;
    assert_eq!(report["phases"][0]["state"], "stopped", "{report:#}");
    assert!(report["phases"][0]["reason"].as_str().unwrap().contains("--ask-store"), "{report:#}");
    assert_eq!(report["store"][0]["status"], Value::Null);
    assert_eq!(app.sandbox.cscart().journal().len(), 0, "the store was not asked");

    let report = dry_run(&app, json!({ "event": event, "ask_store": true })).await;
    assert_eq!(
        names(&report),
        ["POST /contacts/", "POST /contacts/<contact made in step contact>/notes"],
        "{report:#}"
    );
    assert_eq!(report["store"][0]["status"], 200);
    let asked = app.sandbox.cscart().journal();
    assert!(!asked.is_empty() && asked.iter().all(|call| call.method == "GET"), "{asked:?}");
    assert_eq!(app.calls().len(), 0);
    app.end().await;
}

#[tokio::test]
async fn two_are_made_at_once_and_a_third_is_told_to_wait() {
    let app = TestApp::spawn().await;
    let made = app.shop(json!({ "action": "customer.register", "deliver": false, "user": ada() })).await;
    let event = json!({ "type": "note.created", "data": { "note": { "note_id": "7", "user_id": made["user_id"], "body": "Called" } } });
    let slow = json!({ "kind": "delay", "ms": 1500, "processed": true, "times": 2 });
    app.sandbox.cscart().fault(serde_json::from_value(slow).unwrap());
    let asked = json!({ "event": event, "ask_store": true });
    let third = async {
        app.until_true("both have asked the store", || app.sandbox.cscart().journal().len() == 2).await;
        app.api("POST", "/api/dry-run", Some(asked.clone())).await
    };
    let (first, second, (status, problem)) =
        tokio::join!(dry_run(&app, asked.clone()), dry_run(&app, asked.clone()), third);
    assert_eq!((status, &problem["code"]), (429, &json!("too-many-at-once")), "{problem}");
    assert_eq!((names(&first).len(), names(&second).len()), (2, 2));
    app.end().await;
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused_with_what_to_do() {
    let app = TestApp::spawn().await;
    let event = registered(42, ada());
    for (body, status, told) in [
        (json!({}), 400, "give either `event` or `event_id`"),
        (json!({ "event": event, "event_id": "x" }), 400, "give either"),
        (
            json!({ "event": { "type": "customer.creatd", "data": {} } }),
            400,
            "did you mean `customer.created`?",
        ),
        (json!({ "event": event, "connection": "other" }), 404, "there is my-shop"),
        (json!({ "event_id": "0193a7c2-0000-7000-8000-000000000000" }), 404, "there is no event"),
        (
            json!({ "event": event, "route": "on = [\"cscart.customer.creatd\"]" }),
            400,
            "tried.toml:1:7: there is no trigger",
        ),
    ] {
        let (answered, problem) = app.api("POST", "/api/dry-run", Some(body.clone())).await;
        assert_eq!(answered, status, "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(told), "{body}: {problem}");
    }
    let (_, key) = app.api("POST", "/api/keys", Some(json!({ "name": "reader", "role": "read" }))).await;
    let asked = app.http.post(format!("{}/api/dry-run", app.url)).json(&json!({ "event": event }));
    let answer = asked.bearer_auth(key["key"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(answer.status(), 403, "to try an event takes the right to operate");
    app.end().await;
}

/// What must not be seen.
fn secrets(app: &TestApp) -> Vec<String> {
    let announced = app.sandbox.announcement();
    [&announced["ghl"]["token"], &announced["cscart"]["api_key"], &announced["cscart"]["webhook_secret"]]
        .map(|secret| secret.as_str().unwrap().to_owned())
        .to_vec()
}

#[tokio::test]
async fn the_command_changes_no_byte_of_the_database_and_tells_no_secret() {
    let mut app = TestApp::spawn().await;
    app.register(ada()).await;
    let event = app.events("type=customer.created&limit=1").await.remove(0);
    app.close().await;
    let desk = Desk::new(app.config());
    std::fs::write(desk.folder.path().join("event.json"), registered(43, ada()).to_string()).unwrap();
    let (database, calls_before) = (std::fs::read(app.database()).unwrap(), app.calls().len());
    let id = event["id"].as_str().unwrap();
    let mut told = String::new();
    for arguments in [
        ["dry-run", "--event", "event.json"].as_slice(),
        &["dry-run", "--event", id],
        &["dry-run", "--event", id, "--json"],
        &["dry-run", "--since", "1d"],
    ] {
        told.push_str(&desk.ok(arguments).await);
    }
    assert!(std::fs::read(app.database()).unwrap() == database, "the database is as it was");
    assert_eq!(app.calls().len(), calls_before, "HighLevel was not asked");
    for secret in secrets(&app) {
        assert!(!told.contains(&secret), "{secret} is told");
    }
    for line in ["POST /contacts/", "Nothing was sent or written", "something else for 0", "\"holds\": true"]
    {
        assert!(told.contains(line), "{line} is missing:\n{told}");
    }
}

#[tokio::test]
async fn a_changed_route_is_tried_on_what_happened_and_only_what_differs_is_told() {
    let mut app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    for action in [
        json!({ "action": "customer.update", "user_id": id, "user": { "firstname": "Augusta", "phone": "" } }),
        json!({ "action": "customer.tags", "user_id": id, "tags": ["vip"] }),
        json!({ "action": "note.add", "user_id": id, "body": "Called" }),
        json!({ "action": "customer.update", "user_id": id, "user": { "b_city": "Paris" } }),
        json!({ "action": "order.place", "user_id": id, "products": [{ "product": "Mug", "amount": 1, "price": 4.5 }] }),
        json!({ "action": "customer.tags", "user_id": id, "tags": [] }),
    ] {
        app.shop(action).await;
        app.settled().await;
    }
    app.close().await;
    let desk = Desk::new(app.config());
    let same = desk.ok(&["dry-run", "--since", "1h"]).await;
    assert!(same.contains("something else for 0"), "{same}");

    let route =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/routes/customer-to-contact.toml"));
    let route =
        route.unwrap().replace("title = \"{{ settings.welcome_task.title | render }}\"", "title = \"Hello\"");
    std::fs::write(desk.folder.path().join("customer-to-contact.toml"), route).unwrap();
    let told = desk.ok(&["dry-run", "--since", "1h", "--route", "customer-to-contact.toml", "--json"]).await;
    let compared: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(compared["different"].as_array().unwrap().len(), 1, "{compared:#}");
    assert_eq!(compared["different"][0]["type"], "cscart.customer.created");
    assert_eq!(
        compared["different"][0]["changes"],
        json!([{
            "kind": "other-body", "method": "POST", "path": "/contacts/<contact made in step contact>/tasks",
            "at": { "title": ["Welcome Ada", "Hello"] },
        }])
    );
    let cut = desk.ok(&["dry-run", "--since", "1h", "--limit", "2"]).await;
    assert!(cut.contains("cut at the newest 2"), "{cut}");
}

#[tokio::test]
async fn the_command_says_what_is_wrong_with_what_it_was_given() {
    let app = TestApp::spawn().await;
    let desk = Desk::new(app.config());
    for (arguments, told) in [
        (["dry-run", "--event", "nowhere.json"].as_slice(), "nowhere.json cannot be read"),
        (&["dry-run", "--since", "yesterday"], "write `7d`"),
        (&["dry-run", "--event", "cartbridge.toml"], "is not JSON"),
        (&["dry-run", "--event", "0193a7c2-0000-7000-8000-000000000000"], "there is no event"),
    ] {
        let output = desk.run(arguments).await;
        assert!(!output.status.success());
        assert!(text(&output.stderr).contains(told), "{arguments:?}: {}", text(&output.stderr));
    }
    tokio::time::timeout(Duration::from_mins(1), app.end()).await.unwrap();
}
