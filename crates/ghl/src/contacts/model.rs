//! A contact as HighLevel gives it.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{BusinessId, ContactId, CustomFieldId, LocationId, UserId, loose};

/// A contact (contacts.json: `GetContectByIdSchema`, `CreateContactSchema`, `ContactsSearchSchema`; also the
/// body of the webhooks about contacts). Which fields are there depends on the call.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// The location that it belongs to.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub location_id: Option<LocationId>,
    /// The first name.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub last_name: Option<String>,
    /// The whole name, where it is called so; see [`Contact::full_name`].
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub name: Option<String>,
    /// The whole name, where it is called so; see [`Contact::full_name`].
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub contact_name: Option<String>,
    /// The primary e-mail address.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub email: Option<String>,
    /// Further e-mail addresses: strings or objects in the answer. They can be read and not written.
    #[serde(default, deserialize_with = "emails")]
    pub additional_emails: Vec<String>,
    /// The phone number, E.164.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub phone: Option<String>,
    /// Street and number.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub address1: Option<String>,
    /// The city.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub city: Option<String>,
    /// The state or province.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub state: Option<String>,
    /// The postal code.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub postal_code: Option<String>,
    /// The country, ISO alpha-2.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub country: Option<String>,
    /// A website.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub website: Option<String>,
    /// The company's name.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub company_name: Option<String>,
    /// The day of birth, as HighLevel wrote it: `1990-09-25` or `1990-09-25T00:00:00.000Z`.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub date_of_birth: Option<String>,
    /// The time zone, as in `America/Chihuahua`.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub timezone: Option<String>,
    /// Where the contact came from.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub source: Option<String>,
    /// The tags, in lower case.
    #[serde(default, deserialize_with = "loose::strings")]
    pub tags: Vec<String>,
    /// "Do not disturb" on all channels; by channel it is in `extra` as `dndSettings`.
    #[serde(default, deserialize_with = "loose::opt_bool")]
    pub dnd: Option<bool>,
    /// Values of custom fields.
    #[serde(default, deserialize_with = "loose::list")]
    pub custom_fields: Vec<CustomFieldValue>,
    /// Who looks after the contact.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub assigned_to: Option<UserId>,
    /// The business that the contact belongs to.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub business_id: Option<BusinessId>,
    /// When it was made.
    #[serde(default, deserialize_with = "loose::opt_time")]
    pub date_added: Option<Timestamp>,
    /// When it was changed last.
    #[serde(default, deserialize_with = "loose::opt_time")]
    pub date_updated: Option<Timestamp>,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Contact {
    /// The whole name: as HighLevel has it, or put together from first and last name.
    pub fn full_name(&self) -> Option<String> {
        let given =
            [&self.name, &self.contact_name].into_iter().flatten().find(|name| !name.trim().is_empty());
        given.cloned().or_else(|| {
            let parts = [&self.first_name, &self.last_name];
            let parts: Vec<&str> =
                parts.into_iter().flatten().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        })
    }

    /// The value of a custom field.
    pub fn custom_field(&self, field: &CustomFieldId) -> Option<&Value> {
        self.custom_fields.iter().find(|value| value.id.as_ref() == Some(field)).map(|value| &value.value)
    }
}

/// The value of a custom field: `{id, value}` in answers and webhooks.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CustomFieldValue {
    /// Which field.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub id: Option<CustomFieldId>,
    /// Its value: a string, a number, a list or an object, by the kind of the field.
    #[serde(default)]
    pub value: Value,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Addresses as strings, or as objects with an `email`.
fn emails<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let emails: Vec<Value> = loose::list(deserializer)?;
    Ok(emails
        .iter()
        .filter_map(|email| email.as_str().or_else(|| email.get("email")?.as_str()))
        .filter(|email| !email.is_empty())
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn contact(value: Value) -> Contact {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_contact_needs_no_more_than_an_id() {
        let contact = contact(json!({ "id": "x" }));
        assert_eq!(contact.email, None);
        assert!(contact.tags.is_empty());
        assert_eq!(contact.full_name(), None);
    }

    #[test]
    fn nulls_and_odd_types_are_taken() {
        let contact = contact(json!({
            "id": "x", "name": null, "contactName": "Ada L", "tags": null, "customFields": null, "phone": null,
            "postalCode": 35061, "dnd": "false", "additionalEmails": ["a@x.test", {"email": "b@x.test"}, null],
            "dateAdded": 1_603_870_249_758_i64, "assignedTo": "", "searchAfter": [1, "x"],
        }));
        assert_eq!(contact.postal_code.as_deref(), Some("35061"));
        assert_eq!(contact.dnd, Some(false));
        assert_eq!(contact.additional_emails, ["a@x.test", "b@x.test"]);
        assert_eq!(contact.date_added.unwrap().as_millisecond(), 1_603_870_249_758);
        assert_eq!(contact.assigned_to, None);
        assert_eq!(contact.full_name().as_deref(), Some("Ada L"));
        assert!(contact.extra.contains_key("searchAfter"));
    }

    #[test]
    fn the_name_is_put_together_when_there_is_none() {
        let contact = contact(json!({ "id": "x", "name": " ", "firstName": "Ada", "lastName": "" }));
        assert_eq!(contact.full_name().as_deref(), Some("Ada"));
    }

    #[test]
    fn custom_fields_are_found_by_id() {
        let contact =
            contact(json!({ "id": "x", "customFields": [{ "id": "f1", "value": ["a"] }, { "id": "f2" }] }));
        assert_eq!(contact.custom_field(&"f1".into()), Some(&json!(["a"])));
        assert_eq!(contact.custom_field(&"f2".into()), Some(&Value::Null));
        assert_eq!(contact.custom_field(&"f3".into()), None);
    }
}
