//! One step on its way through the ledger.

use std::time::Duration;

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::calls::permit;
use super::verdict::Verdict;
use super::work::Work;
use crate::clock::after;
use crate::effect::{Attempt, Effect, EffectState, StepKey};
use crate::permit::Permit;
use crate::restore::Restore;
use crate::store::{EffectUpdate, LinkChange};
use crate::timer::Timer;

/// A step that is being carried out, with the exchanges made for it since it was last written down.
pub(super) struct Step {
    key: StepKey,
    operation: String,
    attempts: Vec<Attempt>,
    /// Since when, and when last, a create of unknown outcome was sent; none: nothing that could have made something.
    open: Option<Open>,
    /// A call may leave, which was not made yet.
    permit: Option<Permit>,
    /// No other step of the event comes after it.
    last: bool,
    /// When a person was told, since it was last sent, that it may have been done.
    told_at: Option<Timestamp>,
    /// What it gave, once that is written down.
    outcome: Option<Value>,
}

/// The mark in the ledger of a step that was left out.
const LEFT_OUT: &str = "left_out";

/// The mark in the ledger of when a person was told that a step may have been done.
const TOLD_AT: &str = "told_at";

/// A create whose outcome is not known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    /// When it was first sent: what is older is not of its making.
    pub(super) since: Timestamp,
    /// When it was last about to be sent.
    pub(super) last: Timestamp,
    /// When that call ended without a word on what became of it; none: nobody was left to see it end.
    pub(super) ended: Option<Timestamp>,
    /// The ledger has it; otherwise it may have been sent in a time that the database does not know.
    pub(super) is_known: bool,
}

impl Open {
    fn from_ledger(effect: &Effect) -> Option<Self> {
        let since = effect.sending_since?;
        let last = effect.sending_at.unwrap_or(since);
        // The first exchange after that is the create itself; those behind it looked for what it had made.
        let create = effect.attempts.iter().find(|attempt| attempt.at >= last && attempt.method == "POST");
        let ended = create.map(|create| after(create.at, Duration::from_millis(create.ms + 1)));
        Some(Self { since, last, ended, is_known: true })
    }
}

impl Step {
    /// The step, with what the ledger knows of it.
    pub(super) fn new(key: StepKey, operation: &str, effect: Option<&Effect>, last: bool) -> Self {
        Self {
            key,
            operation: operation.to_owned(),
            attempts: Vec::new(),
            open: effect.and_then(Open::from_ledger),
            permit: None,
            last,
            told_at: effect.and_then(told_at),
            outcome: None,
        }
    }

    /// What it gave, as the ledger keeps it; nothing as long as it is not done.
    pub(super) fn outcome(self) -> Option<Value> {
        self.outcome
    }

    /// Whether a person was told, since it was last sent, that it may have been done.
    pub(super) fn is_told(&self) -> bool {
        self.told_at.is_some()
    }

    /// A person is told, with why it failed, that it may have been done: the next replay does it again.
    pub(super) fn tell(&mut self, now: Timestamp) {
        self.told_at = Some(now);
    }

    /// The step's name, for keys of links.
    pub(super) fn key(&self) -> &StepKey {
        &self.key
    }

    /// The create whose outcome is not known, if there is one.
    pub(super) fn open(&self) -> Option<Open> {
        self.open
    }

    /// It may have been sent before the database was restored: to be looked for like any other of unknown outcome.
    pub(super) fn doubt(&mut self, restore: Restore) {
        let since = restore.lost_since.unwrap_or(Timestamp::MIN);
        let until = restore.lost_until;
        let doubted = Open { since, last: until, ended: Some(until), is_known: false };
        self.open.get_or_insert(doubted);
    }

    /// Says what is really being done: saving a contact may create or update.
    pub(super) fn operation(&mut self, operation: &str) {
        operation.clone_into(&mut self.operation);
    }

    /// Keeps an exchange for the record.
    pub(super) fn attempt(&mut self, attempt: Attempt) {
        self.attempts.push(attempt);
    }

