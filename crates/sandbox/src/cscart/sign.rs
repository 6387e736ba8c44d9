//! Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature` over `id.timestamp.body`
//! (standardwebhooks.com, specification, "Signature scheme").

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::control::problem::ActError;

/// How a webhook is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Ok,
    /// With a secret that nobody announced.
    Forged,
    /// Rightly, but with the time of an hour ago.
    Stale,
    /// Without the signature header.
    None,
}

impl Sign {
    pub(super) fn parse(text: Option<&str>) -> Result<Self, ActError> {
        match text {
            None | Some("ok") => Ok(Self::Ok),
            Some("forged") => Ok(Self::Forged),
            Some("stale") => Ok(Self::Stale),
            Some("none") => Ok(Self::None),
            Some(other) => {
                Err(ActError::unknown("value of `sign`", other, &["ok", "forged", "stale", "none"]))
            }
        }
    }
}

/// The value of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 with the secret's bytes.
pub(super) fn signature(secret: &[u8; 32], id: &str, timestamp: i64, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        // HMAC takes keys of any length.
        return String::new();
    };
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}
