//! One exchange over HTTP: waits for its turn, sends once, reads the answer within its limits.

use std::{borrow::Cow, time::Duration};

use reqwest::{RequestBuilder, StatusCode, header::LOCATION};
use serde_json::Value;

use super::gentle::Gate;
use crate::{
    Answer, BoxError, Error, Exchange, Failure,
    decode::{self, Misfit},
    error::{Refusal, classify, page_instead},
    exchange::excerpt,
    retry_after::{retry_after, server_time},
};

/// How calls go out, and what of their answers is read.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) http: reqwest::Client,
    pub(crate) timeout: Duration,
    pub(crate) max_answer_bytes: usize,
    pub(crate) gate: Gate,
}

/// What came back.
pub(crate) struct Heard {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
    /// The bytes of a 2xx answer, or what the answer means.
    pub(crate) outcome: Result<(), Error>,
}

impl Heard {
    /// Whether the API has spoken, whatever it said.
    pub(crate) fn is_the_api(&self) -> bool {
        !speaks_for_itself(self.status)
            && decode::json(&self.body).is_ok_and(|json| json.is_object() || json.is_array())
    }
}

impl Wire {
    /// Sends a request once. `secret` is taken out of whatever of the answer is shown.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        secret: &str,
        exchange: &mut Exchange,
    ) -> Result<Heard, Error> {
        let _turn = self.gate.turn(self.timeout).await?;
        let request = request.timeout(self.timeout);
        let mut response = request.send().await.map_err(|error| transport(error.without_url()))?;
        let status = response.status();
        exchange.status = Some(status.as_u16());
        exchange.server_time = server_time(response.headers());

        let (body, complete) = read_body(&mut response, self.max_answer_bytes).await;
        // What is shown, and what an error quotes: an answer may repeat what it was sent.
        let shown = without_secret(&body, secret);
        exchange.response_body = Some(excerpt(&shown));
        let refused = || {
            classify(&Refusal {
                status: status.as_u16(),
                body: &shown,
                location: response.headers().get(LOCATION).and_then(|location| location.to_str().ok()),
                retry_after: retry_after(response.headers()),
            })
        };
        let outcome = match complete {
            Ok(()) if status.is_success() => page_instead(status.as_u16(), &shown).map_or(Ok(()), Err),
            Err(Incomplete::TooLarge) if status.is_success() => Err(Error::Protocol {
                status: status.as_u16(),
                path: ".".to_owned(),
                source: TooLarge { limit: self.max_answer_bytes }.into(),
            }),
            Ok(()) | Err(Incomplete::TooLarge) => Err(refused()),
            // For these the status says it all; for the others the missing half may have said more.
            Err(Incomplete::Broken(_)) if speaks_for_itself(status) => Err(refused()),
            Err(Incomplete::Broken(source)) => Err(Error::Uncertain { source }),
        };
        drop(shown);
        Ok(Heard { status, body, outcome })
    }
}

/// What `read` makes of the bytes of a 2xx answer; or what went wrong, with the exchange.
pub(crate) fn answer<T>(
    outcome: Result<(u16, Vec<u8>), Error>,
    exchange: Exchange,
    read: impl FnOnce(Value) -> Result<T, Misfit>,
) -> crate::Result<T> {
    let (status, body) = match outcome {
        Ok(answer) => answer,
        Err(error) => return Err(Failure::new(error, exchange)),
    };
    match decode::json(&body).and_then(read) {
        Ok(value) => Ok(Answer { value, exchange }),
        Err(misfit) => Err(Failure::new(misfit.into_error(status), exchange)),
    }
}

/// A body with `[redacted]` in place of a secret. What is too short to be one is left alone.
fn without_secret<'a>(body: &'a [u8], secret: &str) -> Cow<'a, [u8]> {
    let text = String::from_utf8_lossy(body);
    if secret.len() >= 8 && text.contains(secret) {
        Cow::Owned(text.replace(secret, "[redacted]").into_bytes())
    } else {
        Cow::Borrowed(body)
    }
}

fn speaks_for_itself(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

/// A request that got no status. Only a connection that was never made is sure to have sent nothing.
fn transport(error: reqwest::Error) -> Error {
    if error.is_builder() {
        Error::Unsendable { reason: error.to_string() }
    } else if error.is_connect() {
        Error::NotSent(error.into())
    } else {
        Error::Uncertain { source: error.into() }
    }
}

enum Incomplete {
    TooLarge,
    Broken(BoxError),
}

#[derive(Debug, thiserror::Error)]
#[error("the answer is larger than {limit} bytes")]
struct TooLarge {
    limit: usize,
}

/// Reads in chunks, so that no answer can fill the memory. What was read before it broke off is kept.
async fn read_body(response: &mut reqwest::Response, limit: usize) -> (Vec<u8>, Result<(), Incomplete>) {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                body.extend_from_slice(&chunk[..limit - body.len()]);
                return (body, Err(Incomplete::TooLarge));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return (body, Ok(())),
            Err(error) => return (body, Err(Incomplete::Broken(error.without_url().into()))),
        }
    }
}
