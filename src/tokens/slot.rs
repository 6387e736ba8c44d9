//! What this process knows of the grants: the pairs in use, and whose turn it is to renew one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ghl::LocationId;
use jiff::Timestamp;

use super::company::LocationSlot;
use super::{Bearer, CALM, bearer_of};
use crate::connection::ConnectionName;
use crate::grant::{Grant, GrantHead, GrantId, Granted, Holder, NewPair};

/// One grant.
pub(super) struct Slot {
    grant: Mutex<Arc<Grant>>,
    /// Held by whoever renews the pair.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
    /// As long as the pair is good, it is not renewed before.
    not_before_ms: AtomicI64,
    /// A pair, and the number of the one that it replaces, which could not be written to the disk yet.
    pub(super) unsaved: Mutex<Option<(i64, NewPair)>>,
    /// The pair that a 401 was answered with, and when.
    renewed: Mutex<Option<(i64, Timestamp)>>,
    /// The tokens of a company's locations.
    locations: Mutex<HashMap<LocationId, Arc<LocationSlot>>>,
}

/// A connection's grant.
#[derive(Clone)]
pub(super) struct Attached {
    pub(super) slot: Arc<Slot>,
    /// Why the connection uses it no longer.
    pub(super) left: Option<String>,
}

impl Attached {
    /// The token that is there, good or not.
    pub(super) fn at_hand(&self, location: &LocationId) -> Option<Bearer> {
        let grant = self.slot.grant();
        match grant.holder {
            Holder::Location(_) => Some(bearer_of(&grant)),
            Holder::Company(_) => self.slot.location(location).at_hand(),
        }
    }
}

/// All grants in use.
#[derive(Default)]
pub(super) struct Slots {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    of: HashMap<ConnectionName, Attached>,
    slots: HashMap<GrantId, Arc<Slot>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slot {
    fn new(grant: Grant) -> Self {
        Self {
            grant: Mutex::new(Arc::new(grant)),
            turn: Arc::default(),
            not_before_ms: AtomicI64::new(i64::MIN),
            unsaved: Mutex::default(),
            renewed: Mutex::default(),
            locations: Mutex::default(),
        }
    }

    /// The grant as it is known.
    pub(super) fn grant(&self) -> Arc<Grant> {
        Arc::clone(&locked(&self.grant))
    }

    /// Takes in what the database has, unless something newer is known.
    pub(super) fn show(&self, grant: Grant) -> Arc<Grant> {
        let mut known = locked(&self.grant);
        if grant.version() >= known.version() {
            *known = Arc::new(grant);
        }
        Arc::clone(&known)
    }

    /// Whether a pair that is still good may be used although its time to be renewed has come: somebody is at it, or it has
    /// just failed.
    pub(super) fn may_wait(&self, now: Timestamp) -> bool {
        now.as_millisecond() < self.not_before_ms.load(Ordering::Relaxed) || self.turn.try_lock().is_err()
    }

    /// Renewing has failed: not again before.
    pub(super) fn wait_until(&self, until: Timestamp) {
        self.not_before_ms.store(until.as_millisecond(), Ordering::Relaxed);
    }

    /// This pair was got because the one before it was refused.
    pub(super) fn renewed_for_401(&self, generation: i64, now: Timestamp) {
        *locked(&self.renewed) = Some((generation, now));
    }

    /// Whether this pair, which is refused, was got a moment ago because the one before it was refused.
    pub(super) fn was_renewed_in_vain(&self, generation: i64, now: Timestamp) -> bool {
        locked(&self.renewed)
            .is_some_and(|(renewed, at)| renewed == generation && now.duration_since(at) < CALM)
    }

    /// The token of one of a company's locations.
    pub(super) fn location(&self, id: &LocationId) -> Arc<LocationSlot> {
        Arc::clone(locked(&self.locations).entry(id.clone()).or_default())
    }

    /// Forgets a location's token, which is refused, unless there is another one by now. False: it was got a moment ago
    /// because the one before it was refused.
    pub(super) fn forget_location(&self, id: &LocationId, number: u64, now: Timestamp) -> bool {
        self.location(id).forget(number, now)
    }
}

impl Slots {
    pub(super) fn get(&self, name: &ConnectionName) -> Option<Attached> {
        locked(&self.kept).of.get(name).cloned()
    }

    /// Takes in a connection's grant. Connections with the same grant share a slot.
    pub(super) fn attach(&self, name: &ConnectionName, granted: Granted) -> Attached {
        let mut kept = locked(&self.kept);
        let slot = if let Some(slot) = kept.slots.get(&granted.grant.id) {
            let slot = Arc::clone(slot);
            let read_before = slot.show(granted.grant.clone()).version() > granted.grant.version();
            if let Some(known) = kept.of.get(name)
                && read_before
                && Arc::ptr_eq(&known.slot, &slot)
            {
                // Whoever read this was overtaken by a newer state, its `left` included.
                return known.clone();
            }
            slot
        } else {
            let id = granted.grant.id.clone();
            let slot = Arc::new(Slot::new(granted.grant));
            kept.slots.insert(id, Arc::clone(&slot));
            slot
        };
        let attached = Attached { slot, left: granted.left };
        kept.of.insert(name.clone(), attached.clone());
        attached
    }

    /// Forgets which grant a connection has; the grant itself is kept as long as anybody works with it.
    pub(super) fn forget(&self, name: &ConnectionName) {
        let mut kept = locked(&self.kept);
        kept.of.remove(name);
        let Kept { of, slots } = &mut *kept;
        slots.retain(|_, slot| {
            Arc::strong_count(slot) > 1 || of.values().any(|attached| Arc::ptr_eq(&attached.slot, slot))
        });
    }

    /// The connections whose grant is another one, or in another state, than is known here.
    pub(super) fn outdated(&self, heads: &[GrantHead]) -> Vec<ConnectionName> {
        let kept = locked(&self.kept);
        let is_outdated = |name: &ConnectionName, attached: &Attached| {
            let Some(head) = heads.iter().find(|head| head.connection == *name) else { return true };
            let grant = attached.slot.grant();
            let connected = grant.disconnected.is_none() && attached.left.is_none();
            head.id != grant.id || head.version > grant.version() || head.connected != connected
        };
        kept.of
            .iter()
            .filter(|(name, attached)| is_outdated(name, attached))
            .map(|(name, _)| name.clone())
            .collect()
    }
}
