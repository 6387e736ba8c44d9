//! What can go wrong, told apart by what the caller may do about it.

mod classify;
mod web_page;

use std::time::Duration;

use crate::BoxError;

pub(crate) use classify::{Refusal, classify, page_instead};
pub use web_page::{PageKind, WebPage};

/// Why a call failed.
///
/// The question that matters after a failed write is whether it was carried out all the same: ask
/// [`Error::maybe_processed`]. Nothing is ever sent twice by this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There was no connection: no name, no route, no TLS. Nothing was sent, so it is safe to send it again.
    #[error("the store could not be reached; nothing was sent")]
    NotSent(#[source] BoxError),

    /// So many calls wait for the store that this one's turn did not come in time. Nothing was sent: make it later, or
    /// let the client work harder ([`Gentleness`](crate::Gentleness)).
    #[error("nothing was sent: other calls were before it for {} seconds", waited.as_secs())]
    NoTurn {
        /// How long it waited.
        waited: Duration,
    },

    /// The request makes no sense and was not sent; sending it again will not help.
    #[error("the request was not sent: {reason}")]
    Unsendable {
        /// What is wrong with it.
        reason: String,
    },

    /// It was sent, and no complete answer came: a timeout, a reset, half a body. Look before you send it
    /// again.
    #[error("the request was sent and no complete answer came back")]
    Uncertain {
        /// What broke off.
        #[source]
        source: BoxError,
    },

    /// The e-mail and API key are not accepted (401): one of them is wrong, the user is disabled, or API
    /// access is off in the user's profile. It also happens to every call when the web server does not pass
    /// the header `Authorization` on to PHP.
    #[error("the store refused the e-mail and API key: {message}")]
    Unauthorized {
        /// The store's words.
        message: String,
    },

    /// The user may not do this (403): an administrator without the privilege for it, a vendor's
    /// administrator, or plain HTTP where the store wants HTTPS.
    #[error("the store does not allow it: {message}")]
    Forbidden {
        /// The store's words.
        message: String,
    },

    /// There is no such user, order, group… (404 in JSON; for a user also 200 with an empty list, as
    /// CS-Cart 4.20.1 answers).
    #[error("the store does not know it: {message}")]
    NotFound {
        /// The store's words.
        message: String,
    },

    /// The store has no such kind of thing at all: an add-on that is not installed or switched off, an entity of the other
    /// edition, or a version without it. Nothing is wrong with the connection.
    #[error("the store has no {what}: an add-on that is not active, or not part of its edition or version")]
    Absent {
        /// What is not there, such as `call requests`.
        what: &'static str,
    },

    /// The store's add-on does not take the signature of a call: another secret, no connection, or a clock that is more than
    /// five minutes off.
    #[error("the store's add-on refused the call's signature: {message}")]
    SignatureRefused {
        /// The add-on's words; with a wrong clock they say what time it is there.
        message: String,
        /// How far the store's clock is ahead of this one, in seconds, as its answer says.
        ahead_seconds: Option<i64>,
    },

    /// A value was refused (400, 409, 422). The texts are in the store's language: for people, not for
    /// programs.
    #[error("the store refused the values: {}", messages.join("; "))]
    Invalid {
        /// The status.
        status: u16,
        /// The store's words, one entry a complaint.
        messages: Vec<String>,
    },

    /// The store could not (408, 425, 429, 5xx). After a 408 or 5xx it is unknown whether it was carried
    /// out. CS-Cart has no rate limits of its own; hosts and firewalls have.
    #[error("the store could not answer (status {status})")]
    Unavailable {
        /// The status.
        status: u16,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },

    /// Something answered that is not CS-Cart's API: a web page, a redirect (not followed), an empty 404.
    /// The URL is wrong, or something stands in front of the store.
    #[error("no CS-Cart API answered (status {status}): {advice}")]
    NotAnApi {
        /// The status.
        status: u16,
        /// What to check.
        advice: String,
        /// The page that came, if one did.
        page: Option<WebPage>,
    },

    /// Refused for another reason (any other status that is not 2xx).
    #[error("the store refused the request (status {status}): {message}")]
    Refused {
        /// The status.
        status: u16,
        /// The store's words.
        message: String,
    },

    /// The answer does not have the known shape. With a 2xx status the request was carried out.
    #[error("the store's answer (status {status}) is not as expected at `{path}`")]
    Protocol {
        /// The status.
        status: u16,
        /// Where in the answer, e.g. `users[1].user_id`; `.` is the whole of it.
        path: String,
        /// What did not fit.
        #[source]
        source: BoxError,
    },
}

impl Error {
    /// Whether the request may have been carried out in spite of the error. After a create, look for what it
    /// would have made before you send it again. `false` is a promise: it was not.
    pub fn maybe_processed(&self) -> bool {
        match self {
            Self::Uncertain { .. } => true,
            // 425 means by definition that the server was unwilling to process it yet (RFC 8470), and 429
            // that the request was too many.
            Self::Unavailable { status, .. } => !matches!(status, 425 | 429),
            // A page with a 2xx status may be the store's warnings, printed before its answer.
            Self::Protocol { status, .. } | Self::NotAnApi { status, .. } => (200..300).contains(status),
            Self::NotSent(_)
            | Self::NoTurn { .. }
            | Self::Absent { .. }
            | Self::SignatureRefused { .. }
            | Self::Unsendable { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Invalid { .. }
            | Self::Refused { .. } => false,
        }
    }

    /// How long the server asked to wait, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// A word for machines that stays the same over versions, e.g. `not_found`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSent(_) => "not_sent",
            Self::NoTurn { .. } => "no_turn",
            Self::Absent { .. } => "absent",
            Self::SignatureRefused { .. } => "signature_refused",
            Self::Unsendable { .. } => "unsendable",
            Self::Uncertain { .. } => "uncertain",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound { .. } => "not_found",
            Self::Invalid { .. } => "invalid",
            Self::Unavailable { .. } => "unavailable",
            Self::NotAnApi { .. } => "not_an_api",
            Self::Refused { .. } => "refused",
            Self::Protocol { .. } => "protocol",
        }
    }
}
