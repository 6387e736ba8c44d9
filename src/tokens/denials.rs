//! Scopes that HighLevel has said a token lacks. What a Private Integration Token allows cannot be asked for, so it is learned
//! from refusals, and forgotten after a while: a scope that was added there is noticed here without anybody saying so.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ghl::oauth::{Scope, Scopes};
use jiff::{SignedDuration, Timestamp};

use crate::connection::ConnectionName;

/// After so long one event may try again.
const PROBE_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// What was refused, by connection.
#[derive(Default)]
pub(super) struct Denials {
    /// How many there are: most of the time none, which costs no lock.
    count: AtomicUsize,
    of: Mutex<HashMap<ConnectionName, BTreeMap<Scope, Denial>>>,
}

struct Denial {
    at: Timestamp,
    /// One event may try.
    probe: bool,
}

impl Denials {
    fn locked(&self) -> MutexGuard<'_, HashMap<ConnectionName, BTreeMap<Scope, Denial>>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    fn counted(&self, of: &HashMap<ConnectionName, BTreeMap<Scope, Denial>>) {
        self.count.store(of.values().map(BTreeMap::len).sum(), Ordering::Release);
    }

    /// HighLevel has refused a call for lack of a scope.
    pub(super) fn refused(&self, name: &ConnectionName, scope: Scope, now: Timestamp) {
        let mut of = self.locked();
        of.entry(name.clone()).or_default().insert(scope, Denial { at: now, probe: false });
        self.counted(&of);
    }

    /// HighLevel has taken a call that needs a scope; answers whether that was not known.
    pub(super) fn allowed(&self, name: &ConnectionName, scope: &Scope) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut of = self.locked();
        let removed = of.get_mut(name).is_some_and(|denied| denied.remove(scope).is_some());
        self.counted(&of);
        removed
    }

    /// What of `needed` was refused. Where one event may try again, this is it.
    pub(super) fn among(&self, name: &ConnectionName, needed: &Scopes) -> Scopes {
        if self.is_empty() {
            return Scopes::new();
        }
        let mut of = self.locked();
        let Some(denied) = of.get_mut(name) else { return Scopes::new() };
        let among = denied.iter_mut().filter(|(scope, _)| needed.contains(scope));
        among
            .filter_map(|(scope, denial)| (!std::mem::take(&mut denial.probe)).then(|| scope.clone()))
            .collect()
    }

    /// What was refused, to be shown.
    pub(super) fn of(&self, name: &ConnectionName) -> Scopes {
        self.locked().get(name).into_iter().flatten().map(|(scope, _)| scope.clone()).collect()
    }

    /// The connections of which one event may try again now.
    pub(super) fn to_probe(&self, now: Timestamp) -> Vec<ConnectionName> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut names = Vec::new();
        for (name, denied) in self.locked().iter_mut() {
            for denial in denied.values_mut().filter(|denial| now.duration_since(denial.at) >= PROBE_AFTER) {
                *denial = Denial { at: now, probe: true };
                if names.last() != Some(name) {
                    names.push(name.clone());
                }
            }
        }
        names
    }

    /// Nothing is known of a connection any more.
    pub(super) fn forget(&self, name: &ConnectionName) {
        if self.is_empty() {
            return;
        }
        let mut of = self.locked();
        of.remove(name);
        self.counted(&of);
    }

    /// Nothing is known of any connection any more.
    pub(super) fn forget_all(&self) {
        let mut of = self.locked();
        of.clear();
        self.counted(&of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_scope_is_remembered_and_tried_by_one_event_after_a_while() {
        let denials = Denials::default();
        let name: ConnectionName = "my-shop".parse().unwrap();
        let needed = Scopes::from([Scope::CONTACTS_READONLY, Scope::CONTACTS_WRITE]);
        let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        assert!(denials.among(&name, &needed).is_empty());
        denials.refused(&name, Scope::CONTACTS_WRITE, now);
        assert_eq!(denials.among(&name, &needed).to_string(), "contacts.write");
        assert!(denials.to_probe(now).is_empty());
        let later = now + PROBE_AFTER;
        assert_eq!(denials.to_probe(later), std::slice::from_ref(&name));
        assert!(denials.to_probe(later).is_empty(), "not twice");
        assert!(denials.among(&name, &needed).is_empty(), "this one tries");
        assert_eq!(denials.among(&name, &needed).to_string(), "contacts.write", "and no other");
        assert!(denials.allowed(&name, &Scope::CONTACTS_WRITE));
        assert!(!denials.allowed(&name, &Scope::CONTACTS_WRITE), "known by then");
        assert!(denials.of(&name).is_empty());
    }
}
