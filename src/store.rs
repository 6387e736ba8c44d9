//! The store: where everything durable lives.
//!
//! Its operations are whole promises ("append if new", "claim what is ready", "settle"), not rows and columns, so that
//! another database can keep them in its own way. [`sqlite`] is the one that is built in.

mod generations;
mod grants;
pub mod jobs;
mod keys;
mod links;
mod polls;
pub mod sqlite;
mod timers;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use crate::connection::{Connection, ConnectionName};
use crate::effect::{Attempt, Effect, EffectState, StepKey};
use crate::event::{Event, EventId, NewEvent, Source, State, Subject};
use crate::priority::Priority;
use crate::reason::Reason;
use crate::timer::Timer;

pub use generations::{Begun, GenerationStore};
pub use grants::GrantStore;
use jobs::JobStore;
pub use keys::KeyStore;
pub use links::{LinkChange, LinkStore, View};
pub use polls::PollStore;
pub use timers::TimerStore;

/// Why the store could not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another process holds the database.
    #[error("the database is locked by another process")]
    Busy,
    /// The database cannot be used now: a full disk, a vanished file.
    #[error("the database cannot be used")]
    Unavailable(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// What is stored cannot be read back.
    #[error("{what} in the database cannot be read")]
    Corrupt {
        /// Which thing.
        what: String,
        /// Why.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The worker's lease ran out and another has taken over its lane.
    #[error("the lease of the lane is lost")]
    LeaseLost,
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// It is there, and may not be changed in this way.
    #[error("{0}")]
    Conflict(String),
}

impl Error {
    /// Something stored that does not read back.
    pub fn corrupt(what: impl Into<String>, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Corrupt { what: what.into(), source: Arc::new(source) }
    }
}

/// An error and all its causes, in a line.
pub fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What the store answers.
pub type Result<T> = std::result::Result<T, Error>;

/// The receipt for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The event's id; for a duplicate, the id of the first one.
    pub id: EventId,
    /// It was in the inbox already.
    pub duplicate: bool,
}

/// A lane under lease: the right to carry out the events of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The connection.
    pub connection: ConnectionName,
    /// The subject.
    pub subject: Subject,
    /// Tells this lease from earlier and later ones.
    pub lease: i64,
    /// Until when it holds.
    pub until: Timestamp,
}

/// An open event behind the head of a lane, without its payload.
#[derive(Debug, Clone)]
pub struct Follower {
    /// Its place in the order.
    pub seq: i64,
    /// Its id.
    pub id: EventId,
    /// Its source.
    pub source: Source,
    /// Its type.
    pub kind: String,
    /// When it happened.
    pub occurred_at: Timestamp,
}

/// How many lanes may be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// How many at most.
    pub lanes: usize,
    /// How many of these go to who has waited longest, however urgent; the others to the most urgent. So no class starves.
    pub eldest: usize,
    /// How many more for which a person waits.
    pub persons: usize,
}

/// How many lanes of each connection may be claimed.
#[derive(Debug, Clone, Default)]
pub struct Shares {
    /// By connection.
    pub of: HashMap<ConnectionName, Share>,
    /// Of each connection that is not in `of`.
    pub other: Share,
}

impl Shares {
    /// Up to so many lanes of each connection, the most urgent first.
    pub fn of_each(lanes: usize) -> Self {
        Self { of: HashMap::new(), other: Share { lanes, ..Share::default() } }
    }
}

/// A claimed lane, with what there is to do.
#[derive(Debug)]
pub struct Claim {
    /// The lease.
    pub lane: Lane,
    /// How urgent it is: as its most urgent event was when that joined it.
    pub priority: Priority,
    /// The oldest open event.
    pub head: Event,
    /// The next ones, oldest first (a bounded number).
    pub followers: Vec<Follower>,
    /// The head's ledger so far, in the order in which its effects were begun.
    pub effects: Vec<Effect>,
}

