//! One claim from plan to verdict: fold, know the customer, plan, carry out each step that is not done.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::ahead::{Ahead, Todo, mistake};
use super::operations;
use super::step::{self, Step};
use super::store_calls::in_clear;
use super::verdict::Verdict;
use super::whom::{self, Whom};
use super::work::Work;
use super::{Engine, guard, schedule, wait};
use crate::effect::{EffectState, StepKey};
use crate::event::{Event, Source};
use crate::flow::{self, Context, Continued, OnError, PlannedStep};
use crate::inbox::fold;
use crate::reason::Code;
use crate::registry::Live;
use crate::store::Claim;

/// Carries out a claim. `folded` receives the followers that went with the head.
pub(super) async fn carry_out(engine: &Engine, claim: &Claim, folded: &mut Vec<i64>) -> Verdict {
    match try_carry_out(engine, claim, folded).await {
        Ok(verdict) | Err(verdict) => verdict,
    }
}

async fn try_carry_out(engine: &Engine, claim: &Claim, folded: &mut Vec<i64>) -> Result<Verdict, Verdict> {
    let event = &claim.head;
    let live = usable(engine, event)?;
    let client = live.ghl.as_ref().ok_or_else(|| {
        let text = "HighLevel cannot be called: correct `ghl.api_url` of the connection";
        Verdict::park(Code::ConnectionUnusable, text)
    })?;
    engine.tokens.check(&live).await?;
    let fold = fold::fold(event, &claim.followers, &claim.effects);
    let payload = match fold.newest {
        Some(seq) => parse(&engine.store.payload(seq).await?)?,
        None => parse(&event.payload)?,
    };
    folded.clone_from(&fold.folded);
    // HighLevel's webhooks have no part of that name: all of one is what it tells.
    let payload = if event.source == Source::Ghl { json!({ "data": payload }) } else { payload };
    let continued = continued(event, &payload)?;

    let routes = engine.routes.of_connection(&live.connection);
    let Whom { payload, mapped, customer, registered_at, made_at, told_contact, link, guest, turn: _turn } =
        whom::know(engine, &live, event, payload, continued.as_ref(), &routes).await?;
    let routes = match schedule::route_of(event.source, &event.kind, &payload) {
        Some(route) => routes.only(route),
        None => routes,
    };
    let mut run = routes
        .begin(&Context {
            trigger: &event.trigger(),
            event_id: event.id.to_string(),
            occurred_at: fold.occurred_at,
            connection: &event.connection,
            settings: &live.connection.settings,
            store: payload.get("store").unwrap_or(&Value::Null),
            data: payload.get("data").unwrap_or(&Value::Null),
            contact: &mapped.contact,
            contact_id: link
                .as_ref()
                .map(|link| &link.contact_id)
                .or(told_contact.as_ref())
                .map(ghl::ContactId::as_str),
            today: schedule::day(fold.occurred_at, &live.zone),
            continued: continued.as_ref(),
        })
        .map_err(mistake)?;
    let mut work = Work {
        engine,
        live: &live,
        client,
        claim,
        routes: &routes,
        // What has waited shows the customer as he was then.
        occurred_at: continued.as_ref().map_or(fold.occurred_at, |then| then.occurred_at),
        customer,
        told_contact,
        contact: mapped.contact,
        registered_at,
        made_at,
        link,
        guest,
        problems: mapped.problems.iter().map(ToString::to_string).collect(),
        folded: fold.folded,
        finished: AtomicBool::new(false),
        leased_until_ms: AtomicI64::new(claim.lane.until.as_millisecond()),
    };
    let mut ahead = Ahead::default();
    let mut left_out = Vec::new();
    for effect in &claim.effects {
        if let Some(reason) = step::left_out(effect) {
            left_out.push(without(&effect.key, reason));
            run.done(&effect.key, &effect.result);
        } else if matches!(effect.state, EffectState::Done | EffectState::Skipped) {
            run.done(&effect.key, &effect.result);
        }
    }
    ahead.look(&mut run);
    if ahead.is_empty() && ahead.ended && ahead.failed.is_none() && !run.has_results() {
        return Ok(match ahead.skipped {
            Some(why) => Verdict::Done { reason: Some(format!("nothing to do: {why}")) },
            None => Verdict::Ignored { reason: "no route handles this type".into() },
        });
    }
    let mut begun: BTreeSet<String> = claim.effects.iter().map(|effect| effect.key.route.clone()).collect();
    let mut lacking = None;
    while let Some(next) = ahead.next(&mut run) {
        let last = lacking.is_none() && left_out.is_empty() && ahead.is_over();
        // What has begun is brought to its end.
        if begun.insert(next.route().to_owned()) {
            guard::check(engine, event, next.route()).await?;
        }
        match next {
            Todo::Step(planned) => {
                let needed = planned.operation.scopes();
                // What only reads need not wait for what may not be written, unless there is nobody yet to read.
                if lacking.is_some() && (work.link.is_none() || !planned.operation.only_reads()) {
                    continue;
                }
                let missing = engine.tokens.missing(&live, &needed).await?;
                if !missing.is_empty() {
                    lacking.get_or_insert(missing);
                    continue;
                }
                let key = planned.key.clone();
                let result = match carry_out_step(&mut work, planned, last).await? {
                    Outcome::Done(result) => result,
                    Outcome::LeftOut(reason, result) => {
                        left_out.push(without(&key, &reason));
                        result
                    }
                    Outcome::Failed(verdict) => {
                        ahead.fail(&mut run, &key.route, verdict);
                        continue;
                    }
                };
                run.linked(work.contact_id().map(ghl::ContactId::as_str));
                run.done(&key, &result);
            }
            // It keeps its place behind what lacks a scope.
            Todo::Delay(_) if lacking.is_some() => {}
            Todo::Delay(delay) => {
                let wait = wait::Wait::begin(&work, &delay, continued.as_ref(), &payload)?;
                run.done(&delay.key, &wait.result);
                ahead.look(&mut run);
                let last = left_out.is_empty() && ahead.is_over();
                wait.write_down(&work, last).await?;
            }
        }
    }
    if let Some(missing) = lacking {
        return Ok(Verdict::park(Code::NeedsScope, engine.tokens.lack(&live, &missing)));
    }
    match ahead.failed {
        Some(verdict) => Ok(verdict),
        None if work.finished.into_inner() => Ok(Verdict::Finished),
        None if left_out.is_empty() => Ok(Verdict::Done { reason: None }),
        None => Ok(Verdict::Done { reason: Some(left_out.join("; ")) }),
    }
}

