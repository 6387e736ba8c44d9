//! Reads as much of a store's webhook as is needed to file it: type, time, and whom it is about.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Incoming, ShapeError};
use crate::event::{Source, Subject};
use crate::link::Customer;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    timestamp: Option<Value>,
    data: Data,
}

/// Only the parts that say whom it is about; all of them as loose as CS-Cart is.
#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    user_id: Option<Value>,
    #[serde(default)]
    email: Option<Value>,
    #[serde(default, deserialize_with = "object")]
    user: Option<Who>,
    #[serde(default, deserialize_with = "object")]
    order: Option<Who>,
    #[serde(default, deserialize_with = "object")]
    note: Option<Who>,
    #[serde(default, deserialize_with = "object")]
    cart: Option<Who>,
    #[serde(default, deserialize_with = "object")]
    review: Option<Who>,
    #[serde(default, alias = "newsletter", deserialize_with = "object")]
    subscriber: Option<Who>,
    #[serde(default, deserialize_with = "object")]
    call_request: Option<Who>,
    #[serde(default, deserialize_with = "object")]
    vendor: Option<Vendor>,
}

#[derive(Deserialize)]
struct Who {
    #[serde(default)]
    user_id: Option<Value>,
    #[serde(default)]
    email: Option<Value>,
}

#[derive(Deserialize)]
struct Vendor {
    #[serde(default)]
    company_id: Option<Value>,
}

/// An object; anything else is one of CS-Cart's ways to say that there is none (`""`, `null`, `[]`, `false`).
fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or nothing")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(Object(PhantomData))
}

pub(super) fn read(webhook_id: &str, body: Vec<u8>) -> Result<Incoming, ShapeError> {
    let (kind, subject, occurred_at) = {
        let parsed: Body<'_> = serde_json::from_slice(&body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => ShapeError::NotThisShape(error.to_string()),
            _ => ShapeError::NotJson(error),
        })?;
        if parsed.kind.is_empty() || parsed.kind.len() > 100 {
            return Err(ShapeError::NotThisShape("`type` must have 1 to 100 characters".into()));
        }
        (parsed.kind.to_string(), subject(&parsed.data), occurred_at(parsed.timestamp.as_ref())?)
    };
    Ok(Incoming {
        source: Source::Cscart,
        source_id: webhook_id.to_owned(),
        kind,
        subject,
        occurred_at,
        payload: body,
    })
}

fn subject(data: &Data) -> Subject {
    let candidates =
        [&data.user, &data.order, &data.note, &data.cart, &data.review, &data.subscriber, &data.call_request];
    let who = candidates.into_iter().find_map(Option::as_ref);
    let user_id = number(who.and_then(|who| who.user_id.as_ref())).or_else(|| number(data.user_id.as_ref()));
    let email = text(who.and_then(|who| who.email.as_ref())).or_else(|| text(data.email.as_ref()));
    if let Some(id) = user_id {
        return Subject::customer(&Customer::User(id));
    }
    if let Some(email) = email {
        return Subject::customer(&Customer::Guest(email));
    }
    match data.vendor.as_ref().and_then(|vendor| number(vendor.company_id.as_ref())) {
        Some(id) => Subject::other(format!("vendor:{id}")),
        None => Subject::other("store"),
    }
}

/// A positive number, also when it is written as text. CS-Cart's 0 means "none".
fn number(value: Option<&Value>) -> Option<u64> {
    let number = match value? {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (number > 0).then_some(number)
}

fn text(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?.trim().to_lowercase();
    (!text.is_empty()).then_some(text)
}

fn occurred_at(value: Option<&Value>) -> Result<Option<Timestamp>, ShapeError> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    let parsed = match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().and_then(|seconds| Timestamp::from_second(seconds).ok()),
        _ => None,
    };
    parsed.map(Some).ok_or_else(|| {
        ShapeError::NotThisShape(format!(
            "`timestamp` must be a time such as 2026-11-24T12:00:00Z, and is {value}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(body: &str) -> Result<Incoming, ShapeError> {
        read("msg_1", body.as_bytes().to_vec())
    }

    #[test]
    fn the_subject_is_the_customer_whatever_the_event() {
        for (data, subject) in [
            (r#"{"user":{"user_id":42}}"#, "customer:42"),
            (r#"{"user":{"user_id":"42","email":"a@b.c"}}"#, "customer:42"),
            (r#"{"user":{"user_id":0,"email":" Ada@Example.COM ","guest":true}}"#, "guest:ada@example.com"),
            (r#"{"note":{"note_id":"7","user_id":"42"}}"#, "customer:42"),
            (r#"{"user_id":"42","tags":["vip"]}"#, "customer:42"),
            (r#"{"order":{"order_id":"9","user_id":"0","email":"a@b.c"}}"#, "guest:a@b.c"),
            (r#"{"vendor":{"company_id":"3"}}"#, "vendor:3"),
            ("{}", "store"),
        ] {
            let body =
                format!(r#"{{"type":"x","timestamp":"2026-11-24T12:00:00Z","store":{{}},"data":{data}}}"#);
            assert_eq!(read_text(&body).unwrap().subject.as_str(), subject, "{data}");
        }
    }

    #[test]
    fn what_is_not_of_the_agreed_form_is_told_from_what_is_not_json() {
        assert!(matches!(read_text("{"), Err(ShapeError::NotJson(_))));
        assert!(matches!(read_text("[]"), Err(ShapeError::NotThisShape(_))));
        assert!(matches!(read_text(r#"{"type":"x"}"#), Err(ShapeError::NotThisShape(_))));
        assert!(matches!(read_text(r#"{"type":"","data":{}}"#), Err(ShapeError::NotThisShape(_))));
        assert!(matches!(
            read_text(r#"{"type":"x","data":{},"timestamp":"noon"}"#),
            Err(ShapeError::NotThisShape(_))
        ));
    }
}
