//! The newest generation that a database has had, in a file beside it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

/// How long after the file was last written its database can have been worked with: far more than it takes to follow.
const FOLLOWS_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// What an earlier life of the database has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// The generation that it had come to.
    pub generation: u64,
    /// When it had ended, at the latest.
    pub ended: Timestamp,
}

/// The file. It holds one number, and is whole at every moment.
#[derive(Debug, Clone)]
pub struct Newest(PathBuf);

impl Newest {
    /// That of a database: `cartbridge.db.generation`.
    pub fn beside(database: &Path) -> Self {
        Self(with(database, ".generation"))
    }

    /// What it tells at `now`; none: there is no such file yet. One that does not hold a number is an error.
    pub fn read(&self, now: Timestamp) -> io::Result<Option<Left>> {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let generation = text.trim().parse().map_err(io::Error::other)?;
        let written = std::fs::metadata(&self.0)?.modified()?;
        // A time that is none says nothing.
        let ended = Timestamp::try_from(written).and_then(|written| written.checked_add(FOLLOWS_WITHIN));
        Ok(Some(Left { generation, ended: ended.map_or(now, |ended| ended.min(now)) }))
    }

    /// Keeps another number, durably. Only right once the database holds it, durably, too.
    pub fn write(&self, generation: u64) -> io::Result<()> {
        // The only process that works with the database writes it, so one name is enough.
        let fresh = with(&self.0, ".new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        writeln!(file, "{generation}")?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.0)?;
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut longer = path.as_os_str().to_owned();
    longer.push(ending);
    longer.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_and_what_is_none_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let newest = Newest::beside(&folder.path().join("test.db"));
        let now = Timestamp::now();
        assert_eq!(newest.read(now).unwrap(), None);
        for generation in [7, 8] {
            newest.write(generation).unwrap();
            assert_eq!(newest.read(now).unwrap(), Some(Left { generation, ended: now }));
        }
        let later = now + SignedDuration::from_hours(1);
        let ended = newest.read(later).unwrap().unwrap().ended;
        assert!(ended < later && ended > now, "soon after it was written: {ended}");
        std::fs::write(newest.path(), "").unwrap();
        assert!(newest.read(now).is_err());
    }
}
