//! Everything that the simulated location holds.

mod shown;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use serde_json::{Map, Value, json};

use super::{
    belongings::Belongings,
    contact::{Contact, Surroundings},
    custom_fields, fixtures,
    index::Index,
    office::Office,
    rate::{Limits, Rate},
    refusal::Refusal,
    tokens::Tokens,
    view,
};
use crate::ids::Ids;

/// The salt that keeps GHL's ids apart from the store's.
const SALT: u64 = 0x6768_6c21;
/// The same for the other location, so that it takes no id from the first.
const ELSEWHERE: u64 = 0x6768_6c22;
/// What people set up has ids of its own, so that it takes none from what is made later.
const OFFICE: u64 = 0x6768_6c23;
const OFFICE_ELSEWHERE: u64 = 0x6768_6c24;

/// The location and all that belongs to it.
pub(crate) struct State {
    pub(crate) ids: Ids,
    /// The company's other location; the other one itself has none.
    pub(crate) other: Option<Box<State>>,
    /// Since when the location has the app.
    pub(crate) installed_at: Option<i64>,
    /// Where the sandbox itself listens: the base of `nextPageUrl`.
    pub(crate) url: String,
    pub(crate) location: Map<String, Value>,
    pub(crate) location_id: String,
    pub(crate) company_id: String,
    pub(crate) country: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// Secrets that were replaced, and until when each is still taken.
    pub(crate) old_secrets: Vec<(String, i64)>,
    pub(crate) version_id: String,
    pub(crate) tokens: Tokens,
    pub(crate) limits: Limits,
    pub(crate) rate: Rate,
    pub(crate) allow_duplicates: bool,
    /// The phone is looked for before the e-mail: a setting of the location's (ghl.md, Contacts).
    pub(crate) match_phone_first: bool,
    pub(crate) allow_duplicate_opportunities: bool,
    pub(crate) search_lag: Duration,
    pub(crate) contacts: HashMap<String, Arc<Contact>>,
    pub(crate) deleted: HashSet<String>,
    by_email: HashMap<String, Vec<String>>,
    by_phone: HashMap<String, Vec<String>>,
    pub(crate) index: Index,
    pub(crate) tasks: Belongings,
    pub(crate) notes: Belongings,
    pub(crate) appointments: Belongings,
    pub(crate) tags: Vec<Value>,
    known_tags: HashSet<String>,
    pub(crate) custom_fields: Vec<Value>,
    custom_field_names: HashMap<String, String>,
    pub(crate) users: Vec<Value>,
    pub(crate) businesses: Vec<Value>,
    pub(crate) office: Office,
    pub(crate) opportunities: Belongings,
    pub(crate) conversations: Belongings,
    /// Oldest first.
    pub(crate) messages: Vec<Value>,
    made: u64,
    /// Whether anybody listens: without, no event is put together.
    pub(crate) listening: bool,
    pub(crate) events: Vec<Event>,
}

/// Something that the app's webhook is told.
pub(crate) struct Event {
    pub(crate) kind: &'static str,
    pub(crate) body: Map<String, Value>,
}

impl State {
    pub(crate) fn new(setup: &super::Setup) -> Self {
        let mut ids = Ids::new(setup.seed, SALT);
        // Drawn in any case, so that all other ids stay the same.
        let (location_id, company_id) = (ids.id(), ids.id());
        let location_id = setup.location_id.clone().unwrap_or(location_id);
        let app_id = ids.hex24();
        let client_id = format!("{app_id}-{}", ids.alphanumeric(8).to_lowercase());
        let pit = format!("pit-{}", ids.uuid());
        let (client_secret, version_id) = (ids.uuid(), ids.hex24());
        let mut elsewhere = Ids::new(setup.seed, ELSEWHERE);
        let mut other =
            Self::at_start(setup, &elsewhere.id(), &company_id, "Second Sandbox Store", elsewhere);
        other.client_id.clone_from(&client_id);
        other.version_id.clone_from(&version_id);
        other.office = Office::at_start(Ids::new(setup.seed, OFFICE_ELSEWHERE), &other.location_id);
        Self {
            office: Office::at_start(Ids::new(setup.seed, OFFICE), &location_id),
            client_id,
            client_secret,
            version_id,
            tokens: Tokens::new(pit),
            other: Some(Box::new(other)),
            ..Self::at_start(setup, &location_id, &company_id, "Sandbox Store", ids)
        }
    }

