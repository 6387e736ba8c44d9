//! Routes change while the bridge runs: what is good is taken over, what is broken changes nothing, and every event tells which
//! version ran.

use std::path::Path;

use cartbridge::effect::{EffectState, StepKey};
use cartbridge::event::{EventId, NewEvent, Source, Subject};
use cartbridge::store::{EffectUpdate, Settlement, Shares};
use jiff::SignedDuration;
use sandbox::Options;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::app::{ADMIN_KEY, QUICK, TestApp, config_text};
use crate::program::{Desk, text};

/// A route that tags every new customer.
fn tagging(tag: &str) -> String {
    format!(
        "description = \"Tags with {tag}.\"\non = [\"cscart.customer.created\"]\n\n\
         [[step]]\nid = \"contact\"\ndo = \"ghl.contact.ensure\"\n\n\
         [[step]]\nid = \"tag\"\ndo = \"ghl.tags.add\"\nwith = {{ tags = [\"{tag}\"] }}\n"
    )
}

/// A bridge with a folder of routes, and with more in the settings of its connection.
async fn bridge(folder: &TempDir, settings: &str) -> TestApp {
    let path = folder.path().display().to_string();
    let options = Options { strict_rate: false, ..Options::default() };
    TestApp::spawn_edited(options, QUICK, |text, _| format!("routes_dir = \"{path}\"\n{text}{settings}"))
        .await
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
}

async fn routes(app: &TestApp) -> Value {
    let (status, routes) = app.api("GET", "/api/routes", None).await;
    assert_eq!(status, 200, "{routes}");
    routes
}

async fn route(app: &TestApp, id: &str) -> Option<Value> {
    let routes = routes(app).await;
    routes["items"].as_array().unwrap().iter().find(|route| route["id"] == id).cloned()
}

/// Waits until a route has this description.
async fn until_described(app: &TestApp, id: &str, description: &str) -> Value {
    app.until(description, async || route(app, id).await.filter(|route| route["description"] == description))
        .await
}

/// Somebody registers; answers the event of it.
async fn registered(app: &TestApp, name: &str) -> Value {
    let user = json!({ "email": format!("{name}@example.com"), "firstname": name });
    let made = app.shop(json!({ "action": "customer.register", "user": user })).await;
    app.settled().await;
    app.event(made["delivery"]["body"]["id"].as_str().unwrap()).await
}

/// The version that the effects of a route were carried out with.
fn version_of<'a>(event: &'a Value, route: &str) -> &'a Value {
    let effects = event["effects"].as_array().unwrap();
    let of_route: Vec<&Value> = effects.iter().filter(|effect| effect["route"] == route).collect();
    assert!(!of_route.is_empty(), "{event:#}");
    assert!(
        of_route.iter().all(|effect| effect["route_version"] == of_route[0]["route_version"]),
        "{event:#}"
    );
    &of_route[0]["route_version"]
}

#[tokio::test]
async fn a_changed_route_is_in_force_without_a_restart_and_each_event_names_the_version_that_ran() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "tagging.toml", &tagging("one"));
    let app = bridge(&folder, "").await;
    let first = registered(&app, "ada").await;
    write(folder.path(), "tagging.toml", &tagging("two"));
    let changed = until_described(&app, "tagging", "Tags with two.").await;
    let second = registered(&app, "bob").await;
    assert_eq!(app.tags_of("ada@example.com"), ["cs-cart", "customer", "one"]);
    assert_eq!(app.tags_of("bob@example.com"), ["cs-cart", "customer", "two"]);
    assert_eq!(*version_of(&second, "tagging"), changed["version"]);
    assert_ne!(version_of(&first, "tagging"), version_of(&second, "tagging"));
    assert_eq!(
        version_of(&first, "customer-to-contact"),
        version_of(&second, "customer-to-contact"),
        "that one has not changed"
    );

    let (_, versions) = app.api("GET", "/api/routes/tagging/versions", None).await;
    let texts: Vec<&Value> = versions["items"].as_array().unwrap().iter().map(|it| &it["text"]).collect();
    assert_eq!(texts, [&json!(tagging("two")), &json!(tagging("one"))], "the newest first");
    assert_eq!(versions["items"][1]["version"], *version_of(&first, "tagging"));

    // A route that is gone stays known by what it was.
    std::fs::remove_file(folder.path().join("tagging.toml")).unwrap();
    app.until("the route is gone", async || route(&app, "tagging").await.is_none().then_some(())).await;
    registered(&app, "cleo").await;
    assert_eq!(app.tags_of("cleo@example.com"), ["cs-cart", "customer"]);
    let (status, versions) = app.api("GET", "/api/routes/tagging/versions", None).await;
    assert_eq!((status, versions["items"].as_array().unwrap().len()), (200, 2));
    let (status, problem) = app.api("GET", "/api/routes/never-was/versions", None).await;
    assert_eq!(status, 404, "{problem}");
    app.end().await;
}

