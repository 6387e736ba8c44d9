//! Grants: what a person has allowed at HighLevel's chooser, and the pair of tokens that came of it.

use std::fmt;
use std::time::Duration;

use ghl::oauth::Scopes;
use ghl::{CompanyId, LocationId};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::connection::ConnectionName;

/// Names a grant: `location:<client id>:<location>` or `company:<client id>:<company>`. Connections with the same client and
/// location share one, and with it one pair of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GrantId(String);

impl GrantId {
    /// The name of what this holder gave this client.
    pub fn new(client_id: &str, holder: &Holder) -> Self {
        Self(match holder {
            Holder::Location(id) => format!("location:{client_id}:{id}"),
            Holder::Company(id) => format!("company:{client_id}:{id}"),
        })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose data the tokens open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A location's.
    Location(LocationId),
    /// A company's (an agency's): good for asking for tokens of its locations.
    Company(CompanyId),
}

/// Both tokens of a pair.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The bearer token.
    pub access_token: SecretString,
    /// What brings the next pair; good once.
    pub refresh_token: SecretString,
}

/// A pair as HighLevel has just given it.
#[derive(Debug, Clone)]
pub struct NewPair {
    /// The tokens.
    pub pair: Pair,
    /// What they allow; none: as before.
    pub scopes: Option<Scopes>,
    /// When they were asked for.
    pub issued_at: Timestamp,
    /// When the access token ends.
    pub expires_at: Timestamp,
}

/// A grant that a person has just given.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// The client that it was given to.
    pub client_id: String,
    /// By whom.
    pub holder: Holder,
    /// What it allows.
    pub scopes: Scopes,
    /// The first pair.
    pub new: NewPair,
}

/// A grant with the pair in use.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Its name.
    pub id: GrantId,
    /// The client that it was given to.
    pub client_id: String,
    /// By whom.
    pub holder: Holder,
    /// The pair.
    pub pair: Pair,
    /// What it allows.
    pub scopes: Scopes,
    /// When the pair was asked for.
    pub issued_at: Timestamp,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// When a person allowed it last.
    pub connected_at: Timestamp,
    /// Grows with each pair.
    pub generation: i64,
    /// Why it is out of use; none: it is in use.
    pub disconnected: Option<Disconnected>,
}

/// Why a grant is out of use until somebody does something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnected {
    /// The sentence that a person reads.
    pub reason: String,
    /// HighLevel refused this client secret, and nothing was used up: with another secret it may be tried again.
    pub refused_secret: Option<SecretPrint>,
}

/// Tells one client secret from another without keeping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretPrint(pub [u8; 16]);

impl SecretPrint {
    /// The print of a secret, or of all that are tried one after another.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut hash = Sha256::new().chain_update(b"cartbridge client secret\0");
        for secret in secrets {
            hash.update(secret.expose_secret());
            hash.update([0]);
        }
        let mut print = [0; 16];
        print.copy_from_slice(&hash.finalize()[..16]);
        Self(print)
    }
}

impl Grant {
    /// Tells this state of the grant from earlier and later ones, a new connect included.
    pub fn version(&self) -> Version {
        Version { connected_at: self.connected_at, generation: self.generation }
    }

    /// When the pair is to be renewed: a part of its life before its end. The part differs from pair to pair (5 to 15 %), so
    /// that many that were given together are not renewed together.
    pub fn refresh_at(&self) -> Timestamp {
        let hash = Sha256::new()
            .chain_update(self.id.as_str())
            .chain_update(self.generation.to_be_bytes())
            .finalize();
        refresh_at(self.issued_at, self.expires_at, hash[0])
    }
}

/// 5 % of a life before its end, and up to 10 % more by `chance`.
pub fn refresh_at(issued_at: Timestamp, expires_at: Timestamp, chance: u8) -> Timestamp {
    let life_ms = expires_at.duration_since(issued_at).as_millis().clamp(0, i64::MAX.into());
    let margin_ms = life_ms * (500 + 1000 * i128::from(chance) / 255) / 10_000;
    let margin = SignedDuration::from_millis(i64::try_from(margin_ms).unwrap_or(0));
    expires_at.saturating_sub(margin).unwrap_or(issued_at)
}

