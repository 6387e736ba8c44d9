//! Running an event again.

use cartbridge::effect::EffectState;
use cartbridge::event::{EventId, NewEvent, State};
use cartbridge::store::{Error, Settlement, Store};
use serde_json::json;

use super::given::{
    at, claimed, claims, counts_agree, dead, done, ended, event, outcome, read, settle, state, stored, why,
};

/// Stores an event, records one finished, one skipped and one failed step, and settles it.
async fn worked_on(store: &dyn Store, settlement: Settlement) -> EventId {
    let id = stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(0)).await;
    for (name, state, result) in [
        ("contact", EffectState::Done, json!({ "contact_id": "c1" })),
        ("tags", EffectState::Skipped, json!({ "reason": "none" })),
        ("task", EffectState::Failed, json!(null)),
    ] {
        let update = outcome(name, state, result, &[201]);
        store.record_effect(&claim.lane, claim.head.seq, update, Vec::new()).await.unwrap();
    }
    settle(store, &claim, settlement, at(1)).await;
    id
}

pub(crate) async fn an_open_event_goes_on_in_place(store: &dyn Store) {
    let waiting = Settlement::Waiting { at: at(900), reason: why("later"), counts: true };
    for (settlement, subject) in [
        (waiting, "customer:1"),
        (Settlement::Parked { reason: why("needs a token"), until: None }, "customer:2"),
        (Settlement::Released, "customer:3"),
    ] {
        let id = ended(store, event(subject, subject), settlement).await;
        assert_eq!(store.replay(id, false, at(5)).await.unwrap(), id);
        let kept = read(store, id).await;
        assert_eq!(
            (kept.state, kept.state_reason, kept.next_attempt_at),
            (State::Pending, None, None),
            "{subject}"
        );
        assert_eq!(kept.tries, 0, "the tries are counted anew");
        counts_agree(store, subject).await;
        assert!(
            matches!(store.replay(id, true, at(5)).await, Err(Error::Conflict(_))),
            "nothing to force yet"
        );
        let claim = claimed(store, at(5)).await;
        assert_eq!(claim.head.id, id, "at once");
        settle(store, &claim, done(), at(5)).await;
    }
}

pub(crate) async fn an_event_that_nobody_has_looked_at_yet_is_ready_at_once(store: &dyn Store) {
    let held = store.append(event("msg_1", "customer:1"), at(900)).await.unwrap().id;
    let other = stored(store, event("msg_2", "customer:2")).await;
    for id in [held, other] {
        assert_eq!(store.replay(id, false, at(5)).await.unwrap(), id);
        assert_eq!(store.replay(id, false, at(5)).await.unwrap(), id);
    }
    counts_agree(store, "replayed as they came").await;
    assert!(store.next_ready(at(-1)).await.unwrap().unwrap() <= at(5));
    let mut claimed: Vec<_> = claims(store, at(5)).await.iter().map(|claim| claim.head.id).collect();
    claimed.sort();
    assert_eq!(claimed, [held, other]);
}

pub(crate) async fn a_dead_event_goes_on_in_place_and_keeps_what_is_done(store: &dyn Store) {
    let id = worked_on(store, dead()).await;
    assert_eq!(store.replay(id, false, at(5)).await.unwrap(), id);
    assert_eq!(state(store, id).await, State::Pending);
    counts_agree(store, "a dead one replayed").await;
    assert_eq!(store.replay(id, false, at(5)).await.unwrap(), id, "twice is as good as once");
    let claim = claimed(store, at(5)).await;
    assert_eq!((claim.head.id, claim.head.tries), (id, 0));
    let done = &claim.effects[0];
    assert_eq!((done.key.step.as_str(), done.state), ("contact", EffectState::Done));
    assert_eq!(done.result, json!({ "contact_id": "c1" }));
    assert_eq!(claim.effects.len(), 3);
}

