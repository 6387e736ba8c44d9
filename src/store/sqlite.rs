//! The embedded store: one SQLite file, WAL, `synchronous=FULL`.
//!
//! All writes go through one thread that groups them into transactions (`writer`); reads run beside it on connections of
//! their own (`readers`). The other files hold the statements, by subject.

mod access;
mod arrivals;
mod connections;
mod connects;
mod effects;
mod events;
mod generations;
mod grants;
mod inbox;
mod jobs;
mod lanes;
mod links;
mod open;
mod polls;
mod readers;
mod replay;
mod route_versions;
mod row;
mod secrets;
mod settle;
mod timers;
mod writer;

use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::Connection as Pool;

use super::{
    Appended, Claim, Connections, EffectUpdate, Error, EventFilter, Lane, LinkChange, Origin, Page, Result,
    RouteVersion, Settlement, Shares, Store,
};
use crate::connection::{Connection, ConnectionName};
use crate::effect::{Effect, StepKey};
use crate::event::{Event, EventId, NewEvent, Source, State};
use crate::vault::{Source as KeySource, Vault};

use arrivals::{Arrivals, SourceKey};
use readers::Readers;
use writer::Writer;

pub use open::OpenError;
pub use secrets::{RotateError, Rotated};

/// A SQLite file as the store.
pub struct Sqlite {
    // Dropped before the writer: SQLite tidies up a file when its last connection closes, and only if no other closes at
    // that moment.
    readers: Readers,
    writer: Writer,
    /// What has arrived and is not filed.
    arrivals: Arc<Mutex<Arrivals>>,
    /// Seals the secrets in it.
    vault: Vault,
    /// How many changes of rows the writer had made when the present generation began.
    marked: Arc<AtomicU64>,
}

impl Sqlite {
    /// Opens a file, makes it where it is missing, and brings it to this version's form. As long as nothing is sealed in it,
    /// a key file that is missing beside it is made.
    pub fn open_with(path: &Path, keys: KeySource) -> std::result::Result<Self, OpenError> {
        let vault = open::vault(path, keys)?;
        Self::open(path, vault)
    }

    /// Opens a file, makes it where it is missing, and brings it to this version's form.
    pub fn open(path: &Path, vault: Vault) -> std::result::Result<Self, OpenError> {
        Self::over(open::pool(path, &vault)?, path, vault)
    }

    /// Makes a file that need not outlive a loss of power, such as that of a dry run: nothing waits for the disk.
    pub fn open_temporary(path: &Path, vault: Vault) -> std::result::Result<Self, OpenError> {
        Self::over(open::temporary(path, &vault)?, path, vault)
    }

    fn over(pool: Pool, path: &Path, vault: Vault) -> std::result::Result<Self, OpenError> {
        let arrivals = Arrivals::load(&pool).map_err(|error| OpenError::Read(path.to_owned(), error))?;
        let arrivals = Arc::new(Mutex::new(arrivals));
        let ended = Arc::clone(&arrivals);
        let writer = Writer::start(pool, move |committed| locked(&ended).end(committed));
        Ok(Self { readers: Readers::new(path.to_owned()), writer, arrivals, vault, marked: Arc::default() })
    }

    /// Opens a file for reading alone: nothing is made, brought to this version's form or changed, and each write fails. A bridge
    /// may be working with the file.
    pub fn open_read_only(path: &Path, keys: KeySource) -> std::result::Result<Self, OpenError> {
        let vault = Vault::load(keys)?;
        let pool = open::read_only(path, &vault)?;
        let arrivals = Arrivals::load(&pool).map_err(|error| OpenError::Read(path.to_owned(), error))?;
        let arrivals = Arc::new(Mutex::new(arrivals));
        let writer = Writer::start(pool, |_| {});
        Ok(Self {
            readers: Readers::read_only(path.to_owned()),
            writer,
            arrivals,
            vault,
            marked: Arc::default(),
        })
    }

    /// Seals everything with a new master key. A bridge may be working with the file.
    pub fn rotate_master(path: &Path, keys: KeySource) -> std::result::Result<Rotated, RotateError> {
        let vault = open::vault(path, keys)?;
        let mut pool = open::pool(path, &vault)?;
        secrets::rotate(&mut pool, &vault)
    }

