//! What the steps of an event work with.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Engine;
use super::verdict::Verdict;
use crate::event::{Event, Source};
use crate::flow::RouteSet;
use crate::link::{Customer, Link};
use crate::registry::Live;
use crate::store::{Claim, LEASE, LinkChange};
use crate::sync::Canonical;

/// What the steps of an event work with.
pub(super) struct Work<'a> {
    pub(super) engine: &'a Engine,
    pub(super) live: &'a Live,
    /// HighLevel, without a token: see [`super::calls::call`].
    pub(super) client: &'a ghl::Client,
    pub(super) claim: &'a Claim,
    /// When the state that is carried out was reached: the newest of those folded together.
    pub(super) occurred_at: Timestamp,
    /// The routes that it is carried out with.
    pub(super) routes: &'a RouteSet,
    /// Whom the event is about.
    pub(super) customer: Option<Customer>,
    /// The contact that an event of HighLevel's is about, where no customer is linked with it.
    pub(super) told_contact: Option<ghl::ContactId>,
    /// The customer as the event shows him.
    pub(super) contact: Canonical,
    /// When the customer registered, as far as the event or the store tells it.
    pub(super) registered_at: Option<Timestamp>,
    /// When the note or the order was made that the event is about, as far as the store tells it.
    pub(super) made_at: Option<Timestamp>,
    /// The customer's link, as the steps leave it.
    pub(super) link: Option<Link>,
    /// The guest whom this customer was before he registered; his link becomes the customer's.
    pub(super) guest: Option<Customer>,
    /// What was left out of the contact, and why.
    pub(super) problems: Vec<String>,
    /// The followers that go with the head.
    pub(super) folded: Vec<i64>,
    /// The event's end was written down together with its last step.
    pub(super) finished: AtomicBool,
    /// Until when the lane is ours, in milliseconds since 1970.
    pub(super) leased_until_ms: AtomicI64,
}

impl Work<'_> {
    /// The event at the head.
    pub(super) fn event(&self) -> &Event {
        &self.claim.head
    }

    /// Whether the customer's link shows a newer state of him than this event does. One dated later than now was dated by a
    /// wrong clock: what a person asks for does not give way to it.
    pub(super) fn is_outdated(&self, link: &Link) -> bool {
        let event = self.event();
        let dated_wrong = event.source == Source::Manual && link.state_at > self.engine.clock.now();
        self.occurred_at < link.state_at && !event.forced && !dated_wrong
    }

    /// Keeps the lane for longer than any call takes. Written only now and then: most events are done long before.
    pub(super) async fn keep_lease(&self) -> Result<(), Verdict> {
        let now = self.engine.clock.now();
        let left_ms = self.leased_until_ms.load(Ordering::Relaxed) - now.as_millisecond();
        let lease_ms = LEASE.as_millis() as i64;
        if left_ms < lease_ms / 4 * 3 {
            self.engine.store.extend_lease(&self.claim.lane, now).await?;
            self.leased_until_ms.store(now.as_millisecond() + lease_ms, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The contact: the customer's, or that of an event of HighLevel's whom no customer is linked with.
    pub(super) fn contact_id(&self) -> Option<&ghl::ContactId> {
        self.link.as_ref().map(|link| &link.contact_id).or(self.told_contact.as_ref())
    }

    /// Keeps what was left out, once.
    pub(super) fn say(&mut self, what: String) {
        if !self.problems.contains(&what) {
            self.problems.push(what);
        }
    }

    /// A result, with what was left out of the contact.
    pub(super) fn with_problems(&self, mut result: Value) -> Value {
        if !self.problems.is_empty() {
            result["left_out"] = json!(self.problems);
        }
        result
    }

    /// A changed link, with the guest's old one dropped.
    pub(super) fn put_link(&mut self, link: Link) -> Vec<LinkChange> {
        let mut changes = vec![LinkChange::Put(link.clone())];
        if let Some(guest) = self.guest.take() {
            changes.push(LinkChange::Drop(link.connection.clone(), guest));
        }
        self.link = Some(link);
        changes
    }
}