    /// Writes down, durably, that a call is about to be sent which must not be sent twice. Whatever it has to wait for, it
    /// waits for before: between this and the call the lane must not change hands.
    pub(super) async fn begin(&mut self, work: &Work<'_>) -> Result<(), Verdict> {
        if self.permit.is_none() {
            self.permit = Some(permit(work).await?);
        }
        let now = work.engine.clock.now();
        let store = &work.engine.store;
        let version = self.version(work);
        store
            .begin_effect(&work.claim.lane, work.event().seq, &self.key, &self.operation, version, now)
            .await?;
        let since = self.open.map_or(now, |open| open.since);
        self.open = Some(Open { since, last: now, ended: None, is_known: true });
        self.told_at = None;
        Ok(())
    }

    /// What lets a call leave without waiting, if that was waited for before; it is good for one.
    pub(super) fn use_permit(&mut self) -> Option<Permit> {
        self.permit.take()
    }

    /// The last call has certainly made nothing: the next try need not look first.
    pub(super) fn nothing_made(&mut self) {
        self.open = None;
    }

    /// Writes down what was done, with the links that it changed.
    pub(super) async fn done(
        &mut self,
        work: &Work<'_>,
        result: Value,
        links: Vec<LinkChange>,
    ) -> Result<(), Verdict> {
        self.record(work, EffectState::Done, result, links, None).await
    }

    /// Writes down that the rest of its route waits, with the timer that goes on with it.
    pub(super) async fn waits(
        &mut self,
        work: &Work<'_>,
        result: Value,
        timer: Option<Timer>,
    ) -> Result<(), Verdict> {
        self.record(work, EffectState::Done, result, Vec::new(), timer).await
    }

    /// Writes down that it was refused, and that the event goes on without it.
    pub(super) async fn leave_out(&mut self, work: &Work<'_>, reason: &str) -> Result<(), Verdict> {
        let result = json!({ "reason": reason, LEFT_OUT: true });
        self.record(work, EffectState::Failed, result, Vec::new(), None).await
    }

    /// Writes down that nothing had to be done.
    pub(super) async fn skip(&mut self, work: &Work<'_>, why: &str) -> Result<(), Verdict> {
        self.record(work, EffectState::Skipped, json!({ "reason": why }), Vec::new(), None).await
    }

    /// Writes down that nothing had to be sent, although the links have changed.
    pub(super) async fn done_without_call(
        &mut self,
        work: &Work<'_>,
        result: Value,
        links: Vec<LinkChange>,
    ) -> Result<(), Verdict> {
        self.record(work, EffectState::Skipped, result, links, None).await
    }

    /// Writes down the links that it has changed, though it is not done.
    pub(super) async fn keep(&mut self, work: &Work<'_>, links: Vec<LinkChange>) -> Result<(), Verdict> {
        self.record(work, EffectState::Planned, json!({}), links, None).await
    }

    /// Writes down why it was not done.
    pub(super) async fn fail(&mut self, work: &Work<'_>, verdict: &Verdict) -> Result<(), Verdict> {
        let (state, why) = match verdict {
            Verdict::Dead { reason } => (EffectState::Failed, Some(&reason.text)),
            Verdict::Retry { why: reason, .. }
            | Verdict::Park { reason }
            | Verdict::ParkUntil { reason, .. } => (EffectState::Planned, Some(&reason.text)),
            Verdict::Done { .. } | Verdict::Finished | Verdict::Ignored { .. } | Verdict::LeaseLost => {
                (EffectState::Planned, None)
            }
        };
        // As long as its outcome is open it stays `sending`, whatever else went wrong.
        let state = if self.open.is_some_and(|open| open.is_known) { EffectState::Sending } else { state };
        let mut result = json!({ "reason": why });
        if let Some(told_at) = self.told_at {
            result[TOLD_AT] = json!(told_at);
        }
        self.record(work, state, result, Vec::new(), None).await
    }

