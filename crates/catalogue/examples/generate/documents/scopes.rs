//! "OAuth 2.0: Scopes": a table from scopes to operations and events. It knows some that the OpenAPI documents leave open.

use catalogue::Method;

/// The table.
pub(crate) struct Table {
    /// Scope, method, path with `*` for parameters.
    operations: Vec<(String, String, String)>,
    /// Scope, event.
    events: Vec<(String, String)>,
}

impl Table {
    /// Reads the page. A row without a scope belongs to the scope above it.
    pub(crate) fn parse(page: &str) -> Self {
        let (mut operations, mut events, mut scope) = (Vec::new(), Vec::new(), String::new());
        for row in page.lines().filter_map(|line| line.trim().strip_prefix('|')) {
            let cells: Vec<String> =
                row.split('|').map(|cell| cell.replace("&nbsp;", "").trim().to_owned()).collect();
            let [named, endpoint, event, ..] = cells.as_slice() else { continue };
            if named == "Scope" || named.starts_with("--") {
                continue;
            }
            if !named.is_empty() {
                scope.clone_from(named);
            }
            if let Some((method, path)) = endpoint.split_once(' ') {
                operations.push((scope.clone(), method.to_owned(), pattern(path)));
            }
            if !event.is_empty() {
                events.push((scope.clone(), event.clone()));
            }
        }
        Self { operations, events }
    }

    /// The scopes that an operation needs.
    pub(crate) fn of(&self, method: Method, path: &str) -> Vec<String> {
        let path = pattern(path);
        let found = self.operations.iter().filter(|it| it.1 == method.as_str() && it.2 == path);
        distinct(found.map(|it| it.0.clone()))
    }

    /// The scopes that bring an event.
    pub(crate) fn of_event(&self, event: &str) -> Vec<String> {
        distinct(self.events.iter().filter(|it| it.1 == event).map(|it| it.0.clone()))
    }
}

fn distinct(scopes: impl Iterator<Item = String>) -> Vec<String> {
    let mut scopes: Vec<String> = scopes.collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

/// A path without the names of its parameters.
fn pattern(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts.map(|part| if part.starts_with([':', '{']) { "*" } else { part }).collect::<Vec<_>>().join("/")
}
