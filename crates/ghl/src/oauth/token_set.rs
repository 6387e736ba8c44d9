//! What a call for tokens brings.

use std::{fmt, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use crate::{AppId, CompanyId, LocationId, UserId, loose};

/// A pair of tokens and what they are for (oauth.json, `GetAccessCodeSuccessfulResponseDto` and
/// `GetLocationAccessTokenSuccessfulResponseDto`).
///
/// Only the access token is required of an answer: a pair that could not be read for a lesser reason would
/// be lost, and with it the connection.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TokenSet {
    /// The bearer token.
    #[serde(rename = "access_token")]
    pub access_token: SecretString,
    /// What brings the next pair; good once.
    #[serde(default, rename = "refresh_token")]
    pub refresh_token: Option<SecretString>,
    /// How long the access token lives from now: 86,399 s as documented, and that too when the answer does
    /// not say.
    #[serde(default = "a_day", rename = "expires_in", deserialize_with = "seconds")]
    pub expires_in: Duration,
    /// The scopes, separated by spaces.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub scope: Option<String>,
    /// Whether it is a company's or a location's.
    #[serde(default)]
    pub user_type: Option<UserType>,
    /// The location, for a location's token.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub location_id: Option<LocationId>,
    /// The company.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub company_id: Option<CompanyId>,
    /// Who installed the app.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub user_id: Option<UserId>,
    /// The app, where the answer says so.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub app_id: Option<AppId>,
    /// The locations that a company's token may ask tokens for.
    #[serde(default, deserialize_with = "ids")]
    pub approved_locations: Vec<LocationId>,
    /// The plan, for paid apps.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub plan_id: Option<String>,
    /// Whether the app was installed for many locations at once.
    #[serde(default, deserialize_with = "loose::opt_bool")]
    pub is_bulk_installation: Option<bool>,
}

impl TokenSet {
    /// The scopes one by one.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.as_deref().unwrap_or_default().split_whitespace()
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

const fn a_day() -> Duration {
    Duration::from_secs(86_399)
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Ok(loose::opt_u64(deserializer)?.map_or(a_day(), Duration::from_secs))
}

fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<LocationId>, D::Error> {
    Ok(loose::strings(deserializer)?.into_iter().map(LocationId::from).collect())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_documented_answer_is_read_and_never_printed() {
        // oauth.json, the examples of `GetAccessCodeSuccessfulResponseDto`, with its odd boolean.
        let tokens: TokenSet = serde_json::from_str(
            r#"{"access_token":"ab12dc0ae1234a7898f9ff06d4f69gh","token_type":"Bearer","expires_in":86399,
                "refresh_token":"xy34dc0ae1234a4858f9ff06d4f66ba",
                "scope":"conversations/message.readonly conversations/message.write","userType":"Location",
                "locationId":"l1C08ntBrFjLS0elLIYU","companyId":"l1C08ntBrFjLS0elLIYU",
                "approvedLocations":["l1C08ntBrFjLS0elLIYU"],"userId":"l1C08ntBrFjLS0elLIYU",
                "planId":"l1C08ntBrFjLS0elLIYU","isBulkInstallation":"Bearer"}"#,
        )
        .unwrap();
        assert_eq!(tokens.access_token.expose_secret(), "ab12dc0ae1234a7898f9ff06d4f69gh");
        assert_eq!(tokens.expires_in, Duration::from_secs(86_399));
        assert_eq!(tokens.scopes().count(), 2);
        assert_eq!(tokens.user_type, Some(UserType::Location));
        assert_eq!(tokens.is_bulk_installation, None);
        let debug = format!("{tokens:?}");
        assert!(!debug.contains("ab12dc") && !debug.contains("xy34dc"), "{debug}");
    }

    #[test]
    fn an_access_token_is_enough() {
        let tokens: TokenSet = serde_json::from_str(r#"{"access_token":"a","expires_in":null}"#).unwrap();
        assert_eq!(tokens.expires_in, a_day());
        assert!(tokens.refresh_token.is_none());
    }
}
