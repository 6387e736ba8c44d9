//! One exchange: send it once, read the answer within its limits, tell what came of it.

use std::{borrow::Cow, time::Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Call, Client, call::Root};
use crate::{
    Answer, BoxError, Error, Exchange, Failure,
    decode::{self, Misfit},
    error::{Refusal, classify, page_instead},
    exchange::excerpt,
    retry_after::retry_after,
};

impl Client {
    /// Sends the call once and reads the answer with `read`.
    pub(crate) async fn send<T>(
        &self,
        call: Call,
        read: impl FnOnce(Value) -> Result<T, Misfit>,
    ) -> crate::Result<T> {
        let (outcome, exchange) = self.exchange(&call).await;
        let (status, body) = match outcome {
            Ok(answer) => answer,
            Err(error) => return Err(Failure::new(error, exchange)),
        };
        match decode::json(&body).and_then(read) {
            Ok(value) => Ok(Answer { value, exchange }),
            Err(misfit) => Err(Failure::new(misfit.into_error(status), exchange)),
        }
    }

    /// Sends the call once; the answer matters only in that it is 2xx.
    pub(crate) async fn send_for_success(&self, call: Call) -> crate::Result<()> {
        self.send(call, |_| Ok(())).await
    }

    /// Sends the call once for one thing. That it is not there is [`Error::NotFound`], also when the status is
    /// 2xx and `read` finds nothing.
    pub(crate) async fn send_for_one<T>(
        &self,
        call: Call,
        read: impl FnOnce(Value) -> Result<Option<T>, Misfit>,
    ) -> crate::Result<T> {
        let Answer { value, exchange } = self.send(call, read).await?;
        let Some(value) = value else {
            let message = "its answer holds nothing".to_owned();
            return Err(Failure::new(Error::NotFound { message }, exchange));
        };
        Ok(Answer { value, exchange })
    }

    /// The bytes of a 2xx answer, or the error; and either way what went over the wire.
    ///
    /// While it is not known where the store has its API, a page saying 404 under `/api/` leads to a second
    /// exchange under `/api.php`. That repeats nothing: a web server that found nothing has done nothing.
    async fn exchange(&self, call: &Call) -> (Result<(u16, Vec<u8>), Error>, Exchange) {
        let known = self.inner.root.get().copied();
        let (outcome, exchange) = self.exchange_at(call, known.unwrap_or(Root::Rewritten)).await;
        if known.is_some() || !matches!(outcome, Err(Error::NotAnApi { status: 404, .. })) {
            return (outcome, exchange);
        }
        let (outcome, mut second) = self.exchange_at(call, Root::Script).await;
        second.earlier = Some(Box::new(exchange));
        (outcome, second)
    }

    async fn exchange_at(&self, call: &Call, root: Root) -> (Result<(u16, Vec<u8>), Error>, Exchange) {
        let mut exchange = Exchange {
            method: call.method.to_string(),
            request_body: call.shown_body(),
            ..Exchange::default()
        };
        let started = Instant::now();
        let outcome = self.attempt(call, root, &mut exchange).await;
        exchange.duration = started.elapsed();
        (outcome, exchange)
    }

    async fn attempt(
        &self,
        call: &Call,
        root: Root,
        exchange: &mut Exchange,
    ) -> Result<(u16, Vec<u8>), Error> {
        let url = call.url(&self.inner.base_url, root)?;
        url.path().clone_into(&mut exchange.path);
        if let Some(query) = url.query() {
            exchange.path.push('?');
            exchange.path.push_str(query);
        }

        let mut request = self
            .inner
            .http
            .request(call.method.clone(), url)
            .timeout(self.inner.timeout)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, basic(&self.inner.email, &self.inner.api_key));
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }

        let mut response = request.send().await.map_err(|error| transport(error.without_url()))?;
        let status = response.status();
        exchange.status = Some(status.as_u16());

        let (body, complete) = read_body(&mut response, self.inner.max_answer_bytes).await;
        // What is shown, and what an error quotes: an answer may repeat what it was sent.
        let shown = without_secrets(&body, self.inner.api_key.expose_secret());
        exchange.response_body = Some(excerpt(&shown));
        if self.inner.root.get().is_none() && !speaks_for_itself(status) && is_json(&body) {
            // When another call was first, it found the same.
            let _ = self.inner.root.set(root);
        }

        let refused = || {
            classify(&Refusal {
                status: status.as_u16(),
                body: &shown,
                location: response.headers().get(LOCATION).and_then(|location| location.to_str().ok()),
                retry_after: retry_after(response.headers()),
            })
        };
        match complete {
            Ok(()) if status.is_success() => match page_instead(status.as_u16(), &body) {
                Some(error) => Err(error),
                None => Ok((status.as_u16(), body)),
            },
            Err(Incomplete::TooLarge) if status.is_success() => Err(Error::Protocol {
                status: status.as_u16(),
                path: ".".to_owned(),
                source: TooLarge { limit: self.inner.max_answer_bytes }.into(),
            }),
            Ok(()) | Err(Incomplete::TooLarge) => Err(refused()),
            // For these the status says it all; for the others the missing half may have said more.
            Err(Incomplete::Broken(_)) if speaks_for_itself(status) => Err(refused()),
            Err(Incomplete::Broken(source)) => Err(Error::Uncertain { source }),
        }
    }
}

/// A body with `[redacted]` in place of the API key. What is too short to be one is left alone.
fn without_secrets<'a>(body: &'a [u8], api_key: &str) -> Cow<'a, [u8]> {
    let text = String::from_utf8_lossy(body);
    if api_key.len() >= 8 && text.contains(api_key) {
        Cow::Owned(text.replace(api_key, "[redacted]").into_bytes())
    } else {
        Cow::Borrowed(body)
    }
}

/// `Basic`, with the e-mail as the user and the API key as the password.
fn basic(email: &str, api_key: &SecretString) -> HeaderValue {
    let credentials = SecretString::from(format!("{email}:{}", api_key.expose_secret()));
    let text = format!("Basic {}", STANDARD.encode(credentials.expose_secret()));
    let mut value = HeaderValue::from_str(&text).expect("base64 is fit for a header");
    value.set_sensitive(true);
    value
}

/// Whether the API has spoken, whatever it said.
fn is_json(body: &[u8]) -> bool {
    decode::json(body).is_ok_and(|json| json.is_object() || json.is_array())
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
