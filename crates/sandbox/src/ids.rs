//! Ids, tokens and keys from one seeded generator: the same seed gives the same ids in the same order.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &[u8] = b"0123456789abcdef";

/// The generator of one simulated system.
pub(crate) struct Ids(StdRng);

impl Ids {
    /// `salt` keeps the two systems apart: they share the sandbox's seed but never an id.
    pub(crate) fn new(seed: u64, salt: u64) -> Self {
        Self(StdRng::seed_from_u64(seed ^ salt.rotate_left(32)))
    }

    /// A GHL id: 20 alphanumeric characters, as in every example of contacts.json.
    pub(crate) fn id(&mut self) -> String {
        self.text(ALPHANUMERIC, 20)
    }

    /// 24 hexadecimal digits, as GHL's app, version and business ids are.
    pub(crate) fn hex24(&mut self) -> String {
        self.text(HEX, 24)
    }

    /// A UUID in form: `webhookId`, `traceId` and private integration tokens look like this.
    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.text(HEX, 32);
        format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    /// `length` alphanumeric characters: API keys and tokens.
    pub(crate) fn alphanumeric(&mut self, length: usize) -> String {
        self.text(ALPHANUMERIC, length)
    }

    /// 32 bytes for a signing key or a webhook secret.
    pub(crate) fn key(&mut self) -> [u8; 32] {
        self.0.random()
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.0.random_range(0..alphabet.len())])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_salt_gives_others() {
        let ids = |salt| {
            let mut ids = Ids::new(7, salt);
            (ids.id(), ids.uuid(), ids.hex24())
        };
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
        assert_eq!(ids(1).0.len(), 20);
        assert_eq!(ids(1).1.len(), 36);
    }
}
