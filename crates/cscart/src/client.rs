//! The client and how it is made.

mod call;
mod gentle;
mod send;
mod wire;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{Method, Url, redirect, retry};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    CallRequest, Capabilities, Cart, CatalogProduct, Category, CategoryId, Discussion, Orders, ProductReview,
    Reader, Statuses, Storefront, Usergroups, Users, Vendor, capabilities::Learned, decode, loose,
};

pub(crate) use call::Call;
use call::Root;
pub use gentle::{Gate, Gentleness};
pub(crate) use wire::{Wire, answer};

/// A client of a store's REST API. Cheap to clone; clones share their connections.
///
/// Each call is one HTTP exchange. Nothing is repeated and no redirect is followed: the caller knows what it
/// sent, and decides. There is one exception, which repeats nothing that was done: until it is known whether
/// the store has its API under `/api/` or only under `/api.php`, a page saying 404 under the first leads to
/// the second ([`Exchange::earlier`](crate::Exchange::earlier)).
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    wire: Wire,
    base_url: Url,
    email: String,
    api_key: SecretString,
    /// Where this store has its API, once it is known.
    root: OnceLock<Root>,
    /// What else its answers have shown.
    learned: Learned,
}

impl Client {
    /// Begins a client for the store at `url`: its own address with the folder that it is in, as in
    /// `https://example.com/shop`, without `/api`. `email` is an administrator's and `api_key` from the tab
    /// "API access" of the same profile. Over plain `http` the key can be read on the way.
    pub fn builder(url: impl Into<String>, email: impl Into<String>, api_key: SecretString) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            email: email.into(),
            api_key,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            max_answer_bytes: 16 * 1024 * 1024,
            user_agent: concat!("rust-cscart/", env!("CARGO_PKG_VERSION")).to_owned(),
            gate: Gentleness::default().into(),
            http: None,
        }
    }

    /// Users: customers, administrators, vendors' administrators.
    pub fn users(&self) -> Users<'_> {
        Users { client: self }
    }

    /// Orders.
    pub fn orders(&self) -> Orders<'_> {
        Orders { client: self }
    }

    /// Groups of users.
    pub fn usergroups(&self) -> Usergroups<'_> {
        Usergroups { client: self }
    }

    /// Statuses of orders and shipments.
    pub fn statuses(&self) -> Statuses<'_> {
        Statuses { client: self }
    }

    /// Abandoned and live carts.
    pub fn carts(&self) -> Reader<'_, Cart> {
        Reader::new(self, "/carts".to_owned())
    }

    /// Products of the catalogue.
    pub fn products(&self) -> Reader<'_, CatalogProduct> {
        Reader::new(self, "/products".to_owned())
    }

    /// Products of one category (the documentation, `developer_guide/api/entities/categories.rst`).
    pub fn products_in(&self, category: CategoryId) -> Reader<'_, CatalogProduct> {
        Reader::new(self, format!("/categories/{category}/products"))
    }

    /// Categories of the catalogue.
    pub fn categories(&self) -> Reader<'_, Category> {
        Reader::new(self, "/categories".to_owned())
    }

    /// Storefronts; only CS-Cart ("Ultimate") has them.
    pub fn stores(&self) -> Reader<'_, Storefront> {
        Reader::new(self, "/stores".to_owned())
    }

    /// Vendors; only Multi-Vendor has them.
    pub fn vendors(&self) -> Reader<'_, Vendor> {
        Reader::new(self, "/vendors".to_owned())
    }

    /// Requests to be called; only with the add-on of this name.
    pub fn call_requests(&self) -> Reader<'_, CallRequest> {
        Reader::new(self, "/call_requests".to_owned())
    }

    /// Comments and reviews; only with the add-on of this name.
    pub fn discussions(&self) -> Reader<'_, Discussion> {
        Reader::new(self, "/discussions".to_owned())
    }

    /// Reviews of products; only with the add-on of this name.
    pub fn product_reviews(&self) -> Reader<'_, ProductReview> {
        Reader::new(self, "/product_reviews".to_owned())
    }

    /// What this store is known to have by its answers so far; asks nothing.
    pub fn capabilities(&self) -> Capabilities {
        self.inner.learned.so_far()
    }

    /// What is known is kept, for all clones.
    pub(crate) fn learned(&self) -> &Learned {
        &self.inner.learned
    }

    /// How calls go out.
    pub(crate) fn wire(&self) -> &Wire {
        &self.inner.wire
    }

    /// The store's address.
    pub(crate) fn base_url(&self) -> &Url {
        &self.inner.base_url
    }

    /// The version of the API, such as `2.1`; it is not the version of CS-Cart. A cheap way to find out
    /// whether the URL, the e-mail and the key are right.
    pub async fn version(&self) -> crate::Result<String> {
        /// `{"Version": "2.1"}`
        #[derive(Deserialize)]
        struct Version {
            #[serde(rename = "Version", deserialize_with = "loose::string")]
            version: String,
        }

        let call = Call::get("/version");
        self.send(call, |value| decode::value(value).map(|version: Version| version.version)).await
    }

    /// Any other call. `path` lies beneath the API's root, as in `/stores/1/products`, and is made of names
    /// and numbers. The answer is whatever JSON came, null for an empty body.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> crate::Result<Value> {
        let mut call = Call::new(method, path);
        for (name, value) in query {
            call = call.query(name, *value);
        }
        if let Some(body) = body {
            call = call.json(body);
        }
        self.send(call, Ok).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.base_url.as_str())
            .field("email", &self.inner.email)
            .field("api_key", &"[redacted]")
            .finish_non_exhaustive()
    }
}

