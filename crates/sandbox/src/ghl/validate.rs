//! Request bodies checked as `NestJS`' validation pipe does it (class-validator, whitelist on): every complaint in
//! one list, unknown properties refused by name.

use serde_json::{Map, Value};

use super::{countries, refusal::Refusal};
use crate::clock;

/// What a property may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Bool,
    Number,
    Texts,
    Email,
    Country,
    /// Any of the eight formats that CreateContactDto.dateOfBirth names.
    Birthday,
    IsoDate,
    OneOf(&'static [&'static str]),
    CustomFields,
    Dnd(&'static [&'static str], &'static [&'static str]),
    Objects,
    /// Checked by whoever reads it.
    Any,
}

/// One property of a DTO in the OpenAPI documents.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Property {
    name: &'static str,
    kind: Kind,
    required: bool,
    nullable: bool,
}

/// A property that may be left out.
pub(crate) const fn may(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, required: false, nullable: false }
}

/// A property that may be left out or null.
pub(crate) const fn null(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, required: false, nullable: true }
}

/// A property that must be there.
pub(crate) const fn must(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, required: true, nullable: false }
}

/// `DndSettingsSchema` and `InboundDndSettingsSchema`.
pub(crate) const DND: Kind =
    Kind::Dnd(&["Call", "Email", "SMS", "WhatsApp", "GMB", "FB"], &["active", "inactive", "permanent"]);
pub(crate) const INBOUND_DND: Kind = Kind::Dnd(&["all"], &["active", "inactive"]);

/// Checks `body` against `properties`; all complaints at once.
pub(crate) fn check(body: &Map<String, Value>, properties: &[Property]) -> Result<(), Refusal> {
    let mut complaints: Vec<String> = body
        .keys()
        .filter(|key| !properties.iter().any(|property| property.name == *key))
        .map(|key| format!("property {key} should not exist"))
        .collect();
    for property in properties {
        match body.get(property.name) {
            None if !property.required => {}
            Some(Value::Null) if property.nullable => {}
            value => property.check(value.unwrap_or(&Value::Null), &mut complaints),
        }
    }
    if complaints.is_empty() { Ok(()) } else { Err(Refusal::invalid(complaints)) }
}

impl Property {
    fn check(&self, value: &Value, complaints: &mut Vec<String>) {
        let name = self.name;
        let mut complain = |what: &str| complaints.push(format!("{name} {what}"));
        let empty = matches!(value, Value::Null) || value.as_str().is_some_and(str::is_empty);
        if self.required && empty {
            complain("should not be empty");
        }
        match self.kind {
            Kind::Text if !value.is_string() => complain("must be a string"),
            Kind::Bool if !value.is_boolean() => complain("must be a boolean value"),
            Kind::Number if !value.is_number() => {
                complain("must be a number conforming to the specified constraints");
            }
            Kind::Objects if !value.is_array() => complain("must be an array"),
            Kind::Texts => match value.as_array() {
                None => {
                    complain("must be an array");
                    complaints.push(format!("each value in {name} must be a string"));
                }
                Some(list) if !list.iter().all(Value::is_string) => {
                    complaints.push(format!("each value in {name} must be a string"));
                }
                Some(_) => {}
            },
            Kind::Email => match value.as_str() {
                Some(text) if is_email(text) => {}
                _ => complain("must be an email"),
            },
            Kind::Country => match value.as_str() {
                None => complain("must be a string"),
                Some(code) if code.is_empty() || countries::is_country(code) => {}
                Some(_) => complain("must be a valid enum value"),
            },
            Kind::Birthday => match value.as_str() {
                Some("") => {}
                Some(text) if birthday(text).is_some() => {}
                _ => complain("must be a valid date"),
            },
            Kind::IsoDate if value.as_str().and_then(clock::parse_iso).is_none() => {
                complain("must be a valid ISO 8601 date string");
            }
            Kind::OneOf(allowed) if !value.as_str().is_some_and(|it| allowed.contains(&it)) => {
                complain(&format!("must be one of the following values: {}", allowed.join(", ")));
            }
            Kind::CustomFields => check_custom_fields(name, value, complaints),
            Kind::Dnd(channels, statuses) => check_dnd(name, value, channels, statuses, complaints),
            _ => {}
        }
    }
}