    /// A location without an app and without tokens.
    fn at_start(setup: &super::Setup, location_id: &str, company_id: &str, name: &str, ids: Ids) -> Self {
        let mut state = Self {
            other: None,
            installed_at: None,
            url: setup.url.clone(),
            client_id: String::new(),
            client_secret: String::new(),
            old_secrets: Vec::new(),
            version_id: String::new(),
            location: fixtures::location(location_id, company_id, name),
            country: fixtures::COUNTRY.to_owned(),
            users: Vec::new(),
            tokens: Tokens::new(String::new()),
            limits: Limits::new(setup.strict_rate),
            rate: Rate::default(),
            allow_duplicates: setup.allow_duplicates,
            match_phone_first: false,
            allow_duplicate_opportunities: false,
            search_lag: setup.search_lag,
            contacts: HashMap::new(),
            deleted: HashSet::new(),
            by_email: HashMap::new(),
            by_phone: HashMap::new(),
            index: Index::default(),
            tasks: Belongings::default(),
            notes: Belongings::default(),
            appointments: Belongings::default(),
            tags: Vec::new(),
            known_tags: HashSet::new(),
            custom_fields: Vec::new(),
            custom_field_names: HashMap::new(),
            businesses: Vec::new(),
            office: Office::default(),
            opportunities: Belongings::default(),
            conversations: Belongings::default(),
            messages: Vec::new(),
            made: 0,
            listening: false,
            events: Vec::new(),
            ids,
            location_id: location_id.to_owned(),
            company_id: company_id.to_owned(),
        };
        state.users = fixtures::users(&mut state.ids, &state.location_id);
        state
    }

    /// Whether this is the app's secret, or one that was replaced not long enough ago.
    pub(crate) fn knows_secret(&self, secret: &str, now: i64) -> bool {
        secret == self.client_secret
            || self.old_secrets.iter().any(|(old, until)| old == secret && now < *until)
    }

    /// The app's id: the part of the client id before the dash.
    pub(crate) fn app_id(&self) -> &str {
        self.client_id.split('-').next().unwrap_or_default()
    }

    /// A contact that is not stored yet.
    pub(crate) fn fresh_contact(&mut self, now: i64) -> Contact {
        self.made += 1;
        Contact::new(self.ids.id(), self.made, now)
    }

