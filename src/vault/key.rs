//! Master keys, and several of them in their order.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::KeyError;

/// The length of a key, in bytes.
const LENGTH: usize = 32;
/// The length of a key's id, in bytes.
const ID: usize = 8;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A master key. It cannot be printed, and is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; LENGTH]>);

impl Key {
    /// A new key by chance.
    pub fn generate() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// Names the key without telling it.
    pub fn id(&self) -> KeyId {
        let hash =
            Sha256::new().chain_update(b"cartbridge key id\0").chain_update(self.0.as_slice()).finalize();
        let mut id = [0; ID];
        id.copy_from_slice(&hash[..ID]);
        KeyId(id)
    }

    pub(super) fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// Reads one key; `place` and `number` say which in messages.
    fn parse(text: &str, place: &str, number: usize) -> Result<Self, KeyError> {
        let bytes = BASE64.decode(text).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| KeyError::NotBase64 { place: place.to_owned(), number })?;
        match <[u8; LENGTH]>::try_from(bytes.as_slice()) {
            Ok(key) => Ok(Self(Zeroizing::new(key))),
            Err(_) => Err(KeyError::Length { place: place.to_owned(), number, bytes: bytes.len() }),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

/// Names a key without telling it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId([u8; ID]);

impl KeyId {
    /// As it stands in the database and in front of what is sealed.
    pub fn as_bytes(&self) -> &[u8; ID] {
        &self.0
    }
}

impl From<[u8; ID]> for KeyId {
    fn from(bytes: [u8; ID]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Keys in their order, newest first; never none.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    first: Key,
    others: Vec<Key>,
}

impl Ring {
    pub(super) fn of(key: Key) -> Self {
        Self { first: key, others: Vec::new() }
    }

    /// Reads keys that stand on lines of their own or between commas; `place` names the text in messages.
    pub(super) fn parse(text: &str, place: &str) -> Result<Self, KeyError> {
        let words = text.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty());
        let keys: Result<Vec<Key>, KeyError> =
            words.enumerate().map(|(index, word)| Key::parse(word, place, index + 1)).collect();
        let mut keys = keys?.into_iter();
        match keys.next() {
            Some(first) => Ok(Self { first, others: keys.collect() }),
            None => Err(KeyError::Empty(place.to_owned())),
        }
    }

    /// One key a line.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.len() * (LENGTH * 2)));
        for key in self.keys() {
            BASE64.encode_string(key.as_bytes(), &mut text);
            text.push('\n');
        }
        text
    }

    pub(super) fn first(&self) -> &Key {
        &self.first
    }

    pub(super) fn find(&self, id: KeyId) -> Option<Key> {
        self.keys().find(|key| key.id() == id).cloned()
    }

    pub(super) fn len(&self) -> usize {
        1 + self.others.len()
    }

    pub(super) fn with_first(self, key: Key) -> Self {
        Self { first: key, others: self.keys().cloned().collect() }
    }

    /// These keys, and behind them those of another ring that are not among them.
    pub(super) fn with_last(mut self, other: &Self) -> Self {
        for key in other.keys() {
            if self.find(key.id()).is_none() {
                self.others.push(key.clone());
            }
        }
        self
    }

    /// One of the keys alone.
    pub(super) fn only(&self, id: KeyId) -> Option<Self> {
        self.find(id).map(Self::of)
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.first).chain(&self.others)
    }
}
