//! Things that belong to contacts: a store for tasks, for notes and for appointments.

use std::collections::HashMap;

use serde_json::{Value, json};

/// Things of one kind that belong to contacts: tasks, notes, appointments. Kept as the answers show them.
#[derive(Default)]
pub(crate) struct Belongings {
    all: HashMap<String, Value>,
    of_contact: HashMap<String, Vec<String>>,
    order: Vec<String>,
}

impl Belongings {
    /// Adds a thing; `id` and `contactId` are in it.
    pub(crate) fn add(&mut self, thing: Value) {
        let id = thing["id"].as_str().unwrap_or_default().to_owned();
        let contact_id = thing["contactId"].as_str().unwrap_or_default().to_owned();
        self.of_contact.entry(contact_id).or_default().push(id.clone());
        self.order.push(id.clone());
        self.all.insert(id, thing);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Value> {
        self.all.get(id)
    }

    /// The thing of this id, if it belongs to this contact.
    pub(crate) fn of(&mut self, contact_id: &str, id: &str) -> Option<&mut Value> {
        self.all.get_mut(id).filter(|thing| thing["contactId"] == contact_id)
    }

    /// Puts a thing in the place of the one that has its id and contact.
    pub(crate) fn replace(&mut self, thing: Value) {
        if let Some(there) = thing["id"].as_str().and_then(|id| self.all.get_mut(id)) {
            *there = thing;
        }
    }

    /// The things of a contact, oldest first.
    pub(crate) fn list(&self, contact_id: &str) -> Vec<Value> {
        let ids = self.of_contact.get(contact_id);
        ids.into_iter().flatten().filter_map(|id| self.all.get(id)).cloned().collect()
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Value> {
        let thing = self.all.remove(id)?;
        if let Some(ids) = thing["contactId"].as_str().and_then(|it| self.of_contact.get_mut(it)) {
            ids.retain(|known| known != id);
        }
        Some(thing)
    }

    /// Removes all things of a contact that is gone.
    pub(crate) fn remove_all(&mut self, contact_id: &str) {
        for id in self.of_contact.remove(contact_id).unwrap_or_default() {
            self.all.remove(&id);
        }
    }

    /// Gives all things of one contact to another.
    pub(crate) fn hand_over(&mut self, from: &str, into: &str) {
        let ids = self.of_contact.remove(from).unwrap_or_default();
        for id in &ids {
            if let Some(thing) = self.all.get_mut(id) {
                thing["contactId"] = json!(into);
            }
        }
        self.of_contact.entry(into.to_owned()).or_default().extend(ids);
    }

    /// All things, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Value> {
        self.order.iter().filter_map(|id| self.all.get(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_follow_their_contact() {
        let mut things = Belongings::default();
        things.add(json!({ "id": "1", "contactId": "a" }));
        things.add(json!({ "id": "2", "contactId": "a" }));
        assert!(things.of("b", "1").is_none(), "not another contact's");
        things.hand_over("a", "b");
        assert_eq!(things.list("b").len(), 2);
        things.remove("1");
        things.remove_all("a");
        assert_eq!(things.all().count(), 1);
        things.remove_all("b");
        assert_eq!(things.all().count(), 0);
    }
}
