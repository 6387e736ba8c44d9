//! The key file: read only when nobody else can, written so that it is whole at every moment.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::KeyError;
use super::key::{Key, Ring};

/// Far more than the keys of a lifetime take.
const LARGEST: u64 = 64 * 1024;

/// Who may read a key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner alone.
    Owner,
    /// Its owner, and the group through which another user hands it to us: so do Kubernetes (`fsGroup`) and systemd
    /// (`LoadCredential=`). Anybody, under `/run/secrets`, where Docker and Podman mount secrets with mode 0444 for the one
    /// program in the container.
    TrustedGroup,
}

/// Reads the keys in a file, newest first.
pub(super) fn read(path: &Path, readers: Readers) -> Result<Ring, KeyError> {
    let failed = |error| KeyError::Read(path.to_owned(), error);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !is_private(path, &metadata, readers) {
        return Err(KeyError::Open { file: path.to_owned(), mode: metadata.mode() & 0o777 });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(LARGEST).read_to_string(&mut text).map_err(failed)?;
    Ring::parse(&text, &path.display().to_string())
}

fn is_private(path: &Path, metadata: &Metadata, readers: Readers) -> bool {
    let others = metadata.mode() & 0o077;
    if others == 0 || readers == Readers::Owner {
        return others == 0;
    }
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    (others == 0o040 && !is_ours) || (others & 0o022 == 0 && is_mounted_secret(path))
}

fn is_mounted_secret(path: &Path) -> bool {
    let real = path.canonicalize().unwrap_or_default();
    real.starts_with("/run/secrets") || real.starts_with("/var/run/secrets")
}

/// Makes a file with a new key, unless there is one by now.
pub(super) fn make(path: &Path) -> Result<(), KeyError> {
    let failed = |error| KeyError::Make(path.to_owned(), error);
    let folder = folder(path);
    // Its mode is 0600. It gets its name when it is whole, and never the name of a file that is there.
    let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(failed)?;
    file.write_all(Ring::of(Key::generate()).to_text().as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => sync(&folder).map_err(failed),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error.error)),
    }
}

/// Writes other keys into a file. Whoever reads it, and whoever finds it after a crash, sees all of the old or all of the new.
/// Owner and permissions stay, so that the bridge can read what another user's command has written.
pub(super) fn replace(path: &Path, ring: &Ring) -> io::Result<()> {
    // What a link names is replaced, not the link.
    let path = path.canonicalize()?;
    let before = path.metadata()?;
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    // Left over when a rotation was cut off.
    if let Err(error) = std::fs::remove_file(&fresh)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let written = write(&fresh, &before, ring).and_then(|()| std::fs::rename(&fresh, &path));
    if let Err(error) = written {
        // Should it stay, the next rotation removes it.
        drop(std::fs::remove_file(&fresh));
        return Err(error);
    }
    sync(&folder(&path))
}

fn write(path: &Path, like: &Metadata, ring: &Ring) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (like.uid(), like.gid()) {
        fchown(&file, Some(like.uid()), Some(like.gid()))?;
    }
    file.set_permissions(like.permissions())?;
    file.write_all(ring.to_text().as_bytes())?;
    file.sync_all()
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes the names in a folder durable.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