#[tokio::test]
async fn a_broken_file_keeps_its_last_good_version_is_told_and_hinders_no_other() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "tagging.toml", &tagging("one"));
    let app = bridge(&folder, "").await;
    write(folder.path(), "tagging.toml", &tagging("two").replace("ghl.tags.add", "ghl.tags.ad"));
    write(folder.path(), "new.toml", &tagging("new"));
    // A built-in route whose replacement is broken stays what it was.
    write(folder.path(), "customer-to-contact.toml", "on = [\n");
    until_described(&app, "new", "Tags with new.").await;
    let listing = app
        .until("the mistakes are told", async || {
            let routes = routes(&app).await;
            (routes["mistakes"].as_array().unwrap().len() == 2).then_some(routes)
        })
        .await;
    let mistake = &listing["mistakes"][1];
    assert_eq!(
        (&mistake["file"], &mistake["line"], &mistake["column"]),
        (&json!("tagging.toml"), &json!(10), &json!(6))
    );
    assert_eq!(mistake["mend"], "did you mean `ghl.tags.add`?");
    assert_eq!(listing["mistakes"][0]["file"], "customer-to-contact.toml");
    until_counted(&app, 2).await;

    registered(&app, "ada").await;
    assert_eq!(app.tags_of("ada@example.com"), ["cs-cart", "customer", "new", "one"]);
    assert_eq!(app.ghl("tasks").len(), 1, "the built-in route welcomes as ever");

    write(folder.path(), "tagging.toml", &tagging("three"));
    std::fs::remove_file(folder.path().join("customer-to-contact.toml")).unwrap();
    until_described(&app, "tagging", "Tags with three.").await;
    assert_eq!(routes(&app).await["mistakes"], json!([]));
    until_counted(&app, 0).await;
    app.end().await;
}

/// Waits until so many mistakes are counted.
async fn until_counted(app: &TestApp, mistakes: usize) {
    let line = format!("cartbridge_route_mistakes {mistakes}\n");
    app.until("the mistakes are counted", async || {
        let (_, metrics) = app.api("GET", "/metrics", None).await;
        metrics.as_str()?.contains(&line).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_folder_that_is_gone_for_a_while_changes_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let folder = TempDir::new_in(parent.path()).unwrap();
    write(folder.path(), "tagging.toml", &tagging("one"));
    let app = bridge(&folder, "").await;
    let aside = parent.path().join("aside");
    std::fs::rename(folder.path(), &aside).unwrap();
    until_counted(&app, 1).await;
    registered(&app, "ada").await;
    assert_eq!(app.tags_of("ada@example.com"), ["cs-cart", "customer", "one"]);
    std::fs::rename(&aside, folder.path()).unwrap();
    app.until("all is well", async || (routes(&app).await["mistakes"] == json!([])).then_some(())).await;
    app.end().await;
}

#[tokio::test]
async fn a_connection_has_routes_of_its_own_and_chooses_among_all() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "tagging.toml", &tagging("all"));
    write(folder.path(), "asleep.toml", &format!("enabled = false\n{}", tagging("asleep")));
    write(folder.path(), "my-shop/tagging.toml", &tagging("mine"));
    write(folder.path(), "other-shop/more.toml", &tagging("not mine"));
    let settings = "[connection.settings.routes]\nasleep = true\ncustomer-to-contact = false\n";
    let app = bridge(&folder, settings).await;
    registered(&app, "ada").await;
    assert_eq!(app.tags_of("ada@example.com"), ["asleep", "mine"]);
    assert!(app.ghl("tasks").is_empty(), "the route that welcomes is switched off");

    let tagging = route(&app, "tagging").await.unwrap();
    assert_eq!(tagging["description"], "Tags with all.");
    assert_ne!(tagging["connections"][0]["version"], tagging["version"]);
    let asleep = route(&app, "asleep").await.unwrap();
    assert_eq!((&asleep["enabled"], &asleep["connections"][0]["enabled"]), (&json!(false), &json!(true)));
    let welcome = route(&app, "customer-to-contact").await.unwrap();
    assert_eq!((&welcome["enabled"], &welcome["connections"][0]["enabled"]), (&json!(true), &json!(false)));
    assert_eq!(route(&app, "more").await, None, "no connection has that one");

    // What the connection switches off is no need of its token.
    let (_, scopes) = app.api("GET", "/api/connections/my-shop/scopes", None).await;
    let needing: Vec<&Value> = scopes["routes"].as_array().unwrap().iter().map(|it| &it["route"]).collect();
    assert!(
        needing.contains(&&json!("asleep")) && !needing.contains(&&json!("customer-to-contact")),
        "{scopes}"
    );
    app.end().await;
}

