//! What the promises start from, and what they ask again and again.

use std::fmt::Debug;

use cartbridge::connection::{Connection, ConnectionName};
use cartbridge::effect::{Attempt, EffectState, StepKey};
use cartbridge::event::{Event, EventId, NewEvent, Source, State, Subject};
use cartbridge::reason::{Code, Reason};
use cartbridge::store::{Claim, EffectUpdate, EventFilter, Settlement, Shares, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A time: so many seconds after noon of the day of all tests.
pub(super) fn at(second: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-24T12:00:00.123Z".parse().unwrap();
    noon + SignedDuration::from_secs(second)
}

/// The connection of most tests.
pub(super) fn shop() -> ConnectionName {
    "my-shop".parse().unwrap()
}

/// Another connection.
pub(super) fn other_shop() -> ConnectionName {
    "other-shop".parse().unwrap()
}

/// An event of the first connection, received at noon.
pub(super) fn event(source_id: &str, subject: &str) -> NewEvent {
    NewEvent {
        id: EventId::new(),
        connection: shop(),
        source: Source::Cscart,
        source_id: source_id.into(),
        kind: "customer.updated".into(),
        subject: Subject::other(subject),
        received_at: at(0),
        occurred_at: at(-1),
        payload: format!("{{\"of\":\"{source_id}\"}}").into_bytes(),
        replayed_from: None,
        forced: false,
        ignored: false,
    }
}

/// Stores an event that is ready when it is received.
pub(super) async fn stored(store: &dyn Store, event: NewEvent) -> EventId {
    let received_at = event.received_at;
    let appended = store.append(event, received_at).await.unwrap();
    assert!(!appended.duplicate);
    appended.id
}

/// Claims everything that is ready at a time, for a minute.
pub(super) async fn claims(store: &dyn Store, now: Timestamp) -> Vec<Claim> {
    store.claim(&Shares::of_each(100), now, now + SignedDuration::from_mins(1)).await.unwrap()
}

/// Claims the only lane that is ready at a time.
pub(super) async fn claimed(store: &dyn Store, now: Timestamp) -> Claim {
    let mut claims = claims(store, now).await;
    assert_eq!(claims.len(), 1, "{claims:#?}");
    claims.remove(0)
}

/// Ends the work on a claim.
pub(super) async fn settle(store: &dyn Store, claim: &Claim, settlement: Settlement, now: Timestamp) {
    store.settle(&claim.lane, &claim.head, Vec::new(), settlement, now).await.unwrap();
}

/// Everything is done, and there is nothing to say about it.
pub(super) fn done() -> Settlement {
    Settlement::Done { reason: None }
}

/// Why an event is not done, in these words.
pub(super) fn why(text: &str) -> Reason {
    Reason::new(Code::HighlevelUnavailable, text)
}

/// Waits for a person.
pub(super) fn dead() -> Settlement {
    Settlement::Dead { reason: why("mend it") }
}

/// Stores an event and brings it to an end at once.
pub(super) async fn ended(store: &dyn Store, event: NewEvent, settlement: Settlement) -> EventId {
    let now = event.received_at;
    let id = stored(store, event).await;
    let claim = claimed(store, now).await;
    assert_eq!(claim.head.id, id);
    settle(store, &claim, settlement, now).await;
    id
}

/// An event as it is stored.
pub(super) async fn read(store: &dyn Store, id: EventId) -> Event {
    store.event(id).await.unwrap().unwrap().0
}

/// How far an event has come.
pub(super) async fn state(store: &dyn Store, id: EventId) -> State {
    read(store, id).await.state
}

/// The ids of all events that pass a filter, newest first.
pub(super) async fn listed(store: &dyn Store, filter: &EventFilter) -> Vec<EventId> {
    let page = store.events(filter, None, 10_000).await.unwrap();
    assert_eq!(page.next, None);
    page.events.iter().map(|event| event.id).collect()
}

/// That the counts are what the lists show.
pub(super) async fn counts_agree(store: &dyn Store, after: &str) {
    let counts = store.counts().await.unwrap();
    assert_eq!(
        counts.iter().map(|(state, _)| *state).collect::<Vec<_>>(),
        State::ALL,
        "every state is counted"
    );
    for (state, count) in counts {
        let filter = EventFilter { state: Some(state), ..EventFilter::default() };
        assert_eq!(count, listed(store, &filter).await.len() as u64, "{state}, {after}");
    }
}

/// A step of a route.
pub(super) fn step(name: &str) -> StepKey {
    StepKey { route: "customer-to-contact".into(), step: name.into() }
}

/// What became of a step.
pub(super) fn outcome(name: &str, state: EffectState, result: Value, statuses: &[u16]) -> EffectUpdate {
    EffectUpdate {
        key: step(name),
        operation: "ghl.contact.create".into(),
        state,
        result,
        attempts: statuses.iter().map(|status| attempt(*status)).collect(),
        version: None,
        timer: None,
    }
}

fn attempt(status: u16) -> Attempt {
    Attempt {
        at: at(1),
        ms: 84,
        method: "POST".into(),
        path: "/contacts/".into(),
        request: Some(json!({ "email": "ada@example.com" })),
        status: Some(status),
        response: Some("{}".into()),
        error: (status >= 400).then(|| "refused".into()),
    }
}

/// A connection with every secret that there is.
pub(super) fn connection(name: &str) -> Connection {
    serde_json::from_value(json!({
        "name": name,
        "ghl": {
            "location_id": format!("loc-{name}"),
            "token": format!("pit-{name}"),
            "oauth": { "client_id": "id", "client_secret": format!("oauth-{name}") },
            "requests_per_window": 50,
        },
        "cscart": {
            "url": "https://shop.example.com", "email": "admin@example.com", "api_key": format!("key-{name}"),
            "webhook_secrets": ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        },
        "settings": { "customer_tags": ["vip"], "default_country": "US" },
    }))
    .unwrap()
}

/// That two values look the same to the last field.
#[track_caller]
pub(super) fn same(one: &impl Debug, other: &impl Debug) {
    assert_eq!(format!("{one:#?}"), format!("{other:#?}"));
}
