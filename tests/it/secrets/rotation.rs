//! A new master key, while the bridge runs and wherever it is cut off.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use tokio::process::Command;

use super::{Desk, SECRETS, files, holds, new_key};
use crate::app::TestApp;

#[tokio::test]
async fn the_master_key_is_changed_while_the_bridge_runs() {
    let app = TestApp::spawn().await;
    let by_hand = |name: &str, token: &str| {
        json!({
            "name": name,
            "ghl": { "location_id": name, "token": token, "api_url": "http://127.0.0.1:9" },
            "cscart": { "url": "http://127.0.0.1:9", "webhook_secrets": [format!("whsec_{}", SECRETS[4])] },
        })
    };
    let (status, _) = app.api("POST", "/api/connections", Some(by_hand("before", "pit-before"))).await;
    assert_eq!(status, 201);
    let key_file = app.database().with_extension("db.key");
    let old = std::fs::read_to_string(&key_file).unwrap();

    let desk = Desk::new();
    std::fs::write(
        desk.path("cartbridge.toml"),
        format!("database = \"sqlite://{}\"\n", app.database().display()),
    )
    .unwrap();
    let told = desk.ok(&["key", "rotate-master"], &[]).await;
    assert!(told.contains("2 secret(s) are sealed anew") && told.contains("test.db.key"), "{told}");
    let new = std::fs::read_to_string(&key_file).unwrap();
    assert!(new != old && new.lines().count() == 1, "the new key alone");
    assert!(!told.contains(new.trim()) && !told.contains(old.trim()));
    assert_eq!(key_file.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    // The bridge reads what was sealed anew, and seals with the new key what is given to it now.
    let (status, made) = app.api("POST", "/api/connections", Some(by_hand("after", "pit-after"))).await;
    assert_eq!(status, 201, "{made}");
    let file = rusqlite::Connection::open(app.database()).unwrap();
    let with = "SELECT count(*) FROM connections, vault WHERE substr(definition, 1, 8) = key_id";
    assert_eq!(file.query_row(with, [], |row| row.get::<_, i64>(0)).unwrap(), 3, "all with the new key");
    app.register(crate::app::ada()).await;
    assert_eq!(app.ghl("contacts").len(), 1);
    let (_, listed) = app.api("GET", "/api/connections", None).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 3, "{listed}");
    // With the new key alone, as after a restart.
    for name in ["before", "after", "my-shop"] {
        desk.ok(&["connection", "show", name], &[]).await;
    }
    let told = desk.refused(&["connection", "list"], &[("CARTBRIDGE_KEY", old.trim())]).await;
    assert!(told.contains("another master key"), "{told}");
    app.end().await;
}

#[tokio::test]
async fn killed_at_any_moment_it_leaves_a_database_that_opens() {
    let desk = Desk::new();
    for number in 0..3 {
        desk.add(&format!("shop-{number}"), &[]).await;
    }
    let started = std::time::Instant::now();
    desk.ok(&["key", "rotate-master"], &[]).await;
    let whole = started.elapsed();
    let mut cut_off = 0;
    for step in 0..24 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cartbridge"))
            .args(["key", "rotate-master"])
            .current_dir(desk.folder.path())
            .stdout(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        // Spread over the whole of it.
        let killed = tokio::time::timeout(whole * step / 20, child.wait()).await.is_err();
        if killed {
            child.kill().await.unwrap();
            cut_off += 1;
        }
        for number in 0..3 {
            let shown = desk.ok(&["connection", "show", &format!("shop-{number}")], &[]).await;
            assert!(shown.contains("(set)"), "{shown}");
        }
    }
    assert!(cut_off > 5, "{cut_off}");
    // What was cut off is finished by the next one.
    desk.ok(&["key", "rotate-master"], &[]).await;
    assert_eq!(std::fs::read_to_string(desk.key_file()).unwrap().lines().count(), 1);
    assert!(!desk.path("test.db.key.new").exists());
}

