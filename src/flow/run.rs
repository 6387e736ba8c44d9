//! The run of an event through its routes: which step comes next, with every value rendered. Pure: the same event and the
//! same results of its steps give the same sequence, so a repeated try and a dry run go the very same way.
//!
//! It runs ahead of what is done as far as no value depends on a result that is not there yet. So whoever carries out the
//! steps mostly knows which is the last.

mod plan;

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use minijinja::Value;
use minijinja::value::Serde;
use serde_json::{Value as Json, json};

use super::context::{Context, Variables};
use super::delay::Wait;
use super::expression::{Formula, top};
use super::operation::Operation;
use super::route::{OnError, Route, RouteSet};
use super::watch::{Judged, Watch};
use crate::effect::StepKey;

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// A step is to be carried out.
    Step(PlannedStep),
    /// A route or a step does not run.
    Skipped(Skipped),
    /// The rest of a route waits. Whether it does, or the wait is over already, is for [`Run::done`] to tell.
    Delay(PlannedDelay),
    /// What comes next depends on a result that is not there yet.
    Waits,
    /// Nothing more.
    End,
}

/// A step with everything that it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStep {
    /// Its key in the ledger: the step's id, for one of several items with its number, as in `tag[3]`.
    pub key: StepKey,
    /// What it asks for.
    pub operation: Operation,
    /// What becomes of the event when it is refused.
    pub on_error: OnError,
}

/// A wait before a step.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedDelay {
    /// Its key in the ledger: the step's id with `.delay`.
    pub key: StepKey,
    /// The step that waits.
    pub step: String,
    /// How long.
    pub wait: Wait,
    /// A newer event of the same route and subject begins the wait anew.
    pub restart: bool,
    /// What the steps before it have saved.
    pub saved: BTreeMap<String, Json>,
}

impl PlannedDelay {
    /// The result to record: the rest of the route waits until then.
    pub fn waits(until: Timestamp) -> Json {
        json!({ "until": until })
    }

    /// The result to record: the time had come already, and the route goes on at once.
    pub fn is_over(until: Timestamp) -> Json {
        json!({ "until": until, "over": true })
    }
}

/// A route or a step that does not run.
#[derive(Debug, Clone, PartialEq)]
pub struct Skipped {
    /// The route.
    pub route: String,
    /// The step; none: the whole route.
    pub step: Option<String>,
    /// Why, in a few words.
    pub why: String,
    /// The condition that does not hold, as it was written.
    pub condition: Option<String>,
    /// The variables that it looked at, with their values.
    pub looked_at: BTreeMap<String, Json>,
}

/// Why a route cannot run for an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route `{route}`{}: {what}", step.as_ref().map(|step| format!(", step `{step}`")).unwrap_or_default())]
pub struct PlanError {
    /// The route.
    pub route: String,
    /// The step; none: the route's own condition.
    pub step: Option<String>,
    /// What is wrong.
    pub what: String,
}

/// The run of one event.
pub struct Run<'r> {
    routes: Vec<&'r Route>,
    /// From when due dates count.
    occurred_at: Timestamp,
    variables: Variables,
    /// Which of `routes`.
    route: usize,
    stage: Stage,
    /// The step of the first route that has waited already.
    resumed: Option<usize>,
    results: HashMap<StepKey, Json>,
    /// Steps and waits that were given out and are not done.
    open: HashSet<StepKey>,
    /// Those of them after which the customer's contact may be another one.
    open_links: HashSet<StepKey>,
    /// What the steps of the present route save.
    saved: BTreeMap<String, Saved>,
    watch: Option<Watch>,
}

/// How far the present route has come.
enum Stage {
    /// Its condition is to be looked at.
    Begin,
    /// This step is next.
    Step(usize),
    /// This step is under way, item by item.
    Items { step: usize, items: Vec<Value>, next: usize, keys: Vec<Option<StepKey>> },
}

/// Where the value of a saved variable comes from.
enum Saved {
    Known(Json),
    One(StepKey),
    /// Nothing for items that were skipped.
    Each(Vec<Option<StepKey>>),
}

