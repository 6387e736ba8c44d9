//! A value of any kind in the common form.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::normalise::{self, each_once, first_bytes, parts};
use crate::connection::FieldType;

/// The longest text of a field, in bytes. HighLevel's documents name no limit; this is more than any form field holds.
const MAX_TEXT: usize = 5000;

/// The most items of a list.
const MAX_ITEMS: usize = 200;

/// What a value is read by.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The customer's country, ISO 3166 alpha-2.
    pub country: Option<&'a str>,
    /// The time zone in which times become days.
    pub zone: &'a TimeZone,
}

/// A value in its normal form: the text, `""` where there is nothing; and what of it was left out.
pub type Typed = (String, Option<String>);

/// Reads a value as what it is meant to be; an error says why it is none.
pub fn typed(kind: FieldType, value: &Value, around: Around<'_>) -> Result<Typed, String> {
    if kind == FieldType::List {
        return list(value);
    }
    let raw = scalar(value)?;
    let text = raw.trim();
    if text.is_empty() {
        return Ok((String::new(), None));
    }
    if kind == FieldType::Text {
        return Ok(limited(&clean(text)));
    }
    if text.len() > MAX_TEXT {
        return Err(format!("it has more than {MAX_TEXT} bytes"));
    }
    let read = match kind {
        FieldType::Text | FieldType::List => Ok(clean(text)),
        FieldType::Number => normalise::number(text),
        FieldType::Money => normalise::money(text, None),
        FieldType::Date => normalise::day(text, around.zone),
        FieldType::Bool => normalise::truth(text).map(|truth| truth.to_string()),
        FieldType::Phone => normalise::phone(text, around.country),
        FieldType::Email => normalise::email(text),
        FieldType::Country => normalise::country(text),
        FieldType::State => Ok(normalise::state(text, around.country)),
        FieldType::Language => normalise::language_code(text),
    };
    Ok((read?, None))
}

/// A text of the store in at most so many bytes as a field may have, and what is said where that was cut.
pub(super) fn limited(text: &str) -> Typed {
    let kept = first_bytes(text, MAX_TEXT);
    let cut = (kept.len() < text.len())
        .then(|| format!("only its first {MAX_TEXT} bytes are sent: it has {}", text.len()));
    (kept.to_owned(), cut)
}

/// Entities as characters, line ends as they are, no other control characters.
fn clean(text: &str) -> String {
    let text = normalise::note_text(text);
    let text: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    text.trim().to_owned()
}

fn list(value: &Value) -> Result<Typed, String> {
    let items: Vec<String> = match value {
        Value::Array(items) => items.iter().map(scalar).collect::<Result<_, _>>()?,
        Value::Object(members) => members.values().map(scalar).collect::<Result<_, _>>()?,
        one => parts(&scalar(one)?, ","),
    };
    let mut items = each_once(items.iter().map(|item| normalise::line(item)));
    let more = items.len().saturating_sub(MAX_ITEMS);
    items.truncate(MAX_ITEMS);
    if items.iter().map(String::len).sum::<usize>() > MAX_TEXT {
        return Err(format!("its items have more than {MAX_TEXT} bytes"));
    }
    let text = if items.is_empty() { String::new() } else { json!(items).to_string() };
    Ok((text, (more > 0).then(|| format!("{more} of its items: {MAX_ITEMS} are the most"))))
}

fn scalar(value: &Value) -> Result<String, String> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(scalar).collect::<Result<_, _>>()?;
            Ok(items.join(", "))
        }
        Value::Object(_) => Err("it is an object and not text: name one of its members".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(kind: FieldType, value: Value) -> Result<Typed, String> {
        typed(kind, &value, Around { country: Some("US"), zone: &TimeZone::UTC })
    }

    #[test]
    fn each_type_has_one_form() {
        for (kind, value, expected) in [
            (FieldType::Text, json!(" Tom &amp; Jerry\r\nInc. \u{7}"), "Tom & Jerry\nInc."),
            (FieldType::Text, json!(["a", 2]), "a, 2"),
            (FieldType::Number, json!("1,234.50"), "1234.5"),
            (FieldType::Number, json!(7), "7"),
            (FieldType::Money, json!("$1,234.5"), "1234.50"),
            (FieldType::Date, json!(1_764_000_000), "2025-11-24"),
            (FieldType::Bool, json!("Y"), "true"),
            (FieldType::Bool, json!(false), "false"),
            (FieldType::List, json!("red, blue,red"), r#"["red","blue"]"#),
            (FieldType::List, json!({ "1": "x", "2": "y" }), r#"["x","y"]"#),
            (FieldType::Phone, json!("(202) 555-0143"), "+12025550143"),
            (FieldType::Email, json!(" A@X.test "), "a@x.test"),
            (FieldType::Country, json!("Germany"), "DE"),
            (FieldType::State, json!("California"), "CA"),
            (FieldType::Language, json!("German"), "de"),
        ] {
            assert_eq!(read(kind, value.clone()), Ok((expected.to_owned(), None)), "{kind:?} {value}");
            assert_eq!(read(kind, json!(" ")), Ok((String::new(), None)), "{kind:?}");
            assert_eq!(read(kind, Value::Null), Ok((String::new(), None)), "{kind:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_or_refused_with_a_word() {
        let (text, cut) = read(FieldType::Text, json!("ä".repeat(10_000_000))).unwrap();
        assert_eq!(
            (text.len(), cut.unwrap().as_str()),
            (5000, "only its first 5000 bytes are sent: it has 20000000")
        );
        assert!(read(FieldType::Number, json!("9".repeat(6000))).unwrap_err().contains("5000 bytes"));
        assert!(read(FieldType::List, json!(["x".repeat(6000)])).is_err());
        assert!(read(FieldType::Text, json!({ "a": 1 })).unwrap_err().contains("object"));
    }

    fn any_type() -> impl Strategy<Value = FieldType> {
        use FieldType as T;
        proptest::sample::select(
            [
                T::Text,
                T::Number,
                T::Money,
                T::Date,
                T::Bool,
                T::List,
                T::Phone,
                T::Email,
                T::Country,
                T::State,
                T::Language,
            ]
            .as_slice(),
        )
    }

    proptest! {
        #[test]
        fn a_normal_form_stays_as_it_is(kind in any_type(), raw in "[^&]{0,40}") {
            if let Ok((text, _)) = read(kind, json!(raw)) {
                let again = if kind == FieldType::List { serde_json::from_str(&text).unwrap_or(json!("")) } else { json!(text) };
                prop_assert_eq!(read(kind, again), Ok((text, None)));
            }
        }
    }
}
