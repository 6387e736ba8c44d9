//! HighLevel's contacts in the common form, and the common form as HighLevel takes it.

use ghl::{Contact, ContactUpdate, CustomFieldInput, LocationId, NewContact};

use crate::sync::normalise::line;
use crate::sync::{Canonical, Changes, Definitions, Field};

/// A contact as HighLevel shows it, with its custom fields by the location's definitions, if these are known.
pub fn from_ghl_with(contact: &Contact, definitions: Option<&Definitions>) -> Canonical {
    let mut canonical = from_ghl(contact);
    if let Some(definitions) = definitions {
        canonical.extend(&definitions.read(&contact.custom_fields));
    }
    canonical
}

/// A contact as HighLevel shows it. Its custom fields come by ids, which say nothing without the location's definitions:
/// they stay unknown.
pub fn from_ghl(contact: &Contact) -> Canonical {
    let name = contact.full_name();
    let dnd = contact.dnd.map(|dnd| dnd.to_string());
    let assigned_to = contact.assigned_to.as_ref().map(ToString::to_string);
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
        (Field::Name, name.as_deref()),
        (Field::Website, contact.website.as_deref()),
        (Field::Timezone, contact.timezone.as_deref()),
        (Field::Source, contact.source.as_deref()),
        (Field::Dnd, dnd.as_deref()),
        (Field::AssignedTo, assigned_to.as_deref()),
    ]
    .into_iter()
    .filter_map(|(field, value)| Some((field, line(value?))))
    .collect()
}

/// A contact to be made. What is empty is not sent; `source` stands for one that no mapping gives. Custom fields go by the
/// definitions, or without them by their keys.
pub fn new_contact(
    location: &LocationId,
    contact: &Canonical,
    tags: &[String],
    source: &str,
    definitions: Option<&Definitions>,
) -> NewContact {
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
        name: value(Field::Name),
        website: value(Field::Website),
        timezone: value(Field::Timezone),
        gender: value(Field::Gender),
        dnd: value(Field::Dnd).map(|dnd| dnd == "true"),
        assigned_to: value(Field::AssignedTo).map(Into::into),
        custom_fields: custom_fields(contact, definitions).filter(|field| field.field_value != "").collect(),
        tags: tags.to_vec(),
        source: Some(value(Field::Source).unwrap_or_else(|| source.to_owned())),
        ..NewContact::new(location.clone())
    }
}

/// A change of a contact; `""` empties a field. Tags never travel in an update: HighLevel would replace the whole list.
/// Custom fields go by the definitions, or without them by their keys.
pub fn update(changes: &Changes, definitions: Option<&Definitions>) -> ContactUpdate {
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
        name: value(Field::Name),
        website: value(Field::Website),
        timezone: value(Field::Timezone),
        source: value(Field::Source),
        dnd: value(Field::Dnd).map(|dnd| dnd == "true"),
        assigned_to: value(Field::AssignedTo).map(Into::into),
        custom_fields: custom_fields(contact, definitions).collect(),
        ..ContactUpdate::default()
    }
}

fn custom_fields(
    contact: &Canonical,
    definitions: Option<&Definitions>,
) -> impl Iterator<Item = CustomFieldInput> {
    contact.iter().filter_map(move |(field, value)| match (field, definitions) {
        (Field::Custom(key), None) => Some(CustomFieldInput::by_key(key, value)),
        (Field::Custom(key), Some(definitions)) => {
            let definition = definitions.get(key)?;
            let wire = definition.wire(value).ok()?;
            Some(CustomFieldInput::by_id(definition.id.clone(), wire.value))
        }
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
        let new = new_contact(&"loc".into(), &contact, &["customer".into()], "CS-Cart", None);
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
        assert_eq!(serde_json::to_value(update(&changes, None)).unwrap(), json!({ "city": "" }));
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

    #[test]
    fn with_the_definitions_a_custom_field_goes_by_its_id_and_comes_back_by_its_key() {
        let defined = json!([
            { "id": "f1", "fieldKey": "contact.points", "dataType": "NUMERICAL" },
            { "id": "f2", "fieldKey": "contact.colours", "dataType": "MULTIPLE_OPTIONS", "picklistOptions": ["Red", "Blue"] },
        ]);
        let defined: Vec<ghl::CustomField> = serde_json::from_value(defined).unwrap();
        let definitions = Definitions::new(&defined);
        let contact = canonical(&[
            (Field::Custom("points".into()), "12.5"),
            (Field::Custom("colours".into()), r#"["Red","Blue"]"#),
            (Field::Custom("nowhere".into()), "x"),
        ]);
        let new = new_contact(&"loc".into(), &contact, &[], "CS-Cart", Some(&definitions));
        let sent = serde_json::to_value(&new.custom_fields).unwrap();
        assert_eq!(
            sent,
            json!([{ "id": "f2", "field_value": ["Red", "Blue"] }, { "id": "f1", "field_value": 12.5 }])
        );
        let answer = json!({ "id": "c", "customFields": [
            { "id": "f1", "value": 12.5 }, { "id": "f2", "value": ["Red", "Blue"] }, { "id": "gone", "value": "y" },
        ] });
        let read = from_ghl_with(&serde_json::from_value(answer).unwrap(), Some(&definitions));
        let expected = canonical(&[
            (Field::Custom("points".into()), "12.5"),
            (Field::Custom("colours".into()), r#"["Red","Blue"]"#),
        ]);
        assert_eq!(read, expected);
    }
}
