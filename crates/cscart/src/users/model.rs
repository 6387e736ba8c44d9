//! A user as the store gives it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Address, UserId, UserStatus, UserType, Usergroup, address, loose};

/// A user: a customer, in most cases.
///
/// It reads what the REST API gives and what webhooks carry, and serialises to the latter. Which fields are
/// there depends on where it came from: **the REST API of CS-Cart gives a short form without addresses,
/// fields, language and birthday**, for one user as for a list. `None` therefore means "not said", and an
/// empty string means "empty". HTML entities (`&amp;`) in texts are left as the store has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The id; `None` for a guest, who has 0 in CS-Cart.
    #[serde(default, deserialize_with = "loose::opt_id", serialize_with = "loose::id_or_zero")]
    pub user_id: Option<UserId>,
    /// What the user is.
    #[serde(default, deserialize_with = "loose::opt_letter", skip_serializing_if = "Option::is_none")]
    pub user_type: Option<UserType>,
    /// Whether the user may sign in.
    #[serde(default, deserialize_with = "loose::opt_letter", skip_serializing_if = "Option::is_none")]
    pub status: Option<UserStatus>,
    /// The e-mail address.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The first name.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub firstname: Option<String>,
    /// The last name.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub lastname: Option<String>,
    /// The phone number, as it was typed.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The name of the user's company.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The language, two letters.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub lang_code: Option<String>,
    /// The day of birth; negative seconds, before 1970, are taken too. 0 means none, so that somebody who
    /// was born on the first second of 1970 has no birthday.
    #[serde(
        default,
        deserialize_with = "loose::opt_time",
        serialize_with = "loose::seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub birthday: Option<Timestamp>,
    /// When the user registered.
    #[serde(
        default,
        deserialize_with = "loose::opt_time",
        serialize_with = "loose::seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub timestamp: Option<Timestamp>,
    /// The address for bills, `b_…`.
    #[serde(flatten, with = "address::billing")]
    pub billing: Address,
    /// The address for parcels, `s_…`.
    #[serde(flatten, with = "address::shipping")]
    pub shipping: Address,
    /// Values of the store's own profile fields, by the field's id.
    #[serde(default, deserialize_with = "loose::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
    /// The groups of users that the user has to do with; also in the form of the REST API, a map by the
    /// group's id.
    #[serde(default, deserialize_with = "loose::list", skip_serializing_if = "Vec::is_empty")]
    pub usergroups: Vec<Usergroup>,
    /// The tags, where the store shares them; `None` where it does not. CS-Cart itself has no tags of users.
    #[serde(default, deserialize_with = "loose::opt_strings", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Whether it is somebody who ordered without registering: then the e-mail address is the identity.
    #[serde(default, deserialize_with = "loose::bool")]
    pub guest: bool,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[cfg(test)]
mod tests;
