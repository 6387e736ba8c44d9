//! Connections: one CS-Cart store paired with one HighLevel location, with its secrets and settings.

mod plain_http;
mod polling_mode;
mod settings;

pub(crate) use plain_http::is_this_machine;

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

pub use polling_mode::PollingMode;
pub use settings::{CustomFields, FieldRule, FieldType, Fields, Settings, WelcomeTask, WhenEmpty};

/// A connection's name: `[a-z0-9-]{1,64}`, part of webhook URLs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectionName(String);

impl ConnectionName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text cannot be a connection's name.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` cannot name a connection: use 1 to 64 of a-z, 0-9 and `-` (it becomes part of a URL)")]
pub struct BadName(String);

impl FromStr for ConnectionName {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(BadName(text.chars().take(80).collect())) }
    }
}

impl TryFrom<String> for ConnectionName {
    type Error = BadName;
    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl From<ConnectionName> for String {
    fn from(name: ConnectionName) -> Self {
        name.0
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A connection, with everything needed to serve it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Its name.
    pub name: ConnectionName,
    /// HighLevel's side.
    pub ghl: GhlSide,
    /// The store's side.
    pub cscart: CscartSide,
    /// How its failed events are tried again, where that is not as `[engine]` says.
    #[serde(default)]
    pub retry: RetryOverrides,
    /// What its routes need to know.
    #[serde(default)]
    pub settings: Settings,
}

impl Connection {
    /// The connection as it is kept in the database, secrets included. Nothing else may show these.
    pub fn to_stored(&self) -> serde_json::Value {
        let secret = |secret: &SecretString| secret.expose_secret().to_owned();
        json!({
            "name": self.name,
            "ghl": {
                "location_id": self.ghl.location_id,
                "token": self.ghl.token.as_ref().map(secret),
                "oauth": self.ghl.oauth.as_ref().map(|oauth| oauth.to_json(&secret)),
                "api_url": self.ghl.api_url,
                "app_url": self.ghl.app_url,
                "allow_plain_http": self.ghl.allow_plain_http,
                "requests_per_window": self.ghl.requests_per_window,
                "webhook_public_keys": self.ghl.webhook_public_keys,
                "legacy_webhook_signature": self.ghl.legacy_webhook_signature,
            },
            "cscart": {
                "url": self.cscart.url,
                "allow_plain_http": self.cscart.allow_plain_http,
                "email": self.cscart.email,
                "api_key": self.cscart.api_key.as_ref().map(secret),
                "webhook_secrets": self.cscart.webhook_secrets.iter().map(secret).collect::<Vec<_>>(),
                "concurrency": self.cscart.concurrency,
                "requests_per_second": self.cscart.requests_per_second,
                "polling": self.cscart.polling,
                "poll_min_seconds": self.cscart.poll_min_seconds,
                "poll_max_seconds": self.cscart.poll_max_seconds,
            },
            "retry": self.retry,
            "settings": self.settings,
        })
    }

    /// The connection as a person may see it: of secrets only whether they are there.
    pub fn to_public(&self) -> serde_json::Value {
        let set = |secret: Option<&SecretString>| secret.map(|_| "(set)");
        json!({
            "name": self.name,
            "ghl": {
                "location_id": self.ghl.location_id,
                "token": set(self.ghl.token.as_ref()),
                "oauth": self.ghl.oauth.as_ref().map(|oauth| oauth.to_json(&|_| "(set)".to_owned())),
                "api_url": self.ghl.api_url,
                "app_url": self.ghl.app_url,
                "allow_plain_http": self.ghl.allow_plain_http,
                "requests_per_window": self.ghl.requests_per_window,
                "webhook_public_keys": self.ghl.webhook_public_keys,
                "legacy_webhook_signature": self.ghl.legacy_webhook_signature,
            },
            "cscart": {
                "url": self.cscart.url,
                "allow_plain_http": self.cscart.allow_plain_http,
                "email": self.cscart.email,
                "api_key": set(self.cscart.api_key.as_ref()),
                "webhook_secrets": vec!["(set)"; self.cscart.webhook_secrets.len()],
                "concurrency": self.cscart.concurrency,
                "requests_per_second": self.cscart.requests_per_second,
                "polling": self.cscart.polling,
                "poll_min_seconds": self.cscart.poll_min_seconds,
                "poll_max_seconds": self.cscart.poll_max_seconds,
            },
            "retry": self.retry,
            "settings": self.settings,
        })
    }
}

/// How to reach a HighLevel location.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GhlSide {
    /// The location's id.
    pub location_id: ghl::LocationId,
    /// A Private Integration Token.
    #[serde(default)]
    pub token: Option<SecretString>,
    /// A client of the marketplace, in place of a token.
    #[serde(default)]
    pub oauth: Option<OauthClient>,
    /// Where HighLevel's API is; OAuth's token endpoint lies under it.
    #[serde(default = "ghl_api_url")]
    pub api_url: String,
    /// Where people open HighLevel: its usual address, or the domain of an agency that has its own.
    #[serde(default = "ghl_app_url")]
    pub app_url: String,
    /// Call it over plain HTTP although it is on another machine. For networks where nobody can listen.
    #[serde(default)]
    pub allow_plain_http: bool,
    /// How many requests in 10 seconds are meant for the bridge, where other software uses the same token; none: all
    /// that HighLevel allows.
    #[serde(default)]
    pub requests_per_window: Option<u32>,
    /// Keys (PEM) that sign webhooks; empty: HighLevel's own. For sandboxes and tests.
    #[serde(default)]
    pub webhook_public_keys: Vec<String>,
    /// Accept HighLevel's old `X-WH-Signature` where the new header is missing.
    #[serde(default)]
    pub legacy_webhook_signature: bool,
}

impl GhlSide {
    /// A location at its usual address, with nothing to call it with.
    pub fn new(location_id: ghl::LocationId) -> Self {
        Self {
            location_id,
            token: None,
            oauth: None,
            api_url: ghl_api_url(),
            app_url: ghl_app_url(),
            allow_plain_http: false,
            requests_per_window: None,
            webhook_public_keys: Vec::new(),
            legacy_webhook_signature: false,
        }
    }

