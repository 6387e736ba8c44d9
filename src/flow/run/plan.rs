//! The stages of a route, one at a time. Each gives what comes next, or nothing when the next stage is to say.

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::{Next, PlanError, PlannedDelay, PlannedStep, Run, Saved, Skipped, Stage};
use crate::effect::StepKey;
use crate::flow::expression::Formula;
use crate::flow::route::{Route, Step};

/// For how many items a step runs at most.
const MOST_ITEMS: usize = 100;

/// What a step has to say about its wait.
enum Waited {
    /// There is none, or it is over: the step is next.
    Over,
    /// Something else comes first.
    First(Next),
    /// The rest of the route waits.
    Left,
}

impl<'r> Run<'r> {
    fn present(&self) -> Option<&'r Route> {
        self.routes.get(self.route).copied()
    }

    pub(super) fn begin_route(&mut self) -> Result<Option<Next>, PlanError> {
        let Some(route) = self.present() else { return Ok(Some(Next::End)) };
        if !route.enabled {
            self.leave_route();
            return Ok(Some(Next::Skipped(Skipped {
                route: route.id.clone(),
                step: None,
                why: "the route was switched off while it waited".to_owned(),
                condition: None,
                looked_at: BTreeMap::new(),
            })));
        }
        if let Some(when) = &route.when {
            if !self.is_ready(&when.looks_at) {
                return Ok(Some(Next::Waits));
            }
            if !self.holds(route, None, when).map_err(|what| wrong(route, None, format!("`when`: {what}")))? {
                let skipped = self.skipped(route, None, when);
                self.leave_route();
                return Ok(Some(Next::Skipped(skipped)));
            }
        }
        self.stage = Stage::Step(0);
        Ok(None)
    }

    pub(super) fn step(&mut self, index: usize) -> Result<Option<Next>, PlanError> {
        let Some(route) = self.present() else { return Ok(Some(Next::End)) };
        let Some(step) = route.steps.get(index) else {
            self.leave_route();
            return Ok(None);
        };
        if self.resumed != Some(index) {
            match self.delay(route, step)? {
                Waited::Over => {}
                Waited::First(next) => return Ok(Some(next)),
                Waited::Left => {
                    self.leave_route();
                    return Ok(None);
                }
            }
        }
        if !self.is_ready(&step.looks_at) {
            return Ok(Some(Next::Waits));
        }
        // What was begun goes on, whatever the condition says by now.
        let is_begun = self.results.keys().any(|done| done.route == route.id && is_of(&done.step, step));
        if let Some(condition) = step.condition.as_ref().filter(|_| !is_begun && !step.chooses_items())
            && !self
                .holds(route, Some(&step.id), condition)
                .map_err(|what| wrong(route, Some(&step.id), format!("`if`: {what}")))?
        {
            let skipped = self.skipped(route, Some(step.id.clone()), condition);
            self.stage = Stage::Step(index + 1);
            return Ok(Some(Next::Skipped(skipped)));
        }
        if let Some(list) = &step.for_each {
            return self.begin_items(route, index, step, list);
        }
        self.stage = Stage::Step(index + 1);
        let key = key(route, step.id.as_str());
        if let Some(name) = &step.save_as {
            self.saved.insert(name.clone(), Saved::One(key.clone()));
        }
        self.give_out(route, step, key)
    }

    fn delay(&mut self, route: &Route, step: &Step) -> Result<Waited, PlanError> {
        let Some(delay) = &step.delay else { return Ok(Waited::Over) };
        let key = key(route, format!("{}.delay", step.id));
        match self.results.get(&key) {
            Some(result) if result.get("over").is_some_and(|over| over == true) => return Ok(Waited::Over),
            Some(_) => return Ok(Waited::Left),
            None => {}
        }
        // It takes along what was saved, so everything before it is done first. Once given out, its result is to say.
        if self.open.iter().any(|open| open.route == route.id) || !self.is_ready(&delay.looks_at()) {
            return Ok(Waited::First(Next::Waits));
        }
        let wait = delay.wait(&self.variables.value());
        let wait = wait.map_err(|what| wrong(route, Some(&step.id), format!("the wait: {what}")))?;
        let saved = self.saved.iter().filter_map(|(name, saved)| match saved {
            Saved::Known(value) => Some((name.clone(), value.clone())),
            Saved::One(_) | Saved::Each(_) => None,
        });
        let saved = saved.collect();
        self.open.insert(key.clone());
        let restart = delay.restart;
        Ok(Waited::First(Next::Delay(PlannedDelay { key, step: step.id.clone(), wait, restart, saved })))
    }

    fn begin_items(
        &mut self,
        route: &Route,
        index: usize,
        step: &Step,
        formula: &Formula,
    ) -> Result<Option<Next>, PlanError> {
        let wrong = |what: String| wrong(route, Some(&step.id), format!("`for_each`: {what}"));
        let source = &formula.source;
        let list = formula.eval(&self.variables.value()).map_err(wrong)?;
        let items: Vec<Value> = match list.kind() {
            ValueKind::Undefined | ValueKind::None => Vec::new(),
            ValueKind::Seq | ValueKind::Iterable => {
                list.try_iter().map_err(|error| wrong(error.to_string()))?.take(MOST_ITEMS + 1).collect()
            }
            kind => return Err(wrong(format!("`{source}` gives a {kind} and must give a list"))),
        };
        if items.len() > MOST_ITEMS {
            let many = list.len().map_or_else(|| "more".to_owned(), |many| many.to_string());
            return Err(wrong(format!(
                "`{source}` gives {many} items, and {MOST_ITEMS} are the most: narrow it, as in `({source})[:{MOST_ITEMS}]`"
            )));
        }
        if items.is_empty() {
            self.stage = Stage::Step(index + 1);
            if let Some(name) = &step.save_as {
                self.saved.insert(name.clone(), Saved::Each(Vec::new()));
                self.tell_saved();
            }
            let mut skipped = self.skipped(route, Some(step.id.clone()), formula);
            "the list is empty".clone_into(&mut skipped.why);
            return Ok(Some(Next::Skipped(skipped)));
        }
        self.stage = Stage::Items { step: index, items, next: 0, keys: Vec::new() };
        Ok(None)
    }

    pub(super) fn item(&mut self) -> Result<Option<Next>, PlanError> {
        let Some(route) = self.present() else { return Ok(Some(Next::End)) };
        let Stage::Items { step: index, items, next, keys } = &mut self.stage else { return Ok(None) };
        let Some(step) = route.steps.get(*index) else { return Ok(None) };
        let number = *next;
        let Some(item) = items.get(number).cloned() else {
            let keys = std::mem::take(keys);
            self.stage = Stage::Step(*index + 1);
            if let Some(name) = &step.save_as {
                self.saved.insert(name.clone(), Saved::Each(keys));
                self.tell_saved();
            }
            return Ok(None);
        };
        *next += 1;
        let key = key(route, format!("{}[{number}]", step.id));
        self.variables.set("item", item);
        self.variables.set("index", Value::from(number));
        let given = self.of_item(route, step, key);
        self.variables.remove("item");
        self.variables.remove("index");
        given
    }

    fn of_item(&mut self, route: &Route, step: &Step, key: StepKey) -> Result<Option<Next>, PlanError> {
        let ruled_out = step.condition.as_ref().filter(|_| step.chooses_items()).filter(|_| {
            // As above: what was begun goes on.
            !self.results.contains_key(&key)
        });
        let ruled_out = match ruled_out {
            Some(condition)
                if !self
                    .holds(route, Some(&key.step), condition)
                    .map_err(|what| wrong(route, Some(&key.step), format!("`if`: {what}")))? =>
            {
                Some(condition)
            }
            _ => None,
        };
        if let Stage::Items { keys, .. } = &mut self.stage {
            keys.push(ruled_out.is_none().then(|| key.clone()));
        }
        match ruled_out {
            Some(condition) => Ok(Some(Next::Skipped(self.skipped(route, Some(key.step), condition)))),
            None => self.give_out(route, step, key),
        }
    }

    /// Gives out a step that is not done yet.
    fn give_out(&mut self, route: &Route, step: &Step, key: StepKey) -> Result<Option<Next>, PlanError> {
        if self.results.contains_key(&key) {
            self.tell_saved();
            return Ok(None);
        }
        let wrong = |what: String| wrong(route, Some(&key.step), what);
        let variables = self.variables.value();
        let mut values = BTreeMap::new();
        for (name, template) in &step.with {
            let value =
                template.render(&variables).map_err(|what| wrong(format!("`with.{name}`: {what}")))?;
            values.insert(name.clone(), value);
        }
        let operation = step.action.make(values, self.occurred_at).map_err(wrong)?;
        self.open.insert(key.clone());
        if operation.changes_link() {
            self.open_links.insert(key.clone());
        }
        Ok(Some(Next::Step(PlannedStep { key, operation, on_error: step.on_error })))
    }
}

fn wrong(route: &Route, step: Option<&str>, what: String) -> PlanError {
    PlanError { route: route.id.clone(), step: step.map(str::to_owned), what }
}

fn key(route: &Route, step: impl Into<String>) -> StepKey {
    StepKey { route: route.id.clone(), step: step.into() }
}

/// Whether a key in the ledger is that of a step, or of one of its items.
fn is_of(key: &str, step: &Step) -> bool {
    let items = step.for_each.is_some();
    key == step.id || (items && key.strip_prefix(step.id.as_str()).is_some_and(|rest| rest.starts_with('[')))
}
