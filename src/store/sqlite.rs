//! The embedded store: one SQLite file, WAL, `synchronous=FULL`.
//!
//! All writes go through one thread that groups them into transactions (`writer`); reads run beside it on connections of
//! their own (`readers`). The other files hold the statements, by subject.

mod access;
mod connections;
mod effects;
mod events;
mod inbox;
mod lanes;
mod links;
mod readers;
mod replay;
mod row;
mod settle;
mod writer;

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use include_dir::{Dir, include_dir};
use jiff::Timestamp;
use rusqlite::Connection as Pool;
use rusqlite::config::DbConfig;
use rusqlite_migration::{Error as MigrationError, MigrationDefinitionError, Migrations};

use super::{
    Appended, Claim, EffectUpdate, Error, EventFilter, Lane, LinkChange, Origin, Page, Result, Settlement,
    Shares, Store, StoredConnection, View,
};
use crate::access::{ApiKey, KeyHash};
use crate::connection::{Connection, ConnectionName};
use crate::effect::{Effect, StepKey};
use crate::event::{Event, EventId, NewEvent, Source, State};
use crate::link::{Customer, ItemKind, ItemLink, Link};

use readers::Readers;
use writer::Writer;

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations/sqlite");

/// How long a write waits for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// A SQLite file as the store.
pub struct Sqlite {
    writer: Writer,
    readers: Readers,
}

/// Why a database file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is not there and cannot be made.
    #[error(
        "the folder of the database, {0}, cannot be made: choose another with `database` or mend its permissions"
    )]
    Folder(PathBuf, #[source] std::io::Error),
    /// The file cannot be made or written.
    #[error("{0} cannot be written: choose another file with `database`, or mend its permissions")]
    Create(PathBuf, #[source] std::io::Error),
    /// SQLite will not open it.
    #[error("{0} cannot be opened as a database: check that it is a Cartbridge database and can be written")]
    Open(PathBuf, #[source] rusqlite::Error),
    /// It was made by a newer version.
    #[error(
        "{0} was written by a newer version of Cartbridge: use that version, or a backup from before its first start"
    )]
    Newer(PathBuf),
    /// A migration failed.
    #[error("{0} cannot be brought to this version's form; it was left as it is")]
    Migrate(PathBuf, #[source] rusqlite_migration::Error),
}

impl Sqlite {
    /// Opens a file, makes it where it is missing, and brings it to this version's form.
    pub fn open(path: &Path) -> std::result::Result<Self, OpenError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| OpenError::Folder(folder.to_owned(), source))?;
        }
        // It holds tokens. SQLite gives the files beside it the same permissions.
        let mut made = std::fs::OpenOptions::new();
        made.create(true).append(true).mode(0o600);
        made.open(path).map_err(|source| OpenError::Create(path.to_owned(), source))?;
        let opened = |source| OpenError::Open(path.to_owned(), source);
        let migrated = |error| match error {
            MigrationError::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => {
                OpenError::Newer(path.to_owned())
            }
            source => OpenError::Migrate(path.to_owned(), source),
        };
        let mut pool = Pool::open(path).map_err(opened)?;
        configure(&pool).map_err(opened)?;
        let migrations = Migrations::from_directory(&MIGRATIONS).map_err(migrated)?;
        migrations.to_latest(&mut pool).map_err(migrated)?;
        // Enough for the pages that a busy store changes all the time; a negative number is in KiB.
        pool.pragma_update(None, "cache_size", -8 * 1024).map_err(opened)?;
        Ok(Self { writer: Writer::start(pool), readers: Readers::new(path.to_owned()) })
    }
}

