//! Webhooks on their way out: where to, how each attempt went, what waits for the next.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};

use crate::clock;

/// How long either system waits for the receiver's answer. HighLevel does not document its own; the add-on's is
/// as long.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many attempts are under way at once: enough for any burst, few enough for the machine's sockets.
const AT_ONCE: usize = 256;

/// One webhook, as `GET /_sandbox/deliveries` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    /// `webhookId` of GHL, `webhook-id` of the store: the same over all attempts.
    pub webhook_id: String,
    /// The event's type, e.g. `ContactCreate` or `customer.created`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where the last attempt went; null before the first one.
    pub url: Option<String>,
    /// Every attempt, oldest first.
    pub attempts: Vec<Attempt>,
    /// Whether the receiver has answered with 2xx.
    pub delivered: bool,
    /// When the next attempt is due, ISO 8601; null when there will be none.
    pub next_at: Option<String>,
}

/// One HTTP exchange made for a webhook.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// When it was made, ISO 8601 with milliseconds.
    pub at: String,
    /// The receiver's status; null when there was no answer.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// How one attempt ended.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) status: Option<u16>,
    pub(crate) body: Value,
}

impl Outcome {
    /// `delivery` in the answer of an act.
    pub(crate) fn delivery(outcome: Option<&Self>, webhook_id: &str) -> Value {
        json!({
            "webhook_id": webhook_id,
            "status": outcome.and_then(|it| it.status),
            "body": outcome.map_or(Value::Null, |it| it.body.clone()),
        })
    }

    pub(crate) fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Where webhooks go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) deliver_to: Option<String>,
    /// The connection's name, part of the store's webhook path.
    pub(crate) connection: String,
}

impl Target {
    /// `deliver_to` as it is when it has a path; with `path` behind it when it is a bare origin.
    pub(crate) fn url(&self, path: &str) -> Option<String> {
        let base = self.deliver_to.as_deref()?;
        let after_scheme = base.find("://").map_or(0, |at| at + 3);
        match base[after_scheme..].find('/') {
            Some(slash) if slash + after_scheme + 1 < base.len() => Some(base.to_owned()),
            _ => Some(format!("{}{path}", base.trim_end_matches('/'))),
        }
    }
}

/// The webhooks of one system.
pub(crate) struct Deliveries {
    client: reqwest::Client,
    first_target: Target,
    target: watch::Sender<Target>,
    log: Mutex<Log>,
    tasks: Mutex<JoinSet<()>>,
    lines: Semaphore,
}

#[derive(Default)]
struct Log {
    deliveries: Vec<Delivery>,
    places: HashMap<String, usize>,
}

impl Deliveries {
    pub(crate) fn new(target: Target) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(ATTEMPT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        let (first_target, target) = (target.clone(), watch::Sender::new(target));
        Ok(Self {
            client,
            first_target,
            target,
            log: Mutex::default(),
            tasks: Mutex::default(),
            lines: Semaphore::new(AT_ONCE),
        })
    }

    pub(crate) fn target(&self) -> Target {
        self.target.borrow().clone()
    }

    pub(crate) fn has_target(&self) -> bool {
        self.target.borrow().deliver_to.is_some()
    }

    pub(crate) fn retarget(&self, change: impl FnOnce(&mut Target)) {
        self.target.send_modify(change);
    }

    /// Tells when the target changes.
    pub(crate) fn watch_target(&self) -> watch::Receiver<Target> {
        self.target.subscribe()
    }

    /// Runs `task` until it ends, a reset or the shutdown.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Stops all deliveries.
    pub(crate) fn stop(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// No deliveries, and the target of the start.
    pub(crate) fn reset(&self) {
        self.stop();
        *self.log() = Log::default();
        self.retarget(|target| target.clone_from(&self.first_target));
    }

    pub(crate) fn list(&self) -> Vec<Delivery> {
        self.log().deliveries.clone()
    }

    /// Notes a webhook before its first attempt.
    pub(crate) fn announce(&self, webhook_id: &str, kind: &str) {
        let mut log = self.log();
        let place = log.deliveries.len();
        if log.places.contains_key(webhook_id) {
            return;
        }
        log.places.insert(webhook_id.to_owned(), place);
        log.deliveries.push(Delivery {
            webhook_id: webhook_id.to_owned(),
            kind: kind.to_owned(),
            url: None,
            attempts: Vec::new(),
            delivered: false,
            next_at: Some(clock::iso(clock::now_ms())),
        });
    }

    /// Makes one attempt and notes it.
    pub(crate) async fn attempt(
        &self,
        webhook_id: &str,
        url: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Outcome {
        // Never closed, so there is always a line; an error would only mean no limit.
        let _line = self.lines.acquire().await;
        let at = clock::iso(clock::now_ms());
        let mut request = self.client.post(url).header("content-type", "application/json").body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let (outcome, error) = match request.send().await {
            Ok(response) => {
                let status = Some(response.status().as_u16());
                let text = response.text().await.unwrap_or_default();
                let body = match text.as_str() {
                    "" => Value::Null,
                    text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
                };
                (Outcome { status, body }, None)
            }
            Err(error) => (Outcome { status: None, body: Value::Null }, Some(chain(&error))),
        };
        self.note(webhook_id, |delivery| {
            delivery.url = Some(url.to_owned());
            delivery.attempts.push(Attempt { at, status: outcome.status, error });
            delivery.delivered |= outcome.is_success();
            delivery.next_at = None;
        });
        outcome
    }

    /// Notes when the next attempt is due.
    pub(crate) fn wait_until(&self, webhook_id: &str, at_ms: i64) {
        self.note(webhook_id, |delivery| delivery.next_at = Some(clock::iso(at_ms)));
    }

    fn note(&self, webhook_id: &str, change: impl FnOnce(&mut Delivery)) {
        let mut log = self.log();
        if let Some(place) = log.places.get(webhook_id).copied() {
            change(&mut log.deliveries[place]);
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error with its causes, for people.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_origin_gets_the_bridges_path_and_any_other_url_stays() {
        let url = |base: &str| {
            let target = Target { deliver_to: Some(base.to_owned()), connection: "my-shop".to_owned() };
            target.url("/webhooks/ghl").unwrap()
        };
        assert_eq!(url("http://127.0.0.1:8080"), "http://127.0.0.1:8080/webhooks/ghl");
        assert_eq!(url("http://127.0.0.1:8080/"), "http://127.0.0.1:8080/webhooks/ghl");
        assert_eq!(url("http://127.0.0.1:8080/hook"), "http://127.0.0.1:8080/hook");
    }
}
