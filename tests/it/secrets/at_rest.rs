//! In the database.

use std::sync::Arc;

use cartbridge::clock::Clock;
use cartbridge::connection::{Connection, ConnectionName};
use cartbridge::event::{EventId, NewEvent, Source, Subject};
use cartbridge::registry::Registry;
use cartbridge::store::sqlite::Sqlite;
use cartbridge::store::{Origin, Store};
use cartbridge::vault::{Key, Vault};
use jiff::Timestamp;
use serde_json::json;

use super::{Desk, SECRETS, files, holds, is_key_file};
use crate::app::TestApp;

#[tokio::test]
async fn no_secret_stands_in_any_file_that_the_bridge_writes() {
    let desk = Desk::new();
    desk.add("by-hand", &[]).await;
    // The database is in use, so that its log of changes is there as well.
    let store = Sqlite::open_with(&desk.database(), config(&desk).master_key().unwrap()).unwrap();
    let given = &config(&desk).connection[0];
    store.put_connection(given, Origin::File, Timestamp::UNIX_EPOCH).await.unwrap();
    let kept = store.connections().await.unwrap().readable.pop().unwrap().connection;
    assert_eq!(kept.to_stored(), given.to_stored());
    assert_eq!(kept.to_stored()["ghl"]["oauth"]["previous_client_secret"], SECRETS[2]);
    let written = files(desk.folder.path(), &["cartbridge.toml"]);
    assert!(written.iter().any(|(name, bytes)| name.ends_with("test.db-wal") && !bytes.is_empty()));
    let key = std::fs::read_to_string(desk.key_file()).unwrap();
    for (name, bytes) in &written {
        for secret in SECRETS {
            assert!(!holds(bytes, secret), "{secret} in {name}");
        }
        assert!(!holds(bytes, "shop.example.com"), "nor anything else of a definition: {name}");
        assert!(is_key_file(name) || !holds(bytes, key.trim()), "the master key in {name}");
    }
}

fn config(desk: &Desk) -> cartbridge::config::Config {
    cartbridge::config::Config::load(Some(&desk.path("cartbridge.toml"))).unwrap()
}

#[tokio::test]
async fn a_database_of_an_earlier_version_is_sealed_when_it_is_opened_and_keeps_nothing_in_clear() {
    let desk = Desk::new();
    let given = config(&desk).connection.pop().unwrap();
    let old = rusqlite::Connection::open(desk.database()).unwrap();
    old.pragma_update(None, "journal_mode", "WAL").unwrap();
    old.execute_batch(include_str!("../../../migrations/sqlite/1-spine/up.sql")).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    let insert = "INSERT INTO connections VALUES (?, 'file', ?, 0, 0)";
    for name in ["my-shop", "b-shop", "gone"] {
        let mut definition = given.to_stored();
        definition["name"] = name.into();
        old.execute(insert, (name, definition.to_string())).unwrap();
    }
    // Free space remembers, too: whole pages of it.
    let long = given.to_stored().to_string().repeat(200);
    old.execute(insert, ("long", long)).unwrap();
    old.execute("DELETE FROM connections WHERE name IN ('gone', 'long')", []).unwrap();
    let before = files(desk.folder.path(), &["cartbridge.toml"]);
    assert!(before.iter().any(|(_, bytes)| holds(bytes, SECRETS[0])));
    drop(old);

    let store = Sqlite::open_with(&desk.database(), config(&desk).master_key().unwrap()).unwrap();
    let kept = store.connections().await.unwrap().readable;
    let names: Vec<&str> = kept.iter().map(|stored| stored.connection.name.as_str()).collect();
    assert_eq!(names, ["b-shop", "my-shop"]);
    assert_eq!(kept[1].connection.to_stored(), given.to_stored());
    for (name, bytes) in files(desk.folder.path(), &["cartbridge.toml"]) {
        for secret in SECRETS {
            assert!(!holds(&bytes, secret), "{secret} in {name}");
        }
    }
}

