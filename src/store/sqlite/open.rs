//! Opening a file: its folder, its form, its keys; and everything that can be wrong with these.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use include_dir::{Dir, include_dir};
use rusqlite::config::DbConfig;
use rusqlite::{Connection as Pool, OpenFlags};
use rusqlite_migration::{Error as MigrationError, MigrationDefinitionError, Migrations};

use super::secrets;
use crate::store::Error;
use crate::vault::{KeyError, KeyId, Source as KeySource, Vault};

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations/sqlite");

/// How long a write waits for another process that holds the database.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

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
    /// It opens, and cannot be read.
    #[error("{0} cannot be read: restore it from a backup")]
    Read(PathBuf, #[source] Error),
    /// It was made by a newer version.
    #[error(
        "{0} was written by a newer version of Cartbridge: use that version, or a backup from before its first start"
    )]
    Newer(PathBuf),
    /// It was made by an older version, and may not be changed now.
    #[error(
        "{0} was written by an older version of Cartbridge: start `cartbridge serve` once, which brings it to this version's form"
    )]
    Older(PathBuf),
    /// A migration failed.
    #[error("{0} cannot be brought to this version's form; it was left as it is")]
    Migrate(PathBuf, #[source] rusqlite_migration::Error),
    /// There is no master key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is one, and it is not the one of this database.
    #[error(
        "the secrets in {database} are sealed with another master key ({wanted}) than there is in {keys}: give Cartbridge the \
         key that it was started with before. Nothing was changed",
        database = database.display()
    )]
    WrongKey {
        /// The database.
        database: PathBuf,
        /// Where the keys come from.
        keys: String,
        /// The key that it needs.
        wanted: KeyId,
    },
    /// What stands in it in clear cannot be sealed.
    #[error("the secrets in {0} cannot be sealed; it was left as it is")]
    Seal(PathBuf, #[source] Error),
}

/// The keys of a source; only as long as nothing is sealed may the file beside the database be made.
pub(super) fn vault(path: &Path, keys: KeySource) -> std::result::Result<Vault, OpenError> {
    if secrets::is_sealed(path)? {
        return Ok(Vault::load(keys)?);
    }
    make_folder(path)?;
    Ok(Vault::load_or_make(keys)?)
}

fn make_folder(path: &Path) -> std::result::Result<(), OpenError> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|source| OpenError::Folder(folder.to_owned(), source))
        }
        None => Ok(()),
    }
}

/// Opens a file, makes it where it is missing, and brings it to this version's form.
pub(super) fn pool(path: &Path, vault: &Vault) -> std::result::Result<Pool, OpenError> {
    made(path, vault, true)
}

/// Makes a file that need not outlive a loss of power.
pub(super) fn temporary(path: &Path, vault: &Vault) -> std::result::Result<Pool, OpenError> {
    made(path, vault, false)
}

fn made(path: &Path, vault: &Vault, durable: bool) -> std::result::Result<Pool, OpenError> {
    make_folder(path)?;
    // SQLite gives the files beside it the same permissions.
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
    if !durable {
        pool.pragma_update(None, "synchronous", "OFF").map_err(opened)?;
    }
    secrets::check(&pool, path, vault)?;
    let migrations = Migrations::from_directory(&MIGRATIONS).map_err(migrated)?;
    migrations.to_latest(&mut pool).map_err(migrated)?;
    secrets::prepare(&mut pool, path, vault)?;
    // Enough for the pages that a busy store changes all the time; a negative number is in KiB.
    pool.pragma_update(None, "cache_size", -8 * 1024).map_err(opened)?;
    Ok(pool)
}

/// Opens a file that is of this version's form, for reading alone.
pub(super) fn read_only(path: &Path, vault: &Vault) -> std::result::Result<Pool, OpenError> {
    let opened = |source| OpenError::Open(path.to_owned(), source);
    let pool = reader(path).map_err(opened)?;
    secrets::check(&pool, path, vault)?;
    let migrations = Migrations::from_directory(&MIGRATIONS);
    let migrations = migrations.map_err(|source| OpenError::Migrate(path.to_owned(), source))?;
    match migrations.pending_migrations(&pool) {
        Ok(0) => Ok(pool),
        Ok(newer) if newer < 0 => Err(OpenError::Newer(path.to_owned())),
        Ok(_) => Err(OpenError::Older(path.to_owned())),
        Err(source) => Err(OpenError::Migrate(path.to_owned(), source)),
    }
}

/// A connection to the file that cannot change it.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Pool> {
    let pool =
        Pool::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    pool.busy_timeout(BUSY_TIMEOUT)?;
    pool.pragma_update(None, "query_only", true)?;
    pool.pragma_update(None, "temp_store", "MEMORY")?;
    pool.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    pool.set_prepared_statement_cache_capacity(64);
    Ok(pool)
}

/// What every connection to the file needs.
pub(super) fn configure(pool: &Pool) -> rusqlite::Result<()> {
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
