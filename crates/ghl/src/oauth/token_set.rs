//! What a call for tokens brings.
//!
//! A pair is taken whole or not at all. What it cannot do without is read strictly and named when it is not
//! there; what only describes it is read loosely, because a pair that could not be read for a lesser reason
//! would be lost, and with it the connection: the refresh token behind it is used up.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned},
};
use serde_json::Value;

use super::Scopes;
use crate::{
    AppId, CompanyId, LocationId, UserId,
    decode::{self, Misfit},
    loose,
};

/// A pair of tokens and what they are for (oauth.json, `GetAccessCodeSuccessfulResponseDto`).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TokenSet {
    /// The bearer token.
    #[serde(rename = "access_token", deserialize_with = "token")]
    pub access_token: SecretString,
    /// What brings the next pair; good once, and for a year.
    #[serde(rename = "refresh_token", deserialize_with = "token")]
    pub refresh_token: SecretString,
    /// How long the access token lives from when it was asked for; see [`TokenSet::expires_at`].
    #[serde(default = "a_day", rename = "expires_in", deserialize_with = "lifetime")]
    pub expires_in: Duration,
    /// What it may do. `None`: the answer does not say, which means as much as was asked for (RFC 6749,
    /// section 5.1).
    #[serde(default, rename = "scope", deserialize_with = "scopes")]
    pub scopes: Option<Scopes>,
    /// Whether it is a company's or a location's.
    #[serde(default, deserialize_with = "lenient")]
    pub user_type: Option<UserType>,
    /// The location, for a location's token.
    #[serde(default, deserialize_with = "id")]
    pub location_id: Option<LocationId>,
    /// The company.
    #[serde(default, deserialize_with = "id")]
    pub company_id: Option<CompanyId>,
    /// Who installed the app.
    #[serde(default, deserialize_with = "id")]
    pub user_id: Option<UserId>,
    /// The locations that a company's token may ask tokens for.
    #[serde(default, deserialize_with = "ids")]
    pub approved_locations: Vec<LocationId>,
    /// The plan, for paid apps.
    #[serde(default, deserialize_with = "id")]
    pub plan_id: Option<String>,
    /// Whether the app was installed for many locations at once.
    #[serde(default, deserialize_with = "loose::opt_bool")]
    pub is_bulk_installation: Option<bool>,
    /// Whether locations that the company will have later get the app by themselves.
    #[serde(default, deserialize_with = "loose::opt_bool")]
    pub install_to_future_locations: Option<bool>,
    /// Whether all locations of the company were approved.
    #[serde(default, deserialize_with = "loose::opt_bool")]
    pub approve_all_locations: Option<bool>,
}

impl TokenSet {
    pub(super) fn read(answer: Value) -> Result<Self, Misfit> {
        complete(&answer, &["access_token", "refresh_token"])?;
        decode::value(answer)
    }

    /// When the access token ends, given the moment at which it was asked for; the latest moment there is
    /// when the answer names a lifetime beyond it.
    pub fn expires_at(&self, asked_at: Timestamp) -> Timestamp {
        end(asked_at, self.expires_in)
    }

    /// What it may do, given what was asked for.
    pub fn scopes_or(&self, asked_for: &Scopes) -> Scopes {
        self.scopes.as_ref().unwrap_or(asked_for).clone()
    }
}

/// A token for one location, from a company's (oauth.json,
/// `GetLocationAccessTokenSuccessfulResponseDto`). It has no refresh token: ask for another one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LocationToken {
    /// The bearer token.
    #[serde(rename = "access_token", deserialize_with = "token")]
    pub access_token: SecretString,
    /// How long it lives from when it was asked for; see [`LocationToken::expires_at`].
    #[serde(default = "a_day", rename = "expires_in", deserialize_with = "lifetime")]
    pub expires_in: Duration,
    /// What it may do; `None` when the answer does not say.
    #[serde(default, rename = "scope", deserialize_with = "scopes")]
    pub scopes: Option<Scopes>,
    /// The location.
    #[serde(default, deserialize_with = "id")]
    pub location_id: Option<LocationId>,
    /// Who installed the app.
    #[serde(default, deserialize_with = "id")]
    pub user_id: Option<UserId>,
    /// The app.
    #[serde(default, deserialize_with = "id")]
    pub app_id: Option<AppId>,
    /// The version of the app.
    #[serde(default, deserialize_with = "id")]
    pub version_id: Option<String>,
    /// The plan, for paid apps.
    #[serde(default, deserialize_with = "id")]
    pub plan_id: Option<String>,
}

impl LocationToken {
    pub(super) fn read(answer: Value) -> Result<Self, Misfit> {
        complete(&answer, &["access_token"])?;
        decode::value(answer)
    }

    /// When it ends, given the moment at which it was asked for.
    pub fn expires_at(&self, asked_at: Timestamp) -> Timestamp {
        end(asked_at, self.expires_in)
    }
}

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserType {
    /// A location's.
    Location,
    /// A company's.
    Company,
    /// Another word of HighLevel's.
    Other(String),
}

impl UserType {
    /// HighLevel's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Location => "Location",
            Self::Company => "Company",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for UserType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for UserType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = loose::string(deserializer)?;
        Ok(match word.to_ascii_lowercase().as_str() {
            "location" => Self::Location,
            "company" => Self::Company,
            _ => Self::Other(word),
        })
    }
}

/// Names what is missing. No error about an answer with tokens may quote it, so its outer shape is looked at
/// here: serde would print the text that stands where an object belongs.
fn complete(answer: &Value, needed: &[&str]) -> Result<(), Misfit> {
    let Value::Object(object) = answer else {
        return Err(Misfit::new(".", "it is not an object"));
    };
    match needed.iter().find(|name| object.get(**name).is_none_or(Value::is_null)) {
        Some(name) => Err(Misfit::new(*name, "it is missing")),
        None => Ok(()),
    }
}

/// Characters as RFC 6749 has them (appendix A.12, A.17); others could not be sent in a header.
fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text)
            if !text.trim().is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) =>
        {
            Ok(text.into())
        }
        _ => Err(de::Error::custom("it is no token: that is text of printable ASCII characters")),
    }
}

/// A day, as documented ("OAuth 2.0: Authorization", "How long are the access tokens valid?"; oauth.json
/// says 86,399 s).
const fn a_day() -> Duration {
    Duration::from_secs(86_399)
}

/// What is missing, cannot be read or is not above zero counts as the documented day. Too long a guess costs
/// one 401 and a refresh; to take such a token for expired would use up refresh tokens one after another.
fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let lifetime = seconds.filter(|seconds| *seconds > 0.0);
    Ok(lifetime.map_or(a_day(), |seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)))
}

fn end(asked_at: Timestamp, lifetime: Duration) -> Timestamp {
    asked_at.checked_add(lifetime).unwrap_or(Timestamp::MAX)
}

fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Scopes>, D::Error> {
    Ok(lenient::<D, Scopes>(deserializer)?.filter(|scopes| !scopes.is_empty()))
}

/// Nothing instead of an error.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

fn id<'de, D: Deserializer<'de>, I: From<String>>(deserializer: D) -> Result<Option<I>, D::Error> {
    Ok(text(&Value::deserialize(deserializer)?).map(I::from))
}

fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<LocationId>, D::Error> {
    let items = Value::deserialize(deserializer)?;
    Ok(items.as_array().into_iter().flatten().filter_map(text).map(LocationId::from).collect())
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
