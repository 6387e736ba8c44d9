//! Append if new.

use cartbridge::event::{EventId, NewEvent, Source, State};
use cartbridge::store::{Error, EventFilter, Store};
use futures::future::join_all;

use super::given::{at, claims, counts_agree, done, ended, event, listed, other_shop, read, shop, stored};

pub(crate) async fn a_new_event_reads_back_as_it_was_given(store: &dyn Store) {
    let first = stored(store, event("msg_0", "customer:1")).await;
    let new = NewEvent { replayed_from: Some(first), forced: true, ..event("msg_1", "customer:42") };
    let appended = store.append(new.clone(), new.received_at).await.unwrap();
    assert_eq!((appended.id, appended.duplicate), (new.id, false));

    let kept = read(store, new.id).await;
    assert_eq!(kept.id, new.id);
    assert_eq!(kept.connection, new.connection);
    assert_eq!(kept.source, new.source);
    assert_eq!(kept.source_id, new.source_id);
    assert_eq!(kept.kind, new.kind);
    assert_eq!(kept.subject, new.subject);
    assert_eq!(kept.received_at, new.received_at, "to the millisecond");
    assert_eq!(kept.occurred_at, new.occurred_at);
    assert_eq!(kept.payload, new.payload);
    assert_eq!(kept.replayed_from, Some(first));
    assert!(kept.forced);
    assert_eq!((kept.state, kept.state_reason, kept.next_attempt_at), (State::Pending, None, None));
    assert_eq!((kept.tries, kept.folded_into), (0, None));
    assert!(kept.seq > read(store, first).await.seq, "the order of receipt");
}

pub(crate) async fn a_payload_is_kept_byte_for_byte(store: &dyn Store) {
    let mut payload: Vec<u8> = (0..=255).collect();
    payload.resize(1024 * 1024, 0);
    let id = stored(store, NewEvent { payload: payload.clone(), ..event("msg_1", "customer:1") }).await;
    let kept = read(store, id).await;
    assert!(kept.payload == payload);
    assert!(store.payload(kept.seq).await.unwrap() == payload);
}

pub(crate) async fn a_repeated_delivery_is_a_duplicate_with_the_first_id(store: &dyn Store) {
    let first = stored(store, event("msg_1", "customer:1")).await;
    assert_eq!(store.known(&shop(), Source::Cscart, "msg_1").await.unwrap(), Some(first));
    assert_eq!(store.known(&shop(), Source::Cscart, "msg_2").await.unwrap(), None);

    let changed = NewEvent { payload: b"other".to_vec(), ..event("msg_1", "customer:2") };
    let again = store.append(changed.clone(), at(5)).await.unwrap();
    assert_eq!((again.id, again.duplicate), (first, true));
    assert_eq!(read(store, first).await.payload, b"{\"of\":\"msg_1\"}", "an event never changes");
    assert!(store.event(changed.id).await.unwrap().is_none());
    assert_eq!(claims(store, at(10)).await.len(), 1, "a duplicate opens no lane");
}

pub(crate) async fn a_repeated_delivery_is_a_duplicate_however_far_the_first_has_come(store: &dyn Store) {
    let first = ended(store, event("msg_1", "customer:1"), done()).await;
    let again = store.append(event("msg_1", "customer:1"), at(5)).await.unwrap();
    assert_eq!((again.id, again.duplicate), (first, true));
    assert!(claims(store, at(10)).await.is_empty(), "what is done is not done again");
}

pub(crate) async fn the_same_id_from_another_connection_or_side_is_another_event(store: &dyn Store) {
    let first = stored(store, event("msg_1", "customer:1")).await;
    let elsewhere = NewEvent { connection: other_shop(), ..event("msg_1", "customer:1") };
    let elsewhere = stored(store, elsewhere).await;
    let opposite = stored(store, NewEvent { source: Source::Ghl, ..event("msg_1", "contact:1") }).await;
    assert_eq!(store.known(&other_shop(), Source::Cscart, "msg_1").await.unwrap(), Some(elsewhere));
    assert_eq!(store.known(&shop(), Source::Ghl, "msg_1").await.unwrap(), Some(opposite));
    assert_eq!(listed(store, &EventFilter::default()).await, [opposite, elsewhere, first]);
}

pub(crate) async fn one_delivery_a_hundred_times_at_once_is_one_event(store: &dyn Store) {
    let answers = join_all((0..100).map(|_| store.append(event("msg_1", "customer:1"), at(0)))).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| !answer.duplicate).count(), 1);
    assert!(answers.iter().all(|answer| answer.id == answers[0].id));
    assert_eq!(listed(store, &EventFilter::default()).await, [answers[0].id]);
}

pub(crate) async fn an_event_that_nothing_handles_is_kept_and_never_claimed(store: &dyn Store) {
    let id = stored(store, NewEvent { ignored: true, ..event("msg_1", "customer:1") }).await;
    let kept = read(store, id).await;
    assert_eq!(kept.state, State::Ignored);
    assert!(kept.state_reason.is_some(), "and it says why");
    assert!(claims(store, at(10)).await.is_empty());
    assert_eq!(store.next_ready(at(-1)).await.unwrap(), None);
    counts_agree(store, "ignored at once").await;
}

pub(crate) async fn a_refused_write_takes_none_of_its_neighbours_with_it(store: &dyn Store) {
    // At once, so that a store that groups its writes has good and bad ones in one group.
    let writes = (0..60).map(async |number: usize| {
        if number % 7 == 3 {
            assert!(matches!(store.replay(EventId::new(), false, at(0)).await, Err(Error::NotFound(_))));
            None
        } else {
            let event = event(&format!("msg_{number}"), &format!("customer:{number}"));
            Some(store.append(event, at(0)).await.unwrap().id)
        }
    });
    let mut kept: Vec<EventId> = join_all(writes).await.into_iter().flatten().collect();
    let mut found = listed(store, &EventFilter::default()).await;
    kept.sort();
    found.sort();
    assert_eq!(found, kept, "each that was acknowledged is there, once");
}
