//! The custom fields of a location, and values in the shape that each takes.

use std::collections::BTreeMap;

use ghl::{CustomField, CustomFieldId, CustomFieldValue, SearchQuery};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::normalise::{self, each_once, parts, truth};
use super::{Canonical, Field};

/// So many contacts are searched for where one is expected.
const FEW: u32 = 10;

/// So many options a message names.
const NAMED: usize = 12;

/// The custom fields of contacts that a location has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definitions {
    by_key: BTreeMap<String, Definition>,
}

/// One custom field.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// What values go by.
    pub id: CustomFieldId,
    /// Its name, as people see it.
    name: String,
    kind: Kind,
    options: Vec<String>,
}

/// What a field takes (`dataType`; the words are seen in HighLevel's pages, the document says only that it is text).
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// `TEXT`, `LARGE_TEXT`, `EMAIL`, `TIME`, and what is not known.
    Text,
    /// `NUMERICAL`, `FLOAT`, `MONETORY`.
    Number,
    /// `DATE`.
    Date,
    /// `PHONE`.
    Phone,
    /// `SINGLE_OPTIONS`, `RADIO`: one of the options.
    One,
    /// `MULTIPLE_OPTIONS`, `CHECKBOX`: some of the options.
    Many,
    /// `FILE_UPLOAD`, `SIGNATURE`, `TEXTBOX_LIST`: nothing that the bridge has.
    Foreign(String),
}

/// A value as HighLevel takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Wire {
    /// The value.
    pub value: Value,
    /// What of it was left out, and why.
    pub left_out: Option<String>,
}

impl Definitions {
    /// Those of contacts, by their keys without `contact.`.
    pub fn new(fields: &[CustomField]) -> Self {
        let mut definitions = Self::default();
        for field in
            fields.iter().filter(|field| field.model.as_deref().is_none_or(|model| model == "contact"))
        {
            definitions.add(field);
        }
        definitions
    }

    /// Adds one; answers its key.
    pub fn add(&mut self, field: &CustomField) -> Option<String> {
        let key = field.field_key.as_deref()?;
        let key = key.strip_prefix("contact.").unwrap_or(key).to_owned();
        let kind = match field.data_type.as_deref().unwrap_or_default() {
            "NUMERICAL" | "FLOAT" | "MONETORY" => Kind::Number,
            "DATE" => Kind::Date,
            "PHONE" => Kind::Phone,
            "SINGLE_OPTIONS" | "RADIO" => Kind::One,
            "MULTIPLE_OPTIONS" | "CHECKBOX" => Kind::Many,
            other @ ("FILE_UPLOAD" | "SIGNATURE" | "TEXTBOX_LIST") => Kind::Foreign(other.to_owned()),
            _ => Kind::Text,
        };
        let name = field.name.clone().unwrap_or_default();
        let options = field.picklist_options.clone();
        self.by_key.insert(key.clone(), Definition { id: field.id.clone(), name, kind, options });
        Some(key)
    }

    /// The field with this key.
    pub fn get(&self, key: &str) -> Option<&Definition> {
        self.by_key.get(key)
    }

    /// The key of the field with this name: HighLevel makes keys of names, not always the same ones.
    pub fn key_of(&self, name: &str) -> Option<&str> {
        let alike = |field: &Definition| field.name.to_lowercase() == name.to_lowercase();
        self.by_key.iter().find(|(_, field)| alike(field)).map(|(key, _)| key.as_str())
    }

    /// Makes a field known under another key as well.
    pub fn alias(&mut self, key: &str, other: &str) {
        if let Some(definition) = self.by_key.get(other).cloned() {
            self.by_key.insert(key.to_owned(), definition);
        }
    }

    /// Whether there is a field with this id.
    pub fn has_id(&self, id: &CustomFieldId) -> bool {
        self.by_key.values().any(|field| field.id == *id)
    }

    /// Takes out of a contact the custom fields that there are not, and the values that theirs do not take: with a word on
    /// each of these. (Fields that there are not may be those of the defaults, which are there for whoever makes them.)
    pub fn fit(&self, contact: &mut Canonical) -> Vec<String> {
        let mut left_out = Vec::new();
        for (field, value) in contact.custom_fields().iter() {
            let Field::Custom(key) = field else { continue };
            let Some(definition) = self.get(key) else {
                contact.remove(field);
                continue;
            };
            match definition.wire(value) {
                Ok(wire) => left_out.extend(wire.left_out.map(|what| format!("{field} {what}"))),
                Err(why) => {
                    let shown: String = value.chars().take(80).collect();
                    left_out.push(format!("{field} `{shown}`: {why}"));
                    contact.remove(field);
                }
            }
        }
        left_out
    }

