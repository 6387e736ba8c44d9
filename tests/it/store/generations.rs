//! Generations, and what is known of restores.

use cartbridge::restore::Restore;
use cartbridge::store::{Begun, Store};

use super::given::{at, event, stored};

pub(crate) async fn a_generation_grows_with_each_start_and_with_what_is_written(store: &dyn Store) {
    let first = store.begin_generation(None, at(0)).await.unwrap();
    assert_eq!(first, Begun { generation: 1, is_older: false });
    assert_eq!(store.next_generation().await.unwrap(), None, "nothing was written");
    stored(store, event("msg_1", "customer:1")).await;
    assert_eq!(store.next_generation().await.unwrap(), Some(2));
    assert_eq!(store.next_generation().await.unwrap(), None, "nothing since");
    for newest in [Some(1), Some(2), None] {
        let begun = store.begin_generation(newest, at(1)).await.unwrap();
        assert!(!begun.is_older, "{newest:?} is no newer");
    }
    assert_eq!(store.begin_generation(None, at(1)).await.unwrap().generation, 6);
    assert_eq!(store.restore().await.unwrap(), None);
}

pub(crate) async fn a_database_that_is_behind_its_newest_generation_was_restored(store: &dyn Store) {
    stored(store, event("msg_1", "customer:1")).await;
    let begun = store.begin_generation(Some(7), at(60)).await.unwrap();
    assert_eq!(begun, Begun { generation: 8, is_older: true }, "one without any is behind as well");
    let restore = Restore { lost_since: Some(at(0)), lost_until: at(60) };
    assert_eq!(store.restore().await.unwrap(), Some(restore), "since its last event");
    assert!(!store.begin_generation(Some(8), at(70)).await.unwrap().is_older);
    assert_eq!(store.restore().await.unwrap(), Some(restore), "it stays on record");
}

pub(crate) async fn what_two_restores_leave_open_is_open_together(store: &dyn Store) {
    stored(store, event("msg_1", "customer:1")).await;
    let told = store.put_restore(Some(at(-100)), at(10)).await.unwrap();
    assert_eq!(told, Restore { lost_since: Some(at(-100)), lost_until: at(10) });
    store.begin_generation(Some(3), at(20)).await.unwrap();
    store.put_restore(Some(at(-50)), at(15)).await.unwrap();
    let both = Restore { lost_since: Some(at(-100)), lost_until: at(20) };
    assert_eq!(store.restore().await.unwrap(), Some(both));
}

pub(crate) async fn of_a_database_without_events_nobody_knows_since_when_it_lacks_something(
    store: &dyn Store,
) {
    let told = store.put_restore(None, at(10)).await.unwrap();
    assert_eq!(told, Restore { lost_since: None, lost_until: at(10) });
    stored(store, event("msg_1", "customer:1")).await;
    assert_eq!(store.put_restore(None, at(20)).await.unwrap().lost_since, None, "as long as it is open");
}