#[tokio::test]
async fn rotations_at_the_same_time_follow_each_other() {
    let desk = Desk::new();
    desk.add("by-hand", &[]).await;
    let arguments = ["key", "rotate-master"];
    let all = futures::future::join_all((0..6).map(|_| desk.run(&arguments, &[]))).await;
    assert!(all.iter().any(|output| output.status.success()));
    for output in all.iter().filter(|output| !output.status.success()) {
        assert!(holds(&output.stderr, "not changed"), "{output:?}");
    }
    desk.ok(&["connection", "show", "by-hand"], &[]).await;
    assert_eq!(std::fs::read_to_string(desk.key_file()).unwrap().lines().count(), 1);
}

#[tokio::test]
async fn a_key_from_the_environment_is_changed_in_three_steps_that_the_command_tells() {
    let (old, new) = (new_key(), new_key());
    let desk = Desk::new();
    desk.add("by-hand", &[("CARTBRIDGE_KEY", &old)]).await;
    let told = desk.refused(&["key", "rotate-master"], &[("CARTBRIDGE_KEY", &old)]).await;
    assert!(told.contains("NEW,OLD") && told.contains("openssl rand -base64 32"), "{told}");
    let both = format!("{new},{old}");
    desk.ok(&["connection", "show", "by-hand"], &[("CARTBRIDGE_KEY", &both)]).await;
    let told = desk.ok(&["key", "rotate-master"], &[("CARTBRIDGE_KEY", &both)]).await;
    assert!(told.contains("leave it out of CARTBRIDGE_KEY at the next start"), "{told}");
    desk.ok(&["connection", "show", "by-hand"], &[("CARTBRIDGE_KEY", &new)]).await;
    desk.refused(&["connection", "list"], &[("CARTBRIDGE_KEY", &old)]).await;
}

#[tokio::test]
async fn a_key_that_a_person_has_put_in_front_is_the_one_that_is_taken() {
    let desk = Desk::new();
    desk.add("by-hand", &[]).await;
    let old = std::fs::read_to_string(desk.key_file()).unwrap();
    let new = new_key();
    std::fs::write(desk.key_file(), format!("{new}\n{old}")).unwrap();
    desk.ok(&["key", "rotate-master"], &[]).await;
    assert_eq!(std::fs::read_to_string(desk.key_file()).unwrap(), format!("{new}\n"));
    desk.ok(&["connection", "show", "by-hand"], &[("CARTBRIDGE_KEY", &new)]).await;
}

#[tokio::test]
async fn what_cannot_be_opened_keeps_the_key_from_being_changed() {
    let desk = Desk::new();
    for name in ["by-hand", "damaged"] {
        desk.add(name, &[]).await;
    }
    let file = rusqlite::Connection::open(desk.database()).unwrap();
    file.execute("UPDATE connections SET definition = zeroblob(90) WHERE name = 'damaged'", []).unwrap();
    let before = std::fs::read(desk.key_file()).unwrap();
    let told = desk.refused(&["key", "rotate-master"], &[]).await;
    assert!(told.contains("connections/damaged"), "{told}");
    assert!(std::fs::read(desk.key_file()).unwrap() == before);
    desk.ok(&["connection", "show", "by-hand"], &[]).await;
    let listed = desk.ok(&["connection", "list"], &[]).await;
    assert!(listed.contains("damaged cannot be used"), "{listed}");
    desk.ok(&["connection", "remove", "damaged"], &[]).await;
    desk.ok(&["key", "rotate-master"], &[]).await;
}

#[tokio::test]
async fn what_the_old_key_opens_does_not_linger_in_the_database() {
    let desk = Desk::new();
    desk.add("by-hand", &[]).await;
    let file = rusqlite::Connection::open(desk.database()).unwrap();
    let sealed = || -> Vec<u8> {
        file.query_row("SELECT definition FROM connections WHERE name = 'by-hand'", [], |row| row.get(0))
            .unwrap()
    };
    let before = sealed();
    desk.ok(&["key", "rotate-master"], &[]).await;
    assert_ne!(sealed()[..8], before[..8], "another key");
    for (name, bytes) in files(desk.folder.path(), &[]) {
        let lingers = bytes.windows(40).any(|window| window == &before[32..72]);
        assert!(!lingers, "{name}");
    }
}
