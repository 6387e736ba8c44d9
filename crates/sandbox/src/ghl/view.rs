//! A contact in the different shapes in which GHL shows it.

use serde_json::{Map, Value, json};

use super::contact::Contact;
use crate::clock;

/// Adds what is there; what is not there is left out, as in GHL's answers.
struct Shape(Map<String, Value>);

impl Shape {
    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), Value::String(value.to_owned()));
        }
    }

    fn value(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The fields that every shape has, under the same names.
    fn common(contact: &Contact, location_id: &str) -> Self {
        let mut shape = Self(Map::new());
        shape.text("id", Some(&contact.id));
        shape.text("locationId", Some(location_id));
        shape.text("email", contact.email.as_deref());
        shape.text("phone", contact.phone.as_deref());
        shape.text("companyName", contact.company_name.as_deref());
        shape.text("city", contact.city.as_deref());
        shape.text("state", contact.state.as_deref());
        shape.text("postalCode", contact.postal_code.as_deref());
        shape.text("country", contact.country.as_deref());
        shape.text("website", contact.website.as_deref());
        shape.text("source", contact.source.as_deref());
        shape.text("assignedTo", contact.assigned_to.as_deref());
        shape.value("dnd", contact.dnd);
        shape.value("tags", contact.tags.clone());
        shape.value("dateAdded", clock::iso(contact.date_added));
        let fields = contact.custom_fields.iter().map(|(id, value)| json!({ "id": id, "value": value }));
        shape.value("customFields", fields.collect::<Vec<_>>());
        shape
    }

    /// What the answers (not the webhooks) add.
    fn answered(contact: &Contact, location_id: &str) -> Self {
        let mut shape = Self::common(contact, location_id);
        shape.text("timezone", contact.timezone.as_deref());
        shape.text("businessId", contact.business_id.as_deref());
        shape.value("type", "lead");
        shape.value("dateUpdated", clock::iso(contact.date_updated));
        if let Some(settings) = &contact.dnd_settings {
            shape.value("dndSettings", settings.clone());
        }
        shape
    }

    fn lower_cased(&mut self, contact: &Contact) {
        let lower = |name: &Option<String>| name.as_deref().map(str::to_lowercase);
        self.text("firstNameLowerCase", lower(&contact.first_name).as_deref());
        self.text("lastNameLowerCase", lower(&contact.last_name).as_deref());
        let full = contact.full_name().to_lowercase();
        self.text("fullNameLowerCase", (!full.is_empty()).then_some(full.as_str()));
        self.text("emailLowerCase", contact.email.as_deref());
    }

    fn names(&mut self, contact: &Contact) {
        self.text("firstName", contact.first_name.as_deref());
        self.text("lastName", contact.last_name.as_deref());
    }
}

/// `GetContectByIdSchema`: GET, PUT, upsert, duplicate search. Additional numbers are in no answer at all
/// (HighLevel's issue 331).
pub(crate) fn by_id(contact: &Contact, location_id: &str) -> Value {
    let mut shape = Shape::answered(contact, location_id);
    shape.names(contact);
    let name = contact.full_name();
    shape.text("name", (!name.is_empty()).then_some(name.as_str()));
    shape.lower_cased(contact);
    shape.text("address1", contact.address1.as_deref());
    shape.text("gender", contact.gender.as_deref());
    shape.text("dateOfBirth", contact.date_of_birth.as_deref());
    if let Some(settings) = &contact.inbound_dnd_settings {
        shape.value("inboundDndSettings", settings.clone());
    }
    shape.value("additionalEmails", contact.additional_emails.clone());
    shape.value("followers", contact.followers.clone());
    Value::Object(shape.0)
}