impl RouteSet {
    /// Begins the run of an event.
    pub fn begin(&self, context: &Context<'_>) -> Result<Run<'_>, PlanError> {
        let routes = match context.continued {
            Some(continued) => self.route(&continued.route).into_iter().collect(),
            None => self.of(context.trigger).collect::<Vec<_>>(),
        };
        let needs = routes.iter().map(|route| route.needs).collect();
        let mut run = Run {
            routes,
            occurred_at: context.occurred_at,
            variables: Variables::new(context, needs),
            route: 0,
            stage: Stage::Begin,
            resumed: None,
            results: HashMap::new(),
            open: HashSet::new(),
            open_links: HashSet::new(),
            saved: BTreeMap::new(),
            watch: self.watch.clone(),
        };
        let Some(continued) = context.continued else { return Ok(run) };
        let gone = |step: Option<&str>, what: &str| PlanError {
            route: continued.route.clone(),
            step: step.map(str::to_owned),
            what: what.to_owned(),
        };
        let route = run.routes.first().copied();
        let route = route.ok_or_else(|| gone(None, "it has waited, and there is no such route any more"))?;
        let step = route.steps.iter().position(|step| step.id == continued.step);
        let step = step.ok_or_else(|| {
            gone(Some(&continued.step), "it has waited, and the route has no such step any more")
        })?;
        if route.enabled {
            run.stage = Stage::Step(step);
            run.resumed = Some(step);
            for (name, value) in &continued.saved {
                run.variables.set(name, Value::from(Serde(value.clone())));
                run.saved.insert(name.clone(), Saved::Known(value.clone()));
            }
        }
        Ok(run)
    }
}

impl Route {
    /// Whether the route's condition holds for an event; true where it has none.
    pub fn holds(&self, context: &Context<'_>) -> Result<bool, PlanError> {
        let wrong =
            |what: String| PlanError { route: self.id.clone(), step: None, what: format!("`when`: {what}") };
        let Some(when) = &self.when else { return Ok(true) };
        Ok(when.eval(&Variables::new(context, when.needs).value()).map_err(wrong)?.is_true())
    }
}

impl Run<'_> {
    /// What comes next, as far as the results tell that are there.
    #[expect(clippy::should_implement_trait, reason = "it goes on after `Waits`, which no iterator does")]
    pub fn next(&mut self) -> Result<Next, PlanError> {
        loop {
            if self.route >= self.routes.len() {
                return Ok(Next::End);
            }
            let next = match self.stage {
                Stage::Begin => self.begin_route()?,
                Stage::Step(index) => self.step(index)?,
                Stage::Items { .. } => self.item()?,
            };
            if let Some(next) = next {
                if let (Next::Skipped(skipped), Some(watch)) = (&next, &self.watch) {
                    watch.note(skipped.into());
                }
                return Ok(next);
            }
        }
    }

    /// What a step or a wait gave; of steps that were done in an earlier try, before they come.
    pub fn done(&mut self, key: &StepKey, result: &Json) {
        self.open.remove(key);
        self.open_links.remove(key);
        self.results.insert(key.clone(), result.clone());
        self.tell_saved();
    }

    /// Leaves the rest of a route, and what was given out of it.
    pub fn abandon(&mut self, route: &str) {
        self.open.retain(|key| key.route != route);
        self.open_links.retain(|key| key.route != route);
        if self.routes.get(self.route).is_some_and(|present| present.id == route) {
            self.leave_route();
        }
    }

    /// The customer's contact is this one now.
    pub fn linked(&mut self, contact_id: Option<&str>) {
        self.variables.link(contact_id);
    }

    /// Whether a result is there for any step that was given out or told.
    pub fn has_results(&self) -> bool {
        !self.results.is_empty()
    }

    /// Sets the variables whose values have become known.
    fn tell_saved(&mut self) {
        for (name, saved) in &mut self.saved {
            let value = match saved {
                Saved::Known(_) => continue,
                Saved::One(key) => self.results.get(key).cloned(),
                Saved::Each(keys) => keys
                    .iter()
                    .map(|key| match key {
                        Some(key) => self.results.get(key).cloned(),
                        None => Some(Json::Null),
                    })
                    .collect::<Option<Vec<Json>>>()
                    .map(Json::from),
            };
            if let Some(value) = value {
                self.variables.set(name, Value::from(Serde(value.clone())));
                *saved = Saved::Known(value);
            }
        }
    }

    /// Whether the values at these paths are what they will be.
    fn is_ready(&self, paths: &[String]) -> bool {
        paths.iter().all(|path| {
            let is_link = path == "contact" || path == "contact.id" || path.starts_with("contact.id.");
            (!is_link || self.open_links.is_empty())
                && self.saved.get(top(path)).is_none_or(|saved| matches!(saved, Saved::Known(_)))
        })
    }

    fn leave_route(&mut self) {
        for name in std::mem::take(&mut self.saved).into_keys() {
            self.variables.remove(&name);
        }
        self.resumed = None;
        self.route += 1;
        self.stage = Stage::Begin;
    }

    /// Whether a condition holds; one that does is told to who watches.
    fn holds(&self, route: &Route, step: Option<&str>, condition: &Formula) -> Result<bool, String> {
        let holds = condition.eval(&self.variables.value())?.is_true();
        if let Some(watch) = self.watch.as_ref().filter(|_| holds) {
            watch.note(Judged {
                route: route.id.clone(),
                step: step.map(str::to_owned),
                condition: Some(condition.source.clone()),
                looked_at: self.looked_at(condition),
                ruled_out: None,
            });
        }
        Ok(holds)
    }

    fn looked_at(&self, condition: &Formula) -> BTreeMap<String, Json> {
        condition.looks_at.iter().map(|path| (path.clone(), self.variables.shown(path))).collect()
    }

    /// What a condition that does not hold has looked at.
    fn skipped(&self, route: &Route, step: Option<String>, condition: &Formula) -> Skipped {
        let why = if step.is_none() {
            "the route's condition does not hold"
        } else {
            "the step's condition does not hold"
        };
        Skipped {
            route: route.id.clone(),
            step,
            why: why.to_owned(),
            condition: Some(condition.source.clone()),
            looked_at: self.looked_at(condition),
        }
    }
}

#[cfg(test)]
mod tests;
