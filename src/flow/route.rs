//! Routes, read and checked: what is wrong in a file is found here, not when an event needs it.

mod choose;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use ghl::oauth::Scopes;
use toml::Spanned;

use super::Error;
use super::expression::{Formula, Template};
use super::operation::{self, Spec};
use super::route_file::{RouteFile, StepTable};
use super::schedule::{self, Schedule};
use super::trigger;
use crate::mistake;

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

/// A step that can run.
pub(super) struct Step {
    pub(super) id: String,
    pub(super) spec: &'static Spec,
    pub(super) condition: Option<Formula>,
    pub(super) with: BTreeMap<&'static str, Template>,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Step").field("id", &self.id).field("do", &self.spec.name).finish_non_exhaustive()
    }
}

/// All routes. Cheap to clone; in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct RouteSet {
    routes: Arc<[Route]>,
}

impl RouteSet {
    /// Reads files (name, text); answers every mistake in any of them.
    pub fn parse(files: Vec<(String, String)>) -> Result<Self, Vec<Error>> {
        let mut routes = Vec::new();
        let mut mistakes = Vec::new();
        for (file, text) in files {
            match read(&file, &text) {
                Ok(route) => routes.push(route),
                Err(found) => mistakes.extend(found),
            }
        }
        routes.sort_by(|a: &Route, b| a.id.cmp(&b.id));
        if mistakes.is_empty() { Ok(Self { routes: routes.into() }) } else { Err(mistakes) }
    }

    /// The routes.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The routes that a trigger sets off.
    pub(super) fn of(&self, trigger: &str) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(move |route| route.enabled && route.on.iter().any(|on| on == trigger))
    }

    /// What each route that runs needs a token to allow.
    pub fn needs(&self) -> Vec<Need> {
        self.routes
            .iter()
            .filter(|route| route.enabled)
            .map(|route| Need {
                route: route.id.clone(),
                operations: route.steps.iter().map(|step| (step.spec.name, step.spec.scopes())).collect(),
            })
            .collect()
    }

    /// Whether a trigger sets off any route.
    pub fn handles(&self, trigger: &str) -> bool {
        self.of(trigger).next().is_some()
    }
}

/// Collects the mistakes of one file.
struct Mistakes<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<Error>,
}

impl Mistakes<'_> {
    fn note(&mut self, byte: Option<usize>, what: impl Into<String>, mend: impl Into<String>) {
        self.found.push(Error {
            place: self.file.to_owned(),
            position: byte.map(|byte| mistake::position(self.text, byte)),
            what: what.into(),
            mend: mend.into(),
        });
    }

    fn at<T>(&mut self, spanned: &Spanned<T>, what: impl Into<String>, mend: impl Into<String>) {
        self.note(Some(spanned.span().start), what, mend);
    }

    fn formula(&mut self, source: Option<&Spanned<String>>) -> Option<Formula> {
        let source = source?;
        match Formula::parse(source.get_ref()) {
            Ok(formula) => Some(formula),
            Err(what) => {
                self.at(source, what, "write a condition such as `data.user.status == 'A'`");
                None
            }
        }
    }
}

fn read(file: &str, text: &str) -> Result<Route, Vec<Error>> {
    let mut mistakes = Mistakes { file, text, found: Vec::new() };
    let id = file.strip_suffix(".toml").unwrap_or(file);
    if !is_id(id) {
        mistakes.note(
            None,
            format!("`{id}` cannot name a route"),
            "call the file with a-z, 0-9 and `-` only",
        );
    }
    let written: RouteFile = match toml::from_str(text) {
        Ok(written) => written,
        Err(error) => {
            let mend =
                mistake::mend_of_field(error.message()).unwrap_or_else(|| "see routes/README.md".into());
            mistakes.note(error.span().map(|span| span.start), error.message(), mend);
            return Err(mistakes.found);
        }
    };
    let known = trigger::all();
    for on in &written.on {
        if !known.contains(on.get_ref()) {
            let mend = mistake::nearest(on.get_ref(), known.iter().map(String::as_str));
            mistakes.at(on, format!("there is no trigger `{}`", on.get_ref()), mend);
        }
    }
    if written.on.is_empty() {
        mistakes.note(
            None,
            "`on` names no trigger",
            "name at least one, such as \"cscart.customer.created\"",
        );
    }
    let when = mistakes.formula(written.when.as_ref());
    let schedule = read_schedule(&written, &mut mistakes);
    let mut ids = HashSet::new();
    let steps = written.step.iter().filter_map(|step| read_step(step, &mut ids, &mut mistakes)).collect();
    if mistakes.found.is_empty() {
        let on = written.on.into_iter().map(Spanned::into_inner).collect();
        Ok(Route {
            id: id.to_owned(),
            description: written.description,
            enabled: written.enabled,
            on,
            schedule,
            version: choose::version_of(text),
            when: when.map(Arc::new),
            steps,
        })
    } else {
        Err(mistakes.found)
    }
}