/// Makes a [`Client`].
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    url: String,
    email: String,
    api_key: SecretString,
    connect_timeout: Duration,
    timeout: Duration,
    max_answer_bytes: usize,
    user_agent: String,
    gate: Gate,
    http: Option<reqwest::Client>,
}

impl ClientBuilder {
    /// How long a connection may take to be made (5 s unless set). Not for a shared client.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long an exchange may take, from the first step to the last byte (30 s unless set).
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

    /// How hard the store is worked (two calls at once and five a second unless set); a [`Gate`] is shared with other clients.
    #[must_use]
    pub fn gentle(mut self, gate: impl Into<Gate>) -> Self {
        self.gate = gate.into();
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
        let base_url = base_url(&self.url)?;
        // A colon would end the user in HTTP Basic (RFC 7617).
        if self.email.is_empty() || self.email.contains(|c: char| c == ':' || c.is_control()) {
            return Err(BuildError::Email);
        }
        let key = self.api_key.expose_secret();
        if key.is_empty() || key.contains(char::is_control) {
            return Err(BuildError::ApiKey);
        }
        let http = match self.http {
            Some(http) => http,
            None => http(self.connect_timeout, &self.user_agent)?,
        };
        let wire =
            Wire { http, timeout: self.timeout, max_answer_bytes: self.max_answer_bytes, gate: self.gate };
        Ok(Client {
            inner: Arc::new(Inner {
                wire,
                base_url,
                email: self.email,
                api_key: self.api_key,
                root: OnceLock::new(),
                learned: Learned::default(),
            }),
        })
    }
}

/// A client that follows no redirect and repeats nothing.
pub(crate) fn http(connect_timeout: Duration, user_agent: &str) -> Result<reqwest::Client, BuildError> {
    reqwest::Client::builder()
        .connect_timeout(connect_timeout)
        .user_agent(user_agent)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .build()
        .map_err(|source| BuildError::Http(source.into()))
}

pub(crate) fn base_url(text: &str) -> Result<Url, BuildError> {
    let url = Url::parse(text).map_err(|source| BuildError::Url(source.into()))?;
    if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
        return Err(BuildError::Url("not an http or https URL".into()));
    }
    // A password in the URL would be sent instead of the key, and shown in logs.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BuildError::Url("it holds a user or a password".into()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(BuildError::Url("it holds a `?` or a `#`".into()));
    }
    Ok(url)
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The URL cannot be used. It is not repeated, because it may hold a password.
    #[error("the store's URL cannot be used; it looks like `https://example.com/shop`")]
    Url(#[source] crate::BoxError),
    /// The e-mail address is empty, or has a colon or a control character in it.
    #[error("the e-mail address of the store's administrator cannot be used")]
    Email,
    /// The API key is empty, or has a control character in it (a line feed at the end of a file).
    #[error("the store's API key is empty, or there is a line feed in it")]
    ApiKey,
    /// The HTTP client could not be made: a user agent that is no header, or no TLS on this machine.
    #[error("the HTTP client could not be made")]
    Http(#[source] crate::BoxError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(url: &str, email: &str, key: &str) -> Result<Client, BuildError> {
        Client::builder(url, email, SecretString::from(key)).build()
    }

    #[test]
    fn neither_client_nor_builder_shows_the_key() {
        let client = build("https://x.test/shop", "admin@x.test", "hunter2").unwrap();
        let builder = Client::builder("https://x.test", "admin@x.test", SecretString::from("hunter2"));
        for shown in [format!("{client:?}"), format!("{builder:?}")] {
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn a_url_that_cannot_be_a_stores_is_refused_without_being_repeated() {
        for url in [
            "",
            "x.test",
            "ftp://x.test",
            "mailto:a@x.test",
            "https://a:hunter2@x.test",
            "https://x.test/?a=hunter2",
        ] {
            let error = build(url, "admin@x.test", "key").unwrap_err();
            assert!(matches!(error, BuildError::Url(_)), "{url}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn credentials_that_cannot_be_sent_are_refused() {
        for email in ["", "a:b@x.test", "a@x.test\n"] {
            assert!(matches!(build("https://x.test", email, "key"), Err(BuildError::Email)), "{email}");
        }
        for key in ["", "key\n"] {
            assert!(matches!(build("https://x.test", "a@x.test", key), Err(BuildError::ApiKey)), "{key}");
        }
        assert!(build("https://x.test", "ö@x.test", "kéy").is_ok());
    }
}
