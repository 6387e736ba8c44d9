//! One exchange: send it once, read the answer within its limits, tell what came of it.

use std::time::Instant;

use reqwest::{
    StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    multipart,
};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{Call, Client, DEFAULT_VERSION, call::Body, redact};
use crate::{
    Answer, BoxError, Error, Exchange, Failure, RateLimit, RawPart,
    decode::{self, Misfit},
    error::{Refusal, classify},
    exchange::excerpt,
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

    /// Sends the call once; the answer matters only in that it is 2xx. `{"succeded": false}` (HighLevel's
    /// spelling) does not.
    pub(crate) async fn send_for_success(&self, call: Call) -> crate::Result<()> {
        let answer = self.send(call, Ok).await?;
        let says_no = ["succeded", "succeeded", "success"]
            .iter()
            .any(|key| answer.value.get(key).and_then(Value::as_bool) == Some(false));
        if says_no {
            let status = answer.exchange.status.unwrap_or_default();
            let message = "HighLevel says that it did not succeed".to_owned();
            return Err(Failure::new(Error::Refused { status, message }, answer.exchange));
        }
        Ok(answer.map(|_| ()))
    }

    /// The bytes of a 2xx answer, or the error; and either way what went over the wire.
    async fn exchange(&self, call: &Call) -> (Result<(u16, Vec<u8>), Error>, Exchange) {
        let mut exchange = Exchange {
            method: call.method.to_string(),
            request_body: call.shown_body(),
            ..Exchange::default()
        };
        let started = Instant::now();
        let outcome = self.attempt(call, &mut exchange).await;
        exchange.duration = started.elapsed();
        (outcome, exchange)
    }

    async fn attempt(&self, call: &Call, exchange: &mut Exchange) -> Result<(u16, Vec<u8>), Error> {
        let url = call.url(&self.inner.base_url)?;
        url.path().clone_into(&mut exchange.path);
        if let Some(query) = url.query() {
            exchange.path.push('?');
            exchange.path.push_str(query);
        }

        let version = call.version.as_deref().unwrap_or(DEFAULT_VERSION);
        let version = HeaderValue::from_str(version)
            .map_err(|_| Error::Unsendable { reason: "the version is not a header value".to_owned() })?;
        let mut request = self
            .inner
            .http
            .request(call.method.clone(), url)
            .timeout(self.inner.timeout)
            .header(ACCEPT, "application/json")
            .header("Version", version);
        if let Some(token) = self.token.as_ref().filter(|_| call.with_token) {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
                .map_err(|_| Error::Unsendable { reason: "the token is not a header value".to_owned() })?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request = match &call.body {
            Body::None => request,
            Body::Json(value) => request.header(CONTENT_TYPE, "application/json").body(value.to_string()),
            Body::Form(fields) => {
                request.form(&fields.iter().map(|field| (&*field.name, &field.value)).collect::<Vec<_>>())
            }
            Body::Files(parts) => request.multipart(multipart(parts)?),
        };

        let mut response = request.send().await.map_err(|error| transport(error.without_url()))?;
        let status = response.status();
        exchange.status = Some(status.as_u16());
        exchange.rate_limit = RateLimit::from_headers(response.headers());

        let (mut body, complete) = read_body(&mut response, self.inner.max_answer_bytes).await;
        if call.for_tokens && !status.is_success() {
            // Half a body may end in half a token, which nothing would recognise.
            body = match complete {
                Ok(()) => redact::refusal(&body, self.secrets_of(call)),
                Err(_) => Vec::new(),
            };
        }
        // What is shown, and what an error quotes: an answer may repeat what it was sent.
        let shown = redact::without(&body, self.secrets_of(call));
        exchange.response_body = Some(if call.for_tokens && (status.is_success() || complete.is_err()) {
            redact::MARK.to_owned()
        } else {
            excerpt(&shown)
        });

        let refused = || {
            classify(&Refusal {
                status: status.as_u16(),
                body: &shown,
                rate_limit: exchange.rate_limit,
                token_call: call.for_tokens,
            })
        };
        match complete {
            Ok(()) if status.is_success() => Ok((status.as_u16(), body)),
            Err(Incomplete::TooLarge) if status.is_success() => Err(Error::Protocol {
                status: status.as_u16(),
                path: ".".to_owned(),
                source: TooLarge { limit: self.inner.max_answer_bytes }.into(),
            }),
            Ok(()) | Err(Incomplete::TooLarge) => Err(refused()),
            // For these the status says it all. For a 400 it does not: the missing half may say that there
            // is such a contact already.
            Err(Incomplete::Broken(_)) if speaks_for_itself(status) => Err(refused()),
            Err(Incomplete::Broken(source)) => Err(Error::Uncertain { source }),
        }
    }
}

impl Client {
    /// The secrets that go out with a call.
    fn secrets_of<'a>(&'a self, call: &'a Call) -> impl Iterator<Item = &'a str> {
        let token = self.token.as_ref().filter(|_| call.with_token).map(ExposeSecret::expose_secret);
        call.secrets().chain(token)
    }
}

/// A form with files, of which each has the type that its name tells.
fn multipart(parts: &[(String, RawPart)]) -> Result<multipart::Form, Error> {
    let mut form = multipart::Form::new();
    for (name, part) in parts {
        let part = match part {
            RawPart::Text(text) => multipart::Part::text(text.clone()),
            RawPart::File { name, bytes } => {
                let kind = mime_guess::from_path(name).first_or_octet_stream();
                multipart::Part::bytes(bytes.clone())
                    .file_name(name.clone())
                    .mime_str(kind.as_ref())
                    .map_err(|error| Error::Unsendable { reason: error.to_string() })?
            }
        };
        form = form.part(name.clone(), part);
    }
    Ok(form)
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
