//! Back from HighLevel's chooser: the state is looked at first, then the code is exchanged, then what came is looked at.

use ghl::CompanyId;
use ghl::oauth::{Scopes, TokenSet};
use jiff::Timestamp;
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;

use super::Tokens;
use super::refresh::Asker;
use crate::connection::{ConnectionName, UserType};
use crate::grant::{BegunConnect, Granted, Holder, NewGrant, NewPair, NonceHash, Pair};
use crate::registry::{Live, Registry};
use crate::store;

/// How a browser comes back. It cannot be printed.
#[derive(Default)]
pub struct Callback {
    /// The state that it brings.
    pub state: Option<String>,
    /// What it is known by.
    pub nonce: Option<String>,
    /// The code that it brings.
    pub code: Option<SecretString>,
    /// The error that it brings instead.
    pub error: Option<String>,
}

/// Why a callback connects nothing. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// No state: not the end of anything that was begun here.
    #[error(
        "this address is where HighLevel sends your browser after you have allowed access; nothing was begun here"
    )]
    NoState,
    /// Unknown, used or expired.
    #[error(
        "this connect is over: it was finished already, more than 10 minutes have passed, or the address was changed"
    )]
    UnknownState,
    /// Another browser.
    #[error("this connect was begun in another browser, or your browser keeps no cookies")]
    OtherBrowser(ConnectionName),
    /// A person or HighLevel has said no.
    #[error("HighLevel did not allow it: {error}")]
    Denied {
        /// The connection.
        connection: ConnectionName,
        /// HighLevel's word.
        error: String,
    },
    /// Neither a code nor an error.
    #[error("HighLevel sent your browser back without a code")]
    NoCode(ConnectionName),
    /// The connection was changed meanwhile.
    #[error("the connection was removed or given another client meanwhile")]
    Changed(ConnectionName),
    /// HighLevel does not give tokens for the code.
    #[error("HighLevel gave no tokens for the code: {error}. {advice}")]
    Exchange {
        /// The connection.
        connection: ConnectionName,
        /// What was answered.
        error: Box<ghl::Error>,
        /// What to do.
        advice: &'static str,
    },
    /// The tokens are for something else.
    #[error("{what}")]
    Unfit {
        /// The connection.
        connection: ConnectionName,
        /// What is wrong, and what to do.
        what: String,
    },
    /// The database does not take it.
    #[error("the tokens could not be stored: {0}")]
    Store(#[from] store::Error),
    /// A panic, which has been logged.
    #[error("the bridge made a mistake; its log tells more")]
    Mistake,
}

impl CallbackError {
    /// The connection that it was about, where that is known.
    pub fn connection(&self) -> Option<&ConnectionName> {
        match self {
            Self::OtherBrowser(name) | Self::NoCode(name) | Self::Changed(name) => Some(name),
            Self::Denied { connection, .. }
            | Self::Exchange { connection, .. }
            | Self::Unfit { connection, .. } => Some(connection),
            Self::NoState | Self::UnknownState | Self::Store(_) | Self::Mistake => None,
        }
    }
}

/// What a person has just allowed.
#[derive(Debug)]
pub struct Connected {
    /// The connections that work now; the one that was begun comes first.
    pub connections: Vec<ConnectionName>,
    /// What was allowed.
    pub granted: Scopes,
}

impl Tokens {
    /// Ends a connect. The state is looked at before anything else, and is used up whatever comes of it.
    pub async fn callback(
        &self,
        registry: &Registry,
        callback: Callback,
    ) -> Result<Connected, CallbackError> {
        let state = callback.state.filter(|state| !state.is_empty()).ok_or(CallbackError::NoState)?;
        let begun = self.store().take_connect(NonceHash::of(&state), self.now()).await?;
        let begun = begun.ok_or(CallbackError::UnknownState)?;
        let nonce = NonceHash::of(callback.nonce.as_deref().unwrap_or_default());
        if !bool::from(nonce.0.ct_eq(&begun.browser.0)) {
            return Err(CallbackError::OtherBrowser(begun.connection));
        }
        if let Some(error) = callback.error {
            let error = error.chars().filter(|c| !c.is_control()).take(200).collect();
            return Err(CallbackError::Denied { connection: begun.connection, error });
        }
        let Some(code) = callback.code else { return Err(CallbackError::NoCode(begun.connection)) };
        let (tokens, registry) = (self.clone(), registry.clone());
        // The browser may go away: an answer with tokens may not be dropped.
        let exchange = self.inner.tasks.spawn(async move { tokens.exchange(&registry, begun, code).await });
        exchange.await.unwrap_or(Err(CallbackError::Mistake))
    }

