//! Lanes and leases: who may carry out what, and when.

use std::collections::{HashMap, HashSet};

use cartbridge::effect::EffectState;
use cartbridge::event::{NewEvent, Source, State, Subject};
use cartbridge::priority::Priority;
use cartbridge::store::{Claim, Error, LEASE, Settlement, Share, Shares, Store};
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::json;

use super::given::{
    at, claimed, claims, counts_agree, done, event, other_shop, outcome, read, settle, shop, state, step,
    stored, why,
};

/// The subjects of claims, in their order.
fn subjects(claims: &[Claim]) -> Vec<&str> {
    claims.iter().map(|claim| claim.lane.subject.as_str()).collect()
}

pub(crate) async fn events_of_one_subject_are_claimed_one_after_the_other(store: &dyn Store) {
    let mut ids = Vec::new();
    for number in 0..5 {
        // By the order of receipt, whatever the sender says of when it happened.
        let event = NewEvent { occurred_at: at(-number), ..event(&format!("msg_{number}"), "customer:1") };
        ids.push(stored(store, event).await);
    }
    for id in ids {
        let claim = claimed(store, at(1)).await;
        assert_eq!(claim.head.id, id);
        assert_eq!(claim.head.state, State::Working);
        assert!(claims(store, at(1)).await.is_empty(), "the next waits for this one");
        settle(store, &claim, done(), at(1)).await;
    }
    assert!(claims(store, at(1)).await.is_empty());
}

pub(crate) async fn different_subjects_are_claimed_side_by_side(store: &dyn Store) {
    for subject in ["customer:1", "customer:2", "guest:ada@example.com", "store"] {
        stored(store, event(&format!("of {subject}"), subject)).await;
    }
    let claims = claims(store, at(1)).await;
    assert_eq!(
        subjects(&claims).into_iter().collect::<HashSet<_>>(),
        HashSet::from(["customer:1", "customer:2", "guest:ada@example.com", "store"])
    );
}

pub(crate) async fn one_subject_in_two_connections_is_two_lanes(store: &dyn Store) {
    stored(store, event("msg_1", "customer:1")).await;
    stored(store, NewEvent { connection: other_shop(), ..event("msg_1", "customer:1") }).await;
    let claims = claims(store, at(1)).await;
    let connections: HashSet<_> = claims.iter().map(|claim| claim.lane.connection.clone()).collect();
    assert_eq!(connections, HashSet::from([shop(), other_shop()]));
}

pub(crate) async fn a_claim_keeps_to_its_limit_and_takes_the_longest_waiting_first(store: &dyn Store) {
    for (second, subject) in [(3, "customer:1"), (1, "customer:2"), (2, "customer:3")] {
        stored(store, NewEvent { received_at: at(second), ..event(subject, subject) }).await;
    }
    let first = store.claim(&Shares::of_each(2), at(10), at(60)).await.unwrap();
    assert_eq!(subjects(&first), ["customer:2", "customer:3"]);
    let rest = store.claim(&Shares::of_each(2), at(10), at(60)).await.unwrap();
    assert_eq!(subjects(&rest), ["customer:1"]);
    assert!(store.claim(&Shares::of_each(0), at(100), at(160)).await.unwrap().is_empty());
}

pub(crate) async fn a_connection_that_may_have_nothing_hinders_no_other(store: &dyn Store) {
    for number in 0..20 {
        stored(store, event(&format!("msg_{number}"), &format!("customer:{number}"))).await;
    }
    let other = NewEvent { received_at: at(1), connection: other_shop(), ..event("msg_1", "customer:1") };
    stored(store, other).await;
    let shares = |lanes| Shares {
        of: HashMap::from([(shop(), Share { lanes, ..Share::default() })]),
        other: Share { lanes: 5, ..Share::default() },
    };
    let first = store.claim(&shares(0), at(2), at(60)).await.unwrap();
    let connections: Vec<_> = first.iter().map(|claim| claim.lane.connection.clone()).collect();
    assert_eq!(connections, [other_shop()], "also of a connection that nobody knows any more");
    assert_eq!(store.claim(&shares(3), at(2), at(60)).await.unwrap().len(), 3);
}

