//! Webhooks from a store: whether they are from it.
//!
//! CS-Cart signs nothing by itself; this is for add-ons that sign as
//! [Standard Webhooks](https://www.standardwebhooks.com) describes it: HMAC-SHA256 over id, time and body.
//! Verify the **raw** bytes first; only then parse:
//!
//! ```
//! # use std::time::Duration;
//! # use cscart::webhook::{Secret, sign, verify};
//! # let now = 1_795_521_600;
//! let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
//! let body = br#"{"type": "ping"}"#;
//! let signature = sign(&secret, "msg_1", now, body);
//!
//! let tolerance = Duration::from_mins(5);
//! verify(&[secret], Some("msg_1"), Some("1795521600"), Some(&signature), body, now, tolerance)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod secret;
mod signature;

pub use secret::{Secret, SecretError};
pub use signature::{MAX_ID_LENGTH, SignatureError, sign, verify};
