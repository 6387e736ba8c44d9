//! `[connection.settings.fields]`: how a field of HighLevel's gets its value.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Rules by the field that they fill: `company`, or `custom.vip_level` for a custom field with that key.
pub type Fields = BTreeMap<String, FieldRule>;

/// How a field gets its value. Written as text it is only the template:
///
/// ```toml
/// [connection.settings.fields]
/// "custom.vip_level" = "{{ data.user.fields['36'] }}"
/// "custom.newsletter" = { value = "{{ data.user.fields['40'] }}", type = "bool", when_empty = "clear" }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FieldRule {
    /// A template, as in routes.
    pub value: String,
    /// What the value is; none: what the field is, and text for a custom field.
    pub kind: Option<FieldType>,
    /// What an empty value does.
    pub when_empty: WhenEmpty,
    /// Whether a custom field that the location does not have is made.
    pub create: bool,
    /// The name of a field that is made; none: its key with blanks for `_`.
    pub label: Option<String>,
}

/// What a value is, and so how it is normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// Text: entities decoded, no control characters but line ends.
    Text,
    /// A number, as `1234.5`.
    Number,
    /// An amount of money, as `1234.50`.
    Money,
    /// A day, as `2026-11-24`.
    Date,
    /// `true` or `false`.
    Bool,
    /// Several texts.
    List,
    /// A phone number, E.164.
    Phone,
    /// An e-mail address, in lower case.
    Email,
    /// A country, ISO 3166 alpha-2.
    Country,
    /// A state or province: the code of ISO 3166-2 where it is known by name.
    State,
    /// A language, ISO 639-1.
    Language,
}

/// What an empty value does to the field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenEmpty {
    /// Nothing: the field keeps what it has.
    #[default]
    Keep,
    /// The field is emptied.
    Clear,
}

/// The long form, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Long {
    value: String,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<FieldType>,
    #[serde(default)]
    when_empty: WhenEmpty,
    #[serde(default)]
    create: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

impl FieldRule {
    /// A rule with a template and nothing else.
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: value.into(), kind: None, when_empty: WhenEmpty::Keep, create: false, label: None }
    }
}

impl Serialize for FieldRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == Self::new(&self.value) {
            return serializer.serialize_str(&self.value);
        }
        let Self { value, kind, when_empty, create, label } = self.clone();
        Long { value, kind, when_empty, create, label }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FieldRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = FieldRule;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "a template, or a table with `value` and perhaps `type`, `when_empty`, `create`, `label`",
                )
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<FieldRule, E> {
                Ok(FieldRule::new(text))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<FieldRule, A::Error> {
                let long = Long::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                let Long { value, kind, when_empty, create, label } = long;
                Ok(FieldRule { value, kind, when_empty, create, label })
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_in_its_short_and_its_long_form_and_written_back_the_same() {
        let text = r#"
            city = "{{ data.city }}"
            "custom.vip" = { value = "{{ data.vip }}", type = "bool", when_empty = "clear", create = true, label = "VIP" }
        "#;
        let fields: Fields = toml::from_str(text).unwrap();
        assert_eq!(fields["city"], FieldRule::new("{{ data.city }}"));
        assert_eq!((fields["custom.vip"].kind, fields["custom.vip"].create), (Some(FieldType::Bool), true));
        let again: Fields = serde_json::from_value(serde_json::to_value(&fields).unwrap()).unwrap();
        assert_eq!(again, fields);
    }

    #[test]
    fn a_word_that_no_rule_has_is_refused_by_name() {
        let error = toml::from_str::<Fields>(r#"city = { value = "x", typ = "bool" }"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `typ`"), "{error}");
        let error = toml::from_str::<Fields>(r#"city = { value = "x", type = "colour" }"#).unwrap_err();
        assert!(error.to_string().contains("unknown variant `colour`"), "{error}");
    }
}
