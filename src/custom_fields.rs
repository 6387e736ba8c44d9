//! What is known of the custom fields of each location: what there was when it was last looked, and what has been made since.
//! One memory for all that needs it: calls are made by whoever misses something.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::connection::{AppInLocation, FieldRule, FieldType};
use crate::flow::FieldMap;
use crate::sync::{Canonical, Definitions, Field};

/// What was looked up in vain is not looked up again for so long.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// What is known of each location's custom fields. Cheap to clone; all clones know the same.
#[derive(Debug, Clone, Default)]
pub struct CustomFields(Arc<Mutex<HashMap<AppInLocation, Arc<tokio::sync::Mutex<Known>>>>>);

impl CustomFields {
    /// Those of one location.
    pub fn of(&self, location: AppInLocation) -> Arc<tokio::sync::Mutex<Known>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(location).or_default())
    }
}

/// What is known of one location's.
#[derive(Debug, Default)]
pub struct Known {
    /// What there is.
    pub definitions: Arc<Definitions>,
    /// When they were fetched; none: never, or something has happened since that they may not show.
    pub fetched: Option<Timestamp>,
    /// When it was last looked into why an answer does not show what was sent.
    pub doubted: Option<Timestamp>,
    /// Fields that HighLevel has refused to make, and when.
    pub refused: HashMap<String, (Timestamp, String)>,
}

impl Known {
    /// Takes over what HighLevel says that there is.
    pub fn take_over(&mut self, fields: &[ghl::CustomField], now: Timestamp) {
        self.definitions = Arc::new(Definitions::new(fields));
        self.fetched = Some(now);
    }

    /// Whether it is so long ago that they were fetched that it is worth a call to look again.
    pub fn is_old(&self, now: Timestamp) -> bool {
        self.fetched.is_none_or(|fetched| now.duration_since(fetched) >= PATIENCE)
    }

    /// Whether one of a contact's custom fields may have been made since they were fetched, before this was asked.
    pub fn may_lack(&self, contact: &Canonical, asked: Timestamp) -> bool {
        let is_missing = |field: &Field| match field {
            Field::Custom(key) => self.definitions.get(key).is_none(),
            _ => false,
        };
        self.fetched.is_none_or(|fetched| fetched < asked)
            && contact.iter().any(|(field, _)| is_missing(field))
    }

    /// Whether there is a field, by its key or by its name. One that is known by its name is from now on known by the key as
    /// well.
    pub fn has(&mut self, wanted: Wanted<'_>) -> bool {
        if self.definitions.get(wanted.key).is_some() {
            return true;
        }
        let named =
            if wanted.rule.create || wanted.rule.label.is_some() { Some(wanted.label()) } else { None };
        let Some(other) = named.and_then(|name| self.definitions.key_of(&name).map(str::to_owned)) else {
            return false;
        };
        Arc::make_mut(&mut self.definitions).alias(wanted.key, &other);
        true
    }
}

/// A custom field that a rule fills.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Its key.
    pub key: &'a str,
    /// The rule.
    pub rule: &'a FieldRule,
    /// What the rule's values are.
    pub kind: FieldType,
}

/// The custom fields that the rules of a connection fill.
pub fn wanted(fields: &FieldMap) -> impl Iterator<Item = Wanted<'_>> {
    fields.custom().map(|(key, rule, kind)| Wanted { key, rule, kind })
}

impl Wanted<'_> {
    /// The field of the contact.
    pub fn field(&self) -> Field {
        Field::Custom(self.key.to_owned())
    }

    /// The name of a field that is made: HighLevel makes the key of it.
    pub fn label(&self) -> String {
        self.rule.label.clone().unwrap_or_else(|| {
            let words = self.key.replace('_', " ");
            let mut letters = words.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        })
    }

    /// What HighLevel calls its type. Yes and no are text: a field with options cannot be made by what is documented.
    pub fn data_type(&self) -> &'static str {
        match self.kind {
            FieldType::Number => "NUMERICAL",
            FieldType::Money => "MONETORY",
            FieldType::Date => "DATE",
            FieldType::Phone => "PHONE",
            FieldType::Text
            | FieldType::Bool
            | FieldType::List
            | FieldType::Email
            | FieldType::Country
            | FieldType::State
            | FieldType::Language => "TEXT",
        }
    }

    /// Says that the location does not have it, and nobody is to make it.
    pub fn missing(&self) -> String {
        format!(
            "{}: the location has no such field: make it in HighLevel, or let the bridge make it with `create = true`",
            self.field()
        )
    }
}