#[tokio::test]
async fn check_names_routes_that_a_connection_chooses_and_that_there_are_not() {
    let config = |choice: &str| {
        format!(
            "[[connection]]\nname = \"my-shop\"\nghl = {{ location_id = \"x\", token = \"pit-1\" }}\n\
             settings = {{ routes = {{ {choice} = false }} }}\n[connection.cscart]\nurl = \"https://shop.example.com\"\n\
             webhook_secrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]\n"
        )
    };
    let output = Desk::new(&config("order-to-tag")).run(&["check"]).await;
    assert!(!output.status.success());
    let told = text(&output.stdout);
    assert!(
        told.contains("connection `my-shop`: ") && told.contains("did you mean `order-to-tags`?"),
        "{told}"
    );
    assert!(Desk::new(&config("order-to-tags")).ok(&["check"]).await.contains("All is well"));
}

#[tokio::test]
async fn a_hangup_has_the_routes_read_at_once() {
    let sandbox = sandbox::Sandbox::start(Options::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes/tagging.toml");
    write(folder.path(), "routes/tagging.toml", &tagging("one"));
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let database = folder.path().join("test.db").display().to_string();
    let url = format!("http://{address}");
    let config = config_text(&sandbox.announcement(), &database, &url, QUICK);
    let routes_dir = folder.path().join("routes").display().to_string();
    write(
        folder.path(),
        "cartbridge.toml",
        &format!("listen = \"{address}\"\nroutes_dir = \"{routes_dir}\"\n{config}"),
    );
    let mut bridge = Command::new(env!("CARGO_BIN_EXE_cartbridge"))
        .args(["serve", "--config"])
        .arg(folder.path().join("cartbridge.toml"))
        .env("CARTBRIDGE_ADMIN_KEY", ADMIN_KEY)
        .env("CARTBRIDGE_LOG", "error")
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let http = reqwest::Client::new();
    let until = async |description: &str| {
        let started = std::time::Instant::now();
        loop {
            if let Ok(answer) = http.get(format!("{url}/api/routes")).bearer_auth(ADMIN_KEY).send().await
                && answer.text().await.unwrap().contains(description)
            {
                return;
            }
            assert!(started.elapsed() < std::time::Duration::from_mins(1), "never: {description}");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    until("Tags with one.").await;
    // The file looks as it did, to whoever only asks for its size and time: so only the signal can be the reason.
    let changed = std::fs::metadata(&file).unwrap().modified().unwrap();
    std::fs::write(&file, tagging("two")).unwrap();
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(changed).unwrap();
    let id = bridge.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().await.unwrap().success());
    until("Tags with two.").await;
    bridge.kill().await.unwrap();
    sandbox.shutdown().await;
}

/// So many events of HighLevel's about a contact, each of which a route has handled just now.
async fn handled(app: &TestApp, contact: &str, route: &str, count: usize) {
    let now = app.clock.now();
    for n in 0..count {
        let event = NewEvent {
            id: EventId::new(),
            connection: "my-shop".parse().unwrap(),
            source: Source::Ghl,
            source_id: format!("{contact}-{n}"),
            kind: "contact.updated".into(),
            subject: Subject::other(format!("contact:{contact}")),
            received_at: now,
            occurred_at: now,
            payload: b"{}".to_vec(),
            replayed_from: None,
            forced: false,
            ignored: false,
        };
        app.store.append(event, now).await.unwrap();
        let until = now + SignedDuration::from_mins(1);
        let claim = app.store.claim(&Shares::of_each(1), now, until).await.unwrap().remove(0);
        let done = EffectUpdate {
            key: StepKey { route: route.into(), step: "tag".into() },
            operation: "ghl.tags.add".into(),
            state: EffectState::Done,
            result: json!({}),
            attempts: Vec::new(),
            version: None,
            timer: None,
        };
        app.store.record_effect(&claim.lane, claim.head.seq, done, Vec::new()).await.unwrap();
        let settlement = Settlement::Done { reason: None };
        app.store.settle(&claim.lane, &claim.head, Vec::new(), settlement, now).await.unwrap();
    }
}

#[tokio::test]
async fn a_route_that_sets_itself_off_is_stopped_and_named() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "back-and-forth.toml",
        &tagging("x").replace("cscart.customer.created", "ghl.contact.updated"),
    );
    let mut app = bridge(&folder, "").await;
    app.may_have_dead_letters = true;
    app.stop().await;
    handled(&app, "spinning", "back-and-forth", 20).await;
    handled(&app, "busy", "back-and-forth", 19).await;
    handled(&app, "other", "another-route", 20).await;
    app.start_again().await;
    for (contact, is_stopped) in [("spinning", true), ("busy", false), ("other", false)] {
        let body = json!({ "type": "ContactUpdate", "locationId": app.sandbox.announcement()["ghl"]["location_id"], "id": contact });
        let sent =
            app.highlevel(json!({ "action": "webhook.send", "type": "ContactUpdate", "body": body })).await;
        let event = app.until_state(sent["delivery"]["body"]["id"].as_str().unwrap(), "dead").await;
        assert_eq!(event["state_code"] == "flow-loop", is_stopped, "{event:#}");
        if is_stopped {
            let reason = event["state_reason"].as_str().unwrap();
            assert!(
                reason.contains("`back-and-forth` has run 20 times") && reason.contains("`when`"),
                "{reason}"
            );
            assert_eq!(event["effects"], json!([]), "it is stopped before the route does anything");
        }
    }

    // Once it is quiet, a replay goes on.
    app.clock.advance(std::time::Duration::from_mins(11));
    let stopped = app.events("state=dead&subject=contact:spinning").await.remove(0);
    let id = app.replay(&stopped).await;
    app.until("it is tried", async || {
        let event = app.event(&id).await;
        (event["state"] == "dead" && event["state_code"] != "flow-loop").then_some(())
    })
    .await;
    app.end().await;
}