/// What became of an effect, to be written down.
#[derive(Debug, Clone)]
pub struct EffectUpdate {
    /// Which step.
    pub key: StepKey,
    /// The operation that was really carried out.
    pub operation: String,
    /// Its new state.
    pub state: EffectState,
    /// The ids it made, or why nothing had to be done.
    pub result: Value,
    /// The exchanges since the last update.
    pub attempts: Vec<Attempt>,
    /// The version of the route that it was carried out with.
    pub version: Option<String>,
    /// What it sets off later: put in the same transaction, in place of the timer of its key if there is one.
    pub timer: Option<Timer>,
}

/// How the work on an event ended, this time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Everything is done.
    Done {
        /// A word on how, where that is not plain.
        reason: Option<String>,
    },
    /// Nothing handles it (any more).
    Ignored {
        /// Why.
        reason: String,
    },
    /// To be tried again.
    Waiting {
        /// When.
        at: Timestamp,
        /// Why.
        reason: Reason,
        /// Whether it counts as a failed try.
        counts: bool,
    },
    /// Waits until its connection works again.
    Parked {
        /// For what.
        reason: Reason,
        /// When it goes on by itself, at the latest; none: when the connection has changed.
        until: Option<Timestamp>,
    },
    /// Waits for a person.
    Dead {
        /// What that person can do.
        reason: Reason,
    },
    /// Given back unfinished (at shutdown): to be claimed again at once.
    Released,
}

/// Which events to list. All conditions hold together.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of this connection.
    pub connection: Option<ConnectionName>,
    /// In this state.
    pub state: Option<State>,
    /// Of this type.
    pub kind: Option<String>,
    /// About this subject.
    pub subject: Option<Subject>,
    /// Received at or after.
    pub since: Option<Timestamp>,
    /// Received before.
    pub until: Option<Timestamp>,
}

/// One page of events, newest first, without payloads.
#[derive(Debug)]
pub struct Page {
    /// The events.
    pub events: Vec<Event>,
    /// Where the next page begins; none: this was the last one.
    pub next: Option<i64>,
}

/// A connection as stored.
#[derive(Debug, Clone)]
pub struct StoredConnection {
    /// What it is.
    pub connection: Connection,
    /// Where it came from.
    pub origin: Origin,
}

/// A connection whose definition cannot be read back: damaged, or sealed with a key that is not here.
#[derive(Debug, Clone)]
pub struct UnreadableConnection {
    /// Its name.
    pub name: ConnectionName,
    /// Why.
    pub error: Error,
}

/// All stored connections, by name. One that cannot be read takes no other with it.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    /// Those that can be used.
    pub readable: Vec<StoredConnection>,
    /// Those that cannot.
    pub unreadable: Vec<UnreadableConnection>,
}

/// Where a connection is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// In `cartbridge.toml`: read-only elsewhere.
    File,
    /// Made by the API or by the command line.
    Api,
}

/// A text of a route that was in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteVersion {
    /// The route's id.
    pub route: String,
    /// Tells it from the route's other texts.
    pub version: String,
    /// The file, as it was read.
    pub text: String,
    /// When it was first in force.
    pub first_seen_at: Timestamp,
}