    /// A contact's values in the common form. Those of fields that the location does not have are left out.
    pub fn read(&self, values: &[CustomFieldValue]) -> Canonical {
        let mut read = Canonical::default();
        for value in values {
            for (key, field) in &self.by_key {
                if value.id.as_ref() == Some(&field.id)
                    && let Some(text) = field.read(&value.value)
                {
                    read.set(Field::Custom(key.clone()), text);
                }
            }
        }
        read
    }
}

impl Definition {
    /// A value in the shape that the field takes; `""` empties it. An error says why it takes none such.
    pub fn wire(&self, text: &str) -> Result<Wire, String> {
        let whole = |value: Value| Ok(Wire { value, left_out: None });
        if text.is_empty() {
            return whole(json!(""));
        }
        match &self.kind {
            Kind::Text => whole(json!(items(text).map_or_else(|| text.to_owned(), |items| items.join(", ")))),
            Kind::Number => {
                let number = normalise::number(text)?;
                whole(number.parse().map(Value::Number).map_err(|_| "it is not a number".to_owned())?)
            }
            Kind::Date => whole(json!(normalise::day(text, &TimeZone::UTC)?)),
            Kind::Phone => whole(json!(normalise::phone(text, None)?)),
            Kind::One => match self.option(text) {
                Some(option) => whole(json!(option)),
                None => Err(format!("the field has no such option; it has {}", self.named_options())),
            },
            Kind::Many => {
                let wanted = items(text).unwrap_or_else(|| parts(text, ","));
                let (known, unknown): (Vec<_>, Vec<_>) =
                    wanted.iter().partition(|item| self.option(item).is_some());
                if known.is_empty() {
                    return Err(format!("the field has no such option; it has {}", self.named_options()));
                }
                let known =
                    each_once(known.into_iter().filter_map(|item| self.option(item).map(str::to_owned)));
                let unknown: Vec<String> = unknown.into_iter().map(|item| quoted(item)).collect();
                let left_out = (!unknown.is_empty()).then(|| {
                    format!(
                        "{}: the field has no such option; it has {}",
                        unknown.join(", "),
                        self.named_options()
                    )
                });
                Ok(Wire { value: json!(known), left_out })
            }
            Kind::Foreign(kind) => Err(format!("a field of type {kind} cannot be filled from the store")),
        }
    }

    /// What contacts with this value are searched for by; none: the field takes none such.
    ///
    /// HighLevel's document leaves filters open. Programs in public search by `customFields.<id>`; by the field's name in place of its id
    /// nothing is found (HighLevel's issue 42). Whoever searches looks at the answers, and gets on without one.
    pub fn search(&self, location: &ghl::LocationId, text: &str) -> Option<SearchQuery> {
        let value = self.wire(text).ok()?.value;
        let mut query = SearchQuery::new(location.clone());
        query.page_limit = FEW;
        Some(query.filter(&format!("customFields.{}", self.id), "eq", value))
    }

    /// Whether an answer shows what was sent, in whatever form.
    pub fn is_shown(&self, sent: &str, answer: Option<&Value>) -> bool {
        let Ok(sent) = self.wire(sent) else { return true };
        answer.is_some_and(|answer| self.read(answer) == self.read(&sent.value))
    }

    /// Whether two values in the common form are one to HighLevel: ours, and one that it shows.
    pub fn is_same(&self, ours: &str, theirs: &str) -> bool {
        ours == theirs || self.wire(ours).is_ok_and(|wire| self.read(&wire.value).as_deref() == Some(theirs))
    }

    /// The option that is meant: in any case of letters, and for yes and no whatever says so.
    fn option(&self, text: &str) -> Option<&str> {
        let alike =
            self.options.iter().find(|option| option.trim().to_lowercase() == text.trim().to_lowercase());
        let meant = || match text {
            "true" | "false" => self.options.iter().find(|option| truth(option) == Ok(text == "true")),
            _ => None,
        };
        alike.or_else(meant).map(String::as_str)
    }

    fn named_options(&self) -> String {
        if self.options.is_empty() {
            return "none".to_owned();
        }
        let named: Vec<String> = self.options.iter().take(NAMED).map(|option| quoted(option)).collect();
        let more = self.options.len().saturating_sub(NAMED);
        if more == 0 { named.join(", ") } else { format!("{} and {more} more", named.join(", ")) }
    }

    /// A value of HighLevel's in the common form; none: it says nothing that the common form has.
    fn read(&self, value: &Value) -> Option<String> {
        match (&self.kind, value) {
            (Kind::Foreign(_), _) => None,
            (_, Value::Null) => Some(String::new()),
            (Kind::Many, Value::Array(items)) => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                Some(if items.is_empty() { String::new() } else { json!(items).to_string() })
            }
            (Kind::Many, Value::String(text)) => {
                let items = parts(text, ",");
                Some(if items.is_empty() { String::new() } else { json!(items).to_string() })
            }
            (Kind::Number, Value::String(text)) => normalise::number(text).ok(),
            (Kind::Number, Value::Number(number)) => normalise::number(&number.to_string()).ok(),
            // HighLevel shows days as milliseconds, as ISO times and as days.
            (Kind::Date, Value::Number(number)) => normalise::day(&number.to_string(), &TimeZone::UTC).ok(),
            (Kind::Date, Value::String(text)) => normalise::day(text, &TimeZone::UTC).ok(),
            (_, Value::String(text)) => Some(text.clone()),
            (_, Value::Number(number)) => Some(number.to_string()),
            (_, Value::Bool(flag)) => Some(flag.to_string()),
            (_, Value::Array(_) | Value::Object(_)) => None,
        }
    }
}

