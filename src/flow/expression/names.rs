//! The names that an expression may use.

use std::collections::HashSet;

use super::ENVIRONMENT;
use crate::connection::Settings;
use crate::sync::Field;

/// The variables that every expression of a route may use.
pub(in crate::flow) const VARIABLES: [&str; 7] =
    ["connection", "contact", "data", "event", "settings", "store", "today"];

/// The variables of a step with `for_each`: the item, and its number from 0.
pub(in crate::flow) const OF_ITEMS: [&str; 2] = ["item", "index"];

/// What an expression may name at its place in the file.
#[derive(Debug, Clone, Default)]
pub(in crate::flow) struct Names {
    /// What steps before it have saved.
    pub(in crate::flow) saved: Vec<String>,
    /// What steps of the route save at all, with the step: for whoever names one too early.
    pub(in crate::flow) all_saved: Vec<(String, String)>,
    /// Whether the step goes through a list.
    pub(in crate::flow) items: bool,
}

impl Names {
    fn known(&self) -> impl Iterator<Item = &str> + Clone {
        let items = OF_ITEMS.iter().copied().filter(|_| self.items);
        VARIABLES.into_iter().chain(items).chain(self.saved.iter().map(String::as_str))
    }

    /// Makes sure that every variable is known, and what is asked of it; an error says what is wrong. `used` answers what is
    /// used: the variables, or, asked for `nested`, also what of each. Answers the latter, sorted.
    pub(super) fn check(&self, used: impl Fn(bool) -> HashSet<String>) -> Result<Vec<String>, String> {
        self.check_variables(used(false))?;
        let nested = used(true);
        check_members(&nested)?;
        Ok(self.variables(nested))
    }

    fn check_variables(&self, used: HashSet<String>) -> Result<(), String> {
        // Functions of minijinja itself count as undeclared too.
        let is_unknown = |name: &String| {
            !self.known().any(|known| known == name) && !ENVIRONMENT.globals().any(|(known, _)| known == name)
        };
        let mut unknown: Vec<String> = used.into_iter().filter(is_unknown).collect();
        unknown.sort();
        let Some(name) = unknown.first() else { return Ok(()) };
        if let Some((_, step)) = self.all_saved.iter().find(|(saved, _)| saved == name) {
            return Err(format!(
                "`{name}` is not known yet: step `{step}` saves it, and does not come before"
            ));
        }
        if OF_ITEMS.contains(&name.as_str()) {
            return Err(format!("there is no variable `{name}`: only a step with `for_each` has it"));
        }
        let mend = crate::mistake::nearest(name, self.known());
        Err(format!("there is no variable `{name}`; {mend}"))
    }

    /// Those of `nested` (`data.order.total`, `range`) that are variables, sorted.
    fn variables(&self, nested: HashSet<String>) -> Vec<String> {
        let is_variable = |path: &String| self.known().any(|known| known == top(path));
        let mut variables: Vec<String> = nested.into_iter().filter(is_variable).collect();
        variables.sort();
        variables
    }
}

/// Makes sure that what is asked of a variable is there, where it is always the same; an error says what is wrong.
fn check_members(nested: &HashSet<String>) -> Result<(), String> {
    let mut paths: Vec<&String> = nested.iter().collect();
    paths.sort();
    for path in paths {
        let mut parts = path.split('.');
        let (Some(variable), Some(member)) = (parts.next(), parts.next()) else { continue };
        let known: Vec<&str> = match variable {
            "connection" => vec!["name"],
            "contact" => Field::names().chain(["id"]).collect(),
            "event" => vec!["type", "id", "occurred_at"],
            "settings" => Settings::KEYS.to_vec(),
            _ => continue,
        };
        if !known.contains(&member) {
            let mend = crate::mistake::nearest(member, known.into_iter());
            return Err(format!("`{variable}` has no `{member}`; {mend}"));
        }
    }
    Ok(())
}

/// The variable of a path: `data` of `data.order.total`.
pub(in crate::flow) fn top(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}
