//! Reading events: one, a page, counts.

use std::cell::Cell;

use cartbridge::effect::EffectState;
use cartbridge::event::{EventId, NewEvent, Source, State, Subject};
use cartbridge::store::{EventFilter, Settlement, Store};
use futures::future::join_all;
use serde_json::json;

use super::given::{
    at, claimed, claims, counts_agree, dead, done, ended, event, listed, other_shop, outcome, read, settle,
    shop, stored, why,
};

pub(crate) async fn each_filter_lets_through_what_it_names(store: &dyn Store) {
    let dead = ended(store, event("msg_1", "customer:1"), dead()).await;
    let done = ended(store, NewEvent { received_at: at(10), ..event("msg_2", "customer:2") }, done()).await;
    let elsewhere =
        NewEvent { connection: other_shop(), received_at: at(20), ..event("msg_3", "customer:1") };
    let elsewhere = stored(store, elsewhere).await;
    let note = NewEvent { kind: "note.created".into(), received_at: at(30), ..event("msg_4", "customer:1") };
    let note = stored(store, note).await;

    let any = EventFilter::default;
    for (filter, expected) in [
        (any(), vec![note, elsewhere, done, dead]),
        (EventFilter { connection: Some(shop()), ..any() }, vec![note, done, dead]),
        (EventFilter { connection: Some("nobody".parse().unwrap()), ..any() }, vec![]),
        (EventFilter { state: Some(State::Dead), ..any() }, vec![dead]),
        (EventFilter { state: Some(State::Done), ..any() }, vec![done]),
        (EventFilter { state: Some(State::Pending), ..any() }, vec![note, elsewhere]),
        (EventFilter { state: Some(State::Parked), ..any() }, vec![]),
        (EventFilter { kind: Some("note.created".into()), ..any() }, vec![note]),
        (EventFilter { subject: Some(Subject::other("customer:1")), ..any() }, vec![note, elsewhere, dead]),
        (EventFilter { since: Some(at(10)), ..any() }, vec![note, elsewhere, done]),
        (EventFilter { until: Some(at(10)), ..any() }, vec![dead]),
    ] {
        assert_eq!(listed(store, &filter).await, expected, "{filter:?}");
    }
    let page = store.events(&any(), None, 10).await.unwrap();
    assert!(page.events.iter().all(|event| event.payload.is_empty()), "a list is without payloads");
    assert_eq!(page.events[1].connection, other_shop());
}

pub(crate) async fn filters_hold_together(store: &dyn Store) {
    for (second, connection, kind, subject) in [
        (1, shop(), "note.created", "customer:1"),
        (2, other_shop(), "note.created", "customer:1"),
        (3, shop(), "note.updated", "customer:1"),
        (4, shop(), "note.created", "customer:2"),
        (5, shop(), "note.created", "customer:1"),
        (6, shop(), "note.created", "customer:1"),
    ] {
        let source_id = format!("msg_{second}");
        let event =
            NewEvent { received_at: at(second), connection, kind: kind.into(), ..event(&source_id, subject) };
        stored(store, event).await;
    }
    let filter = EventFilter {
        connection: Some(shop()),
        state: Some(State::Pending),
        kind: Some("note.created".into()),
        subject: Some(Subject::other("customer:1")),
        since: Some(at(2)),
        until: Some(at(6)),
    };
    let page = store.events(&filter, None, 10).await.unwrap();
    assert_eq!(page.events.iter().map(|event| event.source_id.as_str()).collect::<Vec<_>>(), ["msg_5"]);
}

/// Reads page after page.
async fn paged(store: &dyn Store, filter: &EventFilter, limit: usize) -> Vec<Vec<EventId>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.events(filter, cursor, limit).await.unwrap();
        pages.push(page.events.iter().map(|event| event.id).collect());
        cursor = page.next;
        if cursor.is_none() {
            return pages;
        }
    }
}

pub(crate) async fn pages_follow_each_other_to_the_end(store: &dyn Store) {
    for number in 0..7 {
        stored(store, event(&format!("msg_{number}"), &format!("customer:{number}"))).await;
        let other = NewEvent { connection: other_shop(), ..event(&format!("msg_{number}"), "customer:1") };
        stored(store, other).await;
    }
    let ours = EventFilter { connection: Some(shop()), ..EventFilter::default() };
    let all = listed(store, &ours).await;
    assert_eq!(all.len(), 7);
    for (limit, sizes) in [(3, vec![3, 3, 1]), (7, vec![7]), (6, vec![6, 1]), (1, vec![1; 7])] {
        let pages = paged(store, &ours, limit).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "no empty page at the end");
        assert_eq!(pages.concat(), all, "each event once, newest first");
    }
}