    async fn exchange(
        &self,
        registry: &Registry,
        begun: BegunConnect,
        code: SecretString,
    ) -> Result<Connected, CallbackError> {
        let name = begun.connection.clone();
        let live = registry.get(&name);
        let oauth = live.as_ref().and_then(|live| {
            live.connection
                .ghl
                .oauth
                .clone()
                .filter(|oauth| oauth.client_id == begun.client_id && live.connection.ghl.token.is_none())
        });
        let (Some(live), Some(oauth)) = (live, oauth) else { return Err(CallbackError::Changed(name)) };
        let Some(client) = live.ghl_tokens.clone() else { return Err(CallbackError::Changed(name)) };
        let asked_at = self.now();
        let user_type = match oauth.user_type {
            UserType::Location => ghl::oauth::UserType::Location,
            UserType::Company => ghl::oauth::UserType::Company,
        };
        let asker = Asker::new(client, &oauth);
        let redirect_uri = Some(begun.redirect_uri.as_str());
        let mut answer = Err(ghl::Error::Unsendable { reason: "there is no client secret".into() });
        for app in &asker.apps {
            let call =
                asker.client.oauth().exchange_code(app, &code, Some(user_type.clone()), redirect_uri).await;
            answer = self.counted(call);
            if !matches!(answer, Err(ghl::Error::InvalidClient { .. })) {
                break;
            }
        }
        let set = answer.map_err(|error| not_exchanged(name.clone(), error))?;
        let new = self.fitting(&live, &begun, set, asked_at).await?;
        let connections = sharing(registry, &live, &new.holder);
        let granted = new.scopes.clone();
        let grant = self.store().put_grant(&connections, new, self.now()).await?;
        for name in &connections {
            self.inner.slots.forget(name);
            self.inner.slots.attach(name, Granted { grant: grant.clone(), left: None });
            tracing::info!(connection = %name, "connection {name} is connected to HighLevel with the scopes {granted}");
        }
        // Others may share the grant, and what waited because of it.
        let all = self.store().connections_of_grant(&grant.id).await?;
        self.go_on(&all).await?;
        Ok(Connected { connections, granted })
    }

    /// What an answer grants, if it is for this connection.
    async fn fitting(
        &self,
        live: &Live,
        begun: &BegunConnect,
        set: TokenSet,
        asked_at: Timestamp,
    ) -> Result<NewGrant, CallbackError> {
        let unfit = |what: String| CallbackError::Unfit { connection: begun.connection.clone(), what };
        let ours = live.location();
        let is_company = set.user_type == Some(ghl::oauth::UserType::Company)
            || (set.user_type.is_none() && set.location_id.is_none());
        let holder = match (is_company, &set.location_id, &set.company_id) {
            (false, Some(theirs), _) if theirs == ours => Holder::Location(ours.clone()),
            (false, Some(theirs), _) => {
                return Err(unfit(format!(
                    "you have chosen the location {theirs}, and connection `{}` is for {ours}: connect again and choose that one",
                    begun.connection
                )));
            }
            (true, _, Some(company)) => Holder::Company(company.clone()),
            (false, None, _) | (true, _, None) => {
                return Err(unfit(
                    "HighLevel's answer does not say for which location or company the tokens are: connect again; if that happens \
                     every time, ask HighLevel's support"
                        .into(),
                ));
            }
        };
        let scopes = set.scopes_or(&begun.scopes);
        if let Holder::Company(company) = &holder {
            self.reaches_location(live, &set, company).await.map_err(unfit)?;
        }
        let new = NewPair {
            expires_at: set.expires_at(asked_at),
            scopes: Some(scopes.clone()),
            issued_at: asked_at,
            pair: Pair { access_token: set.access_token, refresh_token: set.refresh_token },
        };
        Ok(NewGrant { client_id: begun.client_id.clone(), holder, scopes, new })
    }

    /// Whether tokens for the connection's location can be had with a company's.
    async fn reaches_location(&self, live: &Live, set: &TokenSet, company: &CompanyId) -> Result<(), String> {
        let (ours, again) = (live.location(), "install the app in that location, then connect again");
        if !set.approved_locations.is_empty() && !set.approved_locations.contains(ours) {
            return Err(format!("the company has not allowed its location {ours}: {again}"));
        }
        match self.location_token(live, &set.access_token, company).await {
            Ok(_) => Ok(()),
            Err(ghl::Error::MissingScope { .. }) => {
                Err("tokens for the company's locations need the scope oauth.write: add it to the app, then connect again".into())
            }
            Err(error) => Err(format!("HighLevel gives no token for the location {ours} ({error}): {again}")),
        }
    }
}

/// The connection, and those that a location's grant serves as well: the same client, the same location.
fn sharing(registry: &Registry, live: &Live, holder: &Holder) -> Vec<ConnectionName> {
    let name = &live.connection.name;
    let client = |live: &Live| live.connection.ghl.oauth.as_ref().map(|oauth| oauth.client_id.clone());
    let mut names = vec![name.clone()];
    if matches!(holder, Holder::Location(_)) {
        let all = registry.all();
        let mut others: Vec<ConnectionName> = all
            .values()
            .filter(|other| {
                other.connection.name != *name
                    && other.connection.ghl.token.is_none()
                    && other.location() == live.location()
                    && client(other) == client(live)
                    && other.connection.ghl.api_url == live.connection.ghl.api_url
            })
            .map(|other| other.connection.name.clone())
            .collect();
        others.sort();
        names.extend(others);
    }
    names
}

fn not_exchanged(connection: ConnectionName, error: ghl::Error) -> CallbackError {
    use ghl::Error;
    let advice = match &error {
        Error::InvalidClient { .. } => {
            "Correct `ghl.oauth.client_id` and `ghl.oauth.client_secret` of the connection"
        }
        Error::InvalidGrant { .. } => "A code is good once and for a short time: connect again",
        Error::Protocol { .. } => {
            "Its answer is not of the documented form: connect again; if that happens every time, ask HighLevel's support"
        }
        _ => "Connect again",
    };
    CallbackError::Exchange { connection, error: Box::new(error), advice }
}
