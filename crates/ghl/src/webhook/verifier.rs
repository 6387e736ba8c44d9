//! Whether a webhook is from HighLevel.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey, pkcs8::DecodePublicKey};

use super::{ED25519_PUBLIC_KEY, LEGACY_RSA_PUBLIC_KEY, pem};

/// Checks the signatures of webhooks. It knows nothing of time and of repetitions: the caller looks at
/// [`Envelope::timestamp`](super::Envelope::timestamp) and
/// [`Envelope::webhook_id`](super::Envelope::webhook_id).
///
/// `X-GHL-Signature` is base64 of Ed25519 over the raw body. The older `X-WH-Signature`, RSA PKCS#1 v1.5 with
/// SHA-256, counts only when it is switched on and the newer header is not there: otherwise whoever could
/// forge the weaker signature would not need the stronger.
#[derive(Clone, Debug)]
pub struct Verifier {
    ed25519: Vec<VerifyingKey>,
    legacy_rsa: Vec<ParsedPublicKey>,
}

impl Default for Verifier {
    /// HighLevel's own Ed25519 key, and no RSA.
    fn default() -> Self {
        Self::from_pem([ED25519_PUBLIC_KEY]).expect("HighLevel's published key is a key")
    }
}

impl Verifier {
    /// Other Ed25519 keys than HighLevel's own, as PEM: for tests and simulators, and for a change of keys.
    /// Any of them may have signed.
    pub fn from_pem<S: AsRef<str>>(keys: impl IntoIterator<Item = S>) -> Result<Self, KeyError> {
        let ed25519 = keys
            .into_iter()
            .map(|key| VerifyingKey::from_public_key_pem(key.as_ref().trim()).map_err(|_| KeyError::Ed25519))
            .collect::<Result<Vec<_>, _>>()?;
        if ed25519.is_empty() {
            return Err(KeyError::None);
        }
        Ok(Self { ed25519, legacy_rsa: Vec::new() })
    }

    /// Also takes the older signature, by HighLevel's published RSA key.
    #[must_use]
    pub fn with_legacy_rsa(self) -> Self {
        self.with_legacy_rsa_pem([LEGACY_RSA_PUBLIC_KEY]).expect("HighLevel's published key is a key")
    }

    /// Also takes the older signature, by these RSA keys (2048 to 8192 bits).
    pub fn with_legacy_rsa_pem<S: AsRef<str>>(
        mut self,
        keys: impl IntoIterator<Item = S>,
    ) -> Result<Self, KeyError> {
        for key in keys {
            let der = pem::public_key(key.as_ref()).ok_or(KeyError::Rsa)?;
            let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).map_err(|_| KeyError::Rsa)?;
            self.legacy_rsa.push(key);
        }
        Ok(self)
    }

    /// Checks a webhook by its two signature headers and the bytes of its body exactly as they came.
    pub fn verify(
        &self,
        x_ghl_signature: Option<&str>,
        x_wh_signature: Option<&str>,
        raw_body: &[u8],
    ) -> Result<(), SignatureError> {
        if let Some(header) = x_ghl_signature {
            let signature = Signature::from_slice(&decode(header)?).map_err(|_| SignatureError::Malformed)?;
            let matches = self.ed25519.iter().any(|key| key.verify_strict(raw_body, &signature).is_ok());
            return if matches { Ok(()) } else { Err(SignatureError::Mismatch) };
        }
        let Some(header) = x_wh_signature.filter(|_| !self.legacy_rsa.is_empty()) else {
            return Err(SignatureError::Missing);
        };
        let signature = decode(header)?;
        let matches = self.legacy_rsa.iter().any(|key| key.verify_sig(raw_body, &signature).is_ok());
        if matches { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

/// HighLevel sends the literal `N/A` in place of a signature when it did not sign.
fn decode(header: &str) -> Result<Vec<u8>, SignatureError> {
    match header.trim() {
        "" | "N/A" => Err(SignatureError::Missing),
        text => STANDARD.decode(text).map_err(|_| SignatureError::Malformed),
    }
}

/// Why a webhook is not taken for HighLevel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no signature that counts: no header, an empty one, or HighLevel's `N/A`.
    #[error("the webhook is not signed")]
    Missing,
    /// The header is not base64, or not as long as a signature is.
    #[error("the webhook's signature is malformed")]
    Malformed,
    /// It was not made with one of the keys over these bytes.
    #[error("the webhook's signature does not match its body")]
    Mismatch,
}

/// Why there is no verifier. The key itself is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not one key was given.
    #[error("no public key was given")]
    None,
    /// Not an Ed25519 public key in PEM.
    #[error("not an Ed25519 public key in PEM")]
    Ed25519,
    /// Not an RSA public key in PEM, or one of less than 2048 or more than 8192 bits.
    #[error("not an RSA public key in PEM of 2048 to 8192 bits")]
    Rsa,
}

#[cfg(test)]
mod tests;
