//! The search index: a second, later view of the contacts. GHL's lags behind its writes by seconds.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use super::contact::Contact;

/// Where a contact stands in the index: creation time and order of creation.
pub(crate) type Place = (i64, u64);

/// All contacts as searches and lists see them.
#[derive(Default)]
pub(crate) struct Index {
    docs: BTreeMap<Place, Arc<Contact>>,
    places: HashMap<String, Place>,
    by_email: HashMap<String, Vec<Place>>,
    by_phone: HashMap<String, Vec<Place>>,
    by_business: HashMap<String, Vec<Place>>,
    pending: VecDeque<Pending>,
}

struct Pending {
    due: i64,
    id: String,
    contact: Option<Arc<Contact>>,
}

impl Index {
    /// Notes a write (None: a deletion) that searches will see from `due` on.
    pub(crate) fn write(&mut self, now: i64, due: i64, id: &str, contact: Option<Arc<Contact>>) {
        self.pending.push_back(Pending { due, id: id.to_owned(), contact });
        self.catch_up(now);
    }

    /// Takes in the writes that are due. A shorter lag set later never lets a write overtake an earlier one.
    pub(crate) fn catch_up(&mut self, now: i64) {
        while self.pending.front().is_some_and(|pending| pending.due <= now) {
            if let Some(Pending { id, contact, .. }) = self.pending.pop_front() {
                self.take_in(&id, contact);
            }
        }
    }

    fn take_in(&mut self, id: &str, contact: Option<Arc<Contact>>) {
        if let Some(old) = self.places.remove(id).and_then(|place| self.docs.remove(&place)) {
            let place = old.place();
            forget(&mut self.by_email, old.email.as_deref(), place);
            forget(&mut self.by_phone, old.phone.as_deref(), place);
            forget(&mut self.by_business, old.business_id.as_deref(), place);
        }
        if let Some(contact) = contact {
            let place = contact.place();
            remember(&mut self.by_email, contact.email.as_deref(), place);
            remember(&mut self.by_phone, contact.phone.as_deref(), place);
            remember(&mut self.by_business, contact.business_id.as_deref(), place);
            self.places.insert(id.to_owned(), place);
            self.docs.insert(place, contact);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.docs.len()
    }

    /// All contacts, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Arc<Contact>> {
        self.docs.values().rev()
    }

    /// All contacts, oldest first.
    pub(crate) fn oldest_first(&self) -> impl Iterator<Item = &Arc<Contact>> {
        self.docs.values()
    }

    /// The contacts older than `place`, newest first.
    pub(crate) fn before(&self, place: Place) -> impl Iterator<Item = &Arc<Contact>> {
        self.docs.range(..place).rev().map(|(_, contact)| contact)
    }

    /// The contacts newer than `place`, oldest first.
    pub(crate) fn after(&self, place: Place) -> impl Iterator<Item = &Arc<Contact>> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.docs.range((Excluded(place), Unbounded)).map(|(_, contact)| contact)
    }

    /// Where the contact of this id stands.
    pub(crate) fn place(&self, id: &str) -> Option<Place> {
        self.places.get(id).copied()
    }

    pub(crate) fn with_id(&self, id: &str) -> Vec<Arc<Contact>> {
        self.places.get(id).and_then(|place| self.docs.get(place)).cloned().into_iter().collect()
    }

    pub(crate) fn with_email(&self, email: &str) -> Vec<Arc<Contact>> {
        self.at(self.by_email.get(email))
    }

    pub(crate) fn with_phone(&self, phone: &str) -> Vec<Arc<Contact>> {
        self.at(self.by_phone.get(phone))
    }

    pub(crate) fn of_business(&self, business_id: &str) -> Vec<Arc<Contact>> {
        self.at(self.by_business.get(business_id))
    }

    fn at(&self, places: Option<&Vec<Place>>) -> Vec<Arc<Contact>> {
        places.into_iter().flatten().filter_map(|place| self.docs.get(place)).cloned().collect()
    }
}

fn remember(map: &mut HashMap<String, Vec<Place>>, key: Option<&str>, place: Place) {
    if let Some(key) = key {
        map.entry(key.to_owned()).or_default().push(place);
    }
}

fn forget(map: &mut HashMap<String, Vec<Place>>, key: Option<&str>, place: Place) {
    if let Some(key) = key
        && let Some(places) = map.get_mut(key)
    {
        places.retain(|known| *known != place);
        if places.is_empty() {
            map.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_seen_only_when_it_is_due_and_a_deletion_too() {
        let mut index = Index::default();
        let mut contact = Contact::new("c1".to_owned(), 1, 100);
        contact.email = Some("a@b.co".to_owned());
        index.write(100, 2100, "c1", Some(Arc::new(contact)));
        assert_eq!(index.len(), 0);
        index.catch_up(2100);
        assert_eq!(index.with_email("a@b.co").len(), 1);
        index.write(2200, 4200, "c1", None);
        assert_eq!(index.len(), 1);
        index.catch_up(4200);
        assert!(index.with_email("a@b.co").is_empty());
    }
}
