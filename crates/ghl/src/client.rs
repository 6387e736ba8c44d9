//! The client and how it is made.

mod call;
mod path;
mod redact;
mod send;

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{Url, redirect, retry};
use secrecy::SecretString;

use crate::{Contacts, Locations, Notes, Tags, Tasks, Users, oauth::OAuth};

pub(crate) use call::{Call, FormField};

/// Where HighLevel's API lives.
pub const DEFAULT_BASE_URL: &str = "https://services.leadconnectorhq.com";

/// The version of the API whose paths and shapes this crate knows.
pub const DEFAULT_VERSION: &str = "2021-07-28";

/// A client of HighLevel's API. Cheap to clone; clones share their connections.
///
/// Each call is one HTTP exchange. Nothing is repeated and no redirect is followed: the caller knows what it
/// sent, and decides.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    token: Option<SecretString>,
}

struct Inner {
    http: reqwest::Client,
    base_url: Url,
    timeout: Duration,
    max_answer_bytes: usize,
}

impl Client {
    /// Begins a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The same client with another bearer token: an OAuth access token, or a Private Integration Token
    /// (`pit-…`). Connections are shared, so one client serves many locations.
    #[must_use]
    pub fn with_token(&self, token: SecretString) -> Self {
        Self { token: Some(token), ..self.clone() }
    }

    /// Contacts, and what hangs on them without having calls of its own.
    pub fn contacts(&self) -> Contacts<'_> {
        Contacts { client: self }
    }

    /// A contact's tasks.
    pub fn tasks(&self) -> Tasks<'_> {
        Tasks { client: self }
    }

    /// A contact's notes.
    pub fn notes(&self) -> Notes<'_> {
        Notes { client: self }
    }

    /// A contact's tags.
    pub fn tags(&self) -> Tags<'_> {
        Tags { client: self }
    }

    /// Locations and their custom fields.
    pub fn locations(&self) -> Locations<'_> {
        Locations { client: self }
    }

    /// The people who work in a location.
    pub fn users(&self) -> Users<'_> {
        Users { client: self }
    }

    /// Tokens.
    pub fn oauth(&self) -> OAuth<'_> {
        OAuth { client: self }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.base_url.as_str())
            .field("token", &self.token.as_ref().map(|_| "[redacted]"))
            .finish_non_exhaustive()
    }
}

/// Makes a [`Client`].
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    base_url: String,
    token: Option<SecretString>,
    connect_timeout: Duration,
    timeout: Duration,
    max_answer_bytes: usize,
    user_agent: String,
    http: Option<reqwest::Client>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.to_owned(),
            token: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            max_answer_bytes: 16 * 1024 * 1024,
            user_agent: concat!("rust-ghl/", env!("CARGO_PKG_VERSION")).to_owned(),
            http: None,
        }
    }
}

impl ClientBuilder {
    /// Another base URL than [`DEFAULT_BASE_URL`]; a path in it is kept.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// The bearer token. Only calls for tokens do without.
    #[must_use]
    pub fn token(mut self, token: SecretString) -> Self {
        self.token = Some(token);
        self
    }

    /// How long a connection may take to be made (5 s unless set). Not for a shared client.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a call may take, from the first step to the last byte (30 s unless set).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How much of an answer is read (16 MiB unless set).
    #[must_use]
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer_bytes = bytes;
        self
    }

    /// What the client calls itself. Not for a shared client.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Uses a client that is there already. It must follow no redirects and repeat nothing
    /// (`redirect::Policy::none()`, `retry::never()`), or the promises of [`Client`] are void.
    #[must_use]
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Makes the client. Nothing is sent yet.
    pub fn build(self) -> Result<Client, BuildError> {
        let base_url = Url::parse(&self.base_url)
            .map_err(|source| BuildError::BaseUrl { url: self.base_url.clone(), source: source.into() })?;
        if !matches!(base_url.scheme(), "http" | "https") || base_url.cannot_be_a_base() {
            return Err(BuildError::BaseUrl {
                url: self.base_url,
                source: "not an http or https URL".into(),
            });
        }
        let http = match self.http {
            Some(http) => http,
            None => reqwest::Client::builder()
                .connect_timeout(self.connect_timeout)
                .user_agent(self.user_agent)
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                .build()
                .map_err(|source| BuildError::Http(source.into()))?,
        };
        Ok(Client {
            inner: Arc::new(Inner {
                http,
                base_url,
                timeout: self.timeout,
                max_answer_bytes: self.max_answer_bytes,
            }),
            token: self.token,
        })
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL cannot be used.
    #[error("`{url}` is not a base URL")]
    BaseUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        #[source]
        source: crate::BoxError,
    },
    /// The HTTP client could not be made: a user agent that is no header, or no TLS on this machine.
    #[error("the HTTP client could not be made")]
    Http(#[source] crate::BoxError),
}
