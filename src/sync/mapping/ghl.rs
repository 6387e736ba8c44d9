//! HighLevel's contacts in the common form, and the common form as HighLevel takes it.

use ghl::{Contact, ContactUpdate, CustomFieldInput, LocationId, NewContact};

use crate::sync::normalise::line;
use crate::sync::{Canonical, Changes, Field};

/// A contact as HighLevel shows it. Its custom fields come by ids, which say nothing without the location's definitions:
/// they stay unknown.
pub fn from_ghl(contact: &Contact) -> Canonical {
    let country = contact.country.as_deref().map(str::to_ascii_uppercase);
    let email = contact.email.as_deref().map(str::to_lowercase);
    let day = contact.date_of_birth.as_deref().map(|day| day.get(..10).unwrap_or(day));
    [
        (Field::FirstName, contact.first_name.as_deref()),
        (Field::LastName, contact.last_name.as_deref()),
        (Field::Email, email.as_deref()),
        (Field::Phone, contact.phone.as_deref()),
        (Field::Company, contact.company_name.as_deref()),
        (Field::Address, contact.address1.as_deref()),
        (Field::City, contact.city.as_deref()),
        (Field::State, contact.state.as_deref()),
        (Field::PostalCode, contact.postal_code.as_deref()),
        (Field::Country, country.as_deref()),
        (Field::DateOfBirth, day),
    ]
    .into_iter()
    .filter_map(|(field, value)| Some((field, line(value?))))
    .collect()
}

/// A contact to be made. What is empty is not sent.
pub fn new_contact(location: &LocationId, contact: &Canonical, tags: &[String], source: &str) -> NewContact {
    let value = |field: Field| contact.shown(&field).map(str::to_owned);
    NewContact {
        first_name: value(Field::FirstName),
        last_name: value(Field::LastName),
        email: value(Field::Email),
        phone: value(Field::Phone),
        company_name: value(Field::Company),
        address1: value(Field::Address),
        city: value(Field::City),
        state: value(Field::State),
        postal_code: value(Field::PostalCode),
        country: value(Field::Country),
        date_of_birth: value(Field::DateOfBirth),
        custom_fields: custom_fields(contact).filter(|field| field.field_value != "").collect(),
        tags: tags.to_vec(),
        source: Some(source.to_owned()),
        ..NewContact::new(location.clone())
    }
}

/// A change of a contact; `""` empties a field. Tags never travel in an update: HighLevel would replace the whole list.
pub fn update(changes: &Changes) -> ContactUpdate {
    let contact = changes.values();
    let value = |field: Field| contact.get(&field).map(str::to_owned);
    ContactUpdate {
        first_name: value(Field::FirstName),
        last_name: value(Field::LastName),
        email: value(Field::Email),
        phone: value(Field::Phone),
        address1: value(Field::Address),
        city: value(Field::City),
        state: value(Field::State),
        postal_code: value(Field::PostalCode),
        country: value(Field::Country),
        date_of_birth: value(Field::DateOfBirth),
        custom_fields: custom_fields(contact).collect(),
        ..ContactUpdate::default()
    }
}

fn custom_fields(contact: &Canonical) -> impl Iterator<Item = CustomFieldInput> {
    contact.iter().filter_map(|(field, value)| match field {
        Field::Custom(key) => Some(CustomFieldInput::by_key(key, value)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::{Shadow, changes};

    fn canonical(fields: &[(Field, &str)]) -> Canonical {
        fields.iter().map(|(field, value)| (field.clone(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_new_contact_sends_what_is_there_and_nothing_empty() {
        let contact = canonical(&[
            (Field::Email, "ada@example.com"),
            (Field::City, ""),
            (Field::Company, "Engines"),
            (Field::Custom("cscart_status".into()), "active"),
        ]);
        let new = new_contact(&"loc".into(), &contact, &["customer".into()], "CS-Cart");
        let expected = json!({
            "locationId": "loc", "email": "ada@example.com", "companyName": "Engines", "tags": ["customer"],
            "source": "CS-Cart", "customFields": [{ "key": "cscart_status", "field_value": "active" }],
        });
        assert_eq!(serde_json::to_value(new).unwrap(), expected);
    }

    #[test]
    fn an_update_holds_the_changed_fields_and_never_tags_or_company() {
        let before =
            canonical(&[(Field::City, "Paris"), (Field::Company, "Engines"), (Field::FirstName, "Ada")]);
        let now = canonical(&[(Field::City, ""), (Field::Company, "Looms"), (Field::FirstName, "Ada")]);
        let changes = changes(&Shadow { cscart: before.clone(), ghl: before }, &now);
        assert_eq!(serde_json::to_value(update(&changes)).unwrap(), json!({ "city": "" }));
    }

    #[test]
    fn what_was_sent_reads_back_as_it_was() {
        let answer = json!({ "id": "c", "email": "Ada@Example.com", "country": "us", "dateOfBirth": "1815-12-10T00:00:00.000Z", "city": null });
        let read = from_ghl(&serde_json::from_value(answer).unwrap());
        let expected = canonical(&[
            (Field::Email, "ada@example.com"),
            (Field::Country, "US"),
            (Field::DateOfBirth, "1815-12-10"),
        ]);
        assert_eq!(read, expected);
    }
}