pub(crate) async fn the_most_urgent_lanes_are_claimed_first_and_the_longest_waiting_have_a_share(
    store: &dyn Store,
) {
    let of = |source, kind: &str, subject: &str, second| NewEvent {
        source,
        kind: kind.into(),
        received_at: at(second),
        ..event(&format!("of {subject}"), subject)
    };
    // Waits longest, and has failed once.
    stored(store, of(Source::Cscart, "customer.updated", "customer:retry", 0)).await;
    let failed = claimed(store, at(0)).await;
    let again = Settlement::Waiting { at: at(1), reason: why("HighLevel does not answer"), counts: true };
    settle(store, &failed, again, at(0)).await;
    for (source, kind, subject, second) in [
        (Source::Manual, "import", "customer:backfill", 2),
        (Source::Cscart, "customer.updated", "customer:live-1", 3),
        (Source::Ghl, "contact.updated", "customer:live-2", 4),
        (Source::Manual, "resync", "customer:person", 5),
        (Source::Cscart, "customer.updated", "customer:raised", 6),
        (Source::Cscart, "customer.viewed", "customer:raised", 7),
    ] {
        let event = of(source, kind, subject, second);
        stored(store, NewEvent { source_id: format!("{subject} {second}"), ..event }).await;
    }
    let share = |lanes, eldest| Shares {
        of: HashMap::from([(shop(), Share { lanes, eldest, persons: 0 })]),
        ..Shares::default()
    };
    let first = store.claim(&share(3, 1), at(9), at(60)).await.unwrap();
    assert_eq!(subjects(&first), ["customer:retry", "customer:person", "customer:raised"]);
    assert_eq!(first[0].priority, Priority::Retry);
    assert_eq!(first[2].priority, Priority::Person, "a lane is as urgent as its most urgent event");
    let rest = store.claim(&share(9, 1), at(9), at(60)).await.unwrap();
    assert_eq!(subjects(&rest), ["customer:live-1", "customer:live-2", "customer:backfill"]);
    settle(store, &first[2], done(), at(9)).await;
    let persons = Shares { other: Share { persons: 9, ..Share::default() }, ..Shares::default() };
    stored(store, of(Source::Cscart, "customer.updated", "customer:live-3", 0)).await;
    let viewed = store.claim(&persons, at(9), at(60)).await.unwrap();
    assert_eq!(subjects(&viewed), ["customer:raised"], "only persons, where others may have nothing");
    assert_eq!((viewed[0].head.kind.as_str(), viewed[0].priority), ("customer.viewed", Priority::Person));
}

pub(crate) async fn a_claim_brings_what_is_needed_to_carry_out_and_to_fold(store: &dyn Store) {
    let head =
        stored(store, NewEvent { kind: "customer.created".into(), ..event("msg_1", "customer:1") }).await;
    stored(store, event("of another", "customer:2")).await;
    let follower = NewEvent { occurred_at: at(7), ..event("msg_2", "customer:1") };
    let follower_id = stored(store, follower.clone()).await;
    let opposite = stored(store, NewEvent { source: Source::Ghl, ..event("msg_3", "customer:1") }).await;

    let mut claims = store.claim(&Shares::of_each(10), at(1), at(60)).await.unwrap();
    claims.retain(|claim| claim.head.id == head);
    let claim = claims.remove(0);
    assert_eq!(claim.lane.connection, shop());
    assert_eq!(claim.lane.subject, Subject::other("customer:1"));
    assert_eq!(claim.lane.until, at(60));
    assert_eq!(claim.head.payload, b"{\"of\":\"msg_1\"}");
    assert!(claim.effects.is_empty());
    let followers: Vec<_> = claim.followers.iter().map(|follower| follower.id).collect();
    assert_eq!(followers, [follower_id, opposite], "oldest first, and none of another subject");
    let first = &claim.followers[0];
    assert_eq!((first.source, first.kind.as_str()), (Source::Cscart, "customer.updated"));
    assert_eq!(first.occurred_at, at(7));
    assert_eq!(first.seq, read(store, follower_id).await.seq);
    assert_eq!(store.payload(first.seq).await.unwrap(), follower.payload);
    assert_eq!(state(store, follower_id).await, State::Pending, "only the head is being worked on");
}

pub(crate) async fn claims_at_the_same_time_never_share_a_lane(store: &dyn Store) {
    for number in 0..40 {
        stored(store, event(&format!("msg_{number}"), &format!("customer:{number}"))).await;
    }
    let seven = Shares::of_each(7);
    let workers = join_all((0..10).map(|_| store.claim(&seven, at(1), at(60)))).await;
    let all: Vec<Claim> = workers.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(all.len(), 40);
    assert_eq!(subjects(&all).into_iter().collect::<HashSet<_>>().len(), 40);
}

