//! Why something did not go as asked: a code that stays the same over versions, and a sentence with the cause and what to do.
//!
//! A sentence is made once, where the cause is known. The API, the command line and the log show that very sentence, and
//! `docs/errors.md` has a section for each code.

mod cscart;
mod ghl;

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::store;
use crate::tokens::Unready;

/// Why an event is not done (yet), or what is wrong with a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The kind of cause.
    pub code: Code,
    /// The cause and what to do, for a person.
    pub text: String,
}

impl Reason {
    /// A cause, told in a sentence.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&Unready> for Reason {
    fn from(unready: &Unready) -> Self {
        let code = match unready {
            Unready::NotConnected { .. } => Code::NotConnected,
            Unready::Disconnected { .. } => Code::Disconnected,
            Unready::Refused { .. } => Code::TokenRefused,
            Unready::Later { .. } => Code::TokenNotRenewed,
            Unready::Store(error) => return error.into(),
        };
        Self::new(code, unready.to_string())
    }
}

impl From<&store::Error> for Reason {
    fn from(error: &store::Error) -> Self {
        match error {
            store::Error::Busy | store::Error::Unavailable(_) | store::Error::LeaseLost => Self::new(
                Code::StorageUnavailable,
                format!(
                    "{error}: is the disk full, or does another program hold the database? It is tried again by itself"
                ),
            ),
            store::Error::Corrupt { .. } | store::Error::NotFound(_) | store::Error::Conflict(_) => {
                Self::new(
                    Code::StorageUnreadable,
                    format!(
                        "{error}: the log tells more. Restore the database from a backup, or replay this event"
                    ),
                )
            }
        }
    }
}

/// Declares the codes: each name with its word.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// A kind of cause. The words are the same over versions; each has a section in `docs/errors.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The word in the API, the log and the documentation.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// Where the documentation tells more, from the root of the project.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("docs/errors.md#", $word),)+
                }
            }
        }
    };
}

