//! Who creates for whom, so that no two lanes do it for the same at the same time.
//!
//! Within a lane creates follow one another anyway. But a guest and the customer that he becomes have a contact in common,
//! and two customers may have an e-mail address in common: if one of them looked for what its broken call has made while
//! the call of the other is under way, it could take that one's for its own.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// What is being created now. All of it is in this process: no other works with the database.
#[derive(Debug, Default)]
pub struct Creating(Mutex<HashSet<String>>);

/// The right to create under a key, until it is dropped.
#[derive(Debug)]
pub(super) struct Alone<'a> {
    creating: &'a Creating,
    key: String,
}

impl Creating {
    /// The right to create under a key; none while another has it.
    pub(super) fn enter(&self, key: String) -> Option<Alone<'_>> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.clone()).then(|| Alone { creating: self, key })
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.creating.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_is_for_one_at_a_time() {
        let creating = Creating::default();
        let first = creating.enter("a".to_owned());
        assert!(first.is_some());
        assert!(creating.enter("a".to_owned()).is_none());
        assert!(creating.enter("b".to_owned()).is_some());
        drop(first);
        assert!(creating.enter("a".to_owned()).is_some());
    }
}
