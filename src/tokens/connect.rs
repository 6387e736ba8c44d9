//! Connecting: to HighLevel's chooser and back (authorization code, RFC 6749 section 4.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ghl::CompanyId;
use ghl::oauth::{Chooser, ChooserError, ChooserHost, Scope, Scopes, TokenSet};
use jiff::Timestamp;
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;

use super::Tokens;
use super::company::after;
use super::refresh::Asker;
use crate::connection::{ConnectionName, OauthClient, UserType};
use crate::grant::{BegunConnect, CONNECT_TTL, Granted, Holder, NewGrant, NewPair, NonceHash, Pair};
use crate::registry::{Live, Registry};
use crate::store;

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedScopes {
    /// What the configuration says, and what there is already.
    Usual,
    /// What the routes need as well.
    Needed,
    /// These.
    These(Scopes),
}

impl AskedScopes {
    /// As it stands in an address: nothing, `needed`, or scopes with blanks or commas between them.
    pub fn parse(text: Option<&str>) -> Self {
        match text.map(str::trim) {
            None | Some("") => Self::Usual,
            Some("needed") => Self::Needed,
            Some(text) => {
                let Ok(scopes) = text.parse();
                Self::These(scopes)
            }
        }
    }
}

/// A connect that has begun. It cannot be printed: both are as good as a key for ten minutes.
pub struct Begun {
    /// Where to send the browser.
    pub url: String,
    /// What the browser is to be known by when it comes back.
    pub nonce: String,
}

/// Why a connect cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// It has a Private Integration Token.
    #[error(
        "connection `{0}` uses a Private Integration Token: take `ghl.token` out of it and give it `ghl.oauth` to connect this way"
    )]
    HasToken(ConnectionName),
    /// It has no client.
    #[error("connection `{0}` has no `ghl.oauth`: give it the client id and secret of your marketplace app")]
    NoClient(ConnectionName),
    /// The scopes are none.
    #[error(
        "`scopes` may hold a-z, 0-9 and `. / - _`, such as `contacts.readonly contacts.write`, or be `needed`"
    )]
    Scopes,
    /// The configuration does not make an address.
    #[error("the chooser's address cannot be made: {0}. Check `public_url` and `ghl.oauth`")]
    Chooser(#[from] ChooserError),
    /// The database does not take it.
    #[error(transparent)]
    Store(#[from] store::Error),
}

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
    /// Where HighLevel sends browsers back to: the redirect URL of the marketplace app, one for all connections.
    pub fn redirect_uri(&self) -> String {
        format!("{}/connect/callback", self.inner.setup.public_url)
    }

    /// Begins a connect: where to send the browser, and what to know it by.
    pub async fn begin(
        &self,
        live: &Live,
        asked: AskedScopes,
        white_label: bool,
    ) -> Result<Begun, BeginError> {
        let name = &live.connection.name;
        let side = &live.connection.ghl;
        if side.token.is_some() {
            return Err(BeginError::HasToken(name.clone()));
        }
        let oauth = side.oauth.as_ref().ok_or_else(|| BeginError::NoClient(name.clone()))?;
        let scopes = self.to_ask_for(name, oauth, asked).await?;
        let (state, nonce) = (nonce(), nonce());
        let now = self.now();
        let redirect_uri = self.redirect_uri();
        let host = match &oauth.chooser_url {
            Some(url) => ChooserHost::Other(url.clone()),
            None if white_label || oauth.white_label => ChooserHost::WhiteLabel,
            None => ChooserHost::Standard,
        };
        let url = Chooser::new(&oauth.client_id, &redirect_uri, &scopes, &state).host(host).url()?;
        let begun = BegunConnect {
            state: NonceHash::of(&state),
            browser: NonceHash::of(&nonce),
            connection: name.clone(),
            client_id: oauth.client_id.clone(),
            scopes,
            redirect_uri,
            expires_at: after(now, CONNECT_TTL),
        };
        self.store().begin_connect(begun, now).await?;
        Ok(Begun { url, nonce })
    }

    async fn to_ask_for(
        &self,
        name: &ConnectionName,
        oauth: &OauthClient,
        asked: AskedScopes,
    ) -> Result<Scopes, BeginError> {
        let usual: Scopes = oauth.scopes.iter().filter_map(|scope| scope.parse::<Scope>().ok()).collect();
        let mut scopes = match asked {
            AskedScopes::These(scopes) => scopes,
            AskedScopes::Usual | AskedScopes::Needed => {
                // Whoever connects again must not lose what he had.
                let had = self.store().grant_of(name).await?.map(|granted| granted.grant.scopes);
                let all = usual.union(&had.unwrap_or_default());
                if asked == AskedScopes::Needed { all.union(&self.needed()) } else { all }
            }
        };
        if oauth.user_type == UserType::Company {
            scopes = scopes.union(&[Scope::OAUTH_WRITE, Scope::OAUTH_READONLY].into());
        }
        let is_written_right = |scope: &Scope| {
            let text = scope.as_str();
            text.len() <= 100
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./-_".contains(&byte))
        };
        if scopes.is_empty() || scopes.len() > 100 || !scopes.iter().all(is_written_right) {
            return Err(BeginError::Scopes);
        }
        Ok(scopes)
    }

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

    /// HighLevel says that the app was uninstalled: these connections use their grants no longer, unless they were connected
    /// again since `at`. Events are parked; nothing is asked any more.
    pub async fn uninstalled(
        &self,
        registry: &Registry,
        connections: &[ConnectionName],
        app_id: Option<&str>,
        at: Option<Timestamp>,
    ) -> store::Result<()> {
        for name in connections {
            let is_this_app = registry.get(name).is_some_and(|live| {
                live.connection.ghl.token.is_none()
                    && live.connection.ghl.oauth.as_ref().is_some_and(|oauth| {
                        app_id.is_none_or(|id| oauth.client_id.split('-').next() == Some(id))
                    })
            });
            if !is_this_app {
                continue;
            }
            let why = "the app was uninstalled in HighLevel";
            if self.store().leave_grant(name, at, why).await? {
                tracing::error!(connection = %name, "connection {name} is disconnected from HighLevel: {why}");
                self.inner.slots.forget(name);
            }
        }
        Ok(())
    }

    /// The connections that use a company's grant.
    pub async fn of_company(&self, company: &CompanyId) -> store::Result<Vec<ConnectionName>> {
        let heads = self.store().grant_heads().await?;
        let of_company = |name: &ConnectionName| {
            self.inner.slots.get(name).is_some_and(
                |attached| matches!(&attached.slot.grant().holder, Holder::Company(id) if id == company),
            )
        };
        let mut names = Vec::new();
        for head in heads {
            if self.inner.slots.get(&head.connection).is_none()
                && let Some(granted) = self.store().grant_of(&head.connection).await?
            {
                self.inner.slots.attach(&head.connection, granted);
            }
            if of_company(&head.connection) {
                names.push(head.connection);
            }
        }
        Ok(names)
    }
}

/// 256 random bits as text.
fn nonce() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
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
