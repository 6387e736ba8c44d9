//! A call of the REST API, made once, and what came of it.

use std::time::Instant;

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Call, Client, call::Root, wire::answer};
use crate::{Answer, Error, Exchange, Failure, decode::Misfit};

impl Client {
    /// Sends the call once and reads the answer with `read`.
    pub(crate) async fn send<T>(
        &self,
        call: Call,
        read: impl FnOnce(Value) -> Result<T, Misfit>,
    ) -> crate::Result<T> {
        let (outcome, exchange) = self.exchange(&call).await;
        answer(outcome, exchange, read)
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

        let wire = &self.inner.wire;
        let mut request = wire
            .http
            .request(call.method.clone(), url)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, basic(&self.inner.email, &self.inner.api_key));
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let heard = wire.send(request, self.inner.api_key.expose_secret(), exchange).await?;
        if self.inner.root.get().is_none() && heard.is_the_api() {
            // When another call was first, it found the same.
            let _ = self.inner.root.set(root);
        }
        heard.outcome.map(|()| (heard.status.as_u16(), heard.body))
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
