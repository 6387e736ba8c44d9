//! What came of a call, and what went over the wire for it.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use crate::Error;

/// The value that was asked for, and the exchange that brought it.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// What the store answered.
    pub value: T,
    /// What went over the wire.
    pub exchange: Exchange,
}

impl<T> Answer<T> {
    /// The same exchange with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: f(self.value), exchange: self.exchange }
    }
}

/// Why there is no value, and the exchange that failed.
///
/// The exchange is boxed only to keep results small; `failure.exchange.status` reads as usual.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong, by what the caller may do about it.
    pub error: Error,
    /// What went over the wire, as far as it went.
    pub exchange: Box<Exchange>,
}

impl Failure {
    pub(crate) fn new(error: Error, exchange: Exchange) -> Self {
        Self { error, exchange: Box::new(exchange) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the query: it may hold somebody's e-mail address.
        let path = self.exchange.path.split('?').next().unwrap_or_default();
        write!(f, "{} {path} failed", self.exchange.method)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// What went over the wire once, for a log of deliveries. It never holds the API key, nor a password or a
/// key of another user that was sent; it does hold the users' data.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Exchange {
    /// The HTTP method.
    pub method: String,
    /// The path with its query, without the host.
    pub path: String,
    /// The body that was sent.
    pub request_body: Option<Value>,
    /// The status of the answer; `None` when there was none.
    pub status: Option<u16>,
    /// The beginning of the answer's body, at most [`Exchange::MAX_BODY`] bytes of it.
    pub response_body: Option<String>,
    /// From the start of sending to the last byte read.
    pub duration: Duration,
    /// The time of the answer by the server's own clock (the header `Date`): how far its clock is from ours.
    pub server_time: Option<Timestamp>,
    /// The exchange before this one, which found no API under `/api/`: then the call was made under
    /// `/api.php`. It happens at most until a client knows which of the two its store has.
    pub earlier: Option<Box<Exchange>>,
}

impl Exchange {
    /// How many bytes of an answer are kept.
    pub const MAX_BODY: usize = 16 * 1024;
}

/// The beginning of a body as text, cut between characters.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(Exchange::MAX_BODY + 4)]);
    let mut end = text.len().min(Exchange::MAX_BODY);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_cut_between_characters() {
        let body = "ä".repeat(Exchange::MAX_BODY);
        let excerpt = excerpt(body.as_bytes());
        assert_eq!(excerpt.len(), Exchange::MAX_BODY);
        assert!(excerpt.chars().all(|c| c == 'ä'));
    }
}
