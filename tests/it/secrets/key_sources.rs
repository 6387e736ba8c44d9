//! Where the master key comes from, and what is said when it does not.

use std::os::unix::fs::PermissionsExt as _;

use super::{Desk, SECRETS, holds, new_key};

fn allow(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// All that is sealed in a database, and the version of its form.
fn content(desk: &Desk) -> (String, i64) {
    let file = rusqlite::Connection::open(desk.database()).unwrap();
    let all = "SELECT group_concat(name || hex(definition)) || (SELECT hex(key_id || proof) FROM vault) FROM connections";
    let sealed = file.query_row(all, [], |row| row.get(0)).unwrap();
    (sealed, file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap())
}

/// A database that was used.
async fn used(variables: &[(&str, &str)]) -> Desk {
    let desk = Desk::new();
    desk.add("by-hand", variables).await;
    desk
}

#[tokio::test]
async fn a_fresh_database_gets_a_key_file_beside_it_for_its_owner_alone() {
    let desk = Desk::new();
    std::fs::remove_file(desk.path("cartbridge.toml")).unwrap();
    // The default folder is not there yet either.
    desk.ok(&["key", "add", "first"], &[]).await;
    let file = desk.path("data/cartbridge.db.key");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim().len(), 44);
}

#[tokio::test]
async fn another_key_is_refused_and_nothing_is_changed() {
    let desk = used(&[]).await;
    let right = std::fs::read(desk.key_file()).unwrap();
    let before = content(&desk);
    std::fs::write(desk.key_file(), new_key()).unwrap();
    for command in [["serve"].as_slice(), &["connection", "list"], &["key", "rotate-master"]] {
        let told = desk.refused(command, &[]).await;
        assert!(
            told.contains("are sealed with another master key") && told.contains("Nothing was changed"),
            "{told}"
        );
        assert!(told.contains("test.db.key"), "it says which key it has tried: {told}");
    }
    let checked = desk.run(&["check"], &[]).await;
    assert!(!checked.status.success() && holds(&checked.stdout, "another master key"), "{checked:?}");
    assert_eq!(content(&desk), before);
    std::fs::write(desk.key_file(), right).unwrap();
    assert!(desk.ok(&["connection", "show", "by-hand"], &[]).await.contains("(set)"));
}

#[tokio::test]
async fn a_key_file_that_is_missing_is_never_made_anew_while_something_is_sealed_with_it() {
    let desk = used(&[]).await;
    let kept = desk.path("kept");
    std::fs::rename(desk.key_file(), &kept).unwrap();
    for command in [["serve"].as_slice(), &["connection", "list"], &["key", "rotate-master"]] {
        let told = desk.refused(command, &[]).await;
        assert!(told.contains("test.db.key is missing") && told.contains("restore it"), "{told}");
    }
    assert!(!desk.key_file().exists());
    let as_variable = std::fs::read_to_string(&kept).unwrap();
    desk.ok(&["connection", "show", "by-hand"], &[("CARTBRIDGE_KEY", as_variable.trim())]).await;
}

#[tokio::test]
async fn a_key_file_of_the_wrong_length_or_that_others_can_read_is_a_clear_error_and_nothing_is_lost() {
    let desk = used(&[]).await;
    let right = std::fs::read(desk.key_file()).unwrap();
    for (content, told) in
        [("", "holds no key"), ("c2hvcnQtc2VjcmV0", "has 12 bytes"), ("this is not a key", "is not base64")]
    {
        std::fs::write(desk.key_file(), content).unwrap();
        for command in [["serve"].as_slice(), &["events", "list"]] {
            let said = desk.refused(command, &[]).await;
            assert!(said.contains(told) && said.contains("openssl rand -base64 32"), "{said}");
            assert!(content.is_empty() || !said.contains(content), "{said}");
        }
        let checked = desk.run(&["check"], &[]).await;
        assert!(!checked.status.success() && holds(&checked.stdout, told), "{checked:?}");
    }
    std::fs::write(desk.key_file(), right).unwrap();
    for mode in [0o644, 0o640, 0o604] {
        allow(&desk.key_file(), mode);
        let said = desk.refused(&["serve"], &[]).await;
        assert!(said.contains("others can read") && said.contains("chmod 600"), "{said}");
    }
    allow(&desk.key_file(), 0o600);
    desk.ok(&["connection", "show", "by-hand"], &[]).await;
}

#[tokio::test]
async fn the_key_can_come_from_the_environment_or_from_a_file_that_somebody_names() {
    let key = new_key();
    let desk = used(&[("CARTBRIDGE_KEY", &key)]).await;
    assert!(!desk.key_file().exists(), "then there is no other");
    let file = desk.path("elsewhere");
    std::fs::write(&file, format!("{key}\n")).unwrap();
    allow(&file, 0o600);
    let named = file.to_str().unwrap();
    desk.ok(&["connection", "show", "by-hand"], &[("CARTBRIDGE_KEY_FILE", named)]).await;
    desk.ok(&["connection", "show", "by-hand"], &[("CARTBRIDGE__KEY_FILE", named)]).await;
    desk.configure(&format!("key_file = \"{named}\""));
    desk.ok(&["connection", "show", "by-hand"], &[]).await;
    // The environment comes before the file.
    desk.refused(&["connection", "list"], &[("CARTBRIDGE_KEY", &new_key())]).await;

    let told = desk
        .refused(&["connection", "list"], &[("CARTBRIDGE_KEY", &key), ("CARTBRIDGE_KEY_FILE", named)])
        .await;
    assert!(told.contains("both set: keep one"), "{told}");
    let told = desk.refused(&["serve"], &[("CARTBRIDGE_KEY", "")]).await;
    assert!(told.contains("CARTBRIDGE_KEY holds no key"), "{told}");
    let told = desk.refused(&["serve"], &[("CARTBRIDGE_KEY_FILE", "/nowhere/key")]).await;
    assert!(told.contains("/nowhere/key, which CARTBRIDGE_KEY_FILE names, is not there"), "{told}");
    allow(&file, 0o644);
    let told = desk.refused(&["serve"], &[("CARTBRIDGE_KEY_FILE", named)]).await;
    assert!(told.contains("chmod 600"), "{told}");
    for secret in SECRETS.iter().chain([&key.as_str()]) {
        assert!(!told.contains(secret));
    }
}