    /// Whether the same keys sign the webhooks of both.
    pub fn shares_webhook_keys_with(&self, other: &Self) -> bool {
        self.webhook_public_keys == other.webhook_public_keys
            && self.legacy_webhook_signature == other.legacy_webhook_signature
    }

    /// A contact's page in HighLevel, for a person to open; none: `app_url` is no address. HighLevel documents no such
    /// address: this is the one that its own pages have.
    pub fn contact_url(&self, contact: &ghl::ContactId) -> Option<String> {
        let mut url = reqwest::Url::parse(&self.app_url).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().extend([
            "v2",
            "location",
            self.location_id.as_str(),
            "contacts",
            "detail",
            contact.as_str(),
        ]);
        Some(url.into())
    }

    /// What HighLevel's limits are counted by: the app and the location. All connections with the same draw on one budget.
    pub fn app(&self) -> AppInLocation {
        let app = match (&self.token, &self.oauth) {
            (Some(token), _) => App::Token(Sha256::digest(token.expose_secret()).into()),
            (None, Some(oauth)) => App::Client(oauth.client_id.clone()),
            (None, None) => App::None,
        };
        AppInLocation { api_url: self.api_url.clone(), location: self.location_id.clone(), app }
    }
}

/// One app in one location: what HighLevel counts requests by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AppInLocation {
    api_url: String,
    location: ghl::LocationId,
    app: App,
}

/// An app, as far as a connection tells. An OAuth client's tokens change; it stays.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum App {
    /// The SHA-256 of a Private Integration Token.
    Token([u8; 32]),
    /// An OAuth client.
    Client(String),
    /// Neither.
    None,
}