/// The items of a list in the common form, which is JSON: an item may hold any separator.
fn items(text: &str) -> Option<Vec<String>> {
    text.starts_with('[').then(|| serde_json::from_str(text).ok()).flatten()
}

fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    format!("`{short}`")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(kind: &str, options: &[&str]) -> Definition {
        let field = json!({ "id": "f", "name": "F", "fieldKey": "contact.f", "dataType": kind, "picklistOptions": options });
        let fields: Vec<CustomField> = serde_json::from_value(json!([field])).unwrap();
        Definitions::new(&fields).get("f").unwrap().clone()
    }

    #[test]
    fn each_kind_gets_its_shape() {
        for (kind, options, text, expected) in [
            ("TEXT", &[][..], "hello", json!("hello")),
            ("LARGE_TEXT", &[], r#"["a","b, c"]"#, json!("a, b, c")),
            ("NUMERICAL", &[], "12", json!(12)),
            ("MONETORY", &[], "1234.50", json!(1234.5)),
            ("DATE", &[], "2026-11-24", json!("2026-11-24")),
            ("PHONE", &[], "+12025550143", json!("+12025550143")),
            ("SINGLE_OPTIONS", &["Gold", "Silver"], "gold", json!("Gold")),
            ("RADIO", &["Yes", "No"], "true", json!("Yes")),
            ("CHECKBOX", &["Red", "Blue"], r#"["blue"]"#, json!(["Blue"])),
            ("MULTIPLE_OPTIONS", &["Red", "Blue"], "red, BLUE", json!(["Red", "Blue"])),
            ("SOMETHING_NEW", &[], "x", json!("x")),
        ] {
            assert_eq!(field(kind, options).wire(text).unwrap().value, expected, "{kind} {text}");
        }
        assert_eq!(field("NUMERICAL", &[]).wire("").unwrap().value, json!(""));
    }

    #[test]
    fn an_option_that_the_field_does_not_have_is_left_out_and_those_that_it_has_are_named() {
        let error = field("RADIO", &["Gold", "Silver"]).wire("Bronze").unwrap_err();
        assert_eq!(error, "the field has no such option; it has `Gold`, `Silver`");
        let some = field("CHECKBOX", &["Red", "Blue"]).wire(r#"["Red","Green"]"#).unwrap();
        assert_eq!(some.value, json!(["Red"]));
        assert_eq!(some.left_out.unwrap(), "`Green`: the field has no such option; it has `Red`, `Blue`");
        assert!(field("FILE_UPLOAD", &[]).wire("x").unwrap_err().contains("FILE_UPLOAD"));
        assert!(field("NUMERICAL", &[]).wire("many").is_err());
    }

    #[test]
    fn only_fields_of_contacts_are_taken() {
        let fields =
            json!([{ "id": "o", "fieldKey": "opportunity.f", "model": "opportunity" }, { "id": "n" }]);
        let fields: Vec<CustomField> = serde_json::from_value(fields).unwrap();
        assert_eq!(Definitions::new(&fields), Definitions::default());
    }

    proptest! {
        #[test]
        fn what_was_sent_reads_back_as_it_was(number in -1_000_000_i64..1_000_000, days in 0_i64..30_000, red: bool, blue: bool) {
            let day = jiff::Timestamp::from_second(days * 86_400).unwrap().strftime("%Y-%m-%d").to_string();
            let colours: Vec<&str> = [(red, "Red"), (blue, "Blue")].into_iter().filter_map(|(on, name)| on.then_some(name)).collect();
            let colours = if colours.is_empty() { String::new() } else { json!(colours).to_string() };
            for (kind, text) in [("NUMERICAL", number.to_string()), ("DATE", day), ("CHECKBOX", colours), ("TEXT", "x".into())] {
                let field = field(kind, &["Red", "Blue"]);
                let sent = field.wire(&text).unwrap().value;
                prop_assert_eq!(field.read(&sent), Some(text));
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,40}") {
            for kind in ["TEXT", "NUMERICAL", "DATE", "PHONE", "RADIO", "CHECKBOX", "SIGNATURE"] {
                let field = field(kind, &["A"]);
                let _ = field.wire(&text);
                let _ = field.read(&json!(text));
            }
        }
    }
}
