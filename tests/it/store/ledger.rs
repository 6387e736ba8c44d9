//! The effect ledger.

use cartbridge::effect::{Effect, EffectState};
use cartbridge::store::{Claim, LinkChange, Settlement, Store};
use serde_json::{Value, json};

use super::given::{at, claimed, event, outcome, settle, step, stored, why};
use super::links::link;
use cartbridge::link::Customer;

async fn ledger(store: &dyn Store, claim: &Claim) -> Vec<Effect> {
    store.event(claim.head.id).await.unwrap().unwrap().1
}

async fn begun(store: &dyn Store, claim: &Claim, name: &str, second: i64) {
    store
        .begin_effect(&claim.lane, claim.head.seq, &step(name), "ghl.contact.create", None, at(second))
        .await
        .unwrap();
}

async fn recorded(
    store: &dyn Store,
    claim: &Claim,
    name: &str,
    state: EffectState,
    result: Value,
    statuses: &[u16],
) {
    let update = outcome(name, state, result, statuses);
    store.record_effect(&claim.lane, claim.head.seq, update, Vec::new()).await.unwrap();
}

pub(crate) async fn an_effect_about_to_be_sent_is_on_record_before_it_is_sent(store: &dyn Store) {
    stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(0)).await;
    begun(store, &claim, "contact", 1).await;
    // The process ends here. Whoever claims the lane next sees that a call may be on its way.
    store.release_leases(at(2)).await.unwrap();
    let claim = claimed(store, at(2)).await;
    let effect = &claim.effects[0];
    assert_eq!((effect.key.clone(), effect.operation.as_str()), (step("contact"), "ghl.contact.create"));
    assert_eq!(effect.state, EffectState::Sending);
    assert_eq!((effect.sending_since, effect.sending_at), (Some(at(1)), Some(at(1))));
    assert!(effect.result.is_null() && effect.attempts.is_empty());
}

pub(crate) async fn a_retry_keeps_the_time_of_the_first_open_call(store: &dyn Store) {
    stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(0)).await;
    begun(store, &claim, "contact", 1).await;
    recorded(store, &claim, "contact", EffectState::Sending, Value::Null, &[500]).await;
    settle(store, &claim, Settlement::Waiting { at: at(5), reason: why("500"), counts: true }, at(2)).await;
    let claim = claimed(store, at(5)).await;
    assert_eq!(claim.effects[0].sending_since, Some(at(1)), "after a try of unknown outcome");
    begun(store, &claim, "contact", 6).await;
    let effect = &ledger(store, &claim).await[0];
    assert_eq!((effect.sending_since, effect.sending_at), (Some(at(1)), Some(at(6))));
    assert_eq!(effect.attempts.len(), 1, "what was tried stays on record");
}

pub(crate) async fn an_outcome_closes_what_was_open(store: &dyn Store) {
    stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(0)).await;
    for (name, state) in [
        ("done", EffectState::Done),
        ("skipped", EffectState::Skipped),
        ("failed", EffectState::Failed),
        ("planned", EffectState::Planned),
    ] {
        begun(store, &claim, name, 1).await;
        recorded(store, &claim, name, state, json!({ "contact_id": "c1" }), &[201]).await;
        let effect = ledger(store, &claim).await.pop().unwrap();
        assert_eq!((effect.state, effect.sending_since), (state, None), "{name}");
        assert_eq!(effect.result, json!({ "contact_id": "c1" }));
    }
    // A call after that is the first one that is open.
    begun(store, &claim, "failed", 9).await;
    let ledger = ledger(store, &claim).await;
    assert_eq!((ledger[2].state, ledger[2].sending_since), (EffectState::Sending, Some(at(9))));
}

pub(crate) async fn attempts_are_appended(store: &dyn Store) {
    stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(0)).await;
    begun(store, &claim, "contact", 1).await;
    recorded(store, &claim, "contact", EffectState::Sending, Value::Null, &[503, 429]).await;
    recorded(store, &claim, "contact", EffectState::Sending, Value::Null, &[]).await;
    recorded(store, &claim, "contact", EffectState::Done, json!({ "contact_id": "c1" }), &[201]).await;
    let effect = &ledger(store, &claim).await[0];
    assert_eq!(
        effect.attempts.iter().map(|attempt| attempt.status).collect::<Vec<_>>(),
        [Some(503), Some(429), Some(201)]
    );
    let first = &effect.attempts[0];
    assert_eq!((first.at, first.ms), (at(1), 84));
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/contacts/"));
    assert_eq!(first.request, Some(json!({ "email": "ada@example.com" })));
    assert_eq!((first.response.as_deref(), first.error.as_deref()), (Some("{}"), Some("refused")));
}

pub(crate) async fn effects_are_listed_in_the_order_in_which_they_were_begun(store: &dyn Store) {
    stored(store, event("msg_1", "customer:1")).await;
    let claim = claimed(store, at(0)).await;
    begun(store, &claim, "zuerst", 1).await;
    recorded(store, &claim, "middle", EffectState::Skipped, json!({ "reason": "nothing to do" }), &[]).await;
    begun(store, &claim, "at-last", 2).await;
    recorded(store, &claim, "zuerst", EffectState::Done, json!({}), &[201]).await;
    let names: Vec<String> = ledger(store, &claim).await.into_iter().map(|effect| effect.key.step).collect();
    assert_eq!(names, ["zuerst", "middle", "at-last"]);
}

pub(crate) async fn an_effect_and_its_links_are_written_together_or_not_at_all(store: &dyn Store) {
    stored(store, event("msg_1", "customer:1")).await;
    let old = claimed(store, at(0)).await;
    let new = claimed(store, at(100)).await;
    let links = || vec![LinkChange::Put(link(Customer::User(1), "c1"))];
    let update = || outcome("contact", EffectState::Done, json!({ "contact_id": "c1" }), &[201]);
    let customer = Customer::User(1);

    store.record_effect(&old.lane, old.head.seq, update(), links()).await.unwrap_err();
    assert!(store.link(&new.lane.connection, &customer).await.unwrap().is_none());
    assert!(ledger(store, &new).await.is_empty());

    store.record_effect(&new.lane, new.head.seq, update(), links()).await.unwrap();
    assert_eq!(store.link(&new.lane.connection, &customer).await.unwrap().unwrap().contact_id.as_str(), "c1");
    assert_eq!(ledger(store, &new).await.len(), 1);
}
