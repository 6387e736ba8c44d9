//! The people who work in a location: `/users/` (users.json).

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Client, LocationId, Result, UserId, client::Call, decode, loose};

/// Calls about users; from [`Client::users`].
#[derive(Clone, Copy, Debug)]
pub struct Users<'a> {
    pub(crate) client: &'a Client,
}

impl Users<'_> {
    /// The users of a location.
    pub async fn list(&self, location: &LocationId) -> Result<Vec<User>> {
        let call = Call::get(&["users"]).with_slash().query("locationId", location);
        self.client.send(call, |value| decode::under("users", value)).await
    }
}

/// A user as HighLevel gives it (users.json, `UserSchema`), as far as it is of use here.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The whole name.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub name: Option<String>,
    /// The first name.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub last_name: Option<String>,
    /// The e-mail address.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub email: Option<String>,
    /// The phone number.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub phone: Option<String>,
    /// Whatever else came: roles, permissions, scopes.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
