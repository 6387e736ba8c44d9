//! Reads: they see the last commit and never wait for the writer (WAL). All that one read asks is of the same moment.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection as Pool;
use tokio::sync::Semaphore;

use crate::store::{Error, Result};

/// Read-only connections, kept for the next reader.
#[derive(Clone)]
pub(super) struct Readers {
    path: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Pool>>>,
    /// Who may read now.
    turns: Arc<Semaphore>,
    /// The file itself is not to be touched.
    read_only: bool,
}

/// How many read at the same time, and so how many connections there are. More would only take each other's processor, and
/// opening one costs more than most reads.
const READERS: usize = 8;

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        let turns = Arc::new(Semaphore::new(READERS));
        Self { path: Arc::new(path), idle: Arc::default(), turns, read_only: false }
    }

    /// Whose connections could not change the file, not even by tidying it up.
    pub(super) fn read_only(path: PathBuf) -> Self {
        Self { read_only: true, ..Self::new(path) }
    }

    /// Runs `work` on a thread that may block.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Pool) -> Result<T> + Send + 'static,
    {
        // It is never closed.
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|error| Error::Unavailable(Arc::new(error)))?;
        let readers = self.clone();
        tokio::task::spawn_blocking(move || {
            let idle = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut pool = match idle {
                Some(pool) => pool,
                None => readers.open()?,
            };
            // One snapshot, however many statements: an event must not be counted in two states, or in none.
            let answer = pool.transaction().map_err(Error::from).and_then(|tx| work(&tx));
            readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(pool);
            drop(turn);
            answer
        })
        .await
        .unwrap_or_else(|error| Err(Error::Unavailable(Arc::new(error))))
    }

    fn open(&self) -> Result<Pool> {
        if self.read_only {
            return Ok(super::open::reader(self.path.as_path())?);
        }
        let pool = Pool::open(self.path.as_path())?;
        super::open::configure(&pool)?;
        pool.pragma_update(None, "query_only", true)?;
        Ok(pool)
    }
}