/// Which of two states of a grant is the later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// When a person allowed it last.
    pub connected_at: Timestamp,
    /// The pair's number.
    pub generation: i64,
}

/// The grant of a connection.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The grant.
    pub grant: Grant,
    /// Why this connection uses it no longer, whatever others do.
    pub left: Option<String>,
}

/// The state of a connection's grant, without tokens: enough to see that it has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantHead {
    /// The connection.
    pub connection: ConnectionName,
    /// Its grant.
    pub id: GrantId,
    /// The grant's state.
    pub version: Version,
    /// Whether it is in use, by this connection.
    pub connected: bool,
}

/// A turn at renewing a pair.
#[derive(Debug, Clone)]
pub struct RefreshTurn {
    /// Which grant.
    pub id: GrantId,
    /// The pair whose refresh token is about to be sent.
    pub generation: i64,
    /// Names the turn.
    pub lease: i64,
    /// Until when nobody else may begin; longer than the call can take.
    pub until: Timestamp,
    /// The client secret that goes along.
    pub secret: SecretPrint,
}

/// Whether a turn at renewing a pair may begin.
#[derive(Debug, Clone)]
pub enum Turn {
    /// It has begun, durably.
    Begun {
        /// This refresh token was sent before, and what became of that is not known.
        cut_off_before: bool,
        /// How often it has failed in a row.
        failures: u32,
    },
    /// Somebody else is at it.
    UnderWay {
        /// Until then at the latest.
        until: Timestamp,
    },
    /// It failed a moment ago.
    Later {
        /// Not before.
        until: Timestamp,
        /// Why it failed.
        why: String,
    },
    /// There is a newer pair, or the grant is out of use.
    Changed(Box<Grant>),
    /// There is no such grant any more.
    Gone,
}

/// A turn that brought no pair, and may be repeated.
#[derive(Debug, Clone)]
pub struct FailedTurn {
    /// Why, in a sentence.
    pub why: String,
    /// Whether HighLevel may have used up the refresh token all the same.
    pub maybe_used: bool,
    /// Not again before.
    pub until: Timestamp,
}

/// The hash of a state, or of what a browser was given to be known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonceHash(pub [u8; 32]);

impl NonceHash {
    /// The hash of a nonce.
    pub fn of(nonce: &str) -> Self {
        Self(Sha256::digest(nonce).into())
    }
}

/// How long a connect that has begun waits for its callback.
pub const CONNECT_TTL: Duration = Duration::from_mins(10);

/// A connect that has begun: the browser is at HighLevel's chooser.
#[derive(Debug, Clone)]
pub struct BegunConnect {
    /// The hash of its state.
    pub state: NonceHash,
    /// The hash of what its browser was given.
    pub browser: NonceHash,
    /// The connection to be connected.
    pub connection: ConnectionName,
    /// The client that asks.
    pub client_id: String,
    /// What it asks for.
    pub scopes: Scopes,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// Not good after.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_renewed_5_to_15_percent_of_its_life_before_its_end() {
        let issued: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let expires: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        let hours =
            |chance| (expires.duration_since(refresh_at(issued, expires, chance))).as_secs_f64() / 3600.0;
        assert!((hours(0) - 1.2).abs() < 0.01, "{}", hours(0));
        assert!((hours(255) - 3.6).abs() < 0.01, "{}", hours(255));
        assert_eq!(refresh_at(issued, issued, 9), issued, "no life at all");
        assert!(refresh_at(Timestamp::MIN, Timestamp::MAX, 255) > Timestamp::MIN);
    }

    #[test]
    fn a_secret_is_told_from_another_by_a_print_that_does_not_show_it() {
        let (one, other) = (SecretString::from("one"), SecretString::from("other"));
        assert_eq!(SecretPrint::of([&one]), SecretPrint::of([&one]));
        assert_ne!(SecretPrint::of([&one]), SecretPrint::of([&other]));
        assert_ne!(SecretPrint::of([&one]), SecretPrint::of([&one, &other]));
    }
}
