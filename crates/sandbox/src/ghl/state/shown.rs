//! What the control API shows of the state.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{super::view, Contact, State};
use crate::clock;

impl State {
    /// The location as `GET /locations/{id}` shows it.
    pub(crate) fn location(&self) -> Value {
        let mut location = Value::Object(self.location.clone());
        location["settings"]["allowDuplicateContact"] = json!(self.allow_duplicates);
        location["settings"]["allowDuplicateOpportunity"] = json!(self.allow_duplicate_opportunities);
        location
    }

    /// Everything, for `GET /_sandbox/state`.
    pub(crate) fn whole(&self, now: i64) -> Value {
        let mut shown = self.held();
        shown["at"] = json!(clock::iso(now));
        shown["other"] = self.other.as_ref().map(|other| other.held()).unwrap_or_default();
        shown["tokens"] = self.tokens.counts(now);
        shown
    }

    /// What one location holds; contacts oldest first.
    fn held(&self) -> Value {
        let mut contacts: Vec<&Arc<Contact>> = self.contacts.values().collect();
        contacts.sort_unstable_by_key(|contact| contact.place());
        let contacts: Vec<Value> = contacts
            .into_iter()
            .map(|contact| {
                let mut shown = view::by_id(contact, &self.location_id);
                shown["additionalPhones"] = json!(contact.additional_phones);
                shown["campaigns"] = json!(contact.campaigns);
                shown["workflows"] = json!(contact.workflows);
                shown
            })
            .collect();
        json!({
            "contacts": contacts,
            "tasks": self.tasks.all().collect::<Vec<_>>(),
            "notes": self.notes.all().collect::<Vec<_>>(),
            "appointments": self.appointments.all().collect::<Vec<_>>(),
            "customFields": self.custom_fields,
            "tags": self.tags,
            "businesses": self.businesses,
            "opportunities": self.opportunities.all().collect::<Vec<_>>(),
            "pipelines": self.office.pipelines,
            "workflows": self.office.workflows,
            "campaigns": self.office.campaigns,
            "calendars": self.office.calendars,
            "customValues": self.office.custom_values,
            "conversations": self.conversations.all().collect::<Vec<_>>(),
            "messages": self.messages,
            "users": self.users,
            "location": self.location(),
        })
    }
}
