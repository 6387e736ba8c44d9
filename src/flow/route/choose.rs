//! Sets of routes made of others: which of them a connection has, and which of those run.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Route, RouteSet};
use crate::flow::Error;

/// The name of a route's text: the first 12 hexadecimal digits of its SHA-256.
pub(super) fn version_of(content: &[u8]) -> String {
    let mut first = [0; 8];
    first[2..].copy_from_slice(&Sha256::digest(content)[..6]);
    format!("{:012x}", u64::from_be_bytes(first))
}

impl Route {
    /// Reads one file, by its name with `.toml`; answers every mistake in it.
    pub fn parse(file: &str, content: &[u8]) -> Result<Self, Vec<Error>> {
        super::read::read(file, content)
    }
}

impl RouteSet {
    /// A set of these routes; of two with one id the later one counts.
    pub fn of_routes(routes: impl IntoIterator<Item = Route>) -> Self {
        let by_id: BTreeMap<String, Route> =
            routes.into_iter().map(|route| (route.id.clone(), route)).collect();
        Self { routes: by_id.into_values().collect(), watch: None }
    }

    /// The same routes, some of them switched on or off by their ids.
    #[must_use]
    pub fn with_choices(&self, choices: &BTreeMap<String, bool>) -> Self {
        if choices.is_empty() {
            return self.clone();
        }
        let chosen = self.routes.iter().map(|route| {
            let enabled = choices.get(&route.id).copied().unwrap_or(route.enabled);
            Route { enabled, ..route.clone() }
        });
        Self { routes: chosen.collect::<Arc<[Route]>>(), watch: self.watch.clone() }
    }

    /// Only the route of this id, if it is there.
    #[must_use]
    pub fn only(&self, id: &str) -> Self {
        Self { routes: self.route(id).cloned().into_iter().collect(), watch: self.watch.clone() }
    }

    /// The route of this id.
    pub fn route(&self, id: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.id == id)
    }
}
