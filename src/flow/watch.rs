//! Watching the conditions of a run: what each one looked at, and what came of it. For dry runs; nothing else is slower for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use super::run::Skipped;

/// A condition that was looked at, or a route or a step that was left out without one.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The route.
    pub route: String,
    /// The step, for one of several items with its number; none: the whole route.
    pub step: Option<String>,
    /// The condition as it was written; none: there is none.
    pub condition: Option<String>,
    /// The variables that it looked at, with their values; a long text is cut.
    pub looked_at: BTreeMap<String, Json>,
    /// Why the route or the step does not run; none: it does.
    pub ruled_out: Option<String>,
}

/// Where the runs of a set of routes tell of their conditions.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Mutex<Vec<Judged>>>);

impl Watch {
    /// What was judged since this was last asked, in the order in which it was first looked at. An event that is tried again is
    /// judged again: then the last time counts.
    pub fn take(&self) -> Vec<Judged> {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut last: Vec<Judged> = Vec::with_capacity(all.len());
        for judged in all {
            match last.iter_mut().find(|known| known.route == judged.route && known.step == judged.step) {
                Some(known) => *known = judged,
                None => last.push(judged),
            }
        }
        last
    }

    pub(super) fn note(&self, judged: Judged) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(judged);
    }
}

impl From<&Skipped> for Judged {
    fn from(skipped: &Skipped) -> Self {
        Self {
            route: skipped.route.clone(),
            step: skipped.step.clone(),
            condition: skipped.condition.clone(),
            looked_at: skipped.looked_at.clone(),
            ruled_out: Some(skipped.why.clone()),
        }
    }
}