/// `CreateContactSchema`: the answer of `POST /contacts/`. `dateOfBirth` is a full instant here and a date in
/// `by_id`: so say the two schemas.
pub(crate) fn created(contact: &Contact, location_id: &str) -> Value {
    let mut shape = Shape::answered(contact, location_id);
    shape.names(contact);
    shape.lower_cased(contact);
    shape.text("address1", contact.address1.as_deref());
    shape.text("gender", contact.gender.as_deref());
    shape.value("deleted", false);
    shape.value("bounceEmail", false);
    shape.value("unsubscribeEmail", false);
    if let Some(date) = &contact.date_of_birth {
        shape.value("dateOfBirth", format!("{date}T00:00:00.000Z"));
        let mut parts = date.split('-').skip(1).filter_map(|part| part.parse::<u8>().ok());
        shape.value("birthMonth", parts.next());
        shape.value("birthDay", parts.next());
    }
    Value::Object(shape.0)
}

/// An item of the deprecated `GET /contacts/` and of `GET /contacts/business/{id}` (`ContactsSearchSchema` and what
/// recorded answers have beside it): names lower-cased, the given ones as `…Raw`.
pub(crate) fn listed(contact: &Contact, location_id: &str) -> Value {
    let mut shape = Shape::answered(contact, location_id);
    let lower = |name: &Option<String>| name.as_deref().map(str::to_lowercase);
    shape.text("firstName", lower(&contact.first_name).as_deref());
    shape.text("lastName", lower(&contact.last_name).as_deref());
    shape.text("firstNameRaw", contact.first_name.as_deref());
    shape.text("lastNameRaw", contact.last_name.as_deref());
    shape.text("contactName", Some(contact.full_name().to_lowercase().as_str()));
    shape.text("address1", contact.address1.as_deref());
    shape.text("dateOfBirth", contact.date_of_birth.as_deref());
    shape.value("additionalEmails", contact.additional_emails.clone());
    shape.value("followers", contact.followers.clone());
    shape.value("attributions", Vec::<Value>::new());
    shape.value("startAfter", json!([contact.date_added, contact.id]));
    Value::Object(shape.0)
}

/// An item of `POST /contacts/search`; `search_after` is what its cursor is for the sort that was asked for.
pub(crate) fn found(contact: &Contact, location_id: &str, search_after: Value) -> Value {
    let mut shape = Shape::answered(contact, location_id);
    shape.names(contact);
    let lower = |name: &Option<String>| name.as_deref().map(str::to_lowercase);
    shape.text("firstNameLowerCase", lower(&contact.first_name).as_deref());
    shape.text("lastNameLowerCase", lower(&contact.last_name).as_deref());
    shape.text("address", contact.address1.as_deref());
    shape.text("dateOfBirth", contact.date_of_birth.as_deref());
    shape.value("additionalEmails", contact.additional_emails.clone());
    shape.value("followers", contact.followers.clone());
    shape.value("searchAfter", search_after);
    Value::Object(shape.0)
}

/// The contact's part of `ContactCreate`, `ContactUpdate`, `ContactDelete`, `ContactTagUpdate`, `ContactDndUpdate`
/// (webhook-events). `attachments` is always empty (HighLevel's issue 324).
pub(crate) fn webhook(contact: &Contact, location_id: &str, with_dnd_settings: bool) -> Map<String, Value> {
    let mut shape = Shape::common(contact, location_id);
    shape.names(contact);
    let name = contact.full_name();
    shape.text("name", (!name.is_empty()).then_some(name.as_str()));
    shape.text("address1", contact.address1.as_deref());
    if let Some(date) = &contact.date_of_birth {
        shape.value("dateOfBirth", format!("{date}T00:00:00.000Z"));
    }
    if with_dnd_settings {
        shape.value("dndSettings", contact.dnd_settings.clone().unwrap_or_else(|| json!({})));
    }
    shape.value("attachments", Vec::<Value>::new());
    shape.0
}

/// Those of the fields that are there and not null.
pub(crate) fn picked(thing: &Value, names: &[&str]) -> Map<String, Value> {
    let there = names.iter().filter(|name| !thing[**name].is_null());
    there.map(|name| ((*name).to_owned(), thing[*name].clone())).collect()
}
