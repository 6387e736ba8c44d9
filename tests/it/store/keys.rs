//! API keys, and whether the database answers.

use cartbridge::access::{ApiKey, KeyHash, Role};
use cartbridge::store::{Error, Store};

use super::given::{at, same};

pub(crate) async fn a_key_is_found_by_its_hash(store: &dyn Store) {
    let mut made = Vec::new();
    for (second, role) in [(1, Role::Read), (2, Role::Operate), (3, Role::Admin)] {
        let (key, secret) = ApiKey::generate(format!("for {role}"), role, at(second));
        store.add_key(&key, KeyHash::of(&secret)).await.unwrap();
        store.add_key(&key, KeyHash::of(&secret)).await.unwrap();
        same(&store.key_by_hash(KeyHash::of(&secret)).await.unwrap().unwrap(), &key);
        made.push(key);
    }
    same(&store.keys().await.unwrap(), &made);
    let (_, stranger) = ApiKey::generate("stranger", Role::Admin, at(0));
    assert!(store.key_by_hash(KeyHash::of(&stranger)).await.unwrap().is_none());
}

pub(crate) async fn a_revoked_key_is_found_no_more_and_stays_on_the_list(store: &dyn Store) {
    let (key, secret) = ApiKey::generate("laptop", Role::Admin, at(0));
    store.add_key(&key, KeyHash::of(&secret)).await.unwrap();
    store.revoke_key(&key.id, at(5)).await.unwrap();
    store.revoke_key(&key.id, at(9)).await.unwrap();
    assert!(store.key_by_hash(KeyHash::of(&secret)).await.unwrap().is_none());
    assert_eq!(store.keys().await.unwrap()[0].revoked_at, Some(at(5)), "when it was revoked first");
    store.add_key(&key, KeyHash::of(&secret)).await.unwrap();
    assert!(store.key_by_hash(KeyHash::of(&secret)).await.unwrap().is_none(), "and it stays so");
}

pub(crate) async fn an_unknown_key_cannot_be_revoked(store: &dyn Store) {
    assert!(matches!(store.revoke_key("nobody", at(0)).await, Err(Error::NotFound(_))));
}

pub(crate) async fn a_database_that_can_be_written_answers(store: &dyn Store) {
    store.ping().await.unwrap();
    store.ping().await.unwrap();
}
