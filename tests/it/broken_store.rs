//! A store that fails as it is told to: for what a real database does too rarely to wait for.

use std::sync::Arc;

use async_trait::async_trait;
use cartbridge::access::{ApiKey, KeyHash};
use cartbridge::connection::{Connection, ConnectionName};
use cartbridge::effect::{Effect, StepKey};
use cartbridge::event::{Event, EventId, NewEvent, Source, State};
use cartbridge::grant::{
    BegunConnect, Disconnected, FailedTurn, Grant, GrantHead, GrantId, Granted, NewGrant, NewPair, NonceHash,
    RefreshTurn, Turn,
};
use cartbridge::jobs::{Item, Job, JobId, JobState};
use cartbridge::link::{Customer, ItemKind, ItemLink, Link};
use cartbridge::poll_state::PollState;
use cartbridge::restore::Restore;
use cartbridge::store::jobs::{Candidates, Chunk, JobStore, KnownContact, Sought, Step};
use cartbridge::store::{
    Appended, Begun, Claim, Connections, EffectUpdate, Error, EventFilter, GenerationStore, GrantStore,
    KeyStore, Lane, LinkChange, LinkStore, Origin, Page, PollStore, Result, RouteVersion, Settlement, Shares,
    Store, TimerStore, View,
};
use cartbridge::timer::Timer;
use jiff::Timestamp;

/// What happens to each event that is to be stored.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "the tests need some of these, a benchmark another")]
pub enum Failure {
    /// An error is answered.
    Error(Error),
    /// No answer ever comes.
    Hang,
    /// A mistake of ours.
    Panic,
    /// It is acknowledged and forgotten.
    Forget,
}

/// A store in which no event can be stored; all else works as in the one inside.
pub struct BrokenStore {
    /// The one inside.
    pub inner: Arc<dyn Store>,
    /// What happens instead.
    pub failure: Failure,
}

impl BrokenStore {
    async fn fail(&self, event: NewEvent) -> Result<Appended> {
        match &self.failure {
            Failure::Error(error) => Err(error.clone()),
            Failure::Hang => std::future::pending().await,
            Failure::Panic => panic!("as a test wants it"),
            Failure::Forget => Ok(Appended { id: event.id, duplicate: false }),
        }
    }
}

