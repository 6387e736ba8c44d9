//! The secret that a store and a receiver of its webhooks share.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

const PREFIX: &str = "whsec_";

/// A secret of Standard Webhooks: `whsec_` and base64.
#[derive(Clone)]
pub struct Secret {
    key: SecretSlice<u8>,
}

impl Secret {
    /// How many bytes a secret must have. Standard Webhooks recommends 24 to 64; below 16 one could be
    /// guessed by whoever has seen a single signed webhook.
    pub const MIN_BYTES: usize = 16;

    /// Reads `whsec_…`; white space around it is ignored.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(SecretError::Prefix)?;
        Self::new(STANDARD.decode(encoded).map_err(|_| SecretError::Base64)?)
    }

    /// Makes a secret of bytes, which come from a cryptographic source of randomness.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        Self::new(bytes.to_vec())
    }

    fn new(key: Vec<u8>) -> Result<Self, SecretError> {
        let key = SecretSlice::from(key);
        if key.expose_secret().len() < Self::MIN_BYTES {
            return Err(SecretError::TooShort);
        }
        Ok(Self { key })
    }

    /// The secret as text, `whsec_…`, to be given to the other side.
    pub fn to_text(&self) -> SecretString {
        SecretString::from(format!("{PREFIX}{}", STANDARD.encode(self.key())))
    }

    pub(super) fn key(&self) -> &[u8] {
        self.key.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// Why a text is no secret. The text itself is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It does not begin with `whsec_`.
    #[error("a webhook secret begins with `whsec_`")]
    Prefix,
    /// What follows is not base64.
    #[error("a webhook secret is `whsec_` followed by base64")]
    Base64,
    /// It has less than [`Secret::MIN_BYTES`] bytes.
    #[error("a webhook secret has at least {} bytes", Secret::MIN_BYTES)]
    TooShort,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret in the tests of Standard Webhooks' own libraries.
    const TEXT: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    #[test]
    fn a_secret_is_shown_only_when_asked_for() {
        let secret = Secret::parse(&format!(" {TEXT}\n")).unwrap();
        assert_eq!(secret.to_text().expose_secret(), TEXT);
        assert_eq!(format!("{secret:?}"), "Secret([redacted])");
        let again = Secret::from_bytes(secret.key()).unwrap();
        assert_eq!(again.to_text().expose_secret(), TEXT);
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_repeated() {
        for (text, error) in [
            ("", SecretError::Prefix),
            ("hunter2", SecretError::Prefix),
            ("C2FVsBQIhrscChlQIMV+b5sSYspob7oD", SecretError::Prefix),
            ("whsec_hunter2!", SecretError::Base64),
            ("whsec_", SecretError::TooShort),
            ("whsec_aHVudGVyMg==", SecretError::TooShort),
        ] {
            let refused = Secret::parse(text).unwrap_err();
            assert_eq!(refused, error, "{text}");
            assert!(!refused.to_string().contains("hunter2"));
        }
        assert_eq!(Secret::from_bytes(&[0; 15]).unwrap_err(), SecretError::TooShort);
        assert!(Secret::from_bytes(&[0; 16]).is_ok());
    }
}
