//! What a value may be.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a value may be, as far as HighLevel's documents say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Text; ids and times are text, too.
    Text,
    /// A number, whole or not.
    Number,
    /// `true` or `false`.
    Flag,
    /// A file's bytes, in a form with files.
    File,
    /// Anything: the documents do not say, or contradict themselves.
    Any,
    /// An object whose fields the documents do not name.
    Open,
    /// One of these values.
    Choice(Vec<Value>),
    /// A list of such values.
    List(Box<Kind>),
    /// An object with names of one's own and such values.
    Map(Box<Kind>),
    /// An object with these fields.
    Fields(Vec<Field>),
    /// Any of these.
    OneOf(Vec<Kind>),
}

impl Kind {
    /// In a few words: `text`, `a list of numbers`, `one of …`.
    pub fn words(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::File => "a file".to_owned(),
            Self::Any => "anything".to_owned(),
            Self::Open | Self::Map(_) | Self::Fields(_) => "an object".to_owned(),
            Self::Choice(values) => {
                let shown: Vec<String> = values.iter().take(SHOWN).map(shown).collect();
                let more = if values.len() > SHOWN {
                    format!(" and {} more", values.len() - SHOWN)
                } else {
                    String::new()
                };
                format!("one of {}{more}", shown.join(", "))
            }
            Self::List(item) => match &**item {
                Self::Text => "a list of texts".to_owned(),
                Self::Number => "a list of numbers".to_owned(),
                Self::Flag => "a list of true or false".to_owned(),
                Self::Open | Self::Map(_) | Self::Fields(_) => "a list of objects".to_owned(),
                Self::Choice(_) => format!("a list, each {}", item.words()),
                Self::File | Self::Any | Self::List(_) | Self::OneOf(_) => "a list".to_owned(),
            },
            Self::OneOf(kinds) => {
                let mut words: Vec<String> = kinds.iter().map(Self::words).collect();
                words.dedup();
                words.join(" or ")
            }
        }
    }
}

/// So many choices are told; the data have all.
const SHOWN: usize = 12;

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| format!("`{text}`"))
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its name, as HighLevel spells it.
    pub name: String,
    /// What it may be.
    pub kind: Kind,
    /// Whether it must be there.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub required: bool,
    /// Whether it may be null.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub nullable: bool,
    /// The documents' words about it, on one line; empty where they have none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
}

/// What is as usual is left out of the data.
pub(crate) fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
