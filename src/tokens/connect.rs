//! Connecting: to HighLevel's chooser (authorization code, RFC 6749 section 4.1). The way back is [`super::callback`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ghl::oauth::{Chooser, ChooserError, ChooserHost, Scope, Scopes};

use super::Tokens;
use crate::clock::after;
use crate::connection::{ConnectionName, OauthClient, UserType};
use crate::grant::{BegunConnect, CONNECT_TTL, NonceHash};
use crate::registry::Live;
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
                if asked == AskedScopes::Needed { all.union(&self.needed_by(name)) } else { all }
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
}

/// 256 random bits as text.
fn nonce() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}
