//! Who may use the API: keys with roles.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// What a key allows. Each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See events and connections.
    Read,
    /// Replay and resync.
    Operate,
    /// Change connections.
    Admin,
}

impl Role {
    /// The word in the API, in the database and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "read" => Ok(Self::Read),
            "operate" => Ok(Self::Operate),
            "admin" => Ok(Self::Admin),
            other => Err(format!("`{other}` is not a role (read, operate, admin)")),
        }
    }
}

/// A key as it is known after it was made: everything but the key itself.
#[derive(Debug, Clone, Serialize)]
pub struct ApiKey {
    /// Names it in lists and when it is revoked.
    pub id: String,
    /// What a person called it.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Makes a key: 256 random bits. The second part is shown to a person once and stored only as its hash.
    pub fn generate(name: impl Into<String>, role: Role, now: Timestamp) -> (Self, SecretString) {
        let id = Uuid::new_v4().simple().to_string()[..12].to_owned();
        let bits: [u8; 32] = rand::random();
        let key = SecretString::from(format!("cbk_{}", URL_SAFE_NO_PAD.encode(bits)));
        (Self { id, name: name.into(), role, created_at: now, revoked_at: None }, key)
    }
}

/// The SHA-256 of a key: what is stored and compared. Looking a hash up tells nothing about the key by its timing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// The hash of a key.
    pub fn of(key: &SecretString) -> Self {
        Self(Sha256::digest(key.expose_secret().as_bytes()).into())
    }
}
