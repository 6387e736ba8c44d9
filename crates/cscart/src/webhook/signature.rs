//! Signatures of webhooks, after Standard Webhooks (version 1: the symmetric one).

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Secret;

/// How long a `webhook-id` may be, in bytes. Receivers keep it to know repetitions by.
pub const MAX_ID_LENGTH: usize = 256;

const VERSION: &str = "v1";

/// Signs a webhook: what belongs into the header `webhook-signature`. `timestamp` is the time of sending,
/// in seconds since 1970, and goes into `webhook-timestamp`.
pub fn sign(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> String {
    let mac = mac(secret, id, &timestamp.to_string(), body);
    format!("{VERSION},{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Checks a webhook by its three headers (`None` for one that is not there) and the bytes of its body
/// exactly as they came.
///
/// Any of `secrets` may have signed, and any signature in the header may be the one that fits: this is how
/// secrets are changed without a gap. Signatures of other versions (`v1a`) are passed over. All secrets and
/// signatures are tried, in constant time each, so that the time taken does not tell which of them fitted.
///
/// The signature is checked before the time: who cannot sign learns nothing about the clock here. Then
/// `webhook-timestamp` may lie `tolerance` from `now_unix_seconds`, either way. Repetitions within the
/// tolerance are the caller's to know, by the id.
pub fn verify(
    secrets: &[Secret],
    id: Option<&str>,
    timestamp: Option<&str>,
    signature: Option<&str>,
    body: &[u8],
    now_unix_seconds: i64,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    let id = id
        .filter(|id| !id.is_empty() && id.len() <= MAX_ID_LENGTH)
        .ok_or(SignatureError::MissingHeader("webhook-id"))?;
    let timestamp = header(timestamp, "webhook-timestamp")?;
    let signature = header(signature, "webhook-signature")?;
    let seconds = seconds(timestamp)?;
    if !any_fits(secrets, id, timestamp, signature, body) {
        return Err(SignatureError::NoMatch);
    }
    let tolerance = i64::try_from(tolerance.as_secs()).unwrap_or(i64::MAX);
    if now_unix_seconds.saturating_sub(seconds) > tolerance {
        return Err(SignatureError::TimestampTooOld);
    }
    if seconds.saturating_sub(now_unix_seconds) > tolerance {
        return Err(SignatureError::TimestampTooNew);
    }
    Ok(())
}

fn header<'a>(value: Option<&'a str>, name: &'static str) -> Result<&'a str, SignatureError> {
    value.filter(|value| !value.is_empty()).ok_or(SignatureError::MissingHeader(name))
}

/// Digits and nothing else: `+1` and ` 1` would be other bytes under the signature for the same number.
fn seconds(timestamp: &str) -> Result<i64, SignatureError> {
    if !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(SignatureError::MalformedTimestamp);
    }
    timestamp.parse().map_err(|_| SignatureError::MalformedTimestamp)
}

fn any_fits(secrets: &[Secret], id: &str, timestamp: &str, header: &str, body: &[u8]) -> bool {
    let signatures: Vec<Vec<u8>> = header
        .split(' ')
        .filter_map(|one| one.split_once(','))
        .filter(|(version, _)| *version == VERSION)
        .filter_map(|(_, encoded)| STANDARD.decode(encoded).ok())
        .collect();
    let mut fits = false;
    for secret in secrets {
        let mac = mac(secret, id, timestamp, body);
        for signature in &signatures {
            fits |= mac.clone().verify_slice(signature).is_ok();
        }
    }
    fits
}

/// Over `id.timestamp.body`. That the parts cannot be divided anew rests on the timestamp being digits and
/// the body being JSON, which does not begin with `digits.`.
fn mac(secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.key()).expect("HMAC takes keys of any length");
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac
}

/// Why a webhook is not taken for the store's. It is complete, so that a receiver can answer each by its
/// own; none of it tells anything about the secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is missing or empty; or `webhook-id` is longer than [`MAX_ID_LENGTH`].
    #[error("the header `{0}` is missing, empty or too long")]
    MissingHeader(&'static str),
    /// `webhook-timestamp` is not a number of seconds.
    #[error("the header `webhook-timestamp` is not a number of seconds")]
    MalformedTimestamp,
    /// It is signed, and was so longer ago than the tolerance.
    #[error("the webhook was signed too long ago")]
    TimestampTooOld,
    /// It is signed, with a time that is further ahead than the tolerance.
    #[error("the webhook was signed with a time that has not come yet")]
    TimestampTooNew,
    /// No signature of a known version was made with one of the secrets over these bytes.
    #[error("no signature fits the webhook")]
    NoMatch,
}

#[cfg(test)]
mod tests;
