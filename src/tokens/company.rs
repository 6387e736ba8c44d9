//! Companies (agencies): a location's token, got with the company's (`POST /oauth/locationToken`). It is kept in memory only:
//! another one costs one call.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ghl::oauth::Scopes;
use ghl::{CompanyId, LocationId};
use jiff::Timestamp;
use secrecy::SecretString;

use super::slot::Attached;
use super::{Bearer, CALM, Origin, Tokens, Unready};
use crate::clock::after;
use crate::grant::refresh_at;
use crate::registry::Live;

/// After a failure, a token that is still good is used for so long before another one is asked for.
const PAUSE: Duration = Duration::from_secs(15);

/// The token of one location.
#[derive(Default)]
pub(super) struct LocationSlot {
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<LocationToken>,
    /// How many were got so far.
    number: u64,
    /// The number of the one that is got because the one before was refused, and when that was.
    renewed: Option<(u64, Timestamp)>,
}

#[derive(Clone)]
struct LocationToken {
    token: SecretString,
    scopes: Option<Scopes>,
    refresh_at: Timestamp,
    expires_at: Timestamp,
    number: u64,
}

impl LocationToken {
    fn bearer(&self) -> Bearer {
        Bearer { token: self.token.clone(), origin: Origin::Company(self.number) }
    }
}

impl LocationSlot {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the token allows, where one is there.
    pub(super) fn scopes(&self) -> Option<Scopes> {
        self.state().token.as_ref().and_then(|token| token.scopes.clone())
    }

    /// The token that is there, good or not.
    pub(super) fn at_hand(&self) -> Option<Bearer> {
        self.state().token.as_ref().map(LocationToken::bearer)
    }

    /// See [`super::slot::Slot::forget_location`].
    pub(super) fn forget(&self, number: u64, now: Timestamp) -> bool {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|token| token.number == number) {
            if state.renewed.is_some_and(|(renewed, at)| renewed == number && now.duration_since(at) < CALM) {
                return false;
            }
            state.token = None;
            state.renewed = Some((number + 1, now));
        }
        true
    }
}

impl Tokens {
    /// The token of the connection's location: the one that is there, else a new one.
    pub(super) async fn of_location(
        &self,
        live: &Live,
        attached: &Attached,
        company: &CompanyId,
    ) -> Result<Bearer, Unready> {
        let slot = attached.slot.location(live.location());
        let good = |now: Timestamp| slot.state().token.clone().filter(|token| now < token.refresh_at);
        if let Some(token) = good(self.now()) {
            return Ok(token.bearer());
        }
        let _turn = slot.turn.lock().await;
        let now = self.now();
        if let Some(token) = good(now) {
            return Ok(token.bearer());
        }
        match self.ask_for_location(live, attached, company).await {
            Ok(answer) => {
                let expires_at = answer.expires_at(now);
                let mut state = slot.state();
                state.number += 1;
                let token = LocationToken {
                    token: answer.access_token,
                    scopes: answer.scopes,
                    refresh_at: refresh_at(now, expires_at, rand::random()),
                    expires_at,
                    number: state.number,
                };
                let bearer = token.bearer();
                state.token = Some(token);
                Ok(bearer)
            }
            Err(unready @ Unready::Later { .. }) => {
                let mut state = slot.state();
                let Some(token) = state.token.as_mut().filter(|token| now < token.expires_at) else {
                    return Err(unready);
                };
                token.refresh_at = after(now, PAUSE).min(token.expires_at);
                Ok(token.bearer())
            }
            Err(unready) => Err(unready),
        }
    }

    /// Asks for a location's token. A company's token that is refused is renewed once.
    async fn ask_for_location(
        &self,
        live: &Live,
        attached: &Attached,
        company: &CompanyId,
    ) -> Result<ghl::oauth::LocationToken, Unready> {
        let grant = attached.slot.grant();
        match self.location_token(live, &grant.pair.access_token, company).await {
            Err(ghl::Error::Unauthorized { .. }) => {
                let renewed = self.refresh(live, attached, grant.generation, true).await?;
                self.in_use(live, attached)?;
                let again = self.location_token(live, &renewed.pair.access_token, company).await;
                again.map_err(|error| self.no_location(live, &error))
            }
            answer => answer.map_err(|error| self.no_location(live, &error)),
        }
    }

    /// One call for a location's token; an answer for another location counts as a refusal.
    pub(super) async fn location_token(
        &self,
        live: &Live,
        company_token: &SecretString,
        company: &CompanyId,
    ) -> Result<ghl::oauth::LocationToken, ghl::Error> {
        let Some(client) = &live.ghl_tokens else {
            return Err(ghl::Error::Unsendable { reason: "`ghl.api_url` cannot be used".into() });
        };
        let client = client.with_token(company_token.clone());
        let answer = client.oauth().location_token(company, live.location()).await;
        let token = self.counted(answer)?;
        match &token.location_id {
            Some(other) if other != live.location() => {
                Err(ghl::Error::WrongLocation { message: format!("the token is for {other}") })
            }
            _ => Ok(token),
        }
    }

    fn no_location(&self, live: &Live, error: &ghl::Error) -> Unready {
        use ghl::Error;
        let (location, again) = (live.location(), self.connect_url(&live.connection.name));
        match error {
            Error::NotSent(_)
            | Error::Uncertain { .. }
            | Error::Protocol { .. }
            | Error::Unavailable { .. } => Unready::Later {
                at: after(self.now(), PAUSE),
                why: format!("no token for location {location} could be got: {error}"),
            },
            Error::RateLimited { retry_after, .. } => Unready::Later {
                at: after(self.now(), retry_after.unwrap_or(PAUSE)),
                why: format!("no token for location {location} could be got: {error}"),
            },
            Error::MissingScope { .. } => Unready::NotConnected {
                reason: format!(
                    "the company's grant lacks the scope oauth.write, which tokens for its locations need. Connect again: {again}"
                ),
            },
            _ => Unready::NotConnected {
                reason: format!(
                    "the company's grant does not reach location {location} ({error}): install the app in this location, then connect \
                     again: {again}"
                ),
            },
        }
    }
}

/// The location of a connection.
impl Live {
    pub(super) fn location(&self) -> &LocationId {
        &self.connection.ghl.location_id
    }
}
