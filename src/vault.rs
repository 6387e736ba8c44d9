//! Secrets at rest: sealed with XChaCha20-Poly1305, each bound to the place where it stands, so that it cannot be moved to
//! another row.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The length of a key, in bytes.
pub const KEY: usize = 32;
const NONCE: usize = 24;
const ID: usize = 8;

/// A master key. It cannot be printed, and is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; KEY]>);

impl Key {
    /// A new key by chance.
    pub fn generate() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// Names the key without telling it.
    fn id(&self) -> [u8; ID] {
        let hash =
            Sha256::new().chain_update(b"cartbridge key id\0").chain_update(self.0.as_slice()).finalize();
        let mut id = [0; ID];
        id.copy_from_slice(&hash[..ID]);
        id
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

/// Seals secrets and opens them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Vault {
    key: Arc<Key>,
}

/// Why a secret cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It was sealed with a key that is not here.
    #[error(
        "it is sealed with another master key: give Cartbridge the key that it was started with (CARTBRIDGE_KEY, or the key file)"
    )]
    WrongKey,
    /// It was changed, cut, or moved from another place.
    #[error("it was changed or moved since it was sealed: restore the database from a backup")]
    Damaged,
}

impl Vault {
    /// A vault with the key that lies beside a database, in `<database>.key`; it is made where it is missing.
    pub fn beside(database: &Path) -> std::io::Result<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push(".key");
        let path = PathBuf::from(path);
        let invalid = || std::io::Error::new(std::io::ErrorKind::InvalidData, "it holds no key");
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let bytes = BASE64.decode(text.trim()).map_err(|_| invalid())?;
                Ok(Self::new(Key(Zeroizing::new(bytes.try_into().map_err(|_| invalid())?))))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = Key::generate();
                let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
                file.write_all(BASE64.encode(key.0.as_slice()).as_bytes())?;
                file.sync_all()?;
                Ok(Self::new(key))
            }
            Err(error) => Err(error),
        }
    }

    /// A vault with one key.
    pub fn new(key: Key) -> Self {
        Self { key: Arc::new(key) }
    }

    /// Seals `plain` for `place`, such as `connections/my-shop`: it opens only with the same place.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        // It fails only beyond 256 GiB.
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
        [&self.key.id()[..], &nonce, &sealed].concat()
    }

    /// Opens what was sealed for `place`.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (id, rest) = sealed.split_first_chunk::<ID>().ok_or(Error::Damaged)?;
        if *id != self.key.id() {
            return Err(Error::WrongKey);
        }
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(Error::Damaged)?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| Error::Damaged)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key.0).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_only_with_its_key_in_its_place_and_unchanged() {
        let vault = Vault::new(Key::generate());
        let sealed = vault.seal("connections/one", b"pit-secret");
        assert_eq!(vault.open("connections/one", &sealed).unwrap().as_slice(), b"pit-secret");
        assert_eq!(vault.open("connections/two", &sealed), Err(Error::Damaged));
        assert_eq!(Vault::new(Key::generate()).open("connections/one", &sealed), Err(Error::WrongKey));
        for byte in ID..sealed.len() {
            let mut changed = sealed.clone();
            changed[byte] ^= 1;
            assert_eq!(vault.open("connections/one", &changed), Err(Error::Damaged), "{byte}");
        }
        for length in 0..sealed.len() {
            assert!(vault.open("connections/one", &sealed[..length]).is_err());
        }
    }
}