#[tokio::test]
async fn a_secret_moved_to_another_row_is_refused_and_takes_no_other_connection_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&path, Vault::new(Key::generate())).unwrap());
    for name in ["a-shop", "b-shop", "c-shop"] {
        store.put_connection(&connection(name), Origin::Api, Timestamp::UNIX_EPOCH).await.unwrap();
    }
    let registry = Registry::new(Arc::clone(&store), Clock::system(), std::time::Duration::from_secs(1));
    registry.reload().await.unwrap();
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch(
        "UPDATE connections SET definition = (SELECT definition FROM connections WHERE name = 'a-shop') WHERE name = 'b-shop'",
    )
    .unwrap();
    registry.reload().await.unwrap();
    let [a, b, c] = ["a-shop", "b-shop", "c-shop"].map(|name| name.parse::<ConnectionName>().unwrap());
    assert!(registry.get(&a).is_some() && registry.get(&c).is_some());
    assert!(registry.get(&b).is_none());
    let why = registry.unreadable(&b).unwrap();
    assert!(why.contains("`connections/b-shop`") && why.contains("changed or moved"), "{why}");
    assert!(registry.unreadable(&a).is_none());

    // Given again, it works again.
    store.put_connection(&connection("b-shop"), Origin::Api, Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(registry.reload().await.unwrap(), std::slice::from_ref(&b));
    assert!(registry.get(&b).is_some() && !registry.has_unreadable());
}

fn connection(name: &str) -> Connection {
    serde_json::from_value(json!({
        "name": name,
        "ghl": { "location_id": "loc1", "token": "pit-1" },
        "cscart": { "url": "https://shop.example.com", "webhook_secrets": [format!("whsec_{}", SECRETS[4])] },
    }))
    .unwrap()
}

#[tokio::test]
async fn events_of_a_connection_that_cannot_be_read_are_parked_and_its_webhooks_asked_for_again() {
    let mut app = TestApp::spawn().await;
    let second = json!({
        "name": "b-shop",
        "ghl": { "location_id": "loc2", "token": "pit-second-shop", "api_url": "http://127.0.0.1:9" },
        "cscart": { "url": "http://127.0.0.1:9", "webhook_secrets": [format!("whsec_{}", SECRETS[4])] },
    });
    let (status, made) = app.api("POST", "/api/connections", Some(second.clone())).await;
    assert_eq!(status, 201, "{made}");
    let file = rusqlite::Connection::open(app.database()).unwrap();
    file.execute("UPDATE connections SET definition = zeroblob(100) WHERE name = 'b-shop'", []).unwrap();
    app.until("the damage is noticed", async || {
        let (status, told) = app.api("GET", "/api/connections/b-shop", None).await;
        (status == 409 && told.to_string().contains("cannot be used")).then_some(())
    })
    .await;

    // The other one works.
    app.register(crate::app::ada()).await;
    assert_eq!(app.ghl("contacts").len(), 1);
    // Its store is asked to come again, and HighLevel for whatever may be meant for it.
    let answer =
        app.http.post(format!("{}/webhooks/cscart/b-shop", app.url)).body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let sent =
        json!({ "action": "webhook.send", "type": "LocationUpdate", "body": { "locationId": "loc2" } });
    let sent = app.highlevel(sent).await;
    assert_eq!(sent["delivery"]["status"], 429, "{sent}");

    // What it had in its inbox waits.
    let now = app.clock.now();
    let event = NewEvent {
        id: EventId::new(),
        connection: "b-shop".parse().unwrap(),
        source: Source::Manual,
        source_id: "by hand".into(),
        kind: "resync".into(),
        subject: Subject::other("customer:1"),
        received_at: now,
        occurred_at: now,
        payload: br#"{"data":{"customer":"1"}}"#.to_vec(),
        replayed_from: None,
        forced: false,
        ignored: false,
    };
    let id = app.store.append(event, now).await.unwrap().id.to_string();
    let parked = app.until_state(&id, "parked").await;
    let reason = parked["state_reason"].as_str().unwrap();
    assert!(reason.contains("connection `b-shop` cannot be used"), "{reason}");

    // Given anew, it goes on by itself.
    let (status, made) = app.api("POST", "/api/connections", Some(second)).await;
    assert_eq!(status, 201, "{made}");
    // As far as the new definition lets it, which has no key for the store.
    app.until("it goes on", async || {
        (app.event(&id).await["state_code"] == "store-key-missing").then_some(())
    })
    .await;
    app.may_have_dead_letters = true;
    app.end().await;
}
