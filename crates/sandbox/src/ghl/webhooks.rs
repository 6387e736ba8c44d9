//! GHL's webhooks: envelope, signature, and repeats after a 429 only (ghl.md, Webhooks from GHL).

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use ed25519_dalek::{
    Signer as _, SigningKey,
    pkcs8::{EncodePublicKey as _, spki::der::pem::LineEnding},
};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::state::State;
use crate::{
    clock,
    control::problem::ActError,
    deliver::{Deliveries, Outcome},
    ids::Ids,
};

/// After the first attempt, a webhook is repeated at most this often.
const REPEATS: usize = 6;

/// How a webhook is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Ok,
    /// With a key that nobody announced.
    Forged,
    /// No header at all.
    None,
    /// The literal `N/A` that the real one sends when it did not sign.
    NotAvailable,
}

impl Sign {
    pub(super) fn parse(text: Option<&str>) -> Result<Self, ActError> {
        match text {
            None | Some("ok") => Ok(Self::Ok),
            Some("forged") => Ok(Self::Forged),
            Some("none") => Ok(Self::None),
            Some("N/A") => Ok(Self::NotAvailable),
            Some(other) => Err(ActError::unknown("value of `sign`", other, &["ok", "forged", "none", "N/A"])),
        }
    }
}

/// Signs and sends.
pub(super) struct Webhooks {
    deliveries: Arc<Deliveries>,
    key: SigningKey,
    stranger: SigningKey,
    retry_429_ms: Arc<AtomicU64>,
    sent: Mutex<HashMap<String, Sent>>,
}

/// A webhook as it went out, for `webhook.redeliver`.
#[derive(Clone)]
struct Sent {
    body: Bytes,
    signature: Option<String>,
}

/// The first attempt of a webhook that is under way.
pub(super) struct First {
    pub(super) webhook_id: String,
    outcome: oneshot::Receiver<Outcome>,
}

impl First {
    /// Waits for it; `delivery` in the answer of an act.
    pub(super) async fn delivery(self) -> Value {
        let outcome = self.outcome.await.ok();
        Outcome::delivery(outcome.as_ref(), &self.webhook_id)
    }
}

impl Webhooks {
    pub(super) fn new(deliveries: Arc<Deliveries>, seed: u64, retry_429: Duration) -> Self {
        let mut ids = Ids::new(seed, 0x6b65_7973);
        let (key, stranger) = (SigningKey::from_bytes(&ids.key()), SigningKey::from_bytes(&ids.key()));
        let retry_429_ms = Arc::new(AtomicU64::new(retry_429.as_millis() as u64));
        Self { deliveries, key, stranger, retry_429_ms, sent: Mutex::default() }
    }

    /// The public key as PEM, for `webhook_public_key`.
    pub(super) fn public_key(&self) -> String {
        self.key.verifying_key().to_public_key_pem(LineEnding::default()).unwrap_or_default()
    }

    pub(super) fn set_retry(&self, retry: Duration) {
        self.retry_429_ms.store(retry.as_millis() as u64, Ordering::Relaxed);
    }

    pub(super) fn reset(&self, retry: Duration) {
        self.sent().clear();
        self.set_retry(retry);
    }

    /// Puts type, ids and time around a body and sends it; None when it goes nowhere. Fields that are there stay, and
    /// whoever speaks of a location has named it.
    pub(super) fn send(
        &self,
        state: &mut State,
        kind: &str,
        mut body: Map<String, Value>,
        sign: Sign,
    ) -> Option<First> {
        if !self.deliveries.has_target() {
            return None;
        }
        let envelope = [
            ("type", json!(kind)),
            ("companyId", json!(state.company_id)),
            ("appId", json!(state.app_id())),
            ("versionId", json!(state.version_id)),
            ("webhookId", json!(state.ids.uuid())),
            ("timestamp", json!(clock::iso(clock::now_ms()))),
        ];
        for (name, value) in envelope {
            body.entry(name).or_insert(value);
        }
        let webhook_id = body["webhookId"].as_str().unwrap_or_default().to_owned();
        let kind = body["type"].as_str().unwrap_or_default().to_owned();
        let body = Bytes::from(Value::Object(body).to_string());
        let signature = match sign {
            Sign::Ok => Some(STANDARD.encode(self.key.sign(&body).to_bytes())),
            Sign::Forged => Some(STANDARD.encode(self.stranger.sign(&body).to_bytes())),
            Sign::None => None,
            Sign::NotAvailable => Some(String::from("N/A")),
        };
        let sent = Sent { body, signature };
        self.sent().insert(webhook_id.clone(), sent.clone());
        Some(self.deliver(webhook_id, &kind, sent))
    }

    /// Sends a webhook again: the same body, so the same id and timestamp.
    pub(super) fn redeliver(&self, webhook_id: &str) -> Result<Option<First>, ActError> {
        let sent = self.sent().get(webhook_id).cloned();
        let sent = sent.ok_or_else(|| ActError::new(format!("`webhook_id` is {webhook_id}: never sent")))?;
        Ok(self.deliveries.has_target().then(|| self.deliver(webhook_id.to_owned(), "", sent)))
    }

    fn deliver(&self, webhook_id: String, kind: &str, sent: Sent) -> First {
        self.deliveries.announce(&webhook_id, kind);
        let (tell, outcome) = oneshot::channel();
        let (deliveries, retry) = (Arc::clone(&self.deliveries), Arc::clone(&self.retry_429_ms));
        let id = webhook_id.clone();
        self.deliveries.spawn(async move {
            let headers: Vec<_> = sent.signature.into_iter().map(|it| ("x-ghl-signature", it)).collect();
            let mut tell = Some(tell);
            for repeat in 0..=REPEATS {
                let Some(url) = deliveries.target().url("/webhooks/ghl") else { return };
                let outcome = deliveries.attempt(&id, &url, &headers, sent.body.clone()).await;
                let again = outcome.status == Some(429) && repeat < REPEATS;
                let wait = jittered(retry.load(Ordering::Relaxed));
                if again {
                    deliveries.wait_until(&id, clock::now_ms() + wait as i64);
                }
                if let Some(tell) = tell.take() {
                    // Nobody waits when the change came through the API.
                    let _ = tell.send(outcome);
                }
                if !again {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
        });
        First { webhook_id, outcome }
    }

    fn sent(&self) -> MutexGuard<'_, HashMap<String, Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Up to a tenth longer: "every 10 minutes with jitter".
fn jittered(ms: u64) -> u64 {
    ms + rand::random_range(0..=ms / 10)
}
