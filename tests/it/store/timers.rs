//! Timers: what is to happen later is kept, and becomes an event once.

use cartbridge::effect::EffectState;
use cartbridge::event::{Source, State, Subject};
use cartbridge::store::{EffectUpdate, Error, Store};
use cartbridge::timer::Timer;
use jiff::Timestamp;
use serde_json::json;

use super::given::{at, claimed, claims, event, other_shop, outcome, read, shop, state, stored};

pub(super) fn timer(key: &str, due: i64) -> Timer {
    Timer {
        connection: shop(),
        key: key.into(),
        subject: Subject::other("customer:1"),
        due_at: at(due),
        kind: "continued".into(),
        payload: format!("{{\"of\":\"{key}\"}}").into_bytes(),
    }
}

async fn put(store: &dyn Store, timer: Timer) -> Timer {
    store.put_timer(timer.clone()).await.unwrap();
    timer
}

async fn due(store: &dyn Store, now: Timestamp) -> Vec<String> {
    store.due_timers(now, 100).await.unwrap().into_iter().map(|timer| timer.key).collect()
}

pub(crate) async fn a_timer_reads_back_and_is_due_at_its_time(store: &dyn Store) {
    assert_eq!(store.next_timer().await.unwrap(), None);
    let later = put(store, timer("later", 20)).await;
    let sooner = put(store, timer("sooner", 10)).await;
    let elsewhere = put(store, Timer { connection: other_shop(), ..timer("sooner", 15) }).await;
    assert_eq!(store.next_timer().await.unwrap(), Some(at(10)));
    assert_eq!(store.due_timers(at(9), 100).await.unwrap(), []);
    assert_eq!(
        store.due_timers(at(10), 100).await.unwrap(),
        std::slice::from_ref(&sooner),
        "at its time, not after it"
    );
    let all = [sooner.clone(), elsewhere, later.clone()];
    assert_eq!(store.due_timers(at(20), 100).await.unwrap(), all, "the longest due first");
    assert_eq!(store.due_timers(at(20), 2).await.unwrap(), all[..2]);
    assert_eq!(store.timers(None, 100).await.unwrap(), all);
    assert_eq!(store.timers(Some(&shop()), 100).await.unwrap(), [sooner, later]);
    assert_eq!(store.timers(None, 1).await.unwrap(), all[..1]);
}

pub(crate) async fn a_timer_that_is_put_again_begins_anew(store: &dyn Store) {
    put(store, timer("wait", 10)).await;
    let again = put(
        store,
        Timer { subject: Subject::other("customer:2"), payload: b"{}".into(), ..timer("wait", 30) },
    )
    .await;
    assert_eq!(store.timers(None, 100).await.unwrap(), [again]);
    assert_eq!(store.next_timer().await.unwrap(), Some(at(30)));
}

pub(crate) async fn a_fired_timer_is_an_event_and_fires_once(store: &dyn Store) {
    let timer = put(store, timer("wait", 10)).await;
    let id = store.fire_timer(&timer, None, at(12)).await.unwrap().unwrap();
    let event = read(store, id).await;
    assert_eq!(
        (event.source, event.kind.as_str(), event.state),
        (Source::Schedule, "continued", State::Pending)
    );
    assert_eq!(event.source_id, format!("wait@{}", at(10)));
    assert_eq!((event.occurred_at, event.received_at), (at(10), at(12)));
    assert_eq!((event.subject.as_str(), event.payload.as_slice()), ("customer:1", timer.payload.as_slice()));
    assert_eq!(store.timers(None, 100).await.unwrap(), []);
    assert_eq!(store.fire_timer(&timer, None, at(13)).await.unwrap(), None);
    // Even if the same timer is put once more, it does not happen twice.
    put(store, timer.clone()).await;
    assert_eq!(store.fire_timer(&timer, None, at(14)).await.unwrap(), Some(id));
    let claim = claimed(store, at(14)).await;
    assert_eq!((claim.head.id, claim.followers.len()), (id, 0));
}

pub(crate) async fn a_timer_that_comes_again_moves_on_as_it_fires(store: &dyn Store) {
    let timer = put(store, timer("daily", 10)).await;
    let first = store.fire_timer(&timer, Some(at(20)), at(10)).await.unwrap().unwrap();
    let next = Timer { due_at: at(20), ..timer.clone() };
    assert_eq!(store.timers(None, 100).await.unwrap(), std::slice::from_ref(&next));
    assert_eq!(store.fire_timer(&timer, Some(at(20)), at(11)).await.unwrap(), None, "it is past that time");
    let second = store.fire_timer(&next, Some(at(30)), at(20)).await.unwrap().unwrap();
    assert_ne!(first, second);
    assert_eq!(store.next_timer().await.unwrap(), Some(at(30)));
}

pub(crate) async fn a_timer_that_was_begun_anew_meanwhile_does_not_fire(store: &dyn Store) {
    let old = put(store, timer("wait", 10)).await;
    let new = put(store, timer("wait", 30)).await;
    assert_eq!(store.fire_timer(&old, None, at(12)).await.unwrap(), None);
    assert!(!store.pass_timer(&old, None).await.unwrap());
    assert_eq!(store.timers(None, 100).await.unwrap(), [new]);
    assert!(claims(store, at(12)).await.is_empty(), "there is no event of it");
}

pub(crate) async fn a_timer_is_passed_over_without_an_event(store: &dyn Store) {
    let timer = put(store, timer("daily", 10)).await;
    assert!(store.pass_timer(&timer, Some(at(20))).await.unwrap());
    let next = Timer { due_at: at(20), ..timer };
    assert_eq!(store.timers(None, 100).await.unwrap(), std::slice::from_ref(&next));
    assert!(store.pass_timer(&next, None).await.unwrap());
    assert_eq!(store.timers(None, 100).await.unwrap(), []);
    assert!(claims(store, at(20)).await.is_empty());
}

pub(crate) async fn a_dropped_timer_is_gone(store: &dyn Store) {
    put(store, timer("wait", 10)).await;
    put(store, Timer { connection: other_shop(), ..timer("wait", 10) }).await;
    assert!(store.drop_timer(&shop(), "wait").await.unwrap());
    assert!(!store.drop_timer(&shop(), "wait").await.unwrap());
    assert_eq!(due(store, at(10)).await, ["wait"], "the other connection has its own");
}

fn wait_step(due: i64) -> EffectUpdate {
    EffectUpdate {
        timer: Some(timer("wait", due)),
        ..outcome("wait", EffectState::Done, json!({ "until": at(due) }), &[])
    }
}

pub(crate) async fn an_effect_and_its_timer_are_written_together_or_not_at_all(store: &dyn Store) {
    stored(store, event("msg_1", "customer:1")).await;
    let old = claimed(store, at(0)).await;
    let new = claimed(store, at(100)).await;
    let lost = store.record_effect(&old.lane, old.head.seq, wait_step(110), Vec::new()).await.unwrap_err();
    assert!(matches!(lost, Error::LeaseLost), "{lost}");
    assert_eq!(store.next_timer().await.unwrap(), None);
    store.record_effect(&new.lane, new.head.seq, wait_step(110), Vec::new()).await.unwrap();
    assert_eq!(store.next_timer().await.unwrap(), Some(at(110)));
}

pub(crate) async fn the_end_of_an_event_and_its_timer_are_written_together(store: &dyn Store) {
    let id = stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(0)).await;
    store.finish(&claim.lane, &claim.head, wait_step(10), Vec::new(), Vec::new(), at(1)).await.unwrap();
    assert_eq!(state(store, id).await, State::Done);
    assert_eq!(due(store, at(10)).await, ["wait"]);
}
