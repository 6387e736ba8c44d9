//! A contact as GHL keeps it, and how a request's body changes it.

use serde_json::{Map, Value, json};

use super::{custom_fields::is_empty, refusal::Refusal, validate::birthday};

/// One contact.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Contact {
    pub(crate) id: String,
    /// The order of creation: breaks ties between contacts of one millisecond.
    pub(crate) seq: u64,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) additional_emails: Vec<String>,
    pub(crate) phone: Option<String>,
    pub(crate) additional_phones: Vec<String>,
    pub(crate) company_name: Option<String>,
    pub(crate) gender: Option<String>,
    pub(crate) address1: Option<String>,
    pub(crate) city: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) postal_code: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) website: Option<String>,
    pub(crate) timezone: Option<String>,
    pub(crate) source: Option<String>,
    /// `YYYY-MM-DD`.
    pub(crate) date_of_birth: Option<String>,
    pub(crate) assigned_to: Option<String>,
    pub(crate) business_id: Option<String>,
    pub(crate) dnd: bool,
    pub(crate) dnd_settings: Option<Value>,
    pub(crate) inbound_dnd_settings: Option<Value>,
    pub(crate) tags: Vec<String>,
    /// Field id and value, in the order in which they were first set.
    pub(crate) custom_fields: Vec<(String, Value)>,
    pub(crate) followers: Vec<String>,
    pub(crate) campaigns: Vec<String>,
    pub(crate) workflows: Vec<String>,
    pub(crate) date_added: i64,
    pub(crate) date_updated: i64,
}

/// What `Contact::apply` needs to know of the location.
pub(crate) struct Surroundings<'a> {
    pub(crate) country: &'a str,
    /// The id of a custom field by its id or key; None when the location has no such field.
    pub(crate) custom_field: &'a dyn Fn(&str) -> Option<String>,
}

impl Contact {
    pub(crate) fn new(id: String, seq: u64, now: i64) -> Self {
        Self {
            id,
            seq,
            first_name: None,
            last_name: None,
            email: None,
            additional_emails: Vec::new(),
            phone: None,
            additional_phones: Vec::new(),
            company_name: None,
            gender: None,
            address1: None,
            city: None,
            state: None,
            postal_code: None,
            country: None,
            website: None,
            timezone: None,
            source: None,
            date_of_birth: None,
            assigned_to: None,
            business_id: None,
            dnd: false,
            dnd_settings: None,
            inbound_dnd_settings: None,
            tags: Vec::new(),
            custom_fields: Vec::new(),
            followers: Vec::new(),
            campaigns: Vec::new(),
            workflows: Vec::new(),
            date_added: now,
            date_updated: now,
        }
    }

