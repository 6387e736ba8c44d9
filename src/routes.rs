//! The routes in force: loaded at the start, and again when their files change, without a restart.
//!
//! The built-in routes apply to all connections; a folder adds to them and replaces them, and a folder in it, named after a
//! connection, does so for that one. A file with a mistake changes nothing: the last good version of that route stays in
//! force, and the mistake is told until it is mended.

mod load;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::connection::{Connection, ConnectionName};
use crate::flow::{Route, RouteSet};
use crate::mistake::{self, Mistake};
use crate::registry::Registry;
use crate::store::RouteVersion;

pub use load::FolderError;
use load::{File, Look};

/// Why the routes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Files with mistakes.
    #[error("{} mistake(s) in the routes", .0.len())]
    Mistakes(Vec<Mistake>),
}

/// The routes in force. Cheap to clone; all clones see the same.
#[derive(Clone)]
pub struct Routes {
    folder: Option<Arc<Path>>,
    /// Which of them run is for the connections to say.
    registry: Option<Registry>,
    in_force: Arc<RwLock<Arc<InForce>>>,
    /// What the folder looked like when it was last read.
    look: Arc<Mutex<Look>>,
    /// What the log was told to be overlooked.
    told: Arc<Mutex<Vec<Mistake>>>,
    asked: Arc<Notify>,
}

/// One state of them.
#[derive(Default)]
struct InForce {
    entries: BTreeMap<Key, Entry>,
    /// Those of a connection that has none of its own.
    common: RouteSet,
    /// Those of the other connections.
    own: HashMap<ConnectionName, RouteSet>,
    /// What connections have made of theirs by `settings.routes`, with the choices that it was made by.
    chosen: Mutex<HashMap<ConnectionName, Chosen>>,
    mistakes: Vec<Mistake>,
}

/// What a connection has switched on and off, and the routes as they are with that.
type Chosen = (BTreeMap<String, bool>, RouteSet);

/// A route's id, and the connection that it is for; none: all.
type Key = (Option<ConnectionName>, String);

/// A route with its file.
#[derive(Clone)]
struct Entry {
    route: Route,
    place: String,
    embedded: bool,
    text: Arc<str>,
}

/// A route as a connection has it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The route.
    pub route: Route,
    /// Its file, as a path from the folder; none: it is built in.
    pub file: Option<String>,
}

impl Routes {
    /// Reads all files; each must be without a mistake.
    pub fn load(folder: Option<&Path>) -> Result<Self, LoadError> {
        let look = folder.map(load::look).unwrap_or_default();
        let in_force = InForce::default().next(load::files(folder)?);
        if !in_force.mistakes.is_empty() {
            return Err(LoadError::Mistakes(in_force.mistakes));
        }
        Ok(Self {
            folder: folder.map(Into::into),
            registry: None,
            in_force: Arc::new(RwLock::new(Arc::new(in_force))),
            look: Arc::new(Mutex::new(look)),
            told: Arc::default(),
            asked: Arc::default(),
        })
    }

    /// Just these, for every connection and whatever the files say: for a dry run.
    pub fn just(routes: RouteSet) -> Self {
        let in_force = InForce { common: routes, ..InForce::default() };
        Self {
            folder: None,
            registry: None,
            in_force: Arc::new(RwLock::new(Arc::new(in_force))),
            look: Arc::default(),
            told: Arc::default(),
            asked: Arc::default(),
        }
    }

    /// The same, with the connections that choose among them.
    #[must_use]
    pub fn with_registry(self, registry: Registry) -> Self {
        Self { registry: Some(registry), ..self }
    }

