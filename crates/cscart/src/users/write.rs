//! Users to be made or changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Address, CompanyId, ProfileId, UserId, UserStatus, UserType, address, loose};

/// A user to be made. CS-Cart asks for the e-mail address, the type and the company.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewUser {
    /// The e-mail address, which no other user of the store has.
    pub email: String,
    /// What the user is.
    pub user_type: UserType,
    /// The storefront that owns the user (CS-Cart), or the vendor (Multi-Vendor, 0 for customers).
    pub company_id: CompanyId,
    /// The rest.
    #[serde(flatten)]
    pub details: UserUpdate,
}

impl NewUser {
    /// A customer with nothing but an e-mail address.
    pub fn customer(email: impl Into<String>, company: impl Into<CompanyId>) -> Self {
        Self {
            email: email.into(),
            user_type: UserType::Customer,
            company_id: company.into(),
            details: UserUpdate::default(),
        }
    }
}

/// What to change about a user; what is `None` or empty is not sent. Some(`""`) empties a field.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UserUpdate {
    /// The e-mail address. Of a new user it is in [`NewUser::email`] and must be `None` here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the user may sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<UserStatus>,
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firstname: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lastname: Option<String>,
    /// The phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The name of the user's company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The language, two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang_code: Option<String>,
    /// The day of birth.
    #[serde(serialize_with = "loose::seconds", skip_serializing_if = "Option::is_none")]
    pub birthday: Option<Timestamp>,
    /// Whose addresses these are, where the user has several profiles; the main one unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_id: Option<ProfileId>,
    /// The address for bills.
    #[serde(flatten, serialize_with = "address::billing::serialize")]
    pub billing: Address,
    /// The address for parcels.
    #[serde(flatten, serialize_with = "address::shipping::serialize")]
    pub shipping: Address,
    /// Values of the store's own profile fields by the field's id, at most 255 characters each. CS-Cart may
    /// drop the fields that are not in it, so send all of them or none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
    /// Anything else, by CS-Cart's own name.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What the store says about a user that was made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SavedUser {
    /// The user.
    pub user_id: UserId,
    /// The profile that holds the addresses.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub profile_id: Option<ProfileId>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_given_is_sent() {
        assert_eq!(serde_json::to_value(UserUpdate::default()).unwrap(), json!({}));
        let user = NewUser {
            details: UserUpdate {
                firstname: Some("Ada".into()),
                phone: Some(String::new()),
                birthday: Some("1968-01-01T00:00:00Z".parse().unwrap()),
                billing: Address { city: Some("Boston".into()), ..Address::default() },
                shipping: Address { country: Some("US".into()), ..Address::default() },
                fields: BTreeMap::from([("36".to_owned(), json!("x"))]),
                ..UserUpdate::default()
            },
            ..NewUser::customer("ada@example.com", 1)
        };
        assert_eq!(
            serde_json::to_value(user).unwrap(),
            json!({
                "email": "ada@example.com", "user_type": "C", "company_id": 1,
                "firstname": "Ada", "phone": "", "birthday": -63_158_400,
                "b_city": "Boston", "s_country": "US", "fields": { "36": "x" },
            })
        );
    }
}
