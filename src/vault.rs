//! Secrets at rest: sealed with XChaCha20-Poly1305, each bound to the place where it stands, so that it cannot be moved to
//! another row.
//!
//! A sealed secret is the id of its key (8 bytes), a nonce (24 bytes), the ciphertext and its tag (16 bytes). Several keys
//! can be at hand: which of them seals is for the database to say, so that a rotation reaches a running bridge.

mod file;
mod key;
mod source;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

pub use key::{Key, KeyId};
pub use source::{KeyError, Source};

use key::Ring;

const NONCE: usize = 24;

/// Seals secrets and opens them. Cheap to clone; all clones see the same keys.
#[derive(Clone, Debug)]
pub struct Vault {
    source: Arc<Source>,
    ring: Arc<RwLock<Arc<Ring>>>,
}

/// Why a secret cannot be opened or sealed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its key is not here, and was not found by looking again.
    #[error(
        "it needs the master key {0}, which is not here: give Cartbridge the key that it was started with before \
         (CARTBRIDGE_KEY, or the key file)"
    )]
    WrongKey(KeyId, #[source] Option<KeyError>),
    /// It was changed, cut, or moved from another place.
    #[error("it was changed or moved since it was sealed: give it to Cartbridge again, or restore a backup")]
    Damaged,
}

/// Why the master key cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The keys come from the environment, which is not ours to change.
    #[error(
        "the master key comes from {0}, which this command cannot change. Do it in three steps: make a new key with \
         `openssl rand -base64 32`; start Cartbridge with {0} set to NEW,OLD; run this command with the same value. After \
         that OLD can be left out at the next start"
    )]
    NeedsNewKey(String),
    /// The keys cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key file cannot be written.
    #[error(
        "{file} cannot be written, so nothing was changed. Where it is kept by other means, put a new key \
         (`openssl rand -base64 32`) in front of the old one there, and run this command again"
    )]
    Write {
        /// The key file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Vault {
    /// A vault with one key and no place to look for others.
    pub fn new(key: Key) -> Self {
        let ring = Ring::of(key);
        Self::with(Source::given(ring.clone()), ring)
    }

    /// A vault with the keys of a source; all of them must be there already.
    pub fn load(source: Source) -> Result<Self, KeyError> {
        let ring = source.read()?;
        Ok(Self::with(source, ring))
    }

    /// A vault with the keys of a source. Where the file beside the database is missing, it is made, with a new key: right
    /// only as long as nothing is sealed.
    pub fn load_or_make(source: Source) -> Result<Self, KeyError> {
        let ring = source.read_or_make()?;
        Ok(Self::with(source, ring))
    }

    fn with(source: Source, ring: Ring) -> Self {
        Self { source: Arc::new(source), ring: Arc::new(RwLock::new(Arc::new(ring))) }
    }

    /// Where the keys come from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The first key: it seals what is sealed for the first time.
    pub fn first(&self) -> KeyId {
        self.ring().first().id()
    }

    /// Seals `plain` for `place`, such as `connections/my-shop`: it opens only with the same place. `key` must be here, or
    /// where the keys come from.
    pub fn seal(&self, key: KeyId, place: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        // It fails only beyond 256 GiB.
        let sealed =
            cipher(&self.key(key)?).encrypt(&XNonce::from(nonce), payload).map_err(|_| Error::Damaged)?;
        Ok([&key.as_bytes()[..], &nonce, &sealed].concat())
    }

    /// Opens what was sealed for `place`.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (id, rest) = sealed.split_first_chunk().ok_or(Error::Damaged)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(Error::Damaged)?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        cipher(&self.key(KeyId::from(*id))?)
            .decrypt(&XNonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| Error::Damaged)
    }

    /// Begins a rotation: answers the key that everything is to be sealed with in place of `current`. It is where the keys
    /// come from before this answers. A key that was put in front of `current`, by a person or by a rotation that was cut
    /// off, is taken; otherwise a new one is made. Two must not do this at the same time.
    pub fn begin_rotation(&self, current: KeyId) -> Result<KeyId, RotateError> {
        let mut ring = self.source.read()?;
        if ring.first().id() == current {
            ring = ring.with_first(Key::generate());
            self.source.replace(&ring)?;
        }
        let next = ring.first().id();
        self.learn(ring);
        Ok(next)
    }

    /// Ends a rotation: all keys but the current one are removed from where they come from, as far as that can be written.
    pub fn end_rotation(&self, current: KeyId) -> Result<(), RotateError> {
        let ring = self.source.read()?;
        match ring.only(current) {
            Some(only) if ring.len() > 1 => self.source.replace(&only),
            _ => Ok(()),
        }
    }

    /// A key; the source is read once more where it is not at hand, because a rotation may have put it there.
    fn key(&self, id: KeyId) -> Result<Key, Error> {
        if let Some(key) = self.ring().find(id) {
            return Ok(key);
        }
        let fresh = self.source.read().map_err(|error| Error::WrongKey(id, Some(error)))?;
        self.learn(fresh);
        self.ring().find(id).ok_or(Error::WrongKey(id, None))
    }

    /// Takes new keys in front. None is forgotten: a reader may still see what was sealed with an older one.
    fn learn(&self, fresh: Ring) {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        *ring = Arc::new(fresh.with_last(&ring));
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.as_bytes().into())
}
