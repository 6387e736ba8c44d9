//! What a dry run tells: the same by API and by `--json`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sandbox::Entry;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::given::Given;
use super::names::{self, Names};
use super::scene::{Act, Played};
use crate::clock::in_words;
use crate::connection::ConnectionName;
use crate::effect::Effect;
use crate::event::State;
use crate::flow::Judged;

/// What an event would set off.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DryRunReport)]
pub struct Report {
    /// The connection.
    pub connection: String,
    /// The event.
    pub event: EventView,
    /// What was there before it, in words.
    pub found: String,
    /// What would be done at once, then what after each wait.
    pub phases: Vec<Phase>,
    /// What was asked of the store, or would be.
    pub store: Vec<StoreCall>,
    /// What it would cost.
    pub cost: Cost,
    /// What to know about this dry run.
    pub notes: Vec<String>,
}

/// The event that is tried.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DryRunEvent)]
pub struct EventView {
    /// Its id, if it was received; null: it was not.
    pub id: Option<String>,
    /// The trigger, such as `cscart.customer.created`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
}

/// What would be done without a wait between.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DryRunPhase)]
pub struct Phase {
    /// How long after the phase before, in words; null: it is the first.
    pub after: Option<String>,
    /// The same in seconds.
    pub after_seconds: Option<u64>,
    /// How it would end: a state of an event, or `stopped` where a dry run cannot go on.
    pub state: &'static str,
    /// Why, in a sentence.
    pub reason: Option<String>,
    /// The kind of that reason, as `docs/errors.md` lists them.
    pub code: Option<&'static str>,
    /// The conditions, as they were looked at.
    pub conditions: Vec<ConditionView>,
    /// The steps, in order.
    pub steps: Vec<StepView>,
}

/// A condition, with what it looked at.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DryRunCondition)]
pub struct ConditionView {
    /// The route.
    pub route: String,
    /// The step; null: the whole route.
    pub step: Option<String>,
    /// The condition as it is written; null: there is none.
    pub condition: Option<String>,
    /// Whether it holds.
    pub holds: bool,
    /// Why the route or the step does not run; null: it does.
    pub ruled_out: Option<String>,
    /// The variables that it looked at.
    #[schema(value_type = Object)]
    pub looked_at: BTreeMap<String, Value>,
}

/// A step.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DryRunStep)]
pub struct StepView {
    /// The route.
    pub route: String,
    /// The step.
    pub step: String,
    /// What it comes to: `ghl.contact.save` may be `ghl.contact.update`.
    pub operation: String,
    /// `done`, `skipped` or how far it got.
    pub state: &'static str,
    /// Why it was skipped or not done.
    pub why: Option<String>,
    /// What it gives.
    #[schema(value_type = Value)]
    pub result: Value,
    /// The calls to HighLevel.
    pub calls: Vec<Call>,
}

/// A call to HighLevel. Ids of what would be made first are written as `<contact made in step contact>`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = DryRunCall)]
pub struct Call {
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body; null: none.
    #[schema(value_type = Value)]
    pub body: Value,
    /// How the simulated HighLevel answers.
    pub status: Option<u16>,
}

/// A call to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DryRunStoreCall)]
pub struct StoreCall {
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// How the store answered; null: it was not asked.
    pub status: Option<u16>,
}

/// What it would cost, in calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DryRunCost)]
pub struct Cost {
    /// To HighLevel.
    pub highlevel: usize,
    /// To the store.
    pub store: usize,
}

/// The report of what was played.
pub(super) fn of(connection: &ConnectionName, given: &Given, played: &Played, recorded: bool) -> Report {
    let effects: Vec<Effect> = played.acts.iter().flat_map(|act| act.effects.iter().cloned()).collect();
    let mut names = Names::in_words(&names::made(&effects));
    let first = played.acts.first().map(|act| &act.event);
    let event = match first {
        Some(event) => {
            if !recorded {
                names.add(event.id.to_string(), "<id of this event>");
            }
            EventView {
                id: recorded.then(|| event.id.to_string()),
                kind: event.trigger(),
                subject: event.subject.to_string(),
                occurred_at: event.occurred_at,
            }
        }
        None => EventView {
            id: None,
            kind: String::new(),
            subject: String::new(),
            occurred_at: Timestamp::UNIX_EPOCH,
        },
    };
    let stopped = stopped(&played.store_calls);
    let phases: Vec<Phase> = played.acts.iter().map(|act| phase(act, &names, stopped.as_deref())).collect();
    let cost = Cost {
        highlevel: played.acts.iter().map(|act| act.calls.len()).sum(),
        store: played.store_calls.len(),
    };
    let mut notes = played.flaws.clone();
    let creates = effects.iter().any(|effect| effect.operation == "ghl.contact.create");
    if recorded {
        notes.push("tried as it was then, as far as the record of the event tells".to_owned());
    } else if creates {
        notes.push(
            "HighLevel itself is not asked: if it has a contact with this e-mail or phone already, that one is linked instead"
                .to_owned(),
        );
    }
    let found = given.in_words();
    Report {
        connection: connection.to_string(),
        event,
        found,
        phases,
        store: played.store_calls.clone(),
        cost,
        notes,
    }
}

