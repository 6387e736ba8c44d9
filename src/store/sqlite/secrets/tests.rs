use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;

use super::super::{Sqlite, open};
use super::rotate::reseal;
use super::*;
use crate::connection::Connection;
use crate::store::{Origin, Store as _};
use crate::vault::Source;

/// A database with one connection, and its key file.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        let connection: Connection = serde_json::from_value(json!({
            "name": "my-shop",
            "ghl": { "location_id": "loc1", "token": "pit-secret" },
            "cscart": { "url": "https://shop.example.com", "webhook_secrets": [] },
        }))
        .unwrap();
        let store = Sqlite::open_with(&desk.path(), desk.keys()).unwrap();
        store.put_connection(&connection, Origin::Api, Timestamp::UNIX_EPOCH).await.unwrap();
        desk
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    fn keys(&self) -> Source {
        Source::choose(None, None, None, &self.path()).unwrap()
    }

    fn keys_in_file(&self) -> usize {
        std::fs::read_to_string(self.folder.path().join("test.db.key")).unwrap().lines().count()
    }

    fn open(&self) -> (Pool, Vault) {
        let vault = Vault::load(self.keys()).unwrap();
        (open::pool(&self.path(), &vault).unwrap(), vault)
    }

    /// Everything reads and writes, and a rotation goes through.
    async fn works(&self) {
        let store = Sqlite::open_with(&self.path(), self.keys()).unwrap();
        let stored = store.connections().await.unwrap();
        assert_eq!((stored.readable.len(), stored.unreadable.len()), (1, 0), "{:?}", stored.unreadable);
        store
            .put_connection(&stored.readable[0].connection, Origin::Api, Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
        drop(store);
        let rotated = Sqlite::rotate_master(&self.path(), self.keys()).unwrap();
        assert_eq!((rotated.secrets, self.keys_in_file()), (1, 1));
        let stored = Sqlite::open_with(&self.path(), self.keys()).unwrap().connections().await.unwrap();
        assert_eq!(stored.readable[0].connection.to_stored()["ghl"]["token"], "pit-secret");
    }
}

#[tokio::test]
async fn a_rotation_cut_off_after_the_key_file_was_written_goes_on_with_the_same_key() {
    let desk = Desk::new().await;
    let (pool, vault) = desk.open();
    let old = current(&pool).unwrap().unwrap();
    let new = vault.begin_rotation(old).unwrap();
    assert_eq!(desk.keys_in_file(), 2);
    drop((pool, vault));

    let (pool, vault) = desk.open();
    assert_eq!(current(&pool).unwrap(), Some(old), "the database seals with the old one still");
    let sealed = seal(&pool, &vault, "here", b"x").unwrap();
    assert_eq!(sealed[..8], old.as_bytes()[..]);
    drop((pool, vault));
    let rotated = Sqlite::rotate_master(&desk.path(), desk.keys()).unwrap();
    assert_eq!((rotated.key, desk.keys_in_file()), (new, 1));
    desk.works().await;
}

#[tokio::test]
async fn a_rotation_cut_off_after_the_commit_leaves_both_keys_and_everything_opens() {
    let desk = Desk::new().await;
    let (mut pool, vault) = desk.open();
    let (secrets, new) = reseal(&mut pool, &vault).unwrap();
    assert_eq!((secrets, desk.keys_in_file()), (1, 2));
    drop((pool, vault));

    let (pool, _) = desk.open();
    assert_eq!(current(&pool).unwrap(), Some(new));
    drop(pool);
    desk.works().await;
}

#[tokio::test]
async fn a_rotation_cut_off_while_the_key_file_is_written_leaves_the_old_one() {
    let desk = Desk::new().await;
    std::fs::write(desk.folder.path().join("test.db.key.new"), "half a key").unwrap();
    desk.works().await;
    assert!(!desk.folder.path().join("test.db.key.new").exists());
}

#[tokio::test]
async fn a_scrubbing_that_was_cut_off_is_made_up_for() {
    let desk = Desk::new().await;
    let clear = b"what stood here in clear, in free space now";
    let (pool, _) = desk.open();
    pool.execute_batch("CREATE TABLE before (t BLOB)").unwrap();
    pool.execute("INSERT INTO before VALUES (?)", [clear.repeat(200)]).unwrap();
    pool.execute_batch("DROP TABLE before; UPDATE vault SET scrubbed = 0; PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    drop(pool);
    let lingers = || std::fs::read(desk.path()).unwrap().windows(clear.len()).any(|window| window == clear);
    assert!(lingers());
    drop(desk.open());
    assert!(!lingers());
    desk.works().await;
}