pub(crate) async fn a_finished_event_becomes_a_new_one_that_keeps_what_is_done(store: &dyn Store) {
    let id = worked_on(store, done()).await;
    let new = store.replay(id, false, at(5)).await.unwrap();
    assert_ne!(new, id);
    assert_eq!(state(store, id).await, State::Done, "what was, stays");
    let (old, event) = (read(store, id).await, read(store, new).await);
    assert_eq!((event.replayed_from, event.forced), (Some(id), false));
    assert_eq!((event.connection, event.source, event.kind), (old.connection, old.source, old.kind));
    assert_eq!(
        (event.subject, event.occurred_at, event.payload),
        (old.subject, old.occurred_at, old.payload)
    );
    assert_eq!(event.received_at, at(5));
    counts_agree(store, "a finished one replayed").await;
    let claim = claimed(store, at(5)).await;
    assert_eq!(claim.head.id, new);
    let steps: Vec<_> = claim.effects.iter().map(|effect| (effect.key.step.as_str(), effect.state)).collect();
    assert_eq!(
        steps,
        [("contact", EffectState::Done), ("tags", EffectState::Skipped)],
        "and not what failed"
    );
    assert_eq!(claim.effects[0].result, json!({ "contact_id": "c1" }));
    assert!(claim.effects.iter().all(|effect| effect.attempts.is_empty()), "nothing was sent for this one");
}

pub(crate) async fn a_forced_replay_keeps_nothing(store: &dyn Store) {
    let id = worked_on(store, done()).await;
    let new = store.replay(id, true, at(5)).await.unwrap();
    let claim = claimed(store, at(5)).await;
    assert_eq!((claim.head.id, claim.head.forced, claim.head.replayed_from), (new, true, Some(id)));
    assert!(claim.effects.is_empty());
}

pub(crate) async fn a_forced_replay_of_a_dead_event_is_a_new_one(store: &dyn Store) {
    let id = worked_on(store, dead()).await;
    let new = store.replay(id, true, at(5)).await.unwrap();
    assert_ne!(new, id);
    assert_eq!(state(store, id).await, State::Dead);
    assert!(claimed(store, at(5)).await.effects.is_empty());
    counts_agree(store, "a dead one forced").await;
}

pub(crate) async fn an_ignored_event_can_be_carried_out_after_all(store: &dyn Store) {
    let id = stored(store, NewEvent { ignored: true, ..event("msg_1", "customer:1") }).await;
    let new = store.replay(id, false, at(5)).await.unwrap();
    assert_eq!(claimed(store, at(5)).await.head.id, new);
    assert_eq!(state(store, id).await, State::Ignored);
}

pub(crate) async fn an_event_that_is_being_carried_out_is_left_alone(store: &dyn Store) {
    let id = stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(0)).await;
    for force in [false, true] {
        assert!(matches!(store.replay(id, force, at(1)).await, Err(Error::Conflict(_))));
    }
    assert_eq!(state(store, id).await, State::Working);
    settle(store, &claim, done(), at(2)).await;
    assert!(claims(store, at(3)).await.is_empty());
}

pub(crate) async fn an_older_event_comes_before_the_younger_ones_of_its_subject(store: &dyn Store) {
    let old = ended(store, event("msg_1", "customer:1"), dead()).await;
    let young = stored(store, event("msg_2", "customer:1")).await;
    let youngest = stored(store, event("msg_3", "customer:1")).await;
    // The old one is replayed while the young one is being carried out.
    let claim = claimed(store, at(1)).await;
    assert_eq!(claim.head.id, young);
    store.replay(old, false, at(2)).await.unwrap();
    assert!(claims(store, at(2)).await.is_empty(), "one at a time");
    counts_agree(store, "replayed beside a worker").await;
    settle(store, &claim, done(), at(3)).await;
    for expected in [old, youngest] {
        let claim = claimed(store, at(3)).await;
        assert_eq!(claim.head.id, expected);
        settle(store, &claim, done(), at(3)).await;
        counts_agree(store, "in order").await;
    }
}

pub(crate) async fn an_unknown_event_cannot_be_replayed(store: &dyn Store) {
    assert!(matches!(store.replay(EventId::new(), false, at(0)).await, Err(Error::NotFound(_))));
}