fn configure(pool: &Pool) -> rusqlite::Result<()> {
    pool.busy_timeout(BUSY_TIMEOUT)?;
    pool.pragma_update(None, "journal_mode", "WAL")?;
    pool.pragma_update(None, "synchronous", "FULL")?;
    pool.pragma_update(None, "foreign_keys", true)?;
    pool.pragma_update(None, "temp_store", "MEMORY")?;
    // Without this SQLite plans a statement anew for other values of its parameters (STAT4), which here is never worth it.
    pool.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Rewriting the same pages of an index less often is worth a longer log: 32 MiB at SQLite's page of 4 KiB.
    pool.pragma_update(None, "wal_autocheckpoint", 8192)?;
    pool.set_prepared_statement_cache_capacity(64);
    Ok(())
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

#[async_trait]
impl Store for Sqlite {
    async fn append(&self, event: NewEvent, not_before: Timestamp) -> Result<Appended> {
        self.writer.run(move |tx| inbox::append(tx, &event, not_before)).await
    }

    async fn known(
        &self,
        connection: &ConnectionName,
        source: Source,
        source_id: &str,
    ) -> Result<Option<EventId>> {
        let (connection, source_id) = (connection.clone(), source_id.to_owned());
        self.readers.run(move |pool| inbox::known(pool, &connection, source, &source_id)).await
    }

    async fn claim(&self, shares: &Shares, now: Timestamp, until: Timestamp) -> Result<Vec<Claim>> {
        let shares = shares.clone();
        self.writer.run(move |tx| lanes::claim(tx, &shares, now, until)).await
    }

    async fn next_ready(&self, after: Timestamp) -> Result<Option<Timestamp>> {
        self.readers.run(move |pool| lanes::next_ready(pool, after)).await
    }

    async fn release_leases(&self, now: Timestamp) -> Result<usize> {
        self.writer.run(move |tx| lanes::release_leases(tx, now)).await
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
        now: Timestamp,
    ) -> Result<()> {
        let (lane, key, operation) = (lane.clone(), key.clone(), operation.to_owned());
        self.writer
            .run(move |tx| {
                lanes::extend(tx, &lane, now)?;
                effects::begin(tx, seq, &key, &operation, now)
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

    async fn link(&self, connection: &ConnectionName, customer: &Customer) -> Result<Option<Link>> {
        let (connection, customer) = (connection.clone(), customer.clone());
        self.readers.run(move |pool| links::link(pool, &connection, &customer)).await
    }

    async fn links_of_contact(
        &self,
        connection: &ConnectionName,
        contact: &ghl::ContactId,
    ) -> Result<Vec<Link>> {
        let (connection, contact) = (connection.clone(), contact.clone());
        self.readers.run(move |pool| links::of_contact(pool, &connection, &contact)).await
    }

    async fn put_links(&self, changes: Vec<LinkChange>) -> Result<()> {
        self.writer.run(move |tx| changes.iter().try_for_each(|change| links::change(tx, change))).await
    }

    async fn item(&self, connection: &ConnectionName, kind: ItemKind, key: &str) -> Result<Option<ItemLink>> {
        let (connection, key) = (connection.clone(), key.to_owned());
        self.readers.run(move |pool| links::item(pool, &connection, kind, &key)).await
    }

    async fn items_of_contact(
        &self,
        connection: &ConnectionName,
        kind: ItemKind,
        contact: &ghl::ContactId,
    ) -> Result<Vec<ItemLink>> {
        let (connection, contact) = (connection.clone(), contact.clone());
        self.readers.run(move |pool| links::items_of_contact(pool, &connection, kind, &contact)).await
    }

    async fn put_view(&self, connection: &ConnectionName, customer: &Customer, view: View) -> Result<()> {
        let (connection, customer) = (connection.clone(), customer.clone());
        self.writer.run(move |tx| links::put_view(tx, &connection, &customer, &view)).await
    }

    async fn view(&self, connection: &ConnectionName, customer: &Customer) -> Result<Option<View>> {
        let (connection, customer) = (connection.clone(), customer.clone());
        self.readers.run(move |pool| links::view(pool, &connection, &customer)).await
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
        self.writer.run(move |tx| replay::replay(tx, id, fresh, force, now)).await
    }

    async fn connections(&self) -> Result<Vec<StoredConnection>> {
        self.readers.run(connections::all).await
    }

    async fn put_connection(&self, connection: &Connection, origin: Origin, now: Timestamp) -> Result<()> {
        let connection = connection.clone();
        self.writer.run(move |tx| connections::put(tx, &connection, origin, now)).await
    }

    async fn remove_connection(&self, name: &ConnectionName) -> Result<()> {
        let name = name.clone();
        self.writer.run(move |tx| connections::remove(tx, &name)).await
    }

    async fn retain_file_connections(&self, names: &[ConnectionName]) -> Result<()> {
        let names = names.to_vec();
        self.writer.run(move |tx| connections::retain_file(tx, &names)).await
    }

    async fn add_key(&self, key: &ApiKey, hash: KeyHash) -> Result<()> {
        let key = key.clone();
        self.writer.run(move |tx| access::add(tx, &key, hash)).await
    }

    async fn key_by_hash(&self, hash: KeyHash) -> Result<Option<ApiKey>> {
        self.readers.run(move |pool| access::by_hash(pool, hash)).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>> {
        self.readers.run(access::all).await
    }

    async fn revoke_key(&self, id: &str, now: Timestamp) -> Result<()> {
        let id = id.to_owned();
        self.writer.run(move |tx| access::revoke(tx, &id, now)).await
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
