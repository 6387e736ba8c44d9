//! How far stores without the add-on have been read, and whose add-on was heard.

use std::collections::BTreeMap;

use cartbridge::poll_state::{PollState, SeenOrder, Track};
use cartbridge::store::Store;

use super::given::{at, event, other_shop, shop};

fn state(revision: u64) -> PollState {
    let seen = BTreeMap::from([(7, SeenOrder { status: "P".into(), updated_at: Some(1_795_521_600) })]);
    PollState {
        url: "https://shop.example.com".into(),
        revision,
        began_at: at(0),
        users: Track { start: 9, after: 4, rows: 4, seen: BTreeMap::from([(9, "abc".into())]) },
        orders: Track { start: 6, after: 5, rows: 5, seen },
        orders_changed_to: at(1),
    }
}

pub(crate) async fn how_far_a_store_was_read_reads_back(store: &dyn Store) {
    assert_eq!(store.poll_state(&shop()).await.unwrap(), None);
    store.put_poll_state(&shop(), &state(1)).await.unwrap();
    store.put_poll_state(&shop(), &state(2)).await.unwrap();
    assert_eq!(store.poll_state(&shop()).await.unwrap(), Some(state(2)));
    assert_eq!(store.poll_state(&other_shop()).await.unwrap(), None);
    assert_eq!(store.last_read(&shop()).await.unwrap(), None);
    store.note_read(&shop(), at(3)).await.unwrap();
    store.put_poll_state(&shop(), &state(3)).await.unwrap();
    assert_eq!(store.last_read(&shop()).await.unwrap(), Some(at(3)));
    assert_eq!(store.last_read(&other_shop()).await.unwrap(), None);
}

pub(crate) async fn that_an_add_on_was_heard_stays_so_however_far_its_store_was_read(store: &dyn Store) {
    assert!(!store.addon_heard(&shop()).await.unwrap());
    store.put_poll_state(&shop(), &state(1)).await.unwrap();
    assert!(!store.addon_heard(&shop()).await.unwrap());
    store.note_addon(&shop(), at(5)).await.unwrap();
    store.put_poll_state(&shop(), &state(2)).await.unwrap();
    store.note_addon(&shop(), at(6)).await.unwrap();
    assert!(store.addon_heard(&shop()).await.unwrap());
    assert_eq!(store.poll_state(&shop()).await.unwrap(), Some(state(2)));
    assert!(!store.addon_heard(&other_shop()).await.unwrap());
}

pub(crate) async fn events_from_before_that_was_noted_tell_that_the_add_on_was_heard(store: &dyn Store) {
    let mut ping = event("msg_1", "store");
    ping.kind = "ping".into();
    store.append(ping, at(0)).await.unwrap();
    store.append(event("poll:user:9:new", "customer:9"), at(0)).await.unwrap();
    assert!(!store.addon_heard(&shop()).await.unwrap(), "neither a ping nor a poll is the add-on");
    store.append(event("msg_2", "customer:9"), at(0)).await.unwrap();
    assert!(store.addon_heard(&shop()).await.unwrap());
}