macro_rules! all_but_append {
    ($(fn $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for BrokenStore {
            async fn append(&self, event: NewEvent, _: Timestamp) -> Result<Appended> {
                self.fail(event).await
            }

            $(async fn $name(&self, $($argument: $kind),*) -> Result<$answer> {
                self.inner.$name($($argument),*).await
            })*
        }
    };
}

all_but_append! {
    fn known(connection: &ConnectionName, source: Source, source_id: &str) -> Option<EventId>;
    fn claim(shares: &Shares, now: Timestamp, until: Timestamp) -> Vec<Claim>;
    fn next_ready(after: Timestamp) -> Option<Timestamp>;
    fn release_leases(now: Timestamp) -> usize;
    fn payload(seq: i64) -> Vec<u8>;
    fn extend_lease(lane: &Lane, now: Timestamp) -> ();
    fn begin_effect(lane: &Lane, seq: i64, key: &StepKey, operation: &str, version: Option<&str>, now: Timestamp) -> ();
    fn record_effect(lane: &Lane, seq: i64, effect: EffectUpdate, links: Vec<LinkChange>) -> ();
    fn finish(lane: &Lane, head: &Event, effect: EffectUpdate, links: Vec<LinkChange>, folded: Vec<i64>, now: Timestamp) -> ();
    fn settle(lane: &Lane, head: &Event, folded: Vec<i64>, settlement: Settlement, now: Timestamp) -> ();
    fn put_route_versions(versions: Vec<RouteVersion>) -> ();
    fn route_versions(route: &str) -> Vec<RouteVersion>;
    fn runs_of_route(event: &Event, route: &str, since: Timestamp) -> u64;
    fn unpark(connection: &ConnectionName, now: Timestamp) -> usize;
    fn unpark_one(connection: &ConnectionName, now: Timestamp) -> bool;
    fn event(id: EventId) -> Option<(Event, Vec<Effect>)>;
    fn events(filter: &EventFilter, cursor: Option<i64>, limit: usize) -> Page;
    fn counts() -> Vec<(State, u64)>;
    fn replay(id: EventId, force: bool, now: Timestamp) -> EventId;
    fn connections() -> Connections;
    fn put_connection(connection: &Connection, origin: Origin, now: Timestamp) -> ();
    fn remove_connection(name: &ConnectionName) -> ();
    fn retain_file_connections(names: &[ConnectionName]) -> ();
    fn ping() -> ();
}

/// All of a trait as the store inside does it.
macro_rules! as_inside {
    ($store:ident: $(fn $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl $store for BrokenStore {
            $(async fn $name(&self, $($argument: $kind),*) -> Result<$answer> {
                self.inner.$name($($argument),*).await
            })*
        }
    };
}

as_inside! {
    JobStore:
    fn add_job(job: &Job) -> ();
    fn job(id: JobId) -> Option<Job>;
    fn jobs(connection: Option<&ConnectionName>, limit: usize) -> Vec<Job>;
    fn jobs_to_run() -> Vec<Job>;
    fn move_job(id: JobId, from: &[JobState], to: JobState, reason: Option<String>, now: Timestamp) -> Job;
    fn note_job(id: JobId, reason: Option<String>) -> ();
    fn job_step(id: JobId, step: Step, chunk: Chunk) -> bool;
    fn resolve_job(id: JobId) -> u64;
    fn job_candidates(id: JobId, connection: &ConnectionName, sought: Vec<Sought>) -> Vec<Candidates>;
    fn pending_of_job(id: JobId, last: u64, limit: usize) -> Vec<u64>;
    fn customers_with_events(connection: &ConnectionName, since: Timestamp) -> Vec<u64>;
    fn leftovers_of_job(id: JobId, connection: &ConnectionName, after: &str, limit: usize) -> Vec<KnownContact>;
    fn forget_contacts(id: JobId) -> bool;
    fn job_items(id: JobId, after: Option<(u64, String)>, limit: usize) -> Vec<Item>;
    fn count_links(connection: &ConnectionName) -> u64;
}

as_inside! {
    TimerStore:
    fn put_timer(timer: Timer) -> ();
    fn due_timers(now: Timestamp, limit: usize) -> Vec<Timer>;
    fn next_timer() -> Option<Timestamp>;
    fn fire_timer(timer: &Timer, again: Option<Timestamp>, now: Timestamp) -> Option<EventId>;
    fn pass_timer(timer: &Timer, again: Option<Timestamp>) -> bool;
    fn drop_timer(connection: &ConnectionName, key: &str) -> bool;
    fn timers(connection: Option<&ConnectionName>, limit: usize) -> Vec<Timer>;
    fn timers_named(prefix: &str) -> Vec<Timer>;
}

as_inside! {
    LinkStore:
    fn link(connection: &ConnectionName, customer: &Customer) -> Option<Link>;
    fn links_of_contact(connection: &ConnectionName, contact: &ghl::ContactId) -> Vec<Link>;
    fn links_page(connection: &ConnectionName, after: Option<&Customer>, limit: usize) -> Vec<Link>;
    fn put_links(changes: Vec<LinkChange>) -> ();
    fn item(connection: &ConnectionName, kind: ItemKind, key: &str) -> Option<ItemLink>;
    fn items_of_contact(connection: &ConnectionName, kind: ItemKind, contact: &ghl::ContactId) -> Vec<ItemLink>;
    fn put_view(connection: &ConnectionName, customer: &Customer, view: View) -> ();
    fn view(connection: &ConnectionName, customer: &Customer) -> Option<View>;
}

as_inside! {
    GrantStore:
    fn begin_connect(connect: BegunConnect, now: Timestamp) -> ();
    fn take_connect(state: NonceHash, now: Timestamp) -> Option<BegunConnect>;
    fn put_grant(connections: &[ConnectionName], grant: NewGrant, now: Timestamp) -> Grant;
    fn grant_of(connection: &ConnectionName) -> Option<Granted>;
    fn grant_heads() -> Vec<GrantHead>;
    fn connections_of_grant(id: &GrantId) -> Vec<ConnectionName>;
    fn begin_refresh(turn: &RefreshTurn, now: Timestamp) -> Turn;
    fn finish_refresh(id: &GrantId, generation: i64, new: NewPair) -> Option<Grant>;
    fn fail_refresh(turn: &RefreshTurn, failed: FailedTurn) -> ();
    fn disconnect(id: &GrantId, generation: i64, why: Disconnected) -> Option<(Grant, bool)>;
    fn leave_grant(connection: &ConnectionName, at: Option<Timestamp>, why: &str) -> bool;
}

as_inside! {
    PollStore:
    fn poll_state(connection: &ConnectionName) -> Option<PollState>;
    fn put_poll_state(connection: &ConnectionName, state: &PollState) -> ();
    fn note_read(connection: &ConnectionName, now: Timestamp) -> ();
    fn last_read(connection: &ConnectionName) -> Option<Timestamp>;
    fn note_addon(connection: &ConnectionName, now: Timestamp) -> ();
    fn addon_heard(connection: &ConnectionName) -> bool;
}

as_inside! {
    GenerationStore:
    fn begin_generation(newest: Option<u64>, lost_until: Timestamp) -> Begun;
    fn next_generation() -> Option<u64>;
    fn put_restore(lost_since: Option<Timestamp>, lost_until: Timestamp) -> Restore;
    fn restore() -> Option<Restore>;
}

as_inside! {
    KeyStore:
    fn add_key(key: &ApiKey, hash: KeyHash) -> ();
    fn key_by_hash(hash: KeyHash) -> Option<ApiKey>;
    fn keys() -> Vec<ApiKey>;
    fn revoke_key(id: &str, now: Timestamp) -> ();
}