    /// Whether the keys could be those of a file, without making or changing anything.
    pub fn check_keys(path: &Path, keys: KeySource) -> std::result::Result<(), OpenError> {
        if secrets::is_sealed(path)? {
            let vault = Vault::load(keys)?;
            let pool = Pool::open(path).map_err(|source| OpenError::Open(path.to_owned(), source))?;
            secrets::check(&pool, path, &vault)
        } else {
            Ok(keys.check()?)
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        match error.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked) => Self::Busy,
            _ => Self::Unavailable(Arc::new(error)),
        }
    }
}

/// A panic while they were locked has left them whole: they change in one step.
fn locked(arrivals: &Mutex<Arrivals>) -> MutexGuard<'_, Arrivals> {
    arrivals.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Store for Sqlite {
    async fn append(&self, event: NewEvent, not_before: Timestamp) -> Result<Appended> {
        let arrivals = Arc::clone(&self.arrivals);
        self.writer.run(move |tx| inbox::append(tx, &mut locked(&arrivals), &event, not_before)).await
    }

    async fn known(
        &self,
        connection: &ConnectionName,
        source: Source,
        source_id: &str,
    ) -> Result<Option<EventId>> {
        let key = SourceKey::of(connection, source, source_id);
        // In this order: what is filed meanwhile is found in the database.
        let arrived = locked(&self.arrivals).committed(key);
        match arrived {
            Some(id) => Ok(Some(id)),
            None => self.readers.run(move |pool| inbox::filed(pool, key)).await,
        }
    }

    async fn claim(&self, shares: &Shares, now: Timestamp, until: Timestamp) -> Result<Vec<Claim>> {
        let (arrivals, shares) = (Arc::clone(&self.arrivals), shares.clone());
        self.writer.run(move |tx| lanes::claim(tx, &mut locked(&arrivals), &shares, now, until)).await
    }

    async fn next_ready(&self, after: Timestamp) -> Result<Option<Timestamp>> {
        self.readers.run(move |pool| lanes::next_ready(pool, after)).await
    }

    async fn release_leases(&self, now: Timestamp) -> Result<usize> {
        self.writer
            .run(move |tx| {
                grants::release(tx)?;
                lanes::release_leases(tx, now)
            })
            .await
    }

    async fn payload(&self, seq: i64) -> Result<Vec<u8>> {
        self.readers.run(move |pool| events::payload(pool, seq)).await
    }

    async fn extend_lease(&self, lane: &Lane, now: Timestamp) -> Result<()> {
        let lane = lane.clone();
        self.writer.run(move |tx| lanes::extend(tx, &lane, now)).await
    }

    async fn begin_effect(
        &self,
        lane: &Lane,
        seq: i64,
        key: &StepKey,
        operation: &str,
        version: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        let (lane, key, operation) = (lane.clone(), key.clone(), operation.to_owned());
        let version = version.map(str::to_owned);
        self.writer
            .run(move |tx| {
                lanes::extend(tx, &lane, now)?;
                effects::begin(tx, seq, &key, &operation, version.as_deref(), now)
            })
            .await
    }

    async fn record_effect(
        &self,
        lane: &Lane,
        seq: i64,
        effect: EffectUpdate,
        links: Vec<LinkChange>,
    ) -> Result<()> {
        let lane = lane.clone();
        self.writer
            .run(move |tx| {
                lanes::check(tx, &lane)?;
                effects::record(tx, seq, &effect)?;
                links.iter().try_for_each(|change| links::change(tx, change))
            })
            .await
    }

    async fn finish(
        &self,
        lane: &Lane,
        head: &Event,
        effect: EffectUpdate,
        links: Vec<LinkChange>,
        folded: Vec<i64>,
        now: Timestamp,
    ) -> Result<()> {
        let (lane, head) = (lane.clone(), (head.seq, head.id));
        self.writer
            .run(move |tx| {
                lanes::check(tx, &lane)?;
                effects::record(tx, head.0, &effect)?;
                links.iter().try_for_each(|change| links::change(tx, change))?;
                settle::settle(tx, &lane, head, &folded, &Settlement::Done { reason: None }, now)
            })
            .await
    }

    async fn settle(
        &self,
        lane: &Lane,
        head: &Event,
        folded: Vec<i64>,
        settlement: Settlement,
        now: Timestamp,
    ) -> Result<()> {
        let (lane, head) = (lane.clone(), (head.seq, head.id));
        self.writer
            .run(move |tx| {
                lanes::check(tx, &lane)?;
                settle::settle(tx, &lane, head, &folded, &settlement, now)
            })
            .await
    }

    async fn unpark(&self, connection: &ConnectionName, now: Timestamp) -> Result<usize> {
        let connection = connection.clone();
        self.writer.run(move |tx| settle::unpark(tx, &connection, now)).await
    }

    async fn unpark_one(&self, connection: &ConnectionName, now: Timestamp) -> Result<bool> {
        let connection = connection.clone();
        self.writer.run(move |tx| settle::unpark_one(tx, &connection, now)).await
    }

    async fn event(&self, id: EventId) -> Result<Option<(Event, Vec<Effect>)>> {
        self.readers
            .run(move |pool| {
                let Some(event) = events::by_id(pool, id)? else { return Ok(None) };
                let effects = effects::of_event(pool, event.seq)?;
                Ok(Some((event, effects)))
            })
            .await
    }

    async fn events(&self, filter: &EventFilter, cursor: Option<i64>, limit: usize) -> Result<Page> {
        let filter = filter.clone();
        self.readers.run(move |pool| events::page(pool, &filter, cursor, limit)).await
    }

    async fn counts(&self) -> Result<Vec<(State, u64)>> {
        self.readers.run(events::counts).await
    }

    async fn replay(&self, id: EventId, force: bool, now: Timestamp) -> Result<EventId> {
        let fresh = EventId::new();
        let arrivals = Arc::clone(&self.arrivals);
        self.writer.run(move |tx| replay::replay(tx, &mut locked(&arrivals), id, fresh, force, now)).await
    }

    async fn put_route_versions(&self, versions: Vec<RouteVersion>) -> Result<()> {
        self.writer
            .run(move |tx| versions.iter().try_for_each(|version| route_versions::put(tx, version)))
            .await
    }

    async fn route_versions(&self, route: &str) -> Result<Vec<RouteVersion>> {
        let route = route.to_owned();
        self.readers.run(move |pool| route_versions::of_route(pool, &route)).await
    }

    async fn runs_of_route(&self, event: &Event, route: &str, since: Timestamp) -> Result<u64> {
        let (connection, subject) = (event.connection.clone(), event.subject.clone());
        let (source, before, route) = (event.source, event.seq, route.to_owned());
        self.readers
            .run(move |pool| {
                let whose = (connection.as_str(), subject.as_str(), source.as_str());
                route_versions::runs(pool, whose, &route, since, before)
            })
            .await
    }

    async fn connections(&self) -> Result<Connections> {
        let vault = self.vault.clone();
        self.readers.run(move |pool| connections::all(pool, &vault)).await
    }

    async fn put_connection(&self, connection: &Connection, origin: Origin, now: Timestamp) -> Result<()> {
        let (connection, vault) = (connection.clone(), self.vault.clone());
        self.writer.run(move |tx| connections::put(tx, &vault, &connection, origin, now)).await
    }

    async fn remove_connection(&self, name: &ConnectionName) -> Result<()> {
        let name = name.clone();
        self.writer.run(move |tx| connections::remove(tx, &name)).await
    }

    async fn retain_file_connections(&self, names: &[ConnectionName]) -> Result<()> {
        let names = names.to_vec();
        self.writer.run(move |tx| connections::retain_file(tx, &names)).await
    }

    async fn ping(&self) -> Result<()> {
        // A full disk shows only when something is really written: the version, which is written also when it stays the same.
        self.writer
            .run(|tx| {
                let version: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
                Ok(tx.pragma_update(None, "user_version", version)?)
            })
            .await
    }
}
