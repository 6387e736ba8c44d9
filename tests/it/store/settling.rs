//! How the work on an event ends, this time.

use cartbridge::event::{NewEvent, State};
use cartbridge::reason::Code;
use cartbridge::store::{Settlement, Store};

use super::given::{
    at, claimed, claims, counts_agree, dead, done, event, other_shop, read, settle, shop, state, stored, why,
};

fn waiting(second: i64, counts: bool) -> Settlement {
    Settlement::Waiting { at: at(second), reason: why("HighLevel does not answer"), counts }
}

fn parked() -> Settlement {
    Settlement::Parked { reason: why("needs a token"), until: None }
}

pub(crate) async fn a_done_event_frees_its_lane_for_the_next(store: &dyn Store) {
    let first = stored(store, event("msg_1", "customer:1")).await;
    let second = stored(store, event("msg_2", "customer:1")).await;
    let claim = claimed(store, at(1)).await;
    settle(store, &claim, Settlement::Done { reason: Some("adopted".into()) }, at(2)).await;
    let kept = read(store, first).await;
    assert_eq!((kept.state, kept.state_reason.as_deref()), (State::Done, Some("adopted")));
    counts_agree(store, "done").await;
    let claim = claimed(store, at(2)).await;
    assert_eq!(claim.head.id, second);
    settle(store, &claim, done(), at(3)).await;
    assert_eq!(store.next_ready(at(-1)).await.unwrap(), None, "an empty lane is none");
    counts_agree(store, "all done").await;
}

pub(crate) async fn an_ignored_event_says_why(store: &dyn Store) {
    let id = stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(1)).await;
    settle(store, &claim, Settlement::Ignored { reason: "an administrator".into() }, at(2)).await;
    let kept = read(store, id).await;
    assert_eq!((kept.state, kept.state_reason.as_deref()), (State::Ignored, Some("an administrator")));
    assert!(claims(store, at(100)).await.is_empty());
    counts_agree(store, "ignored").await;
}

pub(crate) async fn a_waiting_event_holds_its_lane_until_its_time(store: &dyn Store) {
    let id = stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(0)).await;
    settle(store, &claim, waiting(30, true), at(1)).await;
    let kept = read(store, id).await;
    assert_eq!(kept.state, State::Waiting);
    assert_eq!(kept.state_reason.as_deref(), Some("HighLevel does not answer"));
    assert_eq!(kept.state_code, Some(Code::HighlevelUnavailable));
    assert_eq!(kept.next_attempt_at, Some(at(30)));
    assert_eq!(store.next_ready(at(-1)).await.unwrap(), Some(at(30)));

    // Neither overtakes it, nor hurries it.
    stored(store, NewEvent { received_at: at(2), ..event("msg_2", "customer:1") }).await;
    assert!(claims(store, at(29)).await.is_empty());
    counts_agree(store, "waiting").await;
    let claim = claimed(store, at(30)).await;
    assert_eq!((claim.head.id, claim.followers.len()), (id, 1));
    assert_eq!(claim.head.next_attempt_at, None, "it is being tried");
    settle(store, &claim, done(), at(31)).await;
    let kept = read(store, id).await;
    assert_eq!((kept.state_reason, kept.state_code), (None, None), "what was wrong is over");
}

pub(crate) async fn only_a_failed_try_counts_as_one(store: &dyn Store) {
    let id = stored(store, event("msg_1", "customer:1")).await;
    for (settlement, tries) in [
        (waiting(0, true), 1),
        (waiting(0, false), 1),
        (Settlement::Released, 1),
        (waiting(0, true), 2),
        (dead(), 3),
    ] {
        let claim = claimed(store, at(1)).await;
        let what = format!("{settlement:?}");
        settle(store, &claim, settlement, at(1)).await;
        assert_eq!(read(store, id).await.tries, tries, "after {what}");
    }
}

