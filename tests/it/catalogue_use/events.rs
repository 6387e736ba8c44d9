//! Every trigger is fed: HighLevel's with the sample of its page, signed; the store's as the contract has them, signed; a person's by
//! the API. And a route may name each.

use std::collections::BTreeSet;

use cartbridge::event::Subject;
use cartbridge::flow::RouteSet;
use cartbridge::timer::Timer;
use catalogue::{Source, triggers};
use serde_json::{Value, json};

use crate::app::TestApp;

#[test]
fn a_route_may_name_every_trigger_and_tell_every_case() {
    for trigger in triggers() {
        let conditions = trigger.cases.iter().map(|case| format!("when = \"{}\"\n", case.when));
        let every = if trigger.source == Source::Schedule { "every = \"1d\"\n" } else { "" };
        for condition in std::iter::once(String::new()).chain(conditions) {
            let route = format!(
                "on = [\"{}\"]\n{every}{condition}[[step]]\nid = \"x\"\ndo = \"ghl.custom_field.list\"\n",
                trigger.name
            );
            let read = RouteSet::default().with("x.toml", route.as_bytes());
            assert!(read.is_ok(), "{}: {condition}: {:?}", trigger.name, read.err());
        }
    }
}

#[tokio::test]
async fn every_event_that_a_trigger_names_is_stored_under_its_name() {
    let mut app = TestApp::spawn().await;
    // The samples are about people that neither side knows.
    app.may_have_dead_letters = true;
    let location = app.sandbox.announcement()["ghl"]["location_id"].clone();
    let mut fed = BTreeSet::new();
    // What was uninstalled takes no more events, so that comes last.
    let mut all: Vec<_> = triggers().iter().collect();
    all.sort_by_key(|trigger| trigger.kind == "UNINSTALL");
    for trigger in all {
        let id = match trigger.source {
            Source::Ghl => {
                let mut body: Value =
                    serde_json::from_str(catalogue::sample(&trigger.name).unwrap()).unwrap();
                // What the envelope has on the wire and the page leaves out or has for another time, place or page.
                body["type"] = json!(trigger.kind);
                body["locationId"] = location.clone();
                body.as_object_mut().unwrap().remove("timestamp");
                let send = json!({ "action": "webhook.send", "type": trigger.kind, "body": body });
                let sent = app.highlevel(send).await;
                assert_eq!(sent["delivery"]["status"], 202, "{}: {sent}", trigger.name);
                sent["delivery"]["body"]["id"].clone()
            }
            Source::Cscart => {
                let body = json!({
                    "type": trigger.kind, "timestamp": app.clock.now().to_string(),
                    "store": { "url": "https://shop.example.com" }, "data": trigger.example(),
                });
                let (status, receipt) = app.deliver(&format!("msg-{}", trigger.name), &body).await;
                assert_eq!(status, 202, "{}: {receipt}", trigger.name);
                receipt["id"].clone()
            }
            Source::Manual => ask(&app, &trigger.kind).await,
            Source::Schedule => come_due(&app, &trigger.kind).await,
        };
        let event = app.event(id.as_str().unwrap()).await;
        let name = match (event["source"].as_str().unwrap(), event["type"].as_str().unwrap()) {
            ("schedule", "due") => "schedule".to_owned(),
            (source, kind) => format!("{source}.{kind}"),
        };
        assert_eq!(name, trigger.name);
        fed.insert(name);
    }
    assert_eq!(fed.len(), triggers().len());
    app.settled().await;
    app.end().await;
}

/// What happens when a time has come; answers the event's id. How a route's schedule leads there is in `schedule.rs`.
async fn come_due(app: &TestApp, kind: &str) -> Value {
    let timer = Timer {
        connection: "my-shop".parse().unwrap(),
        key: format!("test-{kind}"),
        subject: Subject::other("customer:44"),
        due_at: app.clock.now(),
        kind: kind.to_owned(),
        payload: json!({ "data": { "route": "none" } }).to_string().into_bytes(),
    };
    app.store.put_timer(timer).await.unwrap();
    app.until("the timer has fired", async || {
        let events = app.events(&format!("type={kind}")).await;
        events.first().map(|event| event["id"].clone())
    })
    .await
}

/// What a person asks for, by the API; answers the event's id.
async fn ask(app: &TestApp, kind: &str) -> Value {
    if kind == "import" {
        return import(app).await;
    }
    let (method, path, body) = match kind {
        "resync" => ("POST", "/api/connections/my-shop/resync", json!({ "customer": 42 })),
        "linked" => {
            ("PUT", "/api/connections/my-shop/customers/43", json!({ "contact_id": "nmFmQEsNgz6AVpgLVUJ0" }))
        }
        other => panic!("nobody can ask for {other}"),
    };
    let (status, accepted) = app.api(method, path, Some(body)).await;
    assert_eq!(status, 202, "{kind}: {accepted}");
    accepted["id"].clone()
}

/// An import of a store in which one customer has no contact yet; answers the id of the event that it files.
async fn import(app: &TestApp) -> Value {
    let users = json!([{ "email": "imported@example.com" }]);
    app.shop(json!({ "action": "customers.seed", "users": users })).await;
    let asked = json!({ "connection": "my-shop", "kind": "import" });
    let (status, started) = app.api("POST", "/api/jobs", Some(asked)).await;
    assert_eq!(status, 202, "{started}");
    app.until("the import has filed an event", async || {
        app.events("type=import").await.first().map(|event| event["id"].clone())
    })
    .await
}
