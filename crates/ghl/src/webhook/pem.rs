//! PEM to DER, for the key type that has no reader of its own here.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The DER of the first `PUBLIC KEY` block.
pub(super) fn public_key(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN PUBLIC KEY-----")?;
    let (body, _) = rest.split_once("-----END PUBLIC KEY-----")?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok().filter(|der| !der.is_empty())
}
