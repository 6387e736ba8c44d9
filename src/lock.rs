//! One process a database: the lock file beside it, and what is told of who holds it.
//!
//! The lock goes with the process, however that ends. What stands in the file is for people: it counts only while it is locked.

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::jobs::JobId;

/// So often, and with such a pause, a lock is tried for: [`is_held`] may have it for a moment.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_millis(30);

/// What a process works with a database for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// It is the bridge.
    Bridge,
    /// A command that carries out a job.
    Job(JobId),
    /// A command that has one customer resynced.
    Resync,
    /// A command that puts down that the database was restored.
    Restored,
}

/// Who holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub process: u32,
    /// What it does.
    pub work: Work,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let process = self.process;
        match self.work {
            Work::Bridge => write!(
                f,
                "process {process} is a bridge (`cartbridge serve`). Stop it with Ctrl-C where it runs or `kill {process}`, or give this \
                 one another `database`"
            ),
            Work::Job(id) => write!(
                f,
                "process {process} is a command that carries out job {id}, because no bridge ran. Wait until it has ended, or stop it \
                 with Ctrl-C where it runs or `kill {process}`: it finishes what is under way and pauses the job, and once this bridge \
                 runs, `cartbridge jobs resume {id}` lets the job go on"
            ),
            Work::Resync => write!(
                f,
                "process {process} is a command that resyncs a customer, because no bridge ran. Wait until it has ended, or stop it \
                 with Ctrl-C where it runs or `kill {process}`: this bridge carries on with what is left"
            ),
            Work::Restored => write!(
                f,
                "process {process} is putting down that the database was restored. It takes a moment: try again"
            ),
        }
    }
}

/// Why a lock is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("another Cartbridge works with this database ({} is locked): {}", .path.display(), told(.holder.as_ref()))]
    Held {
        /// The lock file.
        path: PathBuf,
        /// Who has it, as far as the file says.
        holder: Option<Holder>,
    },
    /// The file cannot be made.
    #[error("the lock file {} cannot be made: the database's folder must be writable", .0.display())]
    File(PathBuf, #[source] io::Error),
}

fn told(holder: Option<&Holder>) -> String {
    match holder {
        Some(holder) => holder.to_string(),
        None => "stop it, or give this one another `database`".to_owned(),
    }
}

/// The lock of a database, held until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock is held as long as the file is open")] File);

impl Lock {
    /// Takes the lock of a database and says what for.
    pub async fn take(database: &Path, work: Work) -> Result<Self, LockError> {
        let path = beside(database);
        let failed = |error| LockError::File(path.clone(), error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        let mut tries = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(TryLockError::WouldBlock) => {
                    let holder = read(&mut file);
                    return Err(LockError::Held { path, holder });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        // Should this not be written, the lock holds all the same.
        drop(write(&mut file, Holder { process: std::process::id(), work }));
        Ok(Self(file))
    }
}

/// Whether any process works with a database. Where that cannot be found out, one may.
pub fn is_held(database: &Path) -> bool {
    match File::open(beside(database)) {
        // It is given back at once, with the file.
        Ok(file) => file.try_lock_shared().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut path = OsString::from(database);
    path.push(".lock");
    path.into()
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write(file: &mut File, holder: Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(&holder)?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_holds_a_lock_is_told_and_a_lock_that_was_let_go_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("test.db");
        assert!(!is_held(&database), "there is no file yet");
        let id = JobId::new();
        let lock = Lock::take(&database, Work::Job(id)).await.unwrap();
        assert!(is_held(&database));
        let refused = Lock::take(&database, Work::Bridge).await.unwrap_err().to_string();
        let process = std::process::id();
        for part in [format!("process {process} is a command"), format!("cartbridge jobs resume {id}")] {
            assert!(refused.contains(&part), "{part}: {refused}");
        }
        drop(lock);
        assert!(!is_held(&database));
        Lock::take(&database, Work::Bridge).await.unwrap();
    }
}
