//! What is sent to make and to change a contact.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{CustomFieldId, LocationId, UserId};

/// A contact to be made, or to be upserted (contacts.json, `CreateContactDto` and `UpsertContactDto`). Only
/// what is `Some` is sent.
///
/// ```
/// let contact = ghl::NewContact {
///     email: Some("ada@example.com".into()),
///     tags: vec!["customer".into()],
///     ..ghl::NewContact::new("ve9EPM428h8vShlRW1KT")
/// };
/// # assert_eq!(contact.first_name, None);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewContact {
    /// The location that gets it.
    pub location_id: LocationId,
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The whole name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The e-mail address; HighLevel lower-cases it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The phone number, best as E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address1: Option<String>,
    /// The city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// The state or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// The country, ISO alpha-2 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// A website.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// The company's name: can be set here and not by an update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// The gender: can be set here and not by an update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// The day of birth, best as `1990-09-25`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// The time zone, as in `America/Chihuahua`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Where the contact comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// "Do not disturb" on all channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dnd: Option<bool>,
    /// The tags. In an upsert they replace those of a contact that is there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Values of custom fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_fields: Vec<CustomFieldInput>,
    /// Who looks after the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<UserId>,
    /// For upserts only: makes a second contact where the location allows that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_new_if_duplicate_allowed: Option<bool>,
    /// Whatever else is to be sent, by HighLevel's names (`dndSettings`, `inboundDndSettings`).
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl NewContact {
    /// A contact with nothing but its location.
    pub fn new(location: impl Into<LocationId>) -> Self {
        Self {
            location_id: location.into(),
            first_name: None,
            last_name: None,
            name: None,
            email: None,
            phone: None,
            address1: None,
            city: None,
            state: None,
            postal_code: None,
            country: None,
            website: None,
            company_name: None,
            gender: None,
            date_of_birth: None,
            timezone: None,
            source: None,
            dnd: None,
            tags: Vec::new(),
            custom_fields: Vec::new(),
            assigned_to: None,
            create_new_if_duplicate_allowed: None,
            extra: Map::new(),
        }
    }
}

/// What to change about a contact (contacts.json, `UpdateContactDto`). Only what is `Some` is sent, and the
/// rest stays as it is. `Some("")` is sent as `""`; whether that clears a field is not documented: read the
/// contact again.
///
/// There are no **tags** here, on purpose: in an update they replace the contact's whole list, also those
/// that other people and programs put there since it was read. [`Tags`](crate::Tags) adds and removes.
/// `locationId`, `gender`, `companyName` and `additionalEmails` are missing because HighLevel refuses them
/// ("property X should not exist"; its issues 262 and 313).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactUpdate {
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The whole name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The phone number, best as E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address1: Option<String>,
    /// The city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// The state or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// The country, ISO alpha-2 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// A website.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// The day of birth, best as `1990-09-25`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// The time zone, as in `America/Chihuahua`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Where the contact comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// "Do not disturb" on all channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dnd: Option<bool>,
    /// Values of custom fields; fields that are not named stay as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_fields: Vec<CustomFieldInput>,
    /// Who looks after the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<UserId>,
    /// Whatever else is to be sent, by HighLevel's names; also a way to send null.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ContactUpdate {
    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A value for a custom field, named by its id or by its key (contacts.json, `TextField` and the like:
/// `{id | key, field_value}`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CustomFieldInput {
    /// Which field, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<CustomFieldId>,
    /// Which field, by key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The value: a string, a number, or a list of strings, by the kind of the field.
    pub field_value: Value,
}

impl CustomFieldInput {
    /// A value for the field with this id.
    pub fn by_id(id: impl Into<CustomFieldId>, value: impl Into<Value>) -> Self {
        Self { id: Some(id.into()), key: None, field_value: value.into() }
    }

    /// A value for the field with this key.
    pub fn by_key(key: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { id: None, key: Some(key.into()), field_value: value.into() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_update_sends_what_is_there_and_nothing_else() {
        let mut update = ContactUpdate::default();
        assert!(update.is_empty());
        assert_eq!(serde_json::to_value(&update).unwrap(), json!({}));

        update.city = Some(String::new());
        update.custom_fields =
            vec![CustomFieldInput::by_id("f1", 5), CustomFieldInput::by_key("k", vec!["a"])];
        update.extra.insert("website".into(), Value::Null);
        assert!(!update.is_empty());
        assert_eq!(
            serde_json::to_value(&update).unwrap(),
            json!({
                "city": "", "website": null,
                "customFields": [{ "id": "f1", "field_value": 5 }, { "key": "k", "field_value": ["a"] }],
            })
        );
    }

    #[test]
    fn a_new_contact_names_its_location() {
        assert_eq!(serde_json::to_value(NewContact::new("loc")).unwrap(), json!({ "locationId": "loc" }));
    }
}
