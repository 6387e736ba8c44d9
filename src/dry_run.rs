//! Dry runs: what an event would set off, to the last byte of each call, without anything being written anywhere.
//!
//! There is no second implementation of the operations. The event is carried out for real, by the engine itself, with the
//! sandbox in place of HighLevel and a database of its own in place of the bridge's ([`scene`]). What the bridge knows of the
//! customer is copied into it ([`given`]); the store is asked only where that is wished, and only ever with GET ([`gate`]).
//!
//! A recorded event is tried as it was then: what has come of it since is taken back first. So a flow that was changed can be
//! tried on what happened last week ([`compare`]).

mod compare;
mod event;
mod gate;
mod given;
mod names;
mod report;
mod rewind;
pub(crate) mod scene;
mod since;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::connection::{Connection, ConnectionName};
use crate::effect::Effect;
use crate::event::{Event, EventId};
use crate::flow::RouteSet;
use crate::link::Customer;
use crate::mistake::Mistake;
use crate::routes::Routes;
use crate::store::{self, EventFilter, Store};

pub use compare::{Change, Compared, Comparison};
pub use event::EventError;
pub use report::{Call, ConditionView, Cost, EventView, Phase, Report, StepView, StoreCall};
pub use since::Since;

pub(crate) use event::read as read_event;
pub(crate) use given::{Given, GivenContact};
pub(crate) use names::{Names, made};
use scene::{Arrival, Play, Scene, StoreSide};

/// How many may be under way at once: each has a database and a simulated HighLevel of its own.
const AT_ONCE: usize = 2;

/// Why a dry run cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too many are under way.
    #[error("{AT_ONCE} dry runs are under way already: try again in a moment")]
    Busy,
    /// There is no such connection.
    #[error("there is no connection `{name}`{}", others(.known))]
    NoConnection {
        /// The name that was asked for.
        name: ConnectionName,
        /// Those that there are.
        known: Vec<ConnectionName>,
    },
    /// It is not said which connection, and there is not exactly one.
    #[error("say for which connection{}", others(.0))]
    WhichConnection(Vec<ConnectionName>),
    /// There is no such event.
    #[error("there is no event {0}: `cartbridge events list` shows them")]
    NoEvent(EventId),
    /// It is another connection's.
    #[error("event {0} belongs to connection `{1}`: leave the connection out, or name that one")]
    OtherConnection(EventId, ConnectionName),
    /// What was given is no event.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The route that was given has mistakes.
    #[error("{}", lines(.0))]
    Route(Vec<Mistake>),
    /// The database does not answer.
    #[error("the database cannot be used")]
    Store(#[from] store::Error),
    /// The simulated systems cannot be set up.
    #[error("the dry run cannot be set up: {0}")]
    Setup(String),
}

impl Error {
    /// Something that the simulated side needs is not to be had.
    pub(crate) fn setup(what: impl std::fmt::Display) -> Self {
        Self::Setup(what.to_string())
    }
}

fn others(known: &[ConnectionName]) -> String {
    if known.is_empty() {
        return ": there is none yet".to_owned();
    }
    let names: Vec<&str> = known.iter().map(ConnectionName::as_str).collect();
    format!(": there is {}", names.join(", "))
}

fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A route to be tried, in place of the one of its name or beside the others.
#[derive(Debug, Clone)]
pub struct TriedRoute {
    /// The file's name, such as `customer-tags.toml`: it names the route.
    pub file: String,
    /// What stands in it.
    pub content: Vec<u8>,
}

/// Which event.
#[derive(Debug, Clone)]
pub enum Which {
    /// One as it would be sent: the body of a webhook, or `{ "type": …, "data": … }`.
    Told(Value),
    /// One that was received.
    Recorded(EventId),
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The connection; none: the event's own, or the only one that there is.
    pub connection: Option<ConnectionName>,
    /// The event.
    pub event: Which,
    /// A route to be tried.
    pub route: Option<TriedRoute>,
    /// The real store may be asked, with GET only.
    pub ask_store: bool,
}

/// What dry runs are made with.
#[derive(Clone)]
pub struct Setup {
    /// What the bridge knows; it is only read.
    pub store: Arc<dyn Store>,
    /// The flows.
    pub routes: Routes,
    /// How long a call to the store may take.
    pub call_timeout: Duration,
    /// Where connections are that do not say it.
    pub zone: TimeZone,
}

/// Makes dry runs. Cheap to clone; all clones share how many may be under way.
#[derive(Clone)]
pub struct DryRuns {
    setup: Setup,
    turns: Arc<Semaphore>,
}

impl Asked {
    /// The resync of a customer. The store is asked for him, as the resync itself does.
    pub fn resync(connection: ConnectionName, customer: &Customer) -> Self {
        let event = json!({ "type": "manual.resync", "data": { "customer": customer.to_string() } });
        Self { connection: Some(connection), event: Which::Told(event), route: None, ask_store: true }
    }
}

