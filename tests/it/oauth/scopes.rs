//! What the tokens allow: reading without writing, and allowing more later.

use serde_json::json;

use super::{connect, connected, register, spawn, stand};
use crate::app::{TestApp, ada};

#[tokio::test]
async fn with_read_scope_only_reads_work_and_writes_wait_for_the_scope_without_a_call() {
    let app = spawn("").await;
    connect(&app, "scopes=needed").await;
    let id = app.register(ada()).await;
    // Allowed to write once, and only to read from now on.
    connect(&app, "scopes=contacts.readonly").await;
    let view = stand(&app).await;
    assert_eq!(view["status"], "read_only", "{view}");
    let before = app.calls().len();
    let updated = app
        .shop(json!({ "action": "customer.update", "user_id": id, "user": { "firstname": "Augusta" } }))
        .await;
    let event = updated["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    let parked = app.until_state(&event, "parked").await;
    let reason = parked["state_reason"].as_str().unwrap();
    assert!(
        reason.starts_with("needs scope contacts.write") && reason.contains("?scopes=needed"),
        "{reason}"
    );
    assert_eq!(app.calls().len(), before, "nobody was asked");

    let other =
        app.shop(json!({ "action": "customer.register", "user": { "email": "b@example.com" } })).await;
    let other = other["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    app.until_state(&other, "parked").await;
    assert_eq!(app.calls().len(), before, "nobody was asked");
    app.end().await;
}

#[tokio::test]
async fn what_only_reads_works_in_read_only_mode_and_what_waits_goes_on_when_more_is_allowed() {
    let app = connected().await;
    let user = app.register(ada()).await;
    connect(&app, "scopes=contacts.readonly").await;
    let viewed = app.shop(json!({ "action": "customer.view", "user_id": user })).await;
    app.until_state(viewed["delivery"]["body"]["id"].as_str().unwrap(), "done").await;
    let (status, page) = app.api("GET", &format!("/api/connections/my-shop/customers/{user}"), None).await;
    assert!(status != 200 || page["view"]["contact"]["email"] == "ada@example.com", "{page}");

    let waiting =
        app.shop(json!({ "action": "customer.register", "user": { "email": "b@example.com" } })).await;
    let waiting = waiting["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    app.until_state(&waiting, "parked").await;
    connect(&app, "scopes=needed").await;
    app.until_state(&waiting, "done").await;
    assert_eq!(app.ghl("contacts").len(), 2);
    app.end().await;
}

#[tokio::test]
async fn a_step_that_only_reads_runs_beside_one_that_may_not_write() {
    let options = sandbox::Options { strict_rate: false, ..sandbox::Options::default() };
    let routes = tempfile::tempdir().unwrap();
    std::fs::write(
        routes.path().join("both.toml"),
        "description = \"writes and reads\"\non = [\"cscart.ping\"]\n\
         [[step]]\nid = \"write\"\ndo = \"ghl.tags.add\"\nwith = { tags = [\"seen\"] }\n\
         [[step]]\nid = \"read\"\ndo = \"ghl.contact.fetch\"\n",
    )
    .unwrap();
    let folder = routes.path().display().to_string();
    let app = TestApp::spawn_edited(options, crate::app::QUICK, |text, announced| {
        format!("routes_dir = \"{folder}\"\n{}", super::with_oauth(&text, announced, ""))
    })
    .await;
    connect(&app, "scopes=needed").await;
    let user = app.register(ada()).await;
    connect(&app, "scopes=contacts.readonly").await;
    let body = json!({
        "type": "ping", "timestamp": app.clock.now().to_string(), "store": { "url": "https://shop.example.com" },
        "data": { "user_id": user, "user": { "user_id": user, "email": "ada@example.com" } },
    });
    let (status, receipt) = app.deliver("msg_both", &body).await;
    assert_eq!(status, 202, "{receipt}");
    let id = receipt["id"].as_str().unwrap().to_owned();
    let parked = app.until_state(&id, "parked").await;
    let effects = parked["effects"].as_array().unwrap();
    assert_eq!(effects.len(), 1, "{parked}");
    assert_eq!((&effects[0]["step"], &effects[0]["state"]), (&json!("read"), &json!("done")), "{parked}");
    connect(&app, "scopes=needed").await;
    let done = app.until_state(&id, "done").await;
    assert_eq!(done["effects"].as_array().unwrap().len(), 2);
    app.end().await;
}

#[tokio::test]
async fn a_plain_call_waits_for_the_scope_that_the_catalogue_names() {
    let options = sandbox::Options { strict_rate: false, ..sandbox::Options::default() };
    let routes = tempfile::tempdir().unwrap();
    std::fs::write(
        routes.path().join("fields.toml"),
        "description = \"reads fields\"\non = [\"cscart.ping\"]\n\
         [[step]]\nid = \"fields\"\ndo = \"ghl.custom_field.list\"\n",
    )
    .unwrap();
    let folder = routes.path().display().to_string();
    let app = TestApp::spawn_edited(options, crate::app::QUICK, |text, announced| {
        format!("routes_dir = \"{folder}\"\n{}", super::with_oauth(&text, announced, ""))
    })
    .await;
    connect(&app, "scopes=contacts.readonly").await;
    let before = app.calls().len();
    let at = app.clock.now().to_string();
    let body = json!({ "type": "ping", "timestamp": at, "store": { "url": "https://shop.example.com" }, "data": {} });
    let (status, receipt) = app.deliver("msg_fields", &body).await;
    assert_eq!(status, 202, "{receipt}");
    let id = receipt["id"].as_str().unwrap().to_owned();
    let parked = app.until_state(&id, "parked").await;
    let reason = parked["state_reason"].as_str().unwrap();
    assert!(reason.starts_with("needs scope locations/customFields.readonly"), "{reason}");
    assert_eq!(app.calls().len(), before, "nobody was asked");

    connect(&app, "scopes=needed").await;
    let done = app.until_state(&id, "done").await;
    assert!(done["effects"][0]["result"]["customFields"].is_array(), "{done}");
    app.end().await;
}

#[tokio::test]
async fn granted_and_needed_are_shown_by_route() {
    let app = spawn("").await;
    connect(&app, "").await;
    let (status, view) = app.api("GET", "/api/connections/my-shop/scopes", None).await;
    assert_eq!(status, 200, "{view}");
    assert_eq!((&view["status"], &view["read_only"]), (&json!("read_only"), &json!(true)));
    assert_eq!(view["granted"], json!(["contacts.readonly"]), "it starts with reading only");
    assert_eq!(view["missing"], json!(["contacts.write"]));
    assert_eq!(view["expand_url"], format!("{}/connect/ghl/my-shop?scopes=needed", app.url));
    let route = |name: &str| {
        let routes = view["routes"].as_array().unwrap();
        routes.iter().find(|route| route["route"] == name).unwrap().clone()
    };
    assert_eq!(route("customer-page")["missing"], json!([]));
    assert_eq!(route("customer-page")["operations"][0]["scopes"], json!(["contacts.readonly"]));
    assert_eq!(route("customer-to-contact")["missing"], json!(["contacts.write"]));

    connect(&app, "scopes=needed").await;
    let (_, view) = app.api("GET", "/api/connections/my-shop/scopes", None).await;
    assert_eq!(
        (&view["status"], &view["missing"], &view["expand_url"]),
        (&json!("connected"), &json!([]), &json!(null))
    );
    // Whoever connects again keeps what he had.
    connect(&app, "").await;
    assert_eq!(stand(&app).await["status"], "connected");
    app.end().await;
}

#[tokio::test]
async fn a_private_integrations_missing_scope_is_learned_and_its_coming_noticed() {
    let app = TestApp::spawn().await;
    app.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly"] })).unwrap();
    let first = register(&app).await;
    let parked = app.until_state(&first, "parked").await;
    let reason = parked["state_reason"].as_str().unwrap();
    assert!(
        reason.starts_with("needs scope contacts.write") && reason.contains("Private Integration"),
        "{reason}"
    );
    assert_eq!(stand(&app).await["status"], "read_only");
    let calls = app.calls().len();
    for n in 0..3 {
        let user = json!({ "email": format!("p{n}@example.com") });
        app.shop(json!({ "action": "customer.register", "user": user })).await;
    }
    app.until("all are parked", async || (app.events("state=parked").await.len() == 4).then_some(())).await;
    assert_eq!(app.calls().len(), calls, "it is known by now");

    // A quarter of an hour later one may try; still nothing.
    app.clock.advance(std::time::Duration::from_mins(16));
    app.until("one has tried", async || (app.calls().len() == calls + 1).then_some(())).await;
    app.until("all are parked", async || (app.events("state=parked").await.len() == 4).then_some(())).await;
    let all = ["contacts.readonly", "contacts.write"];
    app.sandbox.ghl().settings(json!({ "scopes": all })).unwrap();
    app.clock.advance(std::time::Duration::from_mins(16));
    app.until("all are done", async || (app.ghl("contacts").len() == 4).then_some(())).await;
    app.settled().await;
    assert_eq!(stand(&app).await["status"], "connected");
    app.end().await;
}

#[tokio::test]
async fn the_scope_that_is_named_is_the_one_that_is_missing() {
    let app = TestApp::spawn().await;
    let user = app.register(ada()).await;
    app.sandbox.ghl().settings(json!({ "scopes": ["contacts.write"] })).unwrap();
    let viewed = app.shop(json!({ "action": "customer.view", "user_id": user })).await;
    let id = viewed["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    let parked = app.until_state(&id, "parked").await;
    assert!(
        parked["state_reason"].as_str().unwrap().starts_with("needs scope contacts.readonly"),
        "{parked}"
    );
    // A replay tries at once.
    app.sandbox.ghl().settings(json!({ "scopes": ["contacts.write", "contacts.readonly"] })).unwrap();
    app.replay(&parked).await;
    app.until_state(&id, "done").await;
    app.end().await;
}