    /// First and last name with a space between.
    pub(crate) fn full_name(&self) -> String {
        let names = [&self.first_name, &self.last_name];
        names.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Where it stands in a list by creation.
    pub(crate) fn place(&self) -> (i64, u64) {
        (self.date_added, self.seq)
    }

    /// Every address by which a duplicate is found.
    pub(crate) fn emails(&self) -> impl Iterator<Item = &String> {
        self.email.iter().chain(&self.additional_emails)
    }

    /// Every number by which a duplicate is found.
    pub(crate) fn phones(&self) -> impl Iterator<Item = &String> {
        self.phone.iter().chain(&self.additional_phones)
    }

    /// Writes the fields of a checked body into the contact. Absent fields stay; null and `""` clear; `tags`
    /// replaces the list (`UpdateContactDto`); custom fields are set one by one, unknown ones ignored.
    pub(crate) fn apply(
        &mut self,
        body: &Map<String, Value>,
        around: &Surroundings<'_>,
    ) -> Result<(), Refusal> {
        if let Some(name) = body.get("name") {
            let name = name.as_str().unwrap_or_default().trim();
            let (first, last) = name.split_once(char::is_whitespace).unwrap_or((name, ""));
            self.first_name = filled(first);
            self.last_name = filled(last.trim());
        }
        for (name, field) in [
            ("firstName", &mut self.first_name),
            ("lastName", &mut self.last_name),
            ("companyName", &mut self.company_name),
            ("gender", &mut self.gender),
            ("address1", &mut self.address1),
            ("city", &mut self.city),
            ("state", &mut self.state),
            ("postalCode", &mut self.postal_code),
            ("country", &mut self.country),
            ("website", &mut self.website),
            ("timezone", &mut self.timezone),
            ("source", &mut self.source),
            ("assignedTo", &mut self.assigned_to),
            ("businessId", &mut self.business_id),
        ] {
            if let Some(value) = body.get(name) {
                *field = value.as_str().and_then(filled);
            }
        }
        if let Some(value) = body.get("email") {
            self.email = value.as_str().and_then(|it| filled(&lower(it)));
        }
        if let Some(value) = body.get("dateOfBirth") {
            self.date_of_birth = value.as_str().and_then(birthday);
        }
        if let Some(value) = body.get("phone") {
            let country = self.country.as_deref().unwrap_or(around.country);
            self.phone = match value.as_str().and_then(filled) {
                None => None,
                Some(text) => Some(e164(&text, country).ok_or_else(|| {
                    Refusal::invalid(vec![String::from("phone must be a valid phone number")])
                })?),
            };
        }
        if let Some(dnd) = body.get("dnd").and_then(Value::as_bool) {
            self.dnd = dnd;
        }
        merge_dnd(&mut self.dnd_settings, body.get("dndSettings"));
        merge_dnd(&mut self.inbound_dnd_settings, body.get("inboundDndSettings"));
        if let Some(tags) = body.get("tags").and_then(Value::as_array) {
            self.tags = clean_tags(tags);
        }
        for item in body.get("customFields").and_then(Value::as_array).into_iter().flatten() {
            let named = item["id"].as_str().or(item["key"].as_str()).unwrap_or_default();
            if let Some(id) = (around.custom_field)(named) {
                self.set_custom_field(id, item.get("field_value").or(item.get("fieldValue")));
            }
        }
        Ok(())
    }

    fn set_custom_field(&mut self, id: String, value: Option<&Value>) {
        let clears = value.is_none_or(is_empty);
        let place = self.custom_fields.iter().position(|(known, _)| *known == id);
        match (place, value.filter(|_| !clears)) {
            (Some(place), Some(value)) => self.custom_fields[place].1 = value.clone(),
            (Some(place), None) => drop(self.custom_fields.remove(place)),
            (None, Some(value)) => self.custom_fields.push((id, value.clone())),
            (None, None) => {}
        }
    }
}

/// Channels that are not named keep their setting.
fn merge_dnd(settings: &mut Option<Value>, change: Option<&Value>) {
    if let Some(Value::Object(change)) = change {
        let settings = settings.get_or_insert_with(|| json!({}));
        for (channel, setting) in change {
            settings[channel] = setting.clone();
        }
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// An address as GHL stores it.
pub(crate) fn lower(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Tags as GHL stores them: trimmed, lower-cased, each once, none empty.
pub(crate) fn clean_tags(tags: &[Value]) -> Vec<String> {
    let mut clean: Vec<String> = Vec::with_capacity(tags.len());
    for tag in tags.iter().filter_map(Value::as_str) {
        let tag = tag.trim().to_lowercase();
        if !tag.is_empty() && !clean.contains(&tag) {
            clean.push(tag);
        }
    }
    clean
}

/// A number in E.164, read as one of `country` unless it says otherwise. Whether it is in use is not asked: GHL
/// stores numbers that its workflows then refuse (HighLevel's issue 223).
pub(crate) fn e164(text: &str, country: &str) -> Option<String> {
    let country = country.parse::<phonenumber::country::Id>().ok();
    let number = phonenumber::parse(country, text).ok()?;
    Some(number.format().mode(phonenumber::Mode::E164).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(contact: &mut Contact, body: Value) -> Result<(), Refusal> {
        let custom_field = |name: &str| (name == "f1" || name == "contact.size").then(|| "f1".to_owned());
        let around = Surroundings { country: "US", custom_field: &custom_field };
        contact.apply(body.as_object().unwrap(), &around)
    }

    #[test]
    fn a_phone_is_read_by_the_contacts_country_and_else_by_the_locations() {
        let mut contact = Contact::new("c".to_owned(), 1, 0);
        apply(&mut contact, json!({ "phone": "(888) 888-8888" })).unwrap();
        assert_eq!(contact.phone.as_deref(), Some("+18888888888"));
        apply(&mut contact, json!({ "phone": "030 1234567", "country": "DE" })).unwrap();
        assert_eq!(contact.phone.as_deref(), Some("+49301234567"));
        assert_eq!(apply(&mut contact, json!({ "phone": "call me" })).unwrap_err().status, 422);
    }

    #[test]
    fn tags_are_lower_cased_trimmed_and_kept_once() {
        let tags = clean_tags(&[json!(" VIP "), json!("vip"), json!(""), json!("New Customer")]);
        assert_eq!(tags, ["vip", "new customer"]);
    }

    #[test]
    fn absent_fields_stay_null_clears_and_tags_replace() {
        let mut contact = Contact::new("c".to_owned(), 1, 0);
        apply(&mut contact, json!({ "name": "Rosan van Deo", "city": "X", "tags": ["a", "b"] })).unwrap();
        assert_eq!(contact.last_name.as_deref(), Some("van Deo"));
        apply(&mut contact, json!({ "city": null, "tags": ["C"] })).unwrap();
        assert_eq!((contact.city.as_deref(), contact.first_name.as_deref()), (None, Some("Rosan")));
        assert_eq!(contact.tags, ["c"]);
    }

    #[test]
    fn custom_fields_are_set_by_id_or_key_and_unknown_ones_are_ignored() {
        let mut contact = Contact::new("c".to_owned(), 1, 0);
        let fields =
            json!([{ "key": "contact.size", "field_value": "L" }, { "id": "nope", "field_value": 1 }]);
        apply(&mut contact, json!({ "customFields": fields })).unwrap();
        assert_eq!(contact.custom_fields, [("f1".to_owned(), json!("L"))]);
        apply(&mut contact, json!({ "customFields": [{ "id": "f1", "fieldValue": ["S", "M"] }] })).unwrap();
        assert_eq!(contact.custom_fields, [("f1".to_owned(), json!(["S", "M"]))]);
        apply(&mut contact, json!({ "customFields": [{ "id": "f1", "field_value": "" }] })).unwrap();
        assert!(contact.custom_fields.is_empty());
    }
}