/// A route that answers each note with a change of the contact, and one that answers each change with a note.
const PING: &str = r#"
    on = ["ghl.note.created"]
    [[step]]
    id = "change"
    do = "ghl.contact.update"
    with = { contactId = "{{ data.contactId }}", city = "{{ event.id }}" }
"#;
const PONG: &str = r#"
    on = ["ghl.contact.updated"]
    [[step]]
    id = "note"
    do = "ghl.note.create"
    with = { contactId = "{{ data.id }}", body = "Moved to {{ data.city }}." }
"#;

#[tokio::test]
async fn two_routes_that_set_each_other_off_through_highlevel_are_stopped() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "ping.toml", PING);
    write(folder.path(), "pong.toml", PONG);
    let mut app = bridge(&folder, "").await;
    app.may_have_dead_letters = true;
    let there = json!({ "email": "ada@example.com" });
    let made = app.highlevel(json!({ "action": "contact.create", "contact": there })).await;
    let contact = made["contact"]["id"].as_str().unwrap().to_owned();
    app.highlevel(json!({ "action": "note.create", "contact_id": contact, "body": "Rang." })).await;
    let stopped = app.until("the cycle is stopped", async || app.events("state=dead").await.pop()).await;
    app.settled().await;
    assert_eq!((&stopped["state_code"], &stopped["type"]), (&json!("flow-loop"), &json!("note.created")));
    let reason = stopped["state_reason"].as_str().unwrap();
    assert!(
        reason.contains(&format!("route `ping` has run 20 times within 10 minutes for `contact:{contact}`")),
        "{reason}"
    );
    let count = |wanted: &str| app.call_names().iter().filter(|call| *call == wanted).count();
    assert_eq!((count("PUT /contacts/*"), count("POST /contacts/*/notes")), (20, 20), "and nothing goes on");
    assert_eq!(app.events("state=dead").await.len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_route_that_changes_between_two_tries_of_an_event_is_named_for_each_step_as_it_ran() {
    let folder = tempfile::tempdir().unwrap();
    let insisting = |tag: &str| {
        tagging(tag).replace("do = \"ghl.tags.add\"", "do = \"ghl.tags.add\"\non_error = \"retry\"")
    };
    write(folder.path(), "tagging.toml", &insisting("one"));
    let app = bridge(&folder, "").await;
    let before = until_described(&app, "tagging", "Tags with one.").await;
    app.fault(
        json!({ "method": "POST", "path": "/contacts/*/tags", "kind": "status", "status": 422, "times": 0 }),
    );
    let user = json!({ "email": "ada@example.com", "firstname": "Ada" });
    let made = app.shop(json!({ "action": "customer.register", "user": user })).await;
    let id = made["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    let version = |event: &Value, step: &str| {
        let effects = event["effects"].as_array().unwrap();
        let effect = effects.iter().find(|effect| effect["route"] == "tagging" && effect["step"] == step);
        effect.map(|effect| effect["route_version"].clone())
    };
    app.until("the first try has failed", async || version(&app.event(&id).await, "tag")).await;
    assert_eq!(version(&app.event(&id).await, "tag"), Some(before["version"].clone()));
    write(folder.path(), "tagging.toml", &insisting("two"));
    let after = until_described(&app, "tagging", "Tags with two.").await;
    app.sandbox.ghl().clear_faults();
    let event = app.until_state(&id, "done").await;
    assert_eq!(version(&event, "contact"), Some(before["version"].clone()));
    assert_eq!(version(&event, "tag"), Some(after["version"].clone()));
    assert_eq!(app.tags_of("ada@example.com"), ["cs-cart", "customer", "two"]);
    app.end().await;
}