pub(crate) async fn new_events_do_not_shift_a_page(store: &dyn Store) {
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(stored(store, event(&format!("msg_{number}"), "customer:1")).await);
    }
    let first = store.events(&EventFilter::default(), None, 2).await.unwrap();
    stored(store, event("msg_9", "customer:1")).await;
    let second = store.events(&EventFilter::default(), first.next, 2).await.unwrap();
    assert_eq!(second.events.iter().map(|event| event.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
}

pub(crate) async fn counts_agree_with_lists_after_every_change(store: &dyn Store) {
    counts_agree(store, "empty").await;
    for number in 0..4 {
        for subject in ["customer:1", "customer:2", "customer:3"] {
            stored(store, event(&format!("{subject} {number}"), subject)).await;
        }
        counts_agree(store, "appended").await;
    }
    stored(store, NewEvent { ignored: true, ..event("ignored", "customer:1") }).await;
    store.append(event("held", "customer:4"), at(50)).await.unwrap();
    store.append(event("held", "customer:4"), at(50)).await.unwrap();
    counts_agree(store, "held, and a duplicate").await;

    let waiting = |counts| Settlement::Waiting { at: at(1), reason: why("later"), counts };
    let parked = || Settlement::Parked { reason: why("needs a token"), until: None };
    for settlement in [Settlement::Released, waiting(true), done(), dead(), parked()] {
        for claim in claims(store, at(1)).await {
            counts_agree(store, "claimed").await;
            let update = outcome("contact", EffectState::Done, json!({}), &[201]);
            store.record_effect(&claim.lane, claim.head.seq, update, Vec::new()).await.unwrap();
            settle(store, &claim, settlement.clone(), at(1)).await;
            counts_agree(store, &format!("{settlement:?}")).await;
        }
    }
    for (index, state) in [State::Dead, State::Done, State::Parked, State::Ignored].into_iter().enumerate() {
        let filter = EventFilter { state: Some(state), ..EventFilter::default() };
        for id in listed(store, &filter).await {
            store.replay(id, index % 2 == 1, at(2)).await.unwrap();
            counts_agree(store, &format!("{state} replayed")).await;
        }
    }
    store.unpark(&shop(), at(3)).await.unwrap();
    counts_agree(store, "unparked").await;
    assert!(!claims(store, at(60)).await.is_empty());
    store.release_leases(at(60)).await.unwrap();
    counts_agree(store, "leases given back").await;
    loop {
        let claims = claims(store, at(70)).await;
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            let folded = claim.followers.iter().map(|follower| follower.seq).step_by(2).collect();
            store.settle(&claim.lane, &claim.head, folded, done(), at(70)).await.unwrap();
            counts_agree(store, "folded").await;
        }
    }
    let open: u64 =
        store.counts().await.unwrap().iter().filter(|(state, _)| state.is_open()).map(|(_, n)| n).sum();
    assert_eq!(open, 0);
}

pub(crate) async fn counts_are_of_one_moment(store: &dyn Store) {
    for number in 0..20 {
        stored(store, event(&format!("msg_{number}"), &format!("customer:{number}"))).await;
    }
    let working = Cell::new(true);
    let work = async {
        for _ in 0..100 {
            let claims = claims(store, at(1)).await;
            join_all(claims.iter().map(|claim| settle(store, claim, Settlement::Released, at(1)))).await;
        }
        working.set(false);
    };
    let look = async || {
        while working.get() {
            let counts = store.counts().await.unwrap();
            let open: u64 = counts.iter().filter(|(state, _)| state.is_open()).map(|(_, count)| count).sum();
            assert_eq!(open, 20, "none is lost from sight between two states: {counts:?}");
        }
    };
    tokio::join!(work, join_all((0..8).map(|_| look())));
}

pub(crate) async fn an_unknown_event_is_none(store: &dyn Store) {
    assert!(store.event(EventId::new()).await.unwrap().is_none());
    assert_eq!(store.known(&shop(), Source::Cscart, "msg_1").await.unwrap(), None);
    let id = stored(store, event("msg_1", "customer:1")).await;
    claimed(store, at(0)).await;
    assert_eq!(read(store, id).await.state, State::Working);
}
