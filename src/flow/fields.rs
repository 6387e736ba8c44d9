//! The mapping of a connection's settings: templates that fill HighLevel's fields beside the default mapping.

use jiff::tz::TimeZone;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Deserialize;

use super::expression::{Names, Template, tree};
use crate::connection::{Connection, ConnectionName, FieldRule, FieldType, Settings, WhenEmpty};
use crate::sync::{self, Around, Canonical, Field, Mapped, Problem, normalise, typed};

/// What stands before a custom field's key in the settings.
const CUSTOM: &str = "custom.";

/// The longest key of a custom field, in bytes.
const MAX_KEY: usize = 100;

/// The rules of a connection, compiled.
#[derive(Debug)]
pub struct FieldMap {
    rules: Vec<Rule>,
    /// In which times become days.
    zone: TimeZone,
    /// What is wrong with the others.
    mistakes: Vec<String>,
}

#[derive(Debug)]
struct Rule {
    field: Field,
    template: Template,
    kind: FieldType,
    written: FieldRule,
}

impl Rule {
    /// Whether an empty value empties the field: where the event says anything of what the template looks at. The store's REST
    /// API gives customers without their profile fields, and an order says nothing of a newsletter: missing is not empty.
    fn clears(&self, seen: &Seen<'_>) -> bool {
        let looks_at = self.template.looks_at();
        let mut data = looks_at.iter().filter_map(|path| path.strip_prefix("data.")).peekable();
        let says = |path: &str| path.split('.').try_fold(seen.data, |value, name| value.get(name)).is_some();
        self.written.when_empty == WhenEmpty::Clear && (data.peek().is_none() || data.any(says))
    }
}

/// What an event shows to the rules.
#[derive(Debug)]
pub struct Seen<'a> {
    /// What happened, as the side that it happened on calls it: `customer.created`.
    pub kind: &'a str,
    /// When it happened.
    pub occurred_at: jiff::Timestamp,
    /// The connection.
    pub connection: &'a ConnectionName,
    /// Its settings.
    pub settings: &'a Settings,
    /// `store` of the event's body.
    pub store: &'a serde_json::Value,
    /// `data` of the event's body.
    pub data: &'a serde_json::Value,
}

/// A part of an event's body that has not the agreed form.
#[derive(Debug, thiserror::Error)]
#[error("`data.{part}` has not the agreed form: {why}")]
pub struct NotAgreed {
    part: &'static str,
    why: serde_json::Error,
}

impl FieldMap {
    /// Compiles the rules. What is wrong with any is kept, and said wherever it is applied: see [`FieldMap::mistakes`].
    pub fn compile(settings: &Settings) -> Self {
        let mut map = Self { rules: Vec::new(), zone: TimeZone::UTC, mistakes: Vec::new() };
        for (name, rule) in &settings.fields {
            match compile(name, rule) {
                Ok(rule) => map.rules.push(rule),
                Err(what) => map.mistakes.push(format!("`settings.fields` → `{name}`: {what}")),
            }
        }
        match settings.zone() {
            Ok(zone) => map.zone = zone,
            Err(what) => map.mistakes.push(format!("`settings.time_zone`: {what}")),
        }
        map
    }

    /// What is wrong with the rules.
    pub fn mistakes(&self) -> &[String] {
        &self.mistakes
    }