/// That the holder of a lost lease can write nothing, and has written nothing.
async fn is_refused(store: &dyn Store, old: &Claim, now: jiff::Timestamp) {
    let (lane, seq) = (&old.lane, old.head.seq);
    let (before, ledger) = store.event(old.head.id).await.unwrap().unwrap();
    let begun = store.begin_effect(lane, seq, &step("late"), "ghl.task.create", None, now).await;
    assert!(matches!(begun, Err(Error::LeaseLost)), "{begun:?}");
    let update = outcome("late", EffectState::Done, json!({}), &[201]);
    let recorded = store.record_effect(lane, seq, update, Vec::new()).await;
    assert!(matches!(recorded, Err(Error::LeaseLost)), "{recorded:?}");
    let update = outcome("late", EffectState::Done, json!({}), &[201]);
    let finished = store.finish(lane, &old.head, update, Vec::new(), Vec::new(), now).await;
    assert!(matches!(finished, Err(Error::LeaseLost)), "{finished:?}");
    let settled = store.settle(lane, &old.head, Vec::new(), done(), now).await;
    assert!(matches!(settled, Err(Error::LeaseLost)), "{settled:?}");
    let (after, ledger_after) = store.event(old.head.id).await.unwrap().unwrap();
    assert_eq!(after.state, before.state);
    assert_eq!(ledger_after.len(), ledger.len());
}

pub(crate) async fn a_flood_is_claimed_to_the_last_event_and_in_order(store: &dyn Store) {
    let events = (0..1500).map(|number| event(&format!("{number:04}"), &format!("customer:{}", number % 30)));
    for appended in join_all(events.map(|event| store.append(event, at(0)))).await {
        appended.unwrap();
    }
    let mut last: HashMap<String, i64> = HashMap::new();
    let mut seen = 0;
    while store.next_ready(at(-1)).await.unwrap().is_some_and(|ready| ready <= at(1)) {
        let claims = claims(store, at(1)).await;
        for claim in &claims {
            let before = last.insert(claim.head.subject.to_string(), claim.head.seq);
            assert!(before < Some(claim.head.seq), "{} after {before:?}", claim.head.seq);
        }
        seen += claims.len();
        join_all(claims.iter().map(|claim| settle(store, claim, done(), at(1)))).await;
    }
    assert_eq!(seen, 1500);
    counts_agree(store, "after the flood").await;
}

pub(crate) async fn a_lease_that_ran_out_is_claimed_again_and_its_old_holder_can_write_nothing(
    store: &dyn Store,
) {
    let id = stored(store, event("msg_1", "customer:1")).await;
    let old = store.claim(&Shares::of_each(1), at(0), at(60)).await.unwrap().remove(0);
    store
        .begin_effect(&old.lane, old.head.seq, &step("contact"), "ghl.contact.create", None, at(0))
        .await
        .unwrap();
    assert!(claims(store, at(59)).await.is_empty());
    let ends = at(0) + SignedDuration::try_from(LEASE).unwrap();

    let new = claimed(store, ends).await;
    assert_eq!(new.head.id, id);
    assert_eq!(new.effects.len(), 1, "the new holder sees what the old one had begun");
    is_refused(store, &old, ends).await;
    settle(store, &new, done(), ends).await;
    is_refused(store, &old, ends).await;
    assert_eq!(state(store, id).await, State::Done);
}

pub(crate) async fn a_lease_from_an_earlier_life_of_the_lane_can_write_nothing(store: &dyn Store) {
    stored(store, event("msg_1", "customer:1")).await;
    let old = claimed(store, at(0)).await;
    let second = claimed(store, at(100)).await;
    settle(store, &second, done(), at(100)).await;
    // The lane was empty, and is there again for another event.
    let next = stored(store, NewEvent { received_at: at(110), ..event("msg_2", "customer:1") }).await;
    let third = claimed(store, at(110)).await;
    assert_eq!(third.head.id, next);
    is_refused(store, &old, at(111)).await;
    is_refused(store, &second, at(111)).await;
    settle(store, &third, done(), at(112)).await;
}

