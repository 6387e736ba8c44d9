//! The canonical contact: typed fields with normalised values.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::connection::FieldType;

/// A field that both sides have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The e-mail address: lower case, trimmed.
    Email,
    /// The phone number, E.164.
    Phone,
    /// The company's name.
    Company,
    /// Street and number, on one line.
    Address,
    /// The city.
    City,
    /// The state or province, as the store writes it.
    State,
    /// The postal code.
    PostalCode,
    /// The country, ISO 3166 alpha-2.
    Country,
    /// The day of birth, `1990-09-25`.
    DateOfBirth,
    /// The whole name; HighLevel makes first and last name of it.
    Name,
    /// A website.
    Website,
    /// The time zone, as in `Europe/Berlin`.
    Timezone,
    /// Where the contact comes from.
    Source,
    /// The gender.
    Gender,
    /// "Do not disturb" on all channels: `true` or `false`.
    Dnd,
    /// HighLevel's id of the user who looks after the contact.
    AssignedTo,
    /// A custom field of HighLevel's, by its key.
    Custom(String),
}

const NAMES: [(Field, &str); 18] = [
    (Field::FirstName, "first_name"),
    (Field::LastName, "last_name"),
    (Field::Email, "email"),
    (Field::Phone, "phone"),
    (Field::Company, "company"),
    (Field::Address, "address"),
    (Field::City, "city"),
    (Field::State, "state"),
    (Field::PostalCode, "postal_code"),
    (Field::Country, "country"),
    (Field::DateOfBirth, "date_of_birth"),
    (Field::Name, "name"),
    (Field::Website, "website"),
    (Field::Timezone, "timezone"),
    (Field::Source, "source"),
    (Field::Gender, "gender"),
    (Field::Dnd, "dnd"),
    (Field::AssignedTo, "assigned_to"),
];

/// What stands before a custom field's key where a field is written as a word.
const CUSTOM: &str = "custom:";

impl Field {
    /// The names of all fields but the custom ones.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        NAMES.iter().map(|(_, name)| *name)
    }

    /// What a value of it is, but for a custom field, which may be anything.
    pub fn kind(&self) -> Option<FieldType> {
        Some(match self {
            Self::Custom(_) => return None,
            Self::Email => FieldType::Email,
            Self::Phone => FieldType::Phone,
            Self::State => FieldType::State,
            Self::Country => FieldType::Country,
            Self::DateOfBirth => FieldType::Date,
            Self::Dnd => FieldType::Bool,
            _ => FieldType::Text,
        })
    }

    /// Whether HighLevel takes the field only when a contact is made: an update with it is refused ("property companyName
    /// should not exist", HighLevel's issues 262 and 313).
    pub fn is_create_only(&self) -> bool {
        matches!(self, Self::Company | Self::Gender)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custom(key) => write!(f, "{CUSTOM}{key}"),
            known => f.write_str(NAMES.iter().find(|(field, _)| field == known).map_or("", |(_, name)| name)),
        }
    }
}

impl FromStr for Field {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(key) = text.strip_prefix(CUSTOM) {
            return Ok(Self::Custom(key.to_owned()));
        }
        let known = NAMES.into_iter().find(|(_, name)| *name == text);
        known.map(|(field, _)| field).ok_or_else(|| format!("`{text}` is not a field of a contact"))
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A contact in the common form. A field that is missing is not known; one that is `""` is known to be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Canonical(BTreeMap<Field, String>);

impl Canonical {
    /// The value of a field; none: not known.
    pub fn get(&self, field: &Field) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// The value of a field, if it is known and not empty.
    pub fn shown(&self, field: &Field) -> Option<&str> {
        self.get(field).filter(|value| !value.is_empty())
    }

    /// Sets a field.
    pub fn set(&mut self, field: Field, value: impl Into<String>) {
        self.0.insert(field, value.into());
    }

    /// Makes a field unknown.
    pub fn remove(&mut self, field: &Field) {
        self.0.remove(field);
    }

    /// Only the custom fields.
    #[must_use]
    pub fn custom_fields(&self) -> Self {
        let custom = self.iter().filter(|(field, _)| matches!(field, Field::Custom(_)));
        custom.map(|(field, value)| (field.clone(), value.to_owned())).collect()
    }

    /// Makes the custom fields unknown; answers whether there were any.
    pub fn remove_custom_fields(&mut self) -> bool {
        let before = self.0.len();
        self.0.retain(|field, _| !matches!(field, Field::Custom(_)));
        self.0.len() < before
    }

    /// Takes over every field that the other one knows.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(field, value)| (field.clone(), value.clone())));
    }

    /// All known fields, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (&Field, &str)> {
        self.0.iter().map(|(field, value)| (field, value.as_str()))
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Why no contact is made of this; none: one is. A name alone is enough: HighLevel asks for nothing but the location
    /// (contacts.json, `CreateContactDto`). Without a name, too, the contact would be of nobody.
    pub fn nobody(&self) -> Option<&'static str> {
        const SAYS_WHO: [Field; 6] =
            [Field::Email, Field::Phone, Field::FirstName, Field::LastName, Field::Name, Field::Company];
        let said = SAYS_WHO.iter().any(|field| self.shown(field).is_some());
        (!said).then_some("neither a name nor an e-mail address nor a phone number: nothing says who it is")
    }
}

impl FromIterator<(Field, String)> for Canonical {
    fn from_iter<I: IntoIterator<Item = (Field, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read_back_from_its_word() {
        let fields = NAMES.into_iter().map(|(field, _)| field).chain([Field::Custom("cscart_status".into())]);
        for field in fields {
            assert_eq!(field.to_string().parse(), Ok(field));
        }
        assert!("shoe_size".parse::<Field>().is_err());
    }
}