    fn now(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The routes of a connection, by its name.
    pub fn of(&self, name: &ConnectionName) -> RouteSet {
        let in_force = self.now();
        match self.registry.as_ref().and_then(|registry| registry.get(name)) {
            Some(live) => in_force.chosen(name, &live.connection.settings.routes),
            None => in_force.of(name).clone(),
        }
    }

    /// The routes of a connection.
    pub fn of_connection(&self, connection: &Connection) -> RouteSet {
        self.now().chosen(&connection.name, &connection.settings.routes)
    }

    /// How many routes there are, each once.
    pub fn count(&self) -> usize {
        self.shown(None).len()
    }

    /// The routes that a connection has, by id; without a connection those that all have.
    pub fn shown(&self, name: Option<&ConnectionName>) -> BTreeMap<String, Shown> {
        let in_force = self.now();
        let of = |key: &Option<ConnectionName>| key.is_none() || key.as_ref() == name;
        // What is for one connection comes after what is for all, and takes its place.
        in_force
            .entries
            .iter()
            .filter(|((key, _), _)| of(key))
            .map(|((_, id), entry)| {
                let file = (!entry.embedded).then(|| entry.place.clone());
                (id.clone(), Shown { route: entry.route.clone(), file })
            })
            .collect()
    }

    /// What is wrong in files, whose last good version is in force.
    pub fn mistakes(&self) -> Vec<Mistake> {
        self.now().mistakes.clone()
    }

    /// The texts in force, as they are at `now`.
    pub fn versions(&self, now: Timestamp) -> Vec<RouteVersion> {
        let in_force = self.now();
        let version = |entry: &Entry| RouteVersion {
            route: entry.route.id.clone(),
            version: entry.route.version.clone(),
            text: entry.text.to_string(),
            first_seen_at: now,
        };
        in_force.entries.values().map(version).collect()
    }

    /// What a connection's `settings.routes` name that there is not.
    pub fn unknown_choices(&self, connection: &Connection) -> Vec<Mistake> {
        let routes = self.now().of(&connection.name).clone();
        let unknown = |id: &&String| routes.route(id).is_none();
        let mistake = |id: &String| Mistake {
            place: format!("connection `{}`", connection.name),
            position: None,
            what: format!("`settings.routes` names `{id}`, and there is no such route"),
            mend: mistake::nearest(id, routes.routes().iter().map(|route| route.id.as_str())),
        };
        connection.settings.routes.keys().filter(unknown).map(mistake).collect()
    }

    /// What stands in the folder and is left out of it, though it may be meant as a route of one of these connections.
    pub fn overlooked(&self, connections: &[ConnectionName]) -> Vec<Mistake> {
        self.folder.as_deref().map(|folder| load::overlooked(folder, connections)).unwrap_or_default()
    }

    /// Tells the log what is overlooked, each thing once.
    pub fn tell_overlooked(&self) {
        let Some(registry) = &self.registry else { return };
        let overlooked = self.overlooked(&registry.names());
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for mistake in overlooked.iter().filter(|mistake| !told.contains(mistake)) {
            tracing::warn!("{mistake}");
        }
        *told = overlooked;
    }

    /// Asks for the files to be read again, whatever they look like.
    pub fn ask(&self) {
        self.asked.notify_one();
    }

    /// Waits until somebody has asked.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Whether the folder looks as it did when it was last read.
    pub fn look_the_same(&self) -> bool {
        let Some(folder) = &self.folder else { return true };
        *self.look.lock().unwrap_or_else(PoisonError::into_inner) == load::look(folder)
    }

    /// Reads the files again and takes over what is good; answers the ids of routes that have changed, come or gone. The log
    /// is told of each mistake once.
    pub fn reload(&self) -> Vec<String> {
        let Some(folder) = self.folder.as_deref() else { return Vec::new() };
        let look = load::look(folder);
        let before = self.now();
        let next = match load::files(Some(folder)) {
            Ok(files) => before.next(files),
            Err(error) => before.unchanged(&error),
        };
        self.tell_overlooked();
        for mistake in next.mistakes.iter().filter(|mistake| !before.mistakes.contains(mistake)) {
            tracing::error!("a route has a mistake, and its last good version stays in force: {mistake}");
        }
        let changed = changes(&before.entries, &next.entries);
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        *self.look.lock().unwrap_or_else(PoisonError::into_inner) = look;
        changed
    }
}

impl InForce {
    fn of(&self, name: &ConnectionName) -> &RouteSet {
        self.own.get(name).unwrap_or(&self.common)
    }

    /// Those of a connection with these choices: made once, and anew only when it chooses otherwise.
    fn chosen(&self, name: &ConnectionName, choices: &BTreeMap<String, bool>) -> RouteSet {
        let set = self.of(name);
        if choices.is_empty() {
            return set.clone();
        }
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        match chosen.get(name) {
            Some((made_by, made)) if made_by == choices => made.clone(),
            _ => {
                let made = set.with_choices(choices);
                chosen.insert(name.clone(), (choices.clone(), made.clone()));
                made
            }
        }
    }

    /// What is in force after these files were read.
    fn next(&self, mut files: Vec<File>) -> Self {
        let mut entries = BTreeMap::new();
        let mut mistakes = Vec::new();
        load::tell_apart(&mut files);
        for file in files {
            let id = file.name.strip_suffix(".toml").unwrap_or(&file.name).to_owned();
            let key: Key = (file.of, id);
            let read = match file.content {
                Ok(content) => Route::parse(&file.name, &content).map(|route| (route, content)),
                Err(mistake) => Err(vec![mistake]),
            };
            match read {
                Ok((route, content)) => {
                    let (place, embedded) = (file.place, file.embedded);
                    let text = String::from_utf8_lossy(&content).into();
                    entries.insert(key, Entry { route, place, embedded, text });
                }
                Err(found) => {
                    mistakes.extend(
                        found.into_iter().map(|mistake| Mistake { place: file.place.clone(), ..mistake }),
                    );
                    if let Some(good) = self.entries.get(&key) {
                        entries.insert(key, good.clone());
                    }
                }
            }
        }
        Self::of_entries(entries, mistakes)
    }

    /// The same, as long as the folder cannot be read.
    fn unchanged(&self, error: &FolderError) -> Self {
        let mistake = Mistake {
            place: error.0.display().to_string(),
            position: None,
            what: format!("the folder cannot be read: {}", error.1),
            mend: "check `routes_dir`".into(),
        };
        Self::of_entries(self.entries.clone(), vec![mistake])
    }

    fn of_entries(entries: BTreeMap<Key, Entry>, mistakes: Vec<Mistake>) -> Self {
        let of = |name: Option<&ConnectionName>| {
            let fits = |key: &Key| key.0.is_none() || key.0.as_ref() == name;
            RouteSet::of_routes(
                entries.iter().filter(|(key, _)| fits(key)).map(|(_, entry)| entry.route.clone()),
            )
        };
        let common = of(None);
        let names = entries.keys().filter_map(|(name, _)| name.as_ref());
        let own = names.map(|name| (name.clone(), of(Some(name)))).collect();
        Self { entries, common, own, chosen: Mutex::default(), mistakes }
    }
}

/// The ids of what differs.
fn changes(before: &BTreeMap<Key, Entry>, after: &BTreeMap<Key, Entry>) -> Vec<String> {
    let differs = |key: &&Key| before.get(key).map(|it| &it.text) != after.get(key).map(|it| &it.text);
    let mut ids: Vec<String> =
        before.keys().chain(after.keys()).filter(differs).map(|(_, id)| id.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests;
