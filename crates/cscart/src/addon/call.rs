//! One signed call, and what its answer means.

use std::{fmt, str::FromStr, sync::atomic::Ordering, time::Instant};

use jiff::Timestamp;
use reqwest::{
    Method, Url,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde_json::Value;

use super::Addon;
use crate::{
    Error, Exchange, PageKind, Result, WebPage,
    client::answer,
    decode::Misfit,
    webhook::{MAX_ID_LENGTH, sign},
};

/// The largest body that the add-on reads, in bytes (`Endpoint.php`).
const MAX_BODY: usize = 1024 * 1024;
/// Clocks that differ by less than so many seconds count as equal: the header `Date` has whole seconds, and an answer takes time.
const SLACK: i64 = 60;

/// The id of a call: 1 to 256 visible ASCII characters. The same id with the same body is carried out once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallId(String);

/// Why a text cannot be the id of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a call is 1 to 256 visible ASCII characters")]
pub struct BadCallId;

impl CallId {
    /// A new one, for a call that is never made again.
    pub fn random() -> Self {
        Self(format!("call_{}", uuid::Uuid::new_v4().simple()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CallId {
    type Err = BadCallId;

    fn from_str(text: &str) -> std::result::Result<Self, BadCallId> {
        let fits =
            (1..=MAX_ID_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(BadCallId) }
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Addon {
    pub(super) async fn call<T>(
        &self,
        id: &CallId,
        action: &str,
        mut body: Value,
        read: impl FnOnce(Value) -> std::result::Result<T, Misfit>,
    ) -> Result<T> {
        body["action"] = Value::from(action);
        let mut exchange = Exchange {
            method: Method::POST.to_string(),
            request_body: Some(body.clone()),
            ..Exchange::default()
        };
        let started = Instant::now();
        let outcome = self.attempt(id, body, &mut exchange).await;
        exchange.duration = started.elapsed();
        answer(outcome, exchange, read)
    }

    async fn attempt(
        &self,
        id: &CallId,
        body: Value,
        exchange: &mut Exchange,
    ) -> std::result::Result<(u16, Vec<u8>), Error> {
        let body = body.to_string();
        if body.len() > MAX_BODY {
            let reason = format!("the call has {} bytes, and the add-on takes {MAX_BODY}", body.len());
            return Err(Error::Unsendable { reason });
        }
        let url = endpoint(&self.inner.base_url);
        exchange.path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let now = Timestamp::now().as_second() + self.ahead_seconds();
        let signature = sign(&self.inner.secret, id.as_str(), now, body.as_bytes());
        let request = self
            .inner
            .wire
            .http
            .post(url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id.as_str())
            .header("webhook-timestamp", now)
            .header("webhook-signature", signature)
            .body(body);
        // The secret itself is never sent, so no answer can repeat it.
        let heard = self.inner.wire.send(request, "", exchange).await?;
        let ahead = exchange.server_time.map(|there| there.as_second() - Timestamp::now().as_second());
        if let Some(ahead) = ahead {
            let ahead = if ahead.abs() < SLACK { 0 } else { ahead };
            self.inner.ahead_seconds.store(ahead, Ordering::Relaxed);
        }
        match heard.outcome {
            Ok(()) => Ok((heard.status.as_u16(), heard.body)),
            Err(error) => Err(meant(error, ahead)),
        }
    }
}

/// What a failure means for a signed call, where that is not what it means for the REST API.
fn meant(error: Error, ahead_seconds: Option<i64>) -> Error {
    match error {
        Error::Unauthorized { message } => Error::SignatureRefused { message, ahead_seconds },
        // The storefront's own page: it knows no such `dispatch`.
        Error::NotAnApi { status: 404, page: None | Some(WebPage { kind: PageKind::Other, .. }), .. } => {
            Error::Absent { what: "add-on Cartbridge" }
        }
        other => other,
    }
}

/// `index.php?dispatch=cartbridge_api.call` in the store's folder.
fn endpoint(base: &Url) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/index.php", base.path().trim_end_matches('/')));
    url.query_pairs_mut().append_pair("dispatch", "cartbridge_api.call");
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_keeps_the_folder_of_the_store() {
        for base in ["https://x.test/shop", "https://x.test/shop/"] {
            assert_eq!(
                endpoint(&base.parse().unwrap()).as_str(),
                "https://x.test/shop/index.php?dispatch=cartbridge_api.call"
            );
        }
    }

    #[test]
    fn an_id_is_fit_for_a_header() {
        assert!("note-7/2".parse::<CallId>().is_ok());
        for text in ["", "a b", "ä", "a\n", &"x".repeat(257)] {
            assert_eq!(text.parse::<CallId>(), Err(BadCallId), "{text}");
        }
        assert_ne!(CallId::random(), CallId::random());
    }
}