codes! {
    // HighLevel.
    /// HighLevel does not take the token.
    TokenRefused = "token-refused",
    /// The token does not allow what is to be done.
    NeedsScope = "needs-scope",
    /// The token is for another location.
    WrongLocation = "wrong-location",
    /// There is no token yet.
    NotConnected = "not-connected",
    /// There was a token; a person has to connect again.
    Disconnected = "disconnected",
    /// There is no good token at the moment; there may be one by itself.
    TokenNotRenewed = "token-not-renewed",
    /// Too many requests in a short time.
    RateLimit = "rate-limit",
    /// Too many requests today.
    DailyLimit = "daily-limit",
    /// No connection to HighLevel.
    HighlevelUnreachable = "highlevel-unreachable",
    /// HighLevel has a fault.
    HighlevelUnavailable = "highlevel-unavailable",
    /// A call went out and its answer did not arrive.
    AnswerLost = "answer-lost",
    /// A call that must not be made twice went out and its answer did not arrive.
    MayBeDone = "may-be-done",
    /// HighLevel's answer is not as documented.
    UnexpectedAnswer = "unexpected-answer",
    /// HighLevel rejects a value.
    Validation = "validation",
    /// HighLevel no longer has it.
    GoneInHighlevel = "gone-in-highlevel",
    /// The e-mail or phone belongs to another contact.
    DuplicateContact = "duplicate-contact",
    /// HighLevel refuses it for another reason.
    HighlevelRefused = "highlevel-refused",

    // The store.
    /// No connection to the store.
    StoreUnreachable = "store-unreachable",
    /// The store has a fault.
    StoreUnavailable = "store-unavailable",
    /// The store does not take the API key.
    StoreKeyRefused = "store-key-refused",
    /// The connection has no API key.
    StoreKeyMissing = "store-key-missing",
    /// Something else than the store's API answers.
    StoreNotApi = "store-not-api",
    /// The store refuses the request for another reason.
    StoreRefused = "store-refused",
    /// The store does not know the customer.
    UnknownToStore = "unknown-to-store",

    // What an event is about.
    /// The event names nobody.
    NoCustomer = "no-customer",
    /// The contact belongs to no customer.
    NotLinked = "not-linked",
    /// The customer has no contact yet.
    NoContact = "no-contact",
    /// Guests cannot be resynced.
    GuestResync = "guest-resync",
    /// The contact belongs to another customer.
    ContactTaken = "contact-taken",
    /// It cannot be told whether a contact was made.
    UnclearContact = "unclear-contact",
    /// Another event is at the same person.
    SamePerson = "same-person",
    /// A route cannot be rendered.
    RouteMistake = "route-mistake",
    /// A route sets itself off.
    FlowLoop = "flow-loop",

    // The bridge and its connections.
    /// A connection is stored and cannot be read or used.
    ConnectionUnusable = "connection-unusable",
    /// The event's connection was removed.
    ConnectionGone = "connection-gone",
    /// It would go over a network in clear.
    PlainHttp = "plain-http",
    /// The database cannot be used.
    StorageUnavailable = "storage-unavailable",
    /// Something in the database cannot be read.
    StorageUnreadable = "storage-unreadable",
    /// The database was restored from a backup.
    Restored = "restored",
    /// A fault of the bridge.
    Internal = "internal",

    // What only `cartbridge doctor` finds.
    /// The configuration has mistakes, or is not in use.
    Configuration = "configuration",
    /// There is no database, or its master key is missing.
    Database = "database",
    /// A host has no address.
    Dns = "dns",
    /// No encrypted connection can be made.
    Tls = "tls",
    /// Two clocks differ.
    ClockSkew = "clock-skew",
    /// The public address does not lead to the bridge.
    PublicUrl = "public-url",
    /// No bridge answers on this machine.
    BridgeNotRunning = "bridge-not-running",
    /// A check took too long.
    TooSlow = "too-slow",

    // Webhooks that are refused.
    /// No signature.
    SignatureMissing = "signature-missing",
    /// No signature by its form.
    SignatureMalformed = "signature-malformed",
    /// A signature that does not fit.
    SignatureMismatch = "signature-mismatch",
    /// The connection takes no webhooks of its store.
    NoWebhookSecret = "no-webhook-secret",
    /// The time of sending is none.
    TimestampMalformed = "timestamp-malformed",
    /// The time of sending is too long ago.
    TimestampStale = "timestamp-stale",
    /// The time of sending has not come yet.
    TimestampFuture = "timestamp-future",
    /// The body is no JSON.
    NotJson = "not-json",
    /// The body is not of the agreed form.
    WrongShape = "wrong-shape",
    /// The body is over 1 MiB.
    BodyTooLarge = "body-too-large",
    /// The URL names a connection that there is not.
    UnknownConnection = "unknown-connection",
    /// The event was not stored.
    NotStored = "not-stored",

    // The API.
    /// The request cannot be understood.
    BadRequest = "bad-request",
    /// No API key.
    Unauthorized = "unauthorized",
    /// The API key does not allow it.
    Forbidden = "forbidden",
    /// There is no such thing.
    NotFound = "not-found",
    /// The method is not answered here.
    MethodNotAllowed = "method-not-allowed",
    /// It cannot be done in the present state.
    Conflict = "conflict",
    /// The request took too long.
    Timeout = "timeout",
    /// As many are under way as may be.
    TooManyAtOnce = "too-many-at-once",
    /// The bridge is stopping.
    Stopping = "stopping",

    // Connecting in the browser.
    /// The connection cannot be connected this way.
    NotConnectable = "not-connectable",
    /// The callback has no `state`.
    NoState = "no-state",
    /// The callback's `state` is not known (any more).
    StateUnknown = "state-unknown",
    /// Another browser began.
    OtherBrowser = "other-browser",
    /// HighLevel sent no code.
    NoCode = "no-code",
    /// HighLevel, or a person there, did not allow it.
    Denied = "denied",
    /// The connection was changed meanwhile.
    Changed = "changed",
    /// The tokens are for something else.
    UnfitGrant = "unfit-grant",
    /// HighLevel gave no tokens.
    NoTokens = "no-tokens",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == word)
            .ok_or_else(|| format!("`{word}` is not a code of docs/errors.md"))
    }
}