/// Everything durable. All methods are safe to repeat.
#[async_trait]
pub trait Store:
    KeyStore + GenerationStore + GrantStore + JobStore + LinkStore + PollStore + TimerStore
{
    /// Stores an event unless (connection, source, source id) is known. When this answers `Ok`, the event is on disk.
    /// `not_before`: a lane that this event opens is not ready earlier, so that later events of the subject can join it.
    async fn append(&self, event: NewEvent, not_before: Timestamp) -> Result<Appended>;

    /// The event that was stored for a delivery.
    async fn known(
        &self,
        connection: &ConnectionName,
        source: Source,
        source_id: &str,
    ) -> Result<Option<EventId>>;

    /// Claims what is ready of each connection, as far as its share goes, under a lease until `until`: the most urgent lanes
    /// first, of those as urgent the longest waiting.
    async fn claim(&self, shares: &Shares, now: Timestamp, until: Timestamp) -> Result<Vec<Claim>>;
    /// When the next lane will be ready of those that were not ready at `after`. What has arrived and was not looked at yet
    /// counts in any case.
    async fn next_ready(&self, after: Timestamp) -> Result<Option<Timestamp>>;
    /// Gives back every lease, of lanes and of turns at renewing tokens; only right while no worker runs (at the start of
    /// the only process).
    async fn release_leases(&self, now: Timestamp) -> Result<usize>;
    /// The payload of one event.
    async fn payload(&self, seq: i64) -> Result<Vec<u8>>;
    /// Makes sure that a lease holds for at least three quarters of [`LEASE`] from now.
    async fn extend_lease(&self, lane: &Lane, now: Timestamp) -> Result<()>;
    /// Writes down, before a call that is not idempotent, that it is about to be sent, and by which version of the route; extends the lease as
    /// [`Store::extend_lease`] does.
    async fn begin_effect(
        &self,
        lane: &Lane,
        seq: i64,
        key: &StepKey,
        operation: &str,
        version: Option<&str>,
        now: Timestamp,
    ) -> Result<()>;
    /// Writes down what became of an effect, with the links that it changed, in one transaction.
    async fn record_effect(
        &self,
        lane: &Lane,
        seq: i64,
        effect: EffectUpdate,
        links: Vec<LinkChange>,
    ) -> Result<()>;
    /// [`Store::record_effect`] for the last step of an event and [`Store::settle`] as done, in one transaction.
    async fn finish(
        &self,
        lane: &Lane,
        head: &Event,
        effect: EffectUpdate,
        links: Vec<LinkChange>,
        folded: Vec<i64>,
        now: Timestamp,
    ) -> Result<()>;
    /// Ends the work on a claimed lane: the head's new state, the followers folded into it, the lane free again.
    async fn settle(
        &self,
        lane: &Lane,
        head: &Event,
        folded: Vec<i64>,
        settlement: Settlement,
        now: Timestamp,
    ) -> Result<()>;
    /// Makes the parked events of a connection ready again; answers how many lanes that were.
    async fn unpark(&self, connection: &ConnectionName, now: Timestamp) -> Result<usize>;
    /// Makes one parked lane of a connection ready again, to try whether it works by now; answers whether there was one.
    async fn unpark_one(&self, connection: &ConnectionName, now: Timestamp) -> Result<bool>;

    /// One event with its ledger.
    async fn event(&self, id: EventId) -> Result<Option<(Event, Vec<Effect>)>>;
    /// Events, newest first, from `cursor` on.
    async fn events(&self, filter: &EventFilter, cursor: Option<i64>, limit: usize) -> Result<Page>;
    /// How many events are in each state.
    async fn counts(&self) -> Result<Vec<(State, u64)>>;
    /// Runs an event again and answers the id under which to watch it. Open and dead events go on in place, with what is
    /// done staying done. A finished one becomes a new event that takes over its finished steps, or none with `force`.
    async fn replay(&self, id: EventId, force: bool, now: Timestamp) -> Result<EventId>;

    /// Keeps texts of routes; one that is kept already stays as it is.
    async fn put_route_versions(&self, versions: Vec<RouteVersion>) -> Result<()>;
    /// The texts that a route has had, the newest first.
    async fn route_versions(&self, route: &str) -> Result<Vec<RouteVersion>>;
    /// For how many events before `event`, of its subject and from its side, received at or after `since`, the route has done
    /// something.
    async fn runs_of_route(&self, event: &Event, route: &str, since: Timestamp) -> Result<u64>;

    /// All connections, by name.
    async fn connections(&self) -> Result<Connections>;
    /// Makes or replaces a connection. One from the file can be replaced only from the file ([`Error::Conflict`]).
    async fn put_connection(&self, connection: &Connection, origin: Origin, now: Timestamp) -> Result<()>;
    /// Removes a connection made by the API; its events stay.
    async fn remove_connection(&self, name: &ConnectionName) -> Result<()>;
    /// Drops the connections that came from the file and are not in it any more.
    async fn retain_file_connections(&self, names: &[ConnectionName]) -> Result<()>;

    /// Whether the database answers and can be written.
    async fn ping(&self) -> Result<()>;
}

/// How long a lease is extended with each write of its holder.
pub const LEASE: Duration = Duration::from_mins(2);