pub(crate) async fn beginning_an_effect_extends_the_lease(store: &dyn Store) {
    stored(store, event("msg_1", "customer:1")).await;
    let old = store.claim(&Shares::of_each(1), at(0), at(10)).await.unwrap().remove(0);
    store
        .begin_effect(&old.lane, old.head.seq, &step("contact"), "ghl.contact.create", None, at(9))
        .await
        .unwrap();
    // Long enough for any call, though not to the second: it need not be written each time.
    let lease = SignedDuration::try_from(LEASE).unwrap();
    assert!(claims(store, at(9) + lease / 2 - SignedDuration::from_millis(1)).await.is_empty());
    let new = claimed(store, at(9) + lease).await;
    assert_eq!(new.head.id, old.head.id, "and not for ever");
}

pub(crate) async fn all_leases_can_be_given_back_at_the_start(store: &dyn Store) {
    let first = stored(store, event("msg_1", "customer:1")).await;
    stored(store, event("msg_2", "customer:2")).await;
    let before = claims(store, at(0)).await;
    assert_eq!(before.len(), 2);
    counts_agree(store, "claimed").await;
    assert_eq!(store.release_leases(at(1)).await.unwrap(), 2);
    assert_eq!(state(store, first).await, State::Pending);
    counts_agree(store, "leases given back").await;
    is_refused(store, &before[0], at(1)).await;
    let after = claims(store, at(1)).await;
    assert_eq!(after.len(), 2, "ready at once, not when the leases would have run out");
    assert_eq!(after[0].head.tries, 0, "a stop is no failed try");
    is_refused(store, &before[0], at(1)).await;
    assert_eq!(store.release_leases(at(2)).await.unwrap(), 2);
    assert_eq!(store.release_leases(at(2)).await.unwrap(), 0);
}

pub(crate) async fn an_event_that_waits_for_company_is_ready_at_its_time(store: &dyn Store) {
    store.append(event("msg_1", "customer:1"), at(5)).await.unwrap();
    assert_eq!(store.next_ready(at(-1)).await.unwrap(), Some(at(5)));
    assert!(claims(store, at(4)).await.is_empty());
    counts_agree(store, "held").await;
    assert_eq!(claimed(store, at(5)).await.head.source_id, "msg_1");
}

pub(crate) async fn an_event_that_does_not_wait_ends_the_waiting(store: &dyn Store) {
    store.append(event("msg_1", "customer:1"), at(5)).await.unwrap();
    stored(
        store,
        NewEvent { received_at: at(1), kind: "note.created".into(), ..event("msg_2", "customer:1") },
    )
    .await;
    let claim = claimed(store, at(1)).await;
    assert_eq!((claim.head.source_id.as_str(), claim.followers.len()), ("msg_1", 1), "in order all the same");
}

pub(crate) async fn an_event_that_waits_prolongs_nothing(store: &dyn Store) {
    store.append(event("msg_1", "customer:1"), at(5)).await.unwrap();
    store.append(NewEvent { received_at: at(4), ..event("msg_2", "customer:1") }, at(9)).await.unwrap();
    assert_eq!(claimed(store, at(5)).await.followers.len(), 1, "a stream of changes is not put off for ever");
    // And it holds up no lane that is ready.
    stored(store, event("msg_3", "customer:3")).await;
    store.append(NewEvent { received_at: at(4), ..event("msg_4", "customer:3") }, at(99)).await.unwrap();
    assert_eq!(claimed(store, at(6)).await.head.source_id, "msg_3");
}

pub(crate) async fn the_next_ready_time_is_the_earliest_of_all_lanes(store: &dyn Store) {
    assert_eq!(store.next_ready(at(-1)).await.unwrap(), None);
    store.append(event("msg_1", "customer:1"), at(8)).await.unwrap();
    store.append(event("msg_2", "customer:2"), at(6)).await.unwrap();
    assert_eq!(store.next_ready(at(-1)).await.unwrap(), Some(at(6)));
    store.claim(&Shares::of_each(1), at(7), at(60)).await.unwrap();
    assert_eq!(store.next_ready(at(-1)).await.unwrap(), Some(at(8)));
    store.claim(&Shares::of_each(1), at(8), at(50)).await.unwrap();
    assert_eq!(store.next_ready(at(-1)).await.unwrap(), Some(at(50)), "a lease that runs out is work, too");
    assert_eq!(store.next_ready(at(50)).await.unwrap(), Some(at(60)), "what was ready then is nothing new");
    assert_eq!(store.next_ready(at(60)).await.unwrap(), None);
}