/// Why it cannot go on, if the store would have to be asked for something that a dry run does not ask.
fn stopped(calls: &[StoreCall]) -> Option<String> {
    let call = calls.iter().find(|call| call.status.is_none())?;
    let what = format!("{} {}", call.method, call.path);
    Some(if call.method == "GET" {
        format!(
            "it has to ask the store here ({what}), which a dry run does only when it is allowed to: --ask-store, `ask_store`"
        )
    } else {
        format!(
            "it would write to the store here ({what}), which a dry run never does: what comes after is not known"
        )
    })
}

fn phase(act: &Act, names: &Names, stopped: Option<&str>) -> Phase {
    let mut steps: Vec<StepView> = act.effects.iter().map(|effect| step(effect, names)).collect();
    // Which step has made which call: the ledger says, and the simulated HighLevel has the exact calls.
    let mut open: Vec<(usize, &str, &str)> = Vec::new();
    for (index, effect) in act.effects.iter().enumerate() {
        open.extend(
            effect.attempts.iter().map(|attempt| (index, attempt.method.as_str(), attempt.path.as_str())),
        );
    }
    let mut last = 0;
    for entry in &act.calls {
        let path = path_of(entry);
        if let Some(at) = open.iter().position(|(_, method, known)| *method == entry.method && *known == path)
        {
            last = open.remove(at).0;
        }
        if let Some(step) = steps.get_mut(last) {
            step.calls.push(Call {
                method: entry.method.clone(),
                path: names.in_text(&path),
                body: names.in_value(&entry.body),
                status: entry.status,
            });
        }
    }
    let unasked = stopped.filter(|_| act.event.state_reason.is_some());
    // What stands in for the store refuses what it does not ask, and the engine takes that for the store's own refusal.
    if let Some(stopped) = stopped {
        let asks = |step: &&mut StepView| step.operation.starts_with("cscart.") && step.why.is_some();
        for step in steps.iter_mut().filter(asks) {
            step.why = Some(stopped.to_owned());
            step.result["reason"] = Value::from(stopped);
        }
    }
    let is_open = !matches!(act.event.state, State::Done | State::Ignored | State::Folded);
    let stopped = stopped.filter(|_| is_open);
    Phase {
        after: act.after.map(|after| in_words(after.as_secs())),
        after_seconds: act.after.map(|after| after.as_secs()),
        state: if stopped.is_some() { "stopped" } else { act.event.state.as_str() },
        reason: unasked
            .map(str::to_owned)
            .or_else(|| act.event.state_reason.as_deref().map(|why| names.in_text(why))),
        code: act.event.state_code.filter(|_| stopped.is_none()).map(crate::reason::Code::as_str),
        conditions: act.judged.iter().map(|judged| condition(judged, names)).collect(),
        steps,
    }
}

fn path_of(entry: &Entry) -> String {
    if entry.query.is_empty() { entry.path.clone() } else { format!("{}?{}", entry.path, entry.query) }
}

fn condition(judged: &Judged, names: &Names) -> ConditionView {
    ConditionView {
        route: judged.route.clone(),
        step: judged.step.clone(),
        condition: judged.condition.clone(),
        holds: judged.ruled_out.is_none(),
        ruled_out: judged.ruled_out.clone(),
        looked_at: judged
            .looked_at
            .iter()
            .map(|(name, value)| (name.clone(), names.in_value(value)))
            .collect(),
    }
}

fn step(effect: &Effect, names: &Names) -> StepView {
    StepView {
        route: effect.key.route.clone(),
        step: effect.key.step.clone(),
        operation: effect.operation.clone(),
        state: effect.state.as_str(),
        why: effect.result["reason"].as_str().map(|why| names.in_text(why)),
        result: names.in_value(&effect.result),
        calls: Vec::new(),
    }
}
