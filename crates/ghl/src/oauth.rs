//! Tokens: `/oauth` (oauth.json).
//!
//! Each refresh token is good **once** and each refresh gives a new pair: keep the new pair before you use
//! it, and never refresh twice at a time. An access token lives for a day, a refresh token for a year
//! ("OAuth 2.0: Authorization").
//!
//! The way of a connection: [`Chooser`] makes the URL where a person lets the app in, [`OAuth::exchange_code`]
//! turns the code that comes back into the first [`TokenSet`], [`OAuth::refresh`] one pair into the next.
//! [`Operation::scope`] tells which [`Scope`] a call needs.

mod chooser;
mod installed;
mod operation;
mod scopes;
mod token_set;

use secrecy::{ExposeSecret, SecretString};

use crate::{
    AppId, Client, CompanyId, LocationId, Result,
    client::{Call, FormField},
};

pub use chooser::{Chooser, ChooserError, ChooserHost};
pub use installed::{InstalledLocation, InstalledLocations, InstalledPages};
pub use operation::Operation;
pub use scopes::{NotAScope, Scope, Scopes};
pub use token_set::{LocationToken, TokenSet, UserType};

/// Calls about tokens; from [`Client::oauth`]. Their exchanges show neither tokens nor secrets.
#[derive(Clone, Copy, Debug)]
pub struct OAuth<'a> {
    pub(crate) client: &'a Client,
}

/// What an app of HighLevel's marketplace identifies itself with.
#[derive(Clone, Debug)]
pub struct AppCredentials {
    /// The client id: the app's id, a dash, and some characters.
    pub client_id: String,
    /// The client secret.
    pub client_secret: SecretString,
}

impl AppCredentials {
    /// The app's id: what the client id has before the dash.
    pub fn app_id(&self) -> AppId {
        AppId::new(self.client_id.split('-').next().unwrap_or_default())
    }
}

impl<'a> OAuth<'a> {
    /// Exchanges the code that came with the redirect for the first tokens. A code is good once.
    ///
    /// `redirect_uri` is the one that the [`Chooser`] was given. A code that is refused is
    /// [`Error::InvalidGrant`](crate::Error::InvalidGrant), a client id or secret
    /// [`Error::InvalidClient`](crate::Error::InvalidClient).
    pub async fn exchange_code(
        &self,
        app: &AppCredentials,
        code: &SecretString,
        user_type: Option<UserType>,
        redirect_uri: Option<&str>,
    ) -> Result<TokenSet> {
        let mut fields = app_fields(app, "authorization_code", user_type.as_ref());
        fields.push(secret("code", code));
        if let Some(uri) = redirect_uri {
            fields.push(open("redirect_uri", uri));
        }
        self.token(fields).await
    }

    /// Exchanges a refresh token for a new pair. When it is refused for good the error is
    /// [`Error::InvalidGrant`](crate::Error::InvalidGrant). When the error
    /// [may have been processed](crate::Error::maybe_processed) the old token may be used up: the only way
    /// to find out is to send it once more.
    pub async fn refresh(
        &self,
        app: &AppCredentials,
        refresh_token: &SecretString,
        user_type: Option<UserType>,
    ) -> Result<TokenSet> {
        let mut fields = app_fields(app, "refresh_token", user_type.as_ref());
        fields.push(secret("refresh_token", refresh_token));
        self.token(fields).await
    }

    /// A token for one location, from the company's token that this client has. Needs the scope
    /// `oauth.write`.
    pub async fn location_token(&self, company: &CompanyId, location: &LocationId) -> Result<LocationToken> {
        let fields = vec![open("companyId", company.as_str()), open("locationId", location.as_str())];
        let call = Call::post(&["oauth", "locationToken"]).token_form(fields);
        self.client.send(call, LocationToken::read).await
    }

    /// One page of the company's locations that have the app, `skip` and `limit` (20 unless given) at a
    /// time, with the company's token that this client has. Needs the scope `oauth.readonly`.
    pub async fn installed_locations(
        &self,
        company: &CompanyId,
        app: &AppId,
        skip: Option<u32>,
        limit: Option<u32>,
    ) -> Result<InstalledLocations> {
        installed::page(self.client, company, app, skip, limit).await
    }

    /// All pages of [`OAuth::installed_locations`], one at a time.
    pub fn all_installed_locations(&self, company: &CompanyId, app: &AppId) -> InstalledPages<'a> {
        InstalledPages::new(self.client, company, app)
    }

    async fn token(&self, fields: Vec<FormField>) -> Result<TokenSet> {
        // Form-encoded: JSON is answered by 422 (n8n issue 12689).
        let call = Call::post(&["oauth", "token"]).without_token().token_form(fields);
        self.client.send(call, TokenSet::read).await
    }
}

fn app_fields(app: &AppCredentials, grant_type: &str, user_type: Option<&UserType>) -> Vec<FormField> {
    let mut fields = vec![
        open("client_id", &app.client_id),
        secret("client_secret", &app.client_secret),
        open("grant_type", grant_type),
    ];
    if let Some(user_type) = user_type {
        fields.push(open("user_type", user_type.as_str()));
    }
    fields
}

fn open(name: &'static str, value: &str) -> FormField {
    FormField { name: name.into(), value: value.to_owned(), secret: false }
}

fn secret(name: &'static str, value: &SecretString) -> FormField {
    FormField { name: name.into(), value: value.expose_secret().to_owned(), secret: true }
}
