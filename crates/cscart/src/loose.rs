//! Readers for values that CS-Cart writes in more than one way, and writers that put them back.
//!
//! PHP and its database are loose: numbers come as strings, what is missing comes as `""`, `null`, `"0"`,
//! `false` or not at all, an empty map comes as `[]`, and a list with a gap in its keys comes as a map.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer, Serializer,
    de::{self, DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(text))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    /// As PHP turns a boolean into text: `true` is "1"; `false` is its word for a value that is not there.
    fn visit_bool<E: de::Error>(self, yes: bool) -> Result<Self::Value, E> {
        Ok(yes.then(|| "1".to_owned()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    /// `[]` is nothing; a list with something in it is no text.
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        match items.next_element::<IgnoredAny>()? {
            None => Ok(None),
            Some(_) => Err(de::Error::invalid_type(de::Unexpected::Seq, &self)),
        }
    }
}

/// A string, or nothing for null. An empty string stays an empty string: it says that the value is empty,
/// where an absent one says nothing.
pub(crate) fn opt_string<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(TextVisitor)
}

/// A string; a number reads as its text.
pub(crate) fn string<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    opt_string(deserializer)?
        .ok_or_else(|| de::Error::custom("expected a string or a number, and it is empty"))
}

/// A letter, or nothing for null, for the empty string and for 0.
pub(crate) fn opt_letter<'de, D, L>(deserializer: D) -> Result<Option<L>, D::Error>
where
    D: Deserializer<'de>,
    L: From<String>,
{
    Ok(opt_string(deserializer)?.filter(|letter| !matches!(letter.as_str(), "" | "0")).map(L::from))
}

/// An id, or nothing for null, for the empty string and for 0. Anything else is an error: a user whose id
/// cannot be read must not pass for a guest.
pub(crate) fn opt_id<'de, D, I>(deserializer: D) -> Result<Option<I>, D::Error>
where
    D: Deserializer<'de>,
    I: From<u64>,
{
    let Some(text) = opt_string(deserializer)? else { return Ok(None) };
    match text.trim() {
        "" => Ok(None),
        text => match text.parse::<u64>() {
            Ok(0) => Ok(None),
            Ok(id) => Ok(Some(I::from(id))),
            Err(_) => Err(de::Error::invalid_value(de::Unexpected::Str(text), &"an id, which is a number")),
        },
    }
}

/// An id that must be there.
pub(crate) fn id<'de, D, I>(deserializer: D) -> Result<I, D::Error>
where
    D: Deserializer<'de>,
    I: From<u64>,
{
    opt_id(deserializer)?.ok_or_else(|| de::Error::custom("expected an id, and it is empty"))
}

/// CS-Cart writes 0 where there is no id.
#[expect(clippy::ref_option, reason = "serde's serialize_with hands over a reference to the field")]
pub(crate) fn id_or_zero<S, I>(id: &Option<I>, serializer: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    I: Copy + Into<u64>,
{
    serializer.serialize_u64(id.map_or(0, Into::into))
}

/// A count, also as text. Anything else counts as absent.
pub(crate) fn opt_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().map(|number| number as u64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// Yes or no: `Y`, `1`, `true`, as text or as such. Anything else, and absent, means no.
pub(crate) fn bool<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(yes) => yes,
        Value::String(text) => {
            matches!(text.trim().to_ascii_lowercase().as_str(), "y" | "yes" | "1" | "true")
        }
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => false,
    })
}

/// A moment: seconds since 1970, also as text, or ISO 8601 with an offset. 0 means none. What cannot be
/// read counts as absent, because a wrong time must not make a whole user unreadable.
pub(crate) fn opt_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let seconds = match Value::deserialize(deserializer)? {
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::as_second))
        }
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        _ => None,
    };
    Ok(seconds.filter(|&seconds| seconds != 0).and_then(|seconds| Timestamp::from_second(seconds).ok()))
}

/// A moment as CS-Cart keeps it: seconds since 1970.
#[expect(clippy::ref_option, reason = "serde's serialize_with hands over a reference to the field")]
pub(crate) fn seconds<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(time.map_or(0, Timestamp::as_second))
}

/// A list; of a map the values, in their order; nothing for null, `false`, 0 and the empty string.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct ListVisitor<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list, a map or null")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_bool<E: de::Error>(self, yes: bool) -> Result<Vec<T>, E> {
            if yes { Err(E::invalid_type(de::Unexpected::Bool(yes), &self)) } else { Ok(Vec::new()) }
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
            match text {
                "" | "0" => Ok(Vec::new()),
                _ => Err(E::invalid_type(de::Unexpected::Str(text), &self)),
            }
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Vec<T>, E> {
            match number {
                0 => Ok(Vec::new()),
                _ => Err(E::invalid_type(de::Unexpected::Unsigned(number), &self)),
            }
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(item) = items.next_element()? {
                list.push(item);
            }
            Ok(list)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some((_, item)) = items.next_entry::<String, T>()? {
                list.push(item);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_any(ListVisitor(PhantomData))
}

/// A string or nothing, where a type is needed.
pub(crate) struct Text(pub(crate) Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        opt_string(deserializer).map(Self)
    }
}

/// A list of strings, without its nulls; nothing at all for what is neither list nor map. An empty list is a
/// list: it says that there are none.
pub(crate) fn opt_strings<'de, D>(deserializer: D) -> Result<Option<Vec<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    struct Strings(Vec<Text>);

    impl<'de> Deserialize<'de> for Strings {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            list(deserializer).map(Self)
        }
    }

    let value = Value::deserialize(deserializer)?;
    if !value.is_array() && !value.is_object() {
        return Ok(None);
    }
    let Strings(texts) = Strings::deserialize(value).map_err(de::Error::custom)?;
    Ok(Some(texts.into_iter().filter_map(|Text(text)| text).collect()))
}

/// A list of ids, without those that are empty.
pub(crate) fn ids<'de, D, I>(deserializer: D) -> Result<Vec<I>, D::Error>
where
    D: Deserializer<'de>,
    I: From<u64>,
{
    struct OptId<I>(Option<I>);

    impl<'de, I: From<u64>> Deserialize<'de> for OptId<I> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            opt_id(deserializer).map(Self)
        }
    }

    let ids: Vec<OptId<I>> = list(deserializer)?;
    Ok(ids.into_iter().filter_map(|OptId(id)| id).collect())
}

/// A map; of a list the values by their places; nothing for whatever else stands for an empty map.
pub(crate) fn map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Object(map) => map.into_iter().collect(),
        Value::Array(items) => {
            items.into_iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        _ => BTreeMap::new(),
    })
}

/// A structure, or its default for what is no object.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    match Value::deserialize(deserializer)? {
        object @ Value::Object(_) => serde_json::from_value(object).map_err(de::Error::custom),
        _ => Ok(T::default()),
    }
}

#[cfg(test)]
mod tests;