/// When the route runs by itself, which is for its triggers of that kind to say.
fn read_schedule(written: &RouteFile, mistakes: &mut Mistakes<'_>) -> Option<Schedule> {
    let scheduled = written.on.iter().find(|on| schedule::TRIGGERS.contains(&on.get_ref().as_str()));
    match (scheduled, &written.every, &written.at) {
        (None, None, None) => None,
        (None, Some(key), _) | (None, None, Some(key)) => {
            let mend = "name \"schedule\" or \"schedule.customer\" in `on`, or remove this key";
            mistakes.at(key, "only a route with a schedule has this key", mend);
            None
        }
        (Some(on), None, _) => {
            mistakes.at(on, "it is not said how often the route runs", "add `every = \"1d\"`");
            None
        }
        (Some(_), Some(every), at) => {
            match Schedule::parse(every.get_ref(), at.as_ref().map(|at| at.get_ref().as_str())) {
                Ok(schedule) => Some(schedule),
                Err(flaw) => {
                    let place = at.as_ref().filter(|_| flaw.of_at).unwrap_or(every);
                    mistakes.at(place, flaw.what, flaw.mend);
                    None
                }
            }
        }
    }
}

fn read_step<'a>(
    written: &'a StepTable,
    ids: &mut HashSet<&'a str>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Step> {
    let id = written.id.get_ref().as_str();
    if !is_id(id) {
        mistakes.at(&written.id, format!("`{id}` cannot name a step"), "use a-z, 0-9 and `-` only");
    }
    if !ids.insert(id) {
        mistakes.at(&written.id, format!("two steps are called `{id}`"), "give each a name of its own");
    }
    let condition = mistakes.formula(written.condition.as_ref());
    let wanted = written.operation.get_ref();
    let Some(spec) = operation::ALL.iter().find(|spec| spec.name == wanted) else {
        let mend = mistake::nearest(wanted, operation::ALL.iter().map(|spec| spec.name));
        mistakes.at(&written.operation, format!("there is no operation `{wanted}`"), mend);
        return None;
    };
    let mut with = BTreeMap::new();
    for (name, value) in &written.with {
        let Some(parameter) = spec.parameter(name.get_ref()) else {
            let mend = match spec.parameters {
                [] => "remove it: this operation takes none".to_owned(),
                some => mistake::nearest(name.get_ref(), some.iter().map(|parameter| parameter.name)),
            };
            mistakes.at(name, format!("`{wanted}` has no parameter `{}`", name.get_ref()), mend);
            continue;
        };
        match Template::parse(value.get_ref()) {
            Ok(Template::Literal(_)) if !Spec::takes(parameter.kind, value.get_ref()) => {
                let what = format!("`{}` must be {}", parameter.name, parameter.kind);
                mistakes.at(value, what, "write it so, or as an expression: \"{{ … }}\"");
            }
            Ok(template) => {
                with.insert(parameter.name, template);
            }
            Err(what) => {
                mistakes.at(value, what, "see routes/README.md for what may stand between `{{` and `}}`");
            }
        }
    }
    for missing in spec.parameters.iter().filter(|known| known.required) {
        if !written.with.keys().any(|name| name.get_ref() == missing.name) {
            let what = format!("`{wanted}` needs `{}`", missing.name);
            mistakes.at(&written.operation, what, format!("add `{} = …` under `[step.with]`", missing.name));
        }
    }
    Some(Step { id: id.to_owned(), spec, condition, with })
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests;