/// `customFields`: objects with `id` or `key`, and `field_value` (OpenAPI) or `fieldValue` (n8n's issue 35392). A
/// nested `fieldId` object is refused (n8n's issue 20474).
fn check_custom_fields(name: &str, value: &Value, complaints: &mut Vec<String>) {
    let Some(list) = value.as_array() else {
        complaints.push(format!("{name} must be an array"));
        return;
    };
    for (index, item) in list.iter().enumerate() {
        let Some(item) = item.as_object() else {
            complaints.push(format!("each value in nested property {name} must be either object or array"));
            continue;
        };
        for key in item.keys() {
            if !["id", "key", "field_value", "fieldValue"].contains(&key.as_str()) {
                complaints.push(format!("{name}.{index}.property {key} should not exist"));
            }
        }
        let named = ["id", "key"].iter().filter_map(|key| item.get(*key)).collect::<Vec<_>>();
        if named.is_empty() || !named.iter().all(|it| it.as_str().is_some_and(|text| !text.is_empty())) {
            complaints.push(format!("{name}.{index}.id must be a string"));
        }
    }
}

fn check_dnd(name: &str, value: &Value, channels: &[&str], statuses: &[&str], complaints: &mut Vec<String>) {
    let Some(settings) = value.as_object() else {
        complaints.push(format!("{name} must be an object"));
        return;
    };
    for (channel, setting) in settings {
        if !channels.contains(&channel.as_str()) {
            complaints.push(format!("{name}.property {channel} should not exist"));
        } else if !setting["status"].as_str().is_some_and(|status| statuses.contains(&status)) {
            complaints.push(format!(
                "{name}.{channel}.status must be one of the following values: {}",
                statuses.join(", ")
            ));
        }
    }
}

/// One `@`, something before it, and a dotted name of plain labels behind it.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|it| it.is_alphanumeric() || it == '-')
    };
    !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|it| !it.is_whitespace() && !it.is_control() && !"\"(),:;<>@[\\]".contains(it))
        && domain.contains('.')
        && domain.split('.').all(plain)
        && domain.rsplit('.').next().is_some_and(|top| top.chars().count() >= 2)
}

/// A birthday in one of the formats of CreateContactDto.dateOfBirth, or a full instant, as `YYYY-MM-DD`.
pub(crate) fn birthday(text: &str) -> Option<String> {
    let day = text.split('T').next()?;
    let separator = day.chars().find(|it| !it.is_ascii_digit())?;
    if !"/-._".contains(separator) {
        return None;
    }
    let parts: Vec<&str> = day.split(separator).collect();
    let [first, second, third] = parts[..] else { return None };
    let (year, month, day) = match (first.len(), third.len()) {
        (4, 2) => (first, second, third),
        (2, 4) => (third, first, second),
        _ => return None,
    };
    let date = jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    Some(date.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_an_email_only_with_a_dotted_domain() {
        for good in ["rosan@deos.com", "a.b+c@mail.example.co", "jörg@bücher.de"] {
            assert!(is_email(good), "{good}");
        }
        for bad in
            ["", "rosan", "rosan@", "@deos.com", "rosan@deos", "a b@deos.com", "a..b@deos.com", "a@-x.com"]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn every_documented_birthday_format_is_read() {
        for text in [
            "1990/09/25",
            "09/25/1990",
            "1990-09-25",
            "09-25-1990",
            "1990.09.25",
            "09.25.1990",
            "1990_09_25",
            "09_25_1990",
        ] {
            assert_eq!(birthday(text).as_deref(), Some("1990-09-25"), "{text}");
        }
        assert_eq!(birthday("25.09.1990"), None);
        assert_eq!(birthday("653961600"), None);
    }

    #[test]
    fn all_complaints_come_in_one_list() {
        let body = json!({ "bogus": 1, "completed": "yes" });
        let properties = [must("title", Kind::Text), must("completed", Kind::Bool)];
        let refusal = check(body.as_object().unwrap(), &properties).unwrap_err();
        assert_eq!(
            refusal.body("t")["message"],
            json!([
                "property bogus should not exist",
                "title should not be empty",
                "title must be a string",
                "completed must be a boolean value"
            ])
        );
    }
}
