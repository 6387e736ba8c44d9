//! How routes are shown: the same by API and command line.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::connection::Connection;
use crate::mistake::Mistake;
use crate::routes::{Routes, Shown};

/// The routes in force, and what is wrong in their files.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listing {
    /// The routes, by id.
    pub items: Vec<RouteView>,
    /// Mistakes in files: the last good version of each is in force.
    pub mistakes: Vec<MistakeView>,
}

/// A route.
#[derive(Debug, Serialize, ToSchema)]
pub struct RouteView {
    /// Its id: the file's name.
    pub id: String,
    /// What it does.
    pub description: String,
    /// What sets it off.
    pub triggers: Vec<String>,
    /// When it runs by itself; null: it does not.
    #[schema(example = "every 1d at 09:00")]
    pub schedule: Option<String>,
    /// Tells this text of it from others.
    pub version: String,
    /// Its file, as a path from the folder of routes; null: it is built in.
    pub file: Option<String>,
    /// Whether its file switches it on.
    pub enabled: bool,
    /// How each connection has it that does.
    pub connections: Vec<RouteOfConnection>,
}

/// A route as a connection has it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RouteOfConnection {
    /// The connection.
    pub connection: String,
    /// Whether it runs there.
    pub enabled: bool,
    /// The version there: the connection may have a file of its own.
    pub version: String,
}

/// A mistake in a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct MistakeView {
    /// The file, as a path from the folder of routes.
    pub file: String,
    /// The line, from 1; null: the mistake is the file's as a whole.
    pub line: Option<usize>,
    /// The column, from 1.
    pub column: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub mend: String,
}

impl From<Mistake> for MistakeView {
    fn from(mistake: Mistake) -> Self {
        Self {
            file: mistake.place,
            line: mistake.position.map(|(line, _)| line),
            column: mistake.position.map(|(_, column)| column),
            what: mistake.what,
            mend: mistake.mend,
        }
    }
}

/// The routes, with how these connections have them.
pub fn listing(routes: &Routes, connections: &[&Connection]) -> Listing {
    let mut items: BTreeMap<String, RouteView> =
        routes.shown(None).into_iter().map(|(id, shown)| (id, view(&shown))).collect();
    for connection in connections {
        for (id, shown) in routes.shown(Some(&connection.name)) {
            let of_connection = RouteOfConnection {
                connection: connection.name.to_string(),
                enabled: connection.settings.routes.get(&id).copied().unwrap_or(shown.route.enabled),
                version: shown.route.version.clone(),
            };
            items.entry(id).or_insert_with(|| view(&shown)).connections.push(of_connection);
        }
    }
    Listing {
        items: items.into_values().collect(),
        mistakes: routes.mistakes().into_iter().map(MistakeView::from).collect(),
    }
}

fn view(Shown { route, file }: &Shown) -> RouteView {
    RouteView {
        id: route.id.clone(),
        description: route.description.clone(),
        triggers: route.on.clone(),
        schedule: route.schedule.map(|schedule| schedule.to_string()),
        version: route.version.clone(),
        file: file.clone(),
        enabled: route.enabled,
        connections: Vec::new(),
    }
}