    /// Writes the fields of a body into a contact.
    pub(crate) fn apply(&self, contact: &mut Contact, body: &Map<String, Value>) -> Result<(), Refusal> {
        let custom_field = |name: &str| self.custom_field_names.get(name).cloned();
        let mut complaints = Vec::new();
        for (index, item) in
            body.get("customFields").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            let named = item["id"].as_str().or(item["key"].as_str()).unwrap_or_default();
            let id = self.custom_field_names.get(named);
            if let Some(field) =
                self.custom_fields.iter().find(|field| field["id"].as_str() == id.map(String::as_str))
            {
                let place = format!("customFields.{index}.field_value");
                let value = item.get("field_value").or(item.get("fieldValue"));
                complaints.extend(custom_fields::complaints(field, &place, value));
            }
        }
        if !complaints.is_empty() {
            return Err(Refusal::invalid(complaints));
        }
        contact.apply(body, &Surroundings { country: &self.country, custom_field: &custom_field })
    }

    /// Stores a contact, new or changed, and keeps every index in step.
    pub(crate) fn put(&mut self, contact: Contact, now: i64) -> Arc<Contact> {
        let contact = Arc::new(contact);
        if let Some(old) = self.contacts.insert(contact.id.clone(), Arc::clone(&contact)) {
            self.unlink(&old);
        }
        for email in contact.emails() {
            self.by_email.entry(email.clone()).or_default().push(contact.id.clone());
        }
        for phone in contact.phones() {
            self.by_phone.entry(phone.clone()).or_default().push(contact.id.clone());
        }
        for tag in &contact.tags {
            self.know_tag(tag);
        }
        let due = now + self.search_lag.as_millis() as i64;
        self.index.write(now, due, &contact.id, Some(Arc::clone(&contact)));
        contact
    }

    /// Removes a contact and what belongs to it.
    pub(crate) fn remove(&mut self, id: &str, now: i64) -> Option<Arc<Contact>> {
        let contact = self.contacts.remove(id)?;
        self.unlink(&contact);
        self.tasks.remove_all(id);
        self.notes.remove_all(id);
        self.appointments.remove_all(id);
        self.opportunities.remove_all(id);
        self.conversations.remove_all(id);
        self.messages.retain(|message| message["contactId"] != id);
        self.deleted.insert(id.to_owned());
        let due = now + self.search_lag.as_millis() as i64;
        self.index.write(now, due, id, None);
        Some(contact)
    }

    fn unlink(&mut self, contact: &Contact) {
        for (map, keys) in [
            (&mut self.by_email, contact.emails().collect::<Vec<_>>()),
            (&mut self.by_phone, contact.phones().collect::<Vec<_>>()),
        ] {
            for key in keys {
                if let Some(ids) = map.get_mut(key) {
                    ids.retain(|id| *id != contact.id);
                    if ids.is_empty() {
                        map.remove(key);
                    }
                }
            }
        }
    }

    /// The contact that has this address, as its own or as an additional one; not `other_than`.
    pub(crate) fn with_email(&self, email: &str, other_than: &str) -> Option<&Arc<Contact>> {
        self.first(self.by_email.get(email), other_than)
    }

    /// The contact that has this number; not `other_than`.
    pub(crate) fn with_phone(&self, phone: &str, other_than: &str) -> Option<&Arc<Contact>> {
        self.first(self.by_phone.get(phone), other_than)
    }

    fn first(&self, ids: Option<&Vec<String>>, other_than: &str) -> Option<&Arc<Contact>> {
        let id = ids?.iter().find(|id| *id != other_than)?;
        self.contacts.get(id)
    }

    /// Refuses what another contact has already: first the address, then the number, or the other way round.
    pub(crate) fn refuse_duplicate(&self, contact: &Contact) -> Result<(), Refusal> {
        if self.allow_duplicates {
            return Ok(());
        }
        let by_email = contact.email.as_deref().and_then(|email| self.with_email(email, &contact.id));
        let by_phone = contact.phone.as_deref().and_then(|phone| self.with_phone(phone, &contact.id));
        let (by_email, by_phone) = (by_email.map(|it| (it, "email")), by_phone.map(|it| (it, "phone")));
        match if self.match_phone_first { by_phone.or(by_email) } else { by_email.or(by_phone) } {
            Some((other, field)) => Err(Refusal::duplicate(&other.full_name(), &other.id, field)),
            None => Ok(()),
        }
    }

    /// Adds the tag to the location's list when it is new there.
    pub(crate) fn know_tag(&mut self, name: &str) {
        if !self.known_tags.contains(name) {
            let tag = json!({ "id": self.ids.id(), "name": name, "locationId": self.location_id });
            self.known_tags.insert(name.to_owned());
            self.tags.push(tag);
        }
    }

    /// Takes a tag out of the location's list (contacts keep theirs), or gives it another name.
    pub(crate) fn forget_tag(&mut self, name: &str) {
        self.known_tags.remove(name);
    }

    pub(crate) fn knows_tag(&self, name: &str) -> bool {
        self.known_tags.contains(name)
    }

    pub(crate) fn note_tag_name(&mut self, name: &str) {
        self.known_tags.insert(name.to_owned());
    }

    /// Rebuilds the lookup of custom fields by id, key and key without its model.
    pub(crate) fn index_custom_fields(&mut self) {
        self.custom_field_names.clear();
        for field in &self.custom_fields {
            let (Some(id), Some(key)) = (field["id"].as_str(), field["fieldKey"].as_str()) else { continue };
            if field["model"] == "contact" {
                let short = key.strip_prefix("contact.").unwrap_or(key);
                for name in [id, key, short] {
                    self.custom_field_names.insert(name.to_owned(), id.to_owned());
                }
            }
        }
    }

    /// Tells the app's webhook of something in this location, if anybody listens.
    pub(crate) fn emit(&mut self, kind: &'static str, body: impl FnOnce(&Self) -> Map<String, Value>) {
        self.emit_for_company(kind, |state| {
            let mut body = body(state);
            body.entry("locationId").or_insert_with(|| json!(state.location_id));
            body
        });
    }

    /// Tells it of something that is no location's.
    pub(crate) fn emit_for_company(
        &mut self,
        kind: &'static str,
        body: impl FnOnce(&Self) -> Map<String, Value>,
    ) {
        if self.listening {
            let body = body(self);
            self.events.push(Event { kind, body });
        }
    }

    /// Tells that a contact was made, changed or removed.
    pub(crate) fn emit_contact(&mut self, kind: &'static str, contact: &Contact) {
        self.emit(kind, |state| view::webhook(contact, &state.location_id, kind == "ContactDndUpdate"));
    }
}