    /// Whether there is any rule for a custom field: then the location's definitions are needed.
    pub fn has_custom(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.field, Field::Custom(_)))
    }

    /// The custom fields that are filled, by their keys, with the type of what fills them.
    pub fn custom(&self) -> impl Iterator<Item = (&str, &FieldRule, FieldType)> {
        self.rules.iter().filter_map(|rule| match &rule.field {
            Field::Custom(key) => Some((key.as_str(), &rule.written, rule.kind)),
            _ => None,
        })
    }

    /// A customer as an event shows him, or whoever placed its order: by the default mapping, then by the rules. None: it shows
    /// nobody. This is the only way from the store's customers to contacts, for events and for jobs.
    pub fn customer(&self, seen: &Seen<'_>) -> Result<Option<Mapped>, NotAgreed> {
        let mut mapped = if let Some(user) = seen.data.get("user") {
            sync::from_user(&read(user, "user")?, seen.settings)
        } else if let Some(order) = seen.data.get("order") {
            sync::from_order(&read(order, "order")?, seen.settings)
        } else {
            return Ok(None);
        };
        self.apply(seen, &mut mapped);
        Ok(Some(mapped))
    }

    /// Fills fields: beside what the default mapping has filled, or in its place. A value that cannot be read is left out,
    /// and with it what the default mapping had.
    fn apply(&self, seen: &Seen<'_>, mapped: &mut Mapped) {
        if self.rules.is_empty() {
            return;
        }
        let variables = seen.variables(&mapped.contact);
        for rule in &self.rules {
            let country = mapped.contact.shown(&Field::Country).or(seen.settings.default_country.as_deref());
            let country = country.map(str::to_ascii_uppercase);
            let around = Around { country: country.as_deref(), zone: &self.zone };
            let value = rule.template.render(&variables);
            let value =
                value.and_then(|value| serde_json::to_value(&value).map_err(|error| error.to_string()));
            let shown = value.as_ref().map(shown).unwrap_or_default();
            let mut problem = |why: String| {
                let value = normalise::first_bytes(&shown, 400).to_owned();
                mapped.problems.push(Problem { field: rule.field.clone(), value, why });
            };
            match value.and_then(|value| typed(rule.kind, &value, around)) {
                Ok((text, left_out)) => {
                    left_out.into_iter().for_each(&mut problem);
                    if text.is_empty() && !rule.clears(seen) {
                        mapped.contact.remove(&rule.field);
                    } else {
                        mapped.contact.set(rule.field.clone(), text);
                    }
                }
                Err(why) => {
                    problem(why);
                    mapped.contact.remove(&rule.field);
                }
            }
        }
    }
}

impl<'a> Seen<'a> {
    /// What the body of an event shows.
    pub fn of_body(
        kind: &'a str,
        occurred_at: jiff::Timestamp,
        connection: &'a Connection,
        body: &'a serde_json::Value,
    ) -> Self {
        const NOTHING: &serde_json::Value = &serde_json::Value::Null;
        Self {
            kind,
            occurred_at,
            connection: &connection.name,
            settings: &connection.settings,
            store: body.get("store").unwrap_or(NOTHING),
            data: body.get("data").unwrap_or(NOTHING),
        }
    }

    fn variables(&self, contact: &Canonical) -> Value {
        let contact: std::collections::BTreeMap<String, &str> =
            contact.iter().map(|(field, value)| (field.to_string(), value)).collect();
        context! {
            event => context! { type => self.kind, occurred_at => self.occurred_at.to_string() },
            connection => context! { name => self.connection.as_str() },
            settings => Value::from(Serde(self.settings)),
            store => tree(self.store),
            data => tree(self.data),
            contact => Value::from(Serde(contact)),
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(value: &serde_json::Value, part: &'static str) -> Result<T, NotAgreed> {
    T::deserialize(value).map_err(|why| NotAgreed { part, why })
}

fn compile(name: &str, rule: &FieldRule) -> Result<Rule, String> {
    let field = match name.strip_prefix(CUSTOM) {
        Some(key) => Field::Custom(key_of(key)?.to_owned()),
        None => standard(name)?,
    };
    let template = Template::parse(&toml::Value::String(rule.value.clone()), &Names::default())?;
    let kind = match (field.kind(), rule.kind) {
        (Some(own), Some(given)) if own != given => {
            return Err(format!("`type` cannot be changed: the field has its own ({own:?})").to_lowercase());
        }
        (own, given) => own.or(given).unwrap_or(FieldType::Text),
    };
    if field.kind().is_some() && (rule.create || rule.label.is_some()) {
        return Err("`create` and `label` are for custom fields".to_owned());
    }
    if rule.create && kind == FieldType::List {
        return Err("a field with options cannot be made: make it in HighLevel, with its options, and take `create` away"
            .to_owned());
    }
    Ok(Rule { field, template, kind, written: rule.clone() })
}

fn key_of(key: &str) -> Result<&str, String> {
    let fits = (1..=MAX_KEY).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    fits.then_some(key).ok_or_else(|| {
        "a custom field's key is of a-z, 0-9 and `_`: HighLevel shows it as `{{ contact.key }}` beside the field".to_owned()
    })
}

fn standard(name: &str) -> Result<Field, String> {
    name.parse().map_err(|why: String| {
        let mend = crate::mistake::nearest(name, Field::names());
        format!("{why}: {mend}; a custom field is written `custom.its_key`")
    })
}

/// A value as a problem shows it.
fn shown(value: &serde_json::Value) -> String {
    match value.as_str() {
        Some(text) => normalise::first_bytes(text, 400).to_owned(),
        None => normalise::first_bytes(&value.to_string(), 400).to_owned(),
    }
}

#[cfg(test)]
mod tests;