/// The event's connection, if it can be used.
fn usable(engine: &Engine, event: &Event) -> Result<Arc<Live>, Verdict> {
    let name = &event.connection;
    let Some(live) = engine.registry.get(name) else {
        return Err(match engine.registry.unreadable(name) {
            Some(why) => {
                Verdict::park(Code::ConnectionUnusable, format!("connection `{name}` cannot be used: {why}"))
            }
            None => {
                Verdict::park(Code::ConnectionGone, format!("connection `{name}` is gone: make it again"))
            }
        });
    };
    if live.connection.ghl.forbids_its_url() {
        return Err(in_clear("ghl.api_url", "ghl.allow_plain_http"));
    }
    Ok(live)
}

/// How a step ended with which the event can go on.
enum Outcome {
    /// It is done, with this result.
    Done(Value),
    /// It was refused, for this reason, and is left out with this result.
    LeftOut(String, Value),
    /// It was refused, and with it its route fails; the others go on.
    Failed(Verdict),
}

async fn carry_out_step(work: &mut Work<'_>, planned: PlannedStep, last: bool) -> Result<Outcome, Verdict> {
    let effect = work.claim.effects.iter().find(|effect| effect.key == planned.key);
    // Without the contact the other routes would only be refused the same.
    let is_contact = planned.operation.changes_link();
    let mut step = Step::new(planned.key, planned.operation.name(), effect, last);
    let verdict = match operations::carry_out(work, &mut step, planned.operation).await {
        Ok(()) => return Ok(Outcome::Done(step.outcome().unwrap_or_default())),
        Err(verdict) => verdict,
    };
    // Whether it was refused for good; what may have been done is not, nor what only the bridge's own trouble keeps from it.
    let refused = match &verdict {
        Verdict::Dead { reason } if step.open().is_none() && reason.code != Code::StorageUnreadable => {
            Some(reason.clone())
        }
        _ => None,
    };
    let fails_alone = refused.is_some() && planned.on_error != OnError::Retry && !is_contact;
    let verdict = match (planned.on_error, refused) {
        (OnError::Continue, Some(reason)) => {
            step.leave_out(work, &reason.text).await?;
            return Ok(Outcome::LeftOut(reason.text, step.outcome().unwrap_or_default()));
        }
        (OnError::Retry, Some(reason)) => Verdict::retry(reason),
        _ => verdict,
    };
    // What was tried is kept for whoever wants to know why; a lost lease means that another one writes now.
    if verdict != Verdict::LeaseLost {
        step.fail(work, &verdict).await?;
    }
    if fails_alone { Ok(Outcome::Failed(verdict)) } else { Err(verdict) }
}

/// Says that a step was left out.
fn without(key: &StepKey, reason: &str) -> String {
    format!("done without step `{}` of route `{}`: {reason}", key.step, key.route)
}

/// Where a route goes on that has waited.
fn continued(event: &Event, payload: &Value) -> Result<Option<Continued>, Verdict> {
    if event.trigger() != flow::CONTINUED {
        return Ok(None);
    }
    let continued = payload.get("continued").unwrap_or(&Value::Null);
    let read = Continued::deserialize(continued).map_err(|error| {
        let text = format!("what has waited cannot be read: {error}. Replay the event that began it");
        Verdict::dead(Code::WrongShape, text)
    })?;
    Ok(Some(read))
}

fn parse(payload: &[u8]) -> Result<Value, Verdict> {
    serde_json::from_slice(payload).map_err(|error| {
        let text = format!("the stored body cannot be read: {error}. Have the store send it again");
        Verdict::dead(Code::WrongShape, text)
    })
}
