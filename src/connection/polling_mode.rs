//! Whether a store is polled.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whether a store is asked for what is new: `true`, `false` or `"auto"`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PollingMode {
    /// As long as its add-on has never been heard.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl Serialize for PollingMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::On => serializer.serialize_bool(true),
            Self::Off => serializer.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for PollingMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Mode;

        impl Visitor<'_> for Mode {
            type Value = PollingMode;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or \"auto\"")
            }

            fn visit_bool<E>(self, on: bool) -> Result<PollingMode, E> {
                Ok(if on { PollingMode::On } else { PollingMode::Off })
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<PollingMode, E> {
                match text {
                    "auto" => Ok(PollingMode::Auto),
                    // From the environment everything comes as text.
                    "true" => Ok(PollingMode::On),
                    "false" => Ok(PollingMode::Off),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(Mode)
    }
}
