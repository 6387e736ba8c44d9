//! Routes, read and checked: what is wrong in a file is found here, not when an event needs it.

mod choose;
mod read;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ghl::oauth::Scopes;

use super::Error;
use super::action::Action;
use super::context::CONTINUED;
use super::delay::Delay;
use super::expression::{Formula, Needs, OF_ITEMS, Template, top};
use super::schedule::Schedule;
use super::watch::Watch;

/// A route that can run. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Route {
    /// The file's name without `.toml`; names it in the ledger.
    pub id: String,
    /// What it does, for people.
    pub description: String,
    /// Whether it runs.
    pub enabled: bool,
    /// The triggers.
    pub on: Vec<String>,
    /// When it runs by itself; none: nothing of that kind is among its triggers.
    pub schedule: Option<Schedule>,
    /// Tells this text of it from others: the first 12 hexadecimal digits of the text's SHA-256.
    pub version: String,
    pub(super) when: Option<Arc<Formula>>,
    pub(super) steps: Arc<[Step]>,
    /// The variables that any of its expressions may look at.
    pub(super) needs: Needs,
}

impl Route {
    /// The longest file, in bytes. The longest of the shipped ones takes a thousand.
    pub const LARGEST: usize = 1024 * 1024;
}

/// What a route needs a token to allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The route.
    pub route: String,
    /// Its operations, each with its scopes.
    pub operations: Vec<(&'static str, Scopes)>,
}

impl Need {
    /// Everything that the route needs.
    pub fn scopes(&self) -> Scopes {
        self.operations.iter().fold(Scopes::new(), |all, (_, scopes)| all.union(scopes))
    }
}

/// What becomes of the event when a step is refused for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// It is a dead letter.
    #[default]
    Stop,
    /// It goes on without the step.
    Continue,
    /// The step is tried again, as after a failure that may pass.
    Retry,
}

impl OnError {
    /// All of them, with their words.
    pub(super) const ALL: [(&'static str, Self); 3] =
        [("stop", Self::Stop), ("continue", Self::Continue), ("retry", Self::Retry)];
}

/// A step that can run.
pub(super) struct Step {
    pub(super) id: String,
    pub(super) action: Action,
    pub(super) delay: Option<Delay>,
    pub(super) condition: Option<Formula>,
    pub(super) for_each: Option<Formula>,
    pub(super) save_as: Option<String>,
    pub(super) on_error: OnError,
    pub(super) with: BTreeMap<String, Template>,
    /// The variables that all this looks at, but for the delay; as paths.
    pub(super) looks_at: Vec<String>,
    /// The variables that it may look at, the delay and filters included.
    pub(super) needs: Needs,
}

impl Step {
    /// Whether its condition is another one for each item.
    pub(super) fn chooses_items(&self) -> bool {
        let of_items = |path: &String| OF_ITEMS.contains(&top(path));
        self.for_each.is_some()
            && self.condition.as_ref().is_some_and(|condition| condition.looks_at.iter().any(of_items))
    }
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Step").field("id", &self.id).field("do", &self.action.name()).finish_non_exhaustive()
    }
}

/// All routes. Cheap to clone; in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct RouteSet {
    all: Arc<All>,
    /// Who is told of the conditions of their runs.
    pub(super) watch: Option<Watch>,
}

#[derive(Debug, Default)]
struct All {
    routes: Box<[Route]>,
    /// The places of those that a trigger sets off, in their order.
    by_trigger: HashMap<String, Vec<usize>>,
}

impl RouteSet {
    /// These routes with one more, or with that one in place of the one of its name; answers its mistakes. `file`: a name such
    /// as `customer-tags.toml`.
    pub fn with(&self, file: &str, content: &[u8]) -> Result<Self, Vec<Error>> {
        let route = Route::parse(file, content)?;
        Ok(Self {
            watch: self.watch.clone(),
            ..Self::of_routes(self.routes().iter().cloned().chain([route]))
        })
    }

    /// The same routes, and where their runs tell of their conditions.
    pub fn watched(&self) -> (Self, Watch) {
        let watch = Watch::default();
        (Self { watch: Some(watch.clone()), ..self.clone() }, watch)
    }

    /// A set of routes that are in the order of their ids.
    fn of_sorted(routes: impl IntoIterator<Item = Route>) -> Self {
        let routes: Box<[Route]> = routes.into_iter().collect();
        let mut by_trigger: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, route) in routes.iter().enumerate().filter(|(_, route)| route.enabled) {
            for trigger in &route.on {
                let places = by_trigger.entry(trigger.clone()).or_default();
                // A route may name a trigger twice.
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        Self { all: Arc::new(All { routes, by_trigger }), watch: None }
    }

    /// The routes.
    pub fn routes(&self) -> &[Route] {
        &self.all.routes
    }

    /// The routes that a trigger sets off.
    pub(super) fn of(&self, trigger: &str) -> impl Iterator<Item = &Route> {
        let places = self.all.by_trigger.get(trigger).into_iter().flatten();
        places.filter_map(|place| self.all.routes.get(*place))
    }

    /// Whether a route that runs asks for a trigger.
    pub fn asks_for(&self, trigger: &str) -> bool {
        self.of(trigger).next().is_some()
    }

    /// What each route that runs needs a token to allow.
    pub fn needs(&self) -> Vec<Need> {
        self.routes()
            .iter()
            .filter(|route| route.enabled)
            .map(|route| Need {
                route: route.id.clone(),
                operations: route
                    .steps
                    .iter()
                    .map(|step| (step.action.name(), step.action.scopes()))
                    .collect(),
            })
            .collect()
    }

    /// Whether a trigger sets off any route, or what was delayed goes on with it.
    pub fn handles(&self, trigger: &str) -> bool {
        trigger == CONTINUED || self.of(trigger).next().is_some()
    }
}

#[cfg(test)]
mod tests;
