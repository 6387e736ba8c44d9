//! What can go wrong, told apart by what the caller may do about it.

mod classify;
mod validation;

use std::time::Duration;

use crate::{BoxError, ContactId};

pub(crate) use classify::{Refusal, classify};

/// Why a call failed.
///
/// The question that matters after a failed write is whether it was carried out all the same: ask
/// [`Error::maybe_processed`]. Nothing is ever sent twice by this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There was no connection: no name, no route, no TLS. Nothing was sent, so it is safe to send it again.
    #[error("HighLevel could not be reached; nothing was sent")]
    NotSent(#[source] BoxError),

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

    /// Too many requests (429): not carried out.
    #[error("HighLevel's {} is used up", if *daily { "daily limit" } else { "rate limit" })]
    RateLimited {
        /// How long the server asks to wait; not promised by HighLevel.
        retry_after: Option<Duration>,
        /// Whether it is the day's limit, going by `X-RateLimit-Daily-Remaining`.
        daily: bool,
    },

    /// The token is not accepted (401): expired, revoked, or never valid.
    #[error("HighLevel refused the credentials: {message}")]
    Unauthorized {
        /// HighLevel's words.
        message: String,
    },

    /// The token is good, but lacks the scope for this call (401 or 403, "The token is not authorized for
    /// this scope.").
    #[error("the token lacks a scope for this call: {message}")]
    MissingScope {
        /// HighLevel's words.
        message: String,
    },

    /// The token belongs to another location (403, "The token does not have access to this location.").
    /// `GET /contacts/` says so as well when `locationId` is missing (n8n issue 11353).
    #[error("the token is not for this location: {message}")]
    WrongLocation {
        /// HighLevel's words.
        message: String,
    },

    /// A code or refresh token was refused for good (`invalid_grant`, on token calls only): somebody has to
    /// connect again.
    #[error("the authorization is no longer valid: {message}")]
    InvalidGrant {
        /// HighLevel's words.
        message: String,
    },

    /// The app's own id or secret was refused (`invalid_client`, on token calls only): correct them, the
    /// tokens themselves may be good.
    #[error("the client id or secret is not accepted: {message}")]
    InvalidClient {
        /// HighLevel's words.
        message: String,
    },

    /// There is no such contact, task, note…: it was deleted or merged, or it is in another location.
    ///
    /// A 404, or a 400 or 422 whose message says just that ("Contact not found", "Contact with id X not
    /// found"): HighLevel was seen to answer either way. A 400 about a field *of* a contact stays
    /// [`Error::Invalid`].
    #[error("HighLevel does not know it: {message}")]
    NotFound {
        /// HighLevel's words.
        message: String,
    },

    /// The location allows no duplicates and has such a contact already (400 with `meta`): not carried out.
    #[error("the location already has a contact with this {matching_field}")]
    DuplicateContact {
        /// The contact that is there.
        contact_id: ContactId,
        /// Its name.
        contact_name: Option<String>,
        /// What they have in common.
        matching_field: MatchingField,
    },

    /// A value was refused (400 or 422).
    ///
    /// After a **422 on a create** the contact may be there all the same (HighLevel's issue 64): look before
    /// you send it again.
    #[error("HighLevel refused the values: {}", messages.join("; "))]
    Invalid {
        /// 400 or 422.
        status: u16,
        /// HighLevel's words, one entry a complaint.
        messages: Vec<String>,
        /// The fields complained of, as far as the messages name them in HighLevel's usual way ("property X
        /// should not exist", "X must be an email").
        fields: Vec<String>,
    },

    /// The server could not (408, 425, 5xx). After a 408 or 5xx it is unknown whether it was carried out.
    #[error("HighLevel could not answer (status {status})")]
    Unavailable {
        /// The status.
        status: u16,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },

    /// Refused for another reason (any other status that is not 2xx, redirects included: they are not
    /// followed).
    #[error("HighLevel refused the request (status {status}): {message}")]
    Refused {
        /// The status.
        status: u16,
        /// HighLevel's words, or the beginning of the body.
        message: String,
    },

    /// The answer does not have the documented shape. With a 2xx status the request was carried out.
    #[error("HighLevel's answer (status {status}) is not as documented at `{path}`")]
    Protocol {
        /// The status.
        status: u16,
        /// Where in the answer, e.g. `contact.tags[1]`; `.` is the whole of it.
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
            // 425 means by definition that the server was unwilling to process it yet (RFC 8470).
            Self::Unavailable { status, .. } => *status != 425,
            Self::Invalid { status, .. } => *status == 422,
            Self::Protocol { status, .. } => (200..300).contains(status),
            Self::NotSent(_)
            | Self::Unsendable { .. }
            | Self::RateLimited { .. }
            | Self::Unauthorized { .. }
            | Self::MissingScope { .. }
            | Self::WrongLocation { .. }
            | Self::InvalidGrant { .. }
            | Self::InvalidClient { .. }
            | Self::NotFound { .. }
            | Self::DuplicateContact { .. }
            | Self::Refused { .. } => false,
        }
    }

    /// How long the server asked to wait, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// A word for machines that stays the same over versions, e.g. `rate_limited`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSent(_) => "not_sent",
            Self::Unsendable { .. } => "unsendable",
            Self::Uncertain { .. } => "uncertain",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unauthorized { .. } => "unauthorized",
            Self::MissingScope { .. } => "missing_scope",
            Self::WrongLocation { .. } => "wrong_location",
            Self::InvalidGrant { .. } => "invalid_grant",
            Self::InvalidClient { .. } => "invalid_client",
            Self::NotFound { .. } => "not_found",
            Self::DuplicateContact { .. } => "duplicate_contact",
            Self::Invalid { .. } => "invalid",
            Self::Unavailable { .. } => "unavailable",
            Self::Refused { .. } => "refused",
            Self::Protocol { .. } => "protocol",
        }
    }
}

/// What a duplicate has in common with the contact that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatchingField {
    /// The e-mail address.
    Email,
    /// The phone number.
    Phone,
    /// Something else, in HighLevel's words; empty when it did not say.
    Other(String),
}

impl From<&str> for MatchingField {
    fn from(field: &str) -> Self {
        match field {
            "email" => Self::Email,
            "phone" => Self::Phone,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl std::fmt::Display for MatchingField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Other(field) if field.is_empty() => "field",
            Self::Other(field) => field,
        })
    }
}