/// What a connection says otherwise than `[engine]` about trying again.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct RetryOverrides {
    /// The shortest delay between two tries, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_ms: Option<u64>,
    /// The longest delay between two tries, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ms: Option<u64>,
    /// How many failed tries make a dead letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tries: Option<u32>,
    /// For how many hours an event may fail before it is a dead letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_hours: Option<u32>,
}

/// An OAuth client of HighLevel's marketplace.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OauthClient {
    /// Its public id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// The secret before that, as long as HighLevel may still want it.
    #[serde(default)]
    pub previous_client_secret: Option<SecretString>,
    /// What is asked for when somebody connects.
    #[serde(default = "read_only")]
    pub scopes: Vec<String>,
    /// Where HighLevel's chooser is; none: at its usual address.
    #[serde(default)]
    pub chooser_url: Option<String>,
    /// The chooser without HighLevel's name on it.
    #[serde(default)]
    pub white_label: bool,
    /// Who connects: a location, or the company (agency) that has it.
    #[serde(default)]
    pub user_type: UserType,
}

/// Who gives a grant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserType {
    /// One location (sub-account).
    #[default]
    Location,
    /// A company (agency), for its locations.
    Company,
}

impl OauthClient {
    fn to_json(&self, secret: &dyn Fn(&SecretString) -> String) -> serde_json::Value {
        json!({
            "client_id": self.client_id,
            "client_secret": secret(&self.client_secret),
            "previous_client_secret": self.previous_client_secret.as_ref().map(secret),
            "scopes": self.scopes,
            "chooser_url": self.chooser_url,
            "white_label": self.white_label,
            "user_type": self.user_type,
        })
    }
}

fn read_only() -> Vec<String> {
    vec![ghl::oauth::Scope::CONTACTS_READONLY.to_string()]
}

/// How to reach a store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CscartSide {
    /// The store's address.
    pub url: String,
    /// Call it over plain HTTP although it is on another machine. For networks where nobody can listen.
    #[serde(default)]
    pub allow_plain_http: bool,
    /// The e-mail of the administrator whose API key is used.
    #[serde(default)]
    pub email: Option<String>,
    /// That administrator's API key.
    #[serde(default)]
    pub api_key: Option<SecretString>,
    /// What the add-on signs with, newest first; all are accepted. May be empty only where `polling` is true.
    #[serde(default)]
    pub webhook_secrets: Vec<SecretString>,
    /// How many calls of the store's API are made at once.
    #[serde(default = "two")]
    pub concurrency: u32,
    /// How many calls of it are begun in a second.
    #[serde(default = "five")]
    pub requests_per_second: u32,
    /// Whether the store is asked for what is new, instead of being told by its add-on.
    #[serde(default)]
    pub polling: PollingMode,
    /// The shortest time, in seconds, between two polls: while there is something new.
    #[serde(default = "half_a_minute")]
    pub poll_min_seconds: u32,
    /// The longest time, in seconds, between two polls: after many that brought nothing.
    #[serde(default = "a_quarter_of_an_hour")]
    pub poll_max_seconds: u32,
}

impl CscartSide {
    /// A store with nothing to call it with, and nothing that it signs with. It is not polled.
    pub fn new(url: String) -> Self {
        Self {
            url,
            allow_plain_http: false,
            email: None,
            api_key: None,
            webhook_secrets: Vec::new(),
            concurrency: two(),
            requests_per_second: five(),
            polling: PollingMode::Off,
            poll_min_seconds: half_a_minute(),
            poll_max_seconds: a_quarter_of_an_hour(),
        }
    }

    /// Whether the store's API can be called: somebody's e-mail and key are there.
    pub fn has_api(&self) -> bool {
        self.email.is_some() && self.api_key.is_some()
    }
}

fn two() -> u32 {
    2
}

fn five() -> u32 {
    5
}

fn half_a_minute() -> u32 {
    30
}

fn a_quarter_of_an_hour() -> u32 {
    15 * 60
}

fn ghl_api_url() -> String {
    "https://services.leadconnectorhq.com".to_owned()
}

fn ghl_app_url() -> String {
    "https://app.gohighlevel.com".to_owned()
}