pub(crate) async fn a_parked_event_waits_for_its_connection_and_then_goes_on(store: &dyn Store) {
    let here = stored(store, event("msg_1", "customer:1")).await;
    let there = stored(store, NewEvent { connection: other_shop(), ..event("msg_1", "customer:1") }).await;
    for claim in claims(store, at(1)).await {
        settle(store, &claim, parked(), at(2)).await;
    }
    let kept = read(store, here).await;
    assert_eq!(
        (kept.state, kept.state_reason.as_deref(), kept.tries),
        (State::Parked, Some("needs a token"), 0)
    );
    let behind = stored(store, NewEvent { received_at: at(3), ..event("msg_2", "customer:1") }).await;
    assert!(claims(store, at(1_000_000)).await.is_empty(), "no time ends this, and no later event");
    assert_eq!(store.next_ready(at(-1)).await.unwrap(), None);
    counts_agree(store, "parked").await;

    assert_eq!(store.unpark(&shop(), at(5)).await.unwrap(), 1);
    assert_eq!((state(store, here).await, state(store, there).await), (State::Pending, State::Parked));
    let kept = read(store, here).await;
    assert_eq!((kept.state_reason, kept.state_code), (None, None));
    counts_agree(store, "unparked").await;
    let claim = claimed(store, at(5)).await;
    assert_eq!(claim.head.id, here);
    assert_eq!(claim.followers.iter().map(|follower| follower.id).collect::<Vec<_>>(), [behind]);
    assert_eq!(store.unpark(&shop(), at(6)).await.unwrap(), 0);
}

pub(crate) async fn an_event_parked_until_a_time_goes_on_then_or_when_its_connection_changes(
    store: &dyn Store,
) {
    let resting = || Settlement::Parked { reason: why("the day's limit is used up"), until: Some(at(500)) };
    let id = stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(1)).await;
    settle(store, &claim, resting(), at(2)).await;
    let kept = read(store, id).await;
    assert_eq!((kept.state, kept.next_attempt_at, kept.tries), (State::Parked, Some(at(500)), 0));
    assert_eq!(store.next_ready(at(2)).await.unwrap(), Some(at(500)));
    assert!(claims(store, at(499)).await.is_empty());
    counts_agree(store, "parked until a time").await;
    let claim = claimed(store, at(500)).await;
    assert_eq!((claim.head.id, claim.head.next_attempt_at), (id, None));
    settle(store, &claim, resting(), at(3)).await;
    assert_eq!(store.unpark(&shop(), at(5)).await.unwrap(), 1);
    assert_eq!(read(store, id).await.next_attempt_at, None);
    assert_eq!(claimed(store, at(5)).await.head.id, id);
}

pub(crate) async fn since_when_an_event_fails_is_kept_until_it_is_parked(store: &dyn Store) {
    let id = stored(store, event("msg_1", "customer:1")).await;
    for (second, settlement, since) in [
        (1, waiting(2, false), None),
        (2, waiting(3, true), Some(at(2))),
        (3, waiting(4, true), Some(at(2))),
        (4, parked(), None),
    ] {
        let claim = claimed(store, at(second)).await;
        settle(store, &claim, settlement, at(second)).await;
        assert_eq!(read(store, id).await.failing_since, since, "at {second}");
    }
}

pub(crate) async fn a_dead_event_lets_the_next_pass(store: &dyn Store) {
    let first = stored(store, event("msg_1", "customer:1")).await;
    let second = stored(store, event("msg_2", "customer:1")).await;
    let claim = claimed(store, at(1)).await;
    settle(store, &claim, dead(), at(2)).await;
    let kept = read(store, first).await;
    assert_eq!((kept.state, kept.state_reason.as_deref()), (State::Dead, Some("mend it")));
    assert_eq!(claimed(store, at(2)).await.head.id, second);
    counts_agree(store, "dead").await;
}

pub(crate) async fn a_released_event_is_claimed_again_at_once(store: &dyn Store) {
    let id = stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(1)).await;
    settle(store, &claim, Settlement::Released, at(2)).await;
    assert_eq!(state(store, id).await, State::Pending);
    counts_agree(store, "released").await;
    assert_eq!(claimed(store, at(2)).await.head.id, id);
}

pub(crate) async fn folded_events_end_with_the_one_that_was_carried_out(store: &dyn Store) {
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(stored(store, event(&format!("msg_{number}"), "customer:1")).await);
    }
    let claim = claimed(store, at(1)).await;
    let folded = vec![claim.followers[0].seq, claim.followers[2].seq];
    store.settle(&claim.lane, &claim.head, folded, done(), at(2)).await.unwrap();
    for folded in [ids[1], ids[3]] {
        let kept = read(store, folded).await;
        assert_eq!((kept.state, kept.folded_into), (State::Folded, Some(ids[0])));
        assert_eq!(kept.next_attempt_at, None);
    }
    counts_agree(store, "folded").await;
    let claim = claimed(store, at(2)).await;
    assert_eq!(claim.head.id, ids[2], "what was not folded is carried out");
    assert!(claim.followers.is_empty());
    settle(store, &claim, done(), at(3)).await;
    assert!(claims(store, at(100)).await.is_empty());
    counts_agree(store, "folded and done").await;
}
