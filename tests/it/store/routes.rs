//! Routes: which texts they have had, and which of them ran how often.

use cartbridge::effect::{EffectState, StepKey};
use cartbridge::event::{NewEvent, Source};
use cartbridge::store::{EffectUpdate, RouteVersion, Store};
use serde_json::json;

use super::given::{at, claimed, done, event, other_shop, outcome, read, settle, step, stored};

fn version(route: &str, version: &str, second: i64) -> RouteVersion {
    RouteVersion {
        route: route.into(),
        version: version.into(),
        text: format!("# {version}\n"),
        first_seen_at: at(second),
    }
}

pub(crate) async fn a_route_keeps_all_its_texts_and_when_each_was_new(store: &dyn Store) {
    let (old, new, other) =
        (version("tag", "aaaa", 1), version("tag", "bbbb", 2), version("note", "cccc", 1));
    store.put_route_versions(vec![old.clone(), other.clone()]).await.unwrap();
    // The old text comes back: it is no new one.
    store.put_route_versions(vec![new.clone(), version("tag", "aaaa", 3)]).await.unwrap();
    assert_eq!(store.route_versions("tag").await.unwrap(), [new, old]);
    assert_eq!(store.route_versions("note").await.unwrap(), [other]);
    assert_eq!(store.route_versions("none").await.unwrap(), []);
}

pub(crate) async fn an_effect_names_the_version_that_it_was_carried_out_with(store: &dyn Store) {
    let id = stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(0)).await;
    let with = |step: &str, state, version: Option<&str>| EffectUpdate {
        version: version.map(str::to_owned),
        ..outcome(step, state, json!({}), &[])
    };
    let (lane, seq) = (&claim.lane, claim.head.seq);
    for update in [
        with("old", EffectState::Done, None),
        with("tried-again", EffectState::Planned, Some("aaaa")),
        with("tried-again", EffectState::Done, Some("bbbb")),
    ] {
        store.record_effect(lane, seq, update, Vec::new()).await.unwrap();
    }
    // What is about to be sent is so by this version, whatever becomes of it.
    store.begin_effect(lane, seq, &step("sent"), "ghl.contact.create", Some("aaaa"), at(0)).await.unwrap();
    store
        .begin_effect(lane, seq, &step("tried-again"), "ghl.contact.create", Some("cccc"), at(0))
        .await
        .unwrap();
    let begun = store.event(id).await.unwrap().unwrap().1;
    let by = |name: &str| {
        let effect = begun.iter().find(|effect| effect.key == step(name)).unwrap();
        (effect.state, effect.version.clone())
    };
    assert_eq!(by("sent"), (EffectState::Sending, Some("aaaa".to_owned())));
    assert_eq!(by("tried-again"), (EffectState::Sending, Some("cccc".to_owned())));
    for name in ["sent", "tried-again"] {
        store
            .record_effect(lane, seq, with(name, EffectState::Done, Some("bbbb")), Vec::new())
            .await
            .unwrap();
    }
    let versions = |effects: Vec<cartbridge::effect::Effect>| {
        effects.into_iter().map(|effect| effect.version).collect::<Vec<_>>()
    };
    let expected = [None, Some("bbbb".to_owned()), Some("bbbb".to_owned())];
    assert_eq!(versions(store.event(id).await.unwrap().unwrap().1), expected);
    settle(store, &claim, done(), at(1)).await;
    let again = store.replay(id, false, at(2)).await.unwrap();
    assert_eq!(
        versions(store.event(again).await.unwrap().unwrap().1),
        expected,
        "what is taken over says so, too"
    );
}

/// An event of a subject at a second, for which a route has come so far.
async fn run(store: &dyn Store, of: NewEvent, second: i64, route: &str, state: EffectState) {
    let id = stored(store, NewEvent { received_at: at(second), ..of }).await;
    let claim = claimed(store, at(second)).await;
    assert_eq!(claim.head.id, id);
    let key = StepKey { route: route.into(), step: "tag".into() };
    let update = EffectUpdate { key, ..outcome("tag", state, json!({}), &[200]) };
    store.record_effect(&claim.lane, claim.head.seq, update, Vec::new()).await.unwrap();
    settle(store, &claim, done(), at(second)).await;
}

pub(crate) async fn the_runs_of_a_route_are_counted_by_subject_side_and_time(store: &dyn Store) {
    let ghl = |id: &str, subject: &str| NewEvent { source: Source::Ghl, ..event(id, subject) };
    run(store, ghl("1", "contact:a"), 10, "tag", EffectState::Done).await;
    run(store, ghl("2", "contact:a"), 20, "tag", EffectState::Done).await;
    run(store, ghl("3", "contact:a"), 30, "tag", EffectState::Done).await;
    // None of these is one more of the same.
    run(store, ghl("4", "contact:a"), 31, "note", EffectState::Done).await;
    run(store, ghl("5", "contact:a"), 32, "tag", EffectState::Skipped).await;
    run(store, ghl("6", "contact:b"), 33, "tag", EffectState::Done).await;
    run(store, event("7", "contact:a"), 34, "tag", EffectState::Done).await;
    run(store, NewEvent { connection: other_shop(), ..ghl("8", "contact:a") }, 35, "tag", EffectState::Done)
        .await;
    run(store, ghl("10", "contact:c"), 39, "tag", EffectState::Done).await;
    let id = stored(store, NewEvent { received_at: at(40), ..ghl("9", "contact:a") }).await;
    let now = read(store, id).await;
    for (since, runs) in [(0, 3), (10, 3), (11, 2), (30, 1), (31, 0)] {
        assert_eq!(store.runs_of_route(&now, "tag", at(since)).await.unwrap(), runs, "since {since}");
    }
    assert_eq!(store.runs_of_route(&now, "note", at(0)).await.unwrap(), 1);
}
