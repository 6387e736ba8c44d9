//! Where the master keys come from.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::RotateError;
use super::file::{self, Readers};
use super::key::Ring;

/// Where the master keys come from.
#[derive(Debug)]
pub struct Source(Kind);

#[derive(Debug)]
enum Kind {
    /// Given as they are.
    Given { place: String, ring: Ring },
    /// A file that a person has named.
    Named { file: PathBuf, named_by: &'static str },
    /// The file beside the database, which Cartbridge makes.
    Beside(PathBuf),
}

/// Why there is no master key. Never a key itself.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Two places.
    #[error("CARTBRIDGE_KEY and CARTBRIDGE_KEY_FILE are both set: keep one of them")]
    Both,
    /// Nothing there.
    #[error("{0} holds no key: put one there, as `openssl rand -base64 32` makes it")]
    Empty(String),
    /// Not base64.
    #[error(
        "key {number} in {place} is not base64: a master key is the base64 of 32 bytes, as `openssl rand -base64 32` makes it"
    )]
    NotBase64 {
        /// Where it stands.
        place: String,
        /// Which of several, from 1.
        number: usize,
    },
    /// Too short or too long.
    #[error(
        "key {number} in {place} has {bytes} bytes: a master key is the base64 of 32 bytes, as `openssl rand -base64 32` \
         makes it"
    )]
    Length {
        /// Where it stands.
        place: String,
        /// Which of several, from 1.
        number: usize,
        /// Its length.
        bytes: usize,
    },
    /// The file that a person has named is not there.
    #[error(
        "{file}, which {named_by} names, is not there: restore it, or make it with `(umask 077; openssl rand -base64 32 > \
         {file})` if nothing was ever sealed with another key",
        file = file.display()
    )]
    NotThere {
        /// The file.
        file: PathBuf,
        /// What names it.
        named_by: &'static str,
    },
    /// The file beside the database is gone.
    #[error(
        "the key file {} is missing, and the secrets in the database are sealed with the key in it: restore it from your \
         backup, or give the key as CARTBRIDGE_KEY",
        .0.display()
    )]
    Gone(PathBuf),
    /// Others can read the file.
    #[error("others can read the key file {file} (mode {mode:04o}): run `chmod 600 {file}`", file = file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file cannot be read.
    #[error("the key file {} cannot be read: make it a text file that Cartbridge's user may read", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The file cannot be made.
    #[error("the key file {} cannot be made: its folder must be writable", .0.display())]
    Make(PathBuf, #[source] io::Error),
}

impl Source {
    /// The first that is given of: the variable `CARTBRIDGE_KEY`, the file that the variable `CARTBRIDGE_KEY_FILE` names,
    /// the file that `key_file` names in the configuration, and `<database>.key` beside the database.
    pub fn choose(
        variable: Option<&str>,
        file_variable: Option<&str>,
        key_file: Option<&Path>,
        database: &Path,
    ) -> Result<Self, KeyError> {
        Ok(Self(match (variable, file_variable, key_file) {
            (Some(_), Some(_), _) => return Err(KeyError::Both),
            (Some(text), None, _) => {
                Kind::Given { place: "CARTBRIDGE_KEY".into(), ring: Ring::parse(text, "CARTBRIDGE_KEY")? }
            }
            (None, Some(file), _) => Kind::Named { file: file.into(), named_by: "CARTBRIDGE_KEY_FILE" },
            (None, None, Some(file)) => Kind::Named { file: file.to_owned(), named_by: "`key_file`" },
            (None, None, None) => {
                let mut file = database.as_os_str().to_owned();
                file.push(".key");
                Kind::Beside(file.into())
            }
        }))
    }

    pub(super) fn given(ring: Ring) -> Self {
        Self(Kind::Given { place: "the program".into(), ring })
    }

    /// Whether the keys could be read; a file that is made by itself may be missing.
    pub fn check(&self) -> Result<(), KeyError> {
        match self.read() {
            Err(KeyError::Gone(_)) => Ok(()),
            other => other.map(drop),
        }
    }

    pub(super) fn read(&self) -> Result<Ring, KeyError> {
        let (file, readers) = match &self.0 {
            Kind::Given { ring, .. } => return Ok(ring.clone()),
            Kind::Named { file, .. } => (file, Readers::TrustedGroup),
            Kind::Beside(file) => (file, Readers::Owner),
        };
        match file::read(file, readers) {
            Err(KeyError::Read(_, error)) if error.kind() == io::ErrorKind::NotFound => Err(match &self.0 {
                Kind::Named { named_by, .. } => KeyError::NotThere { file: file.clone(), named_by },
                _ => KeyError::Gone(file.clone()),
            }),
            other => other,
        }
    }

    pub(super) fn read_or_make(&self) -> Result<Ring, KeyError> {
        match self.read() {
            Err(KeyError::Gone(file)) => {
                file::make(&file)?;
                // Another process may have been quicker; then its key counts.
                self.read()
            }
            other => other,
        }
    }

    pub(super) fn replace(&self, ring: &Ring) -> Result<(), RotateError> {
        match &self.0 {
            Kind::Given { place, .. } => Err(RotateError::NeedsNewKey(place.clone())),
            Kind::Named { file, .. } | Kind::Beside(file) => file::replace(file, ring)
                .map_err(|source| RotateError::Write { file: self.to_string(), source }),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Given { place, .. } => f.write_str(place),
            Kind::Named { file, .. } | Kind::Beside(file) => write!(f, "the key file {}", file.display()),
        }
    }
}