impl DryRuns {
    /// Over what the bridge knows.
    pub fn new(setup: Setup) -> Self {
        Self { setup, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Tries one event.
    pub async fn run(&self, asked: Asked) -> Result<Report, Error> {
        let _turn = self.turns.try_acquire().map_err(|_| Error::Busy)?;
        let tried = match asked.event {
            Which::Told(event) => {
                let connection = self.connection(asked.connection.as_ref()).await?;
                let incoming = event::read(&event)?;
                let given = given::of_told(&*self.setup.store, &connection.name, &event).await?;
                Tried { connection, given, events: vec![Arrival::Told(Box::new(incoming))], recorded: false }
            }
            Which::Recorded(id) => {
                let (event, effects) = self.setup.store.event(id).await?.ok_or(Error::NoEvent(id))?;
                if asked.connection.as_ref().is_some_and(|name| *name != event.connection) {
                    return Err(Error::OtherConnection(id, event.connection));
                }
                let connection = self.connection(Some(&event.connection)).await?;
                let folded = self.folded_into(&event).await?;
                self.recorded(connection, event, &effects, folded).await?
            }
        };
        let routes = self.routes_with(&tried.connection, asked.route.as_ref())?;
        let off = asked
            .route
            .as_ref()
            .and_then(|tried_route| switched_off(&tried.connection, &routes, tried_route));
        let mut scene = Scene::open(&tried.connection.ghl.location_id, self.setup.call_timeout).await?;
        let report = self.try_in(&mut scene, tried, &routes, asked.ask_store).await;
        scene.close().await;
        let mut report = report?;
        report.notes.extend(off);
        Ok(report)
    }

    fn routes_with(&self, connection: &Connection, tried: Option<&TriedRoute>) -> Result<RouteSet, Error> {
        let routes = self.setup.routes.of_connection(connection);
        match tried {
            None => Ok(routes),
            Some(tried) => routes.with(&tried.file, &tried.content).map_err(Error::Route),
        }
    }

    /// The connection of this name, or the only one.
    async fn connection(&self, name: Option<&ConnectionName>) -> Result<Connection, Error> {
        let mut all: Vec<Connection> = self
            .setup
            .store
            .connections()
            .await?
            .readable
            .into_iter()
            .map(|stored| stored.connection)
            .collect();
        for connection in &mut all {
            connection.settings.settle_in(&self.setup.zone);
        }
        let known = || all.iter().map(|connection| connection.name.clone()).collect();
        match name {
            None if all.len() == 1 => Ok(all.remove(0)),
            None => Err(Error::WhichConnection(known())),
            Some(name) => match all.iter().position(|connection| connection.name == *name) {
                Some(index) => Ok(all.remove(index)),
                None => Err(Error::NoConnection { name: name.clone(), known: known() }),
            },
        }
    }

    /// The events that were carried out together with this one, oldest first, with their payloads.
    async fn folded_into(&self, head: &Event) -> Result<Vec<Event>, Error> {
        let filter = EventFilter {
            connection: Some(head.connection.clone()),
            subject: Some(head.subject.clone()),
            since: Some(head.received_at),
            ..EventFilter::default()
        };
        let page = self.setup.store.events(&filter, None, 500).await?;
        let mut folded: Vec<Event> =
            page.events.into_iter().filter(|event| event.folded_into == Some(head.id)).collect();
        folded.reverse();
        Ok(folded)
    }

    /// A recorded event, with what was known when it came.
    async fn recorded(
        &self,
        connection: Connection,
        mut event: Event,
        effects: &[Effect],
        folded: Vec<Event>,
    ) -> Result<Tried, Error> {
        let mut newest: Option<(Timestamp, Value)> = None;
        let mut events = Vec::with_capacity(1 + folded.len());
        event.payload = self.setup.store.payload(event.seq).await?;
        for mut follower in folded {
            follower.payload = self.setup.store.payload(follower.seq).await?;
            // As `inbox::fold` has it: the newest by when it happened.
            if follower.occurred_at >= newest.as_ref().map_or(event.occurred_at, |(newest, _)| *newest) {
                let payload = serde_json::from_slice(&follower.payload).unwrap_or_default();
                newest = Some((follower.occurred_at, payload));
            }
            events.push(Arrival::Recorded(Box::new(follower)));
        }
        let own: Value = serde_json::from_slice(&event.payload).unwrap_or_default();
        let (occurred_at, payload) = newest.unwrap_or((event.occurred_at, own));
        let mut given = given::of_recorded(&*self.setup.store, &event, &payload).await?;
        let then = rewind::Then { event: &event, occurred_at, payload: &payload, effects };
        rewind::rewind(&mut given, &then, &connection);
        events.insert(0, Arrival::Recorded(Box::new(event)));
        Ok(Tried { connection, given, events, recorded: true })
    }

    async fn try_in(
        &self,
        scene: &mut Scene,
        tried: Tried,
        routes: &RouteSet,
        ask_store: bool,
    ) -> Result<Report, Error> {
        let store = if ask_store { StoreSide::OnlyAsked } else { StoreSide::LeftAlone };
        let play =
            Play { connection: &tried.connection, routes, given: &tried.given, events: tried.events, store };
        let played = scene.play(play).await?;
        Ok(report::of(&tried.connection.name, &tried.given, &played, tried.recorded))
    }
}

/// Says that the route to be tried does not run, if it does not.
fn switched_off(connection: &Connection, routes: &RouteSet, tried: &TriedRoute) -> Option<String> {
    let id = tried.file.strip_suffix(".toml").unwrap_or(&tried.file);
    let chosen = routes.with_choices(&connection.settings.routes);
    let is_off = chosen.route(id).is_some_and(|route| !route.enabled);
    is_off.then(|| {
        format!("route `{id}` is switched off for this connection: by `enabled = false` in its file, or by `settings.routes`")
    })
}

/// An event that is about to be tried.
struct Tried {
    connection: Connection,
    given: Given,
    /// The event, and those that go with it.
    events: Vec<Arrival>,
    /// It was received.
    recorded: bool,
}
