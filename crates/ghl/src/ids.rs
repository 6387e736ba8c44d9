//! A type for each kind of id, so that a task's id cannot stand where a contact's belongs.
//!
//! HighLevel's ids are opaque strings of 20 or 24 characters; nothing here looks into them.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the id as HighLevel wrote it.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as HighLevel wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Gives the string back.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Infallible;

            fn from_str(id: &str) -> Result<Self, Infallible> {
                Ok(Self(id.to_owned()))
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::loose::string(deserializer).map(Self)
            }
        }
    )+};
}

ids! {
    /// A marketplace app: the part of the client id before the dash.
    AppId
    /// An appointment, called an event in the calendar's part of the API.
    AppointmentId
    /// A business, to which contacts may belong.
    BusinessId
    /// A calendar.
    CalendarId
    /// A company, called agency by most: it owns locations.
    CompanyId
    /// A contact of a location.
    ContactId
    /// The definition of a custom field.
    CustomFieldId
    /// A location, also called sub-account: everything but the agency itself lives in one.
    LocationId
    /// A note on a contact.
    NoteId
    /// A task of a contact.
    TaskId
    /// A user of HighLevel: a person who works there.
    UserId
    /// One webhook; the same over its repeated deliveries.
    WebhookId
}
