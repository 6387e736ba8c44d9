//! Webhooks from HighLevel: is it from them, and what does it say.
//!
//! Verify the **raw** bytes first; only then parse:
//!
//! ```
//! # fn receive(x_ghl: Option<&str>, x_wh: Option<&str>, body: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! ghl::webhook::Verifier::default().verify(x_ghl, x_wh, body)?;
//! let envelope = ghl::webhook::Envelope::parse(body)?;
//! println!("{} for {:?}", envelope.kind, envelope.location_id);
//! # Ok(())
//! # }
//! # assert!(receive(None, None, b"{}").is_err());
//! ```

mod envelope;
mod keys;
mod pem;
mod verifier;

pub use envelope::{Envelope, EnvelopeError};
pub use keys::{ED25519_PUBLIC_KEY, LEGACY_RSA_PUBLIC_KEY};
pub use verifier::{KeyError, SignatureError, Verifier};
