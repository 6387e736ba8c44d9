//! What a failed call to the store means, in words.

use cscart::Error;

use super::{Code, Reason};

impl From<&Error> for Reason {
    fn from(error: &Error) -> Self {
        match error {
            Error::NotSent(_) | Error::Uncertain { .. } => Self::new(
                Code::StoreUnreachable,
                format!(
                    "the store could not be asked: {error}. Check `cscart.url` and whether the store is up; it is tried again by \
                     itself"
                ),
            ),
            Error::Unauthorized { .. } | Error::Forbidden { .. } => Self::new(
                Code::StoreKeyRefused,
                "the store refuses the API key: check `cscart.email` and `cscart.api_key` of the connection",
            ),
            Error::SignatureRefused { message, .. } => Self::new(
                Code::StoreKeyRefused,
                format!(
                    "the store's add-on refuses the signature ({message}): compare its secret with the newest of \
                     `cscart.webhook_secrets`, and set both clocks by NTP"
                ),
            ),
            Error::Absent { what } => Self::new(
                Code::StoreRefused,
                format!("the store has no {what}: install or activate it, or do without"),
            ),
            Error::NoTurn { .. } => Self::new(
                Code::StoreUnavailable,
                "so many calls wait for the store that this one had no turn; it is tried again by itself. If the store can bear \
                 more, raise `cscart.requests_per_second` and `cscart.concurrency`",
            ),
            Error::NotAnApi { advice, .. } => Self::new(
                Code::StoreNotApi,
                format!("the store's address answers, but not as its API: {advice}"),
            ),
            Error::NotFound { .. } => Self::new(
                Code::UnknownToStore,
                "the store does not know this customer (any more): there is nothing to send",
            ),
            Error::Unavailable { status, .. } => Self::new(
                Code::StoreUnavailable,
                format!(
                    "the store answered {status}: it is not available at the moment; it is tried again by itself"
                ),
            ),
            Error::Unsendable { reason } => {
                Self::new(Code::StoreRefused, format!("the store cannot be asked: {reason}"))
            }
            other => Self::new(Code::StoreRefused, format!("the store could not be asked: {other}")),
        }
    }
}