    /// Which text of its route it is carried out with.
    fn version<'a>(&self, work: &'a Work<'_>) -> Option<&'a str> {
        work.routes.route(&self.key.route).map(|route| route.version.as_str())
    }

    async fn record(
        &mut self,
        work: &Work<'_>,
        state: EffectState,
        result: Value,
        links: Vec<LinkChange>,
        timer: Option<Timer>,
    ) -> Result<(), Verdict> {
        let result = kept(result);
        let outcome = result.clone();
        let update = EffectUpdate {
            key: self.key.clone(),
            operation: self.operation.clone(),
            state,
            result,
            attempts: std::mem::take(&mut self.attempts),
            version: self.version(work).map(str::to_owned),
            timer,
        };
        let (store, lane, event) = (&work.engine.store, &work.claim.lane, work.event());
        let has_timer = update.timer.is_some();
        if self.last && matches!(state, EffectState::Done | EffectState::Skipped) {
            let now = work.engine.clock.now();
            store.finish(lane, event, update, links, work.folded.clone(), now).await?;
            work.finished.store(true, Ordering::Relaxed);
        } else {
            store.record_effect(lane, event.seq, update, links).await?;
        }
        if has_timer {
            work.engine.timer_put.notify_one();
        }
        if matches!(state, EffectState::Done | EffectState::Skipped | EffectState::Failed) {
            self.outcome = Some(outcome);
        }
        Ok(())
    }
}

/// Why a step was left out, if it was.
pub(super) fn left_out(effect: &Effect) -> Option<&str> {
    let is_left_out = effect.state == EffectState::Failed && effect.result[LEFT_OUT] == true;
    effect.result["reason"].as_str().filter(|_| is_left_out)
}

/// Beginning anew leaves the result as it is, so what was told counts only if nothing was sent since.
fn told_at(effect: &Effect) -> Option<Timestamp> {
    let told: Timestamp = effect.result.get(TOLD_AT)?.as_str()?.parse().ok()?;
    effect.sending_at.is_none_or(|sent| told >= sent).then_some(told)
}

/// The largest result that the ledger keeps whole, in bytes.
const LARGEST: usize = 64 * 1024;

/// A result as the ledger keeps it. Of one that is too large the ids are kept, and a word on it.
fn kept(result: Value) -> Value {
    let length = serde_json::to_vec(&result).map_or(0, |text| text.len());
    if length <= LARGEST {
        return result;
    }
    let mut ids = ids_of(&result);
    if let Value::Object(fields) = &result {
        let inner = fields.iter().map(|(name, value)| (name.clone(), ids_of(value)));
        let inner = inner.filter(|(_, ids)| !ids.is_empty());
        ids.extend(inner.map(|(name, ids)| (name, Value::Object(ids))).collect::<Vec<_>>());
    }
    let note = format!("the answer has {length} bytes: only its ids are kept");
    ids.insert("note".to_owned(), note.into());
    Value::Object(ids)
}

fn ids_of(value: &Value) -> Map<String, Value> {
    let is_id = |name: &str| name == "id" || name == "_id" || name.ends_with("Id") || name.ends_with("_id");
    let fields = value.as_object().into_iter().flatten();
    fields
        .filter(|(name, value)| {
            is_id(name) && (value.is_number() || value.as_str().is_some_and(|id| id.len() <= 128))
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_large_answer_the_ids_are_kept() {
        let small = json!({ "contact": { "id": "c1", "name": "Ada" } });
        assert_eq!(kept(small.clone()), small);
        let large = json!({
            "contact": { "id": "c1", "name": "x".repeat(LARGEST) }, "locationId": "l1", "list": [{ "id": "no" }],
        });
        let kept = kept(large);
        assert_eq!((&kept["contact"], &kept["locationId"]), (&json!({ "id": "c1" }), &json!("l1")));
        assert!(kept["note"].as_str().unwrap().contains("only its ids"), "{kept}");
    }
}
