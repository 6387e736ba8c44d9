//! What the routes and the mapping of a connection may use.

mod fields;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sync::normalise;

pub use fields::{FieldRule, FieldType, Fields, WhenEmpty};

/// What the routes of a connection may use as `settings`. Every key has a default that suits a plain store.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The tags that every customer's contact gets.
    pub customer_tags: Vec<String>,
    /// The tags that a contact gets when an order is placed.
    pub order_tags: Vec<String>,
    /// The task that welcomes a new customer.
    pub welcome_task: WelcomeTask,
    /// Where the store's own id and status of a customer go.
    pub custom_fields: CustomFields,
    /// ISO 3166 alpha-2 code of the country assumed for phone numbers without one, such as `US`.
    pub default_country: Option<String>,
    /// The time zone of the connection, such as `Europe/Berlin` (IANA): in it times become days, and scheduled routes run; none:
    /// that of the bridge, `time_zone` in `cartbridge.toml`.
    pub time_zone: Option<String>,
    /// What HighLevel's fields get beside the default mapping, or in place of it: `docs/mapping.md`.
    pub fields: Fields,
    /// Values of the owner's own for routes, under names of his own: a route sees `settings.values.pipeline`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Value>,
    /// Routes that this connection switches on or off by their ids, whatever their files say.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<String, bool>,
}

impl Settings {
    /// The names of all of them.
    pub const KEYS: [&str; 9] = [
        "customer_tags",
        "order_tags",
        "welcome_task",
        "custom_fields",
        "default_country",
        "time_zone",
        "fields",
        "values",
        "routes",
    ];

    /// What is wrong with the default country.
    pub fn mistake_in_country(&self) -> Option<String> {
        let given = self.default_country.as_deref()?;
        let mend = match normalise::country(given) {
            Ok(code) if code.eq_ignore_ascii_case(given) => return None,
            Ok(code) => format!("; did you mean `{code}`?"),
            Err(_) => String::new(),
        };
        Some(format!("`settings.default_country` is `{given}`, and no two-letter code of a country{mend}"))
    }

    /// Without a time zone of its own the connection is in this one.
    pub fn settle_in(&mut self, zone: &TimeZone) {
        if self.time_zone.is_none() && *zone != TimeZone::UTC {
            self.time_zone = zone.iana_name().map(str::to_owned);
        }
    }

    /// The time zone, UTC if none is named; an error says what is wrong with its name.
    pub fn zone(&self) -> Result<TimeZone, String> {
        normalise::time_zone(self.time_zone.as_deref())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            customer_tags: vec!["cs-cart".into(), "customer".into()],
            order_tags: vec!["cs-cart".into(), "buyer".into()],
            welcome_task: WelcomeTask::default(),
            custom_fields: CustomFields::default(),
            default_country: None,
            time_zone: None,
            fields: Fields::default(),
            values: BTreeMap::new(),
            routes: BTreeMap::new(),
        }
    }
}

/// The task that welcomes a new customer. Title and text are templates, as in routes.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct WelcomeTask {
    /// Whether it is made at all.
    pub enabled: bool,
    /// Its title.
    pub title: String,
    /// Its text.
    pub text: String,
    /// Days from the registration until it is due.
    pub due_in_days: u16,
    /// HighLevel's id of the user who gets it; none: nobody in particular.
    pub assigned_to: Option<String>,
}

impl Default for WelcomeTask {
    fn default() -> Self {
        Self {
            enabled: true,
            title: "Welcome {{ contact.first_name or contact.email }}".into(),
            text: "New customer of {{ store.url }}: say hello and ask how we can help.".into(),
            due_in_days: 1,
            assigned_to: None,
        }
    }
}

/// Keys of HighLevel custom fields that receive what a contact has no field of its own for. HighLevel ignores keys that the
/// location does not have; make such fields there to see the values.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct CustomFields {
    /// Receives the store's customer id; empty: it is not sent.
    pub customer_id: String,
    /// Receives the customer's status: `active`, `disabled` or `pending`; empty: it is not sent.
    pub status: String,
}

impl Default for CustomFields {
    fn default() -> Self {
        Self { customer_id: "cscart_customer_id".into(), status: "cscart_status".into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_settings_are_those_that_routes_see() {
        let full = Settings {
            values: [("a".to_owned(), Value::Null)].into(),
            routes: [("a".to_owned(), true)].into(),
            ..Settings::default()
        };
        let shown = serde_json::to_value(&full).unwrap();
        let mut names: Vec<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
        let mut known = Settings::KEYS;
        names.sort_unstable();
        known.sort_unstable();
        assert_eq!(names, known);
    }
}
