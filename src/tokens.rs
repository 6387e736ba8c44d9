//! The tokens for HighLevel: which one a call goes with, kept good without anybody doing anything.
//!
//! A Private Integration Token is used as it is. A pair from OAuth is renewed before its end, by one at a time: in this
//! process by a lock, among processes by a lease in the database. A refresh token is good once ("OAuth 2.0: Authorization"),
//! so a new pair is on disk before anybody uses it, and that the old one was sent is on disk before it is. When HighLevel
//! refuses to renew it, the connection is disconnected: nothing more is asked until a person connects again.

mod callback;
mod company;
mod connect;
mod denials;
mod refresh;
mod slot;
mod status;
mod uninstall;
mod unready;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::connection::ConnectionName;
use crate::grant::{Grant, GrantHead, Holder, SecretPrint};
use crate::monitor::Monitor;
use crate::registry::Live;
use crate::routes::Routes;
use crate::store::{self, Store};

pub use callback::{Callback, CallbackError, Connected};
pub use connect::{AskedScopes, BeginError, Begun};
pub use status::{ConnectionState, Status};
pub use unready::Unready;

use denials::Denials;
use slot::{Attached, Slots};

/// A token that was renewed because of a 401 and is refused as well is not renewed again for so long.
const CALM: SignedDuration = SignedDuration::from_mins(1);

/// What the tokens work with.
pub struct Setup {
    /// Everything durable.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Clock,
    /// Counters.
    pub monitor: Monitor,
    /// Told when parked events may go on.
    pub wake: Arc<Notify>,
    /// The flows, which need scopes.
    pub routes: Routes,
    /// The address under which people reach the bridge.
    pub public_url: Arc<str>,
    /// The longest that a call takes.
    pub call_timeout: Duration,
}

/// The tokens of all connections. Cheap to clone; all clones see the same.
#[derive(Clone)]
pub struct Tokens {
    inner: Arc<Inner>,
}

struct Inner {
    setup: Setup,
    slots: Slots,
    denials: Denials,
    /// The state of every grant at the last look; none: there was no look yet.
    seen: Mutex<Option<Vec<GrantHead>>>,
    /// What must not be given up half done: an answer with tokens that is not on disk yet.
    tasks: TaskTracker,
}

/// What a call goes with.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The token.
    pub token: SecretString,
    origin: Origin,
}

/// Where a token comes from: what to do when it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// From the configuration.
    Private,
    /// From the pair of this number.
    Pair(i64),
    /// From a company's pair; this many were got before it.
    Company(u64),
}

impl Tokens {
    /// The tokens of the connections in a store.
    pub fn new(setup: Setup) -> Self {
        Self {
            inner: Arc::new(Inner {
                setup,
                slots: Slots::default(),
                denials: Denials::default(),
                seen: Mutex::default(),
                tasks: TaskTracker::new(),
            }),
        }
    }

    fn store(&self) -> &dyn Store {
        &*self.inner.setup.store
    }

    fn now(&self) -> Timestamp {
        self.inner.setup.clock.now()
    }

    /// Where a person connects a connection.
    pub fn connect_url(&self, name: &ConnectionName) -> String {
        format!("{}/connect/ghl/{name}", self.inner.setup.public_url)
    }

    /// Whether a call could go out: asks nobody and renews nothing.
    pub async fn check(&self, live: &Live) -> Result<(), Unready> {
        if live.connection.ghl.token.is_some() {
            return Ok(());
        }
        let attached = self.attached(live).await?;
        self.in_use(live, &attached)
    }

    /// The token for a call; renewed first, where its time has come.
    pub async fn bearer(&self, live: &Live) -> Result<Bearer, Unready> {
        self.token(live, true).await
    }

    /// The token for a call that may not wait: the one that [`Tokens::bearer`] has just seen to.
    pub async fn bearer_at_hand(&self, live: &Live) -> Result<Bearer, Unready> {
        self.token(live, false).await
    }

    async fn token(&self, live: &Live, may_renew: bool) -> Result<Bearer, Unready> {
        if let Some(token) = &live.connection.ghl.token {
            return Ok(Bearer { token: token.clone(), origin: Origin::Private });
        }
        let attached = self.attached(live).await?;
        self.in_use(live, &attached)?;
        if !may_renew && let Some(bearer) = attached.at_hand(live.location()) {
            return Ok(bearer);
        }
        let grant = self.fresh(live, &attached).await?;
        match &grant.holder {
            Holder::Location(_) => Ok(bearer_of(&grant)),
            Holder::Company(company) => self.of_location(live, &attached, company).await,
        }
    }

    /// Another token after HighLevel has refused this one (401): one that is there by now, else a renewed one.
    pub async fn after_401(&self, live: &Live, refused: &Bearer) -> Result<Bearer, Unready> {
        match refused.origin {
            Origin::Private => Err(self.refused(live)),
            Origin::Pair(used) => {
                let attached = self.attached(live).await?;
                let slot = &attached.slot;
                if slot.grant().generation == used {
                    if slot.was_renewed_in_vain(used, self.now()) {
                        return Err(self.refused(live));
                    }
                    let renewed = self.refresh(live, &attached, used, true).await?;
                    slot.renewed_for_401(renewed.generation, self.now());
                }
                self.bearer(live).await
            }
            Origin::Company(number) => {
                let attached = self.attached(live).await?;
                if !attached.slot.forget_location(live.location(), number, self.now()) {
                    return Err(self.refused(live));
                }
                self.bearer(live).await
            }
        }
    }

    /// A token that was just got is refused as well.
    pub fn refused(&self, live: &Live) -> Unready {
        Unready::Refused {
            reason: if live.connection.ghl.token.is_some() {
                "HighLevel refuses the token: make a new Private Integration Token in the location's settings and give it to \
                 the connection"
                    .to_owned()
            } else {
                format!(
                    "HighLevel refuses the token, even one that was just renewed. Connect again: {}",
                    self.connect_url(&live.connection.name)
                )
            },
        }
    }

    /// A connection was saved or removed: whatever is remembered of it may be wrong.
    pub fn changed(&self, name: &ConnectionName) {
        self.inner.slots.forget(name);
        self.inner.denials.forget(name);
    }

    /// Waits until no tokens are on their way to the disk any more; none may be asked for afterwards.
    pub async fn finish(&self) {
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Notices what other processes have done to the grants, and lets one parked event try whether a scope that was missing
    /// is there by now.
    pub async fn look(&self) -> store::Result<()> {
        let heads = self.store().grant_heads().await?;
        let before = self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for name in self.inner.slots.outdated(&heads) {
            self.inner.slots.forget(&name);
        }
        if let Some(before) = before {
            for head in heads.iter().filter(|head| head.connected) {
                let old = before.iter().find(|old| old.connection == head.connection);
                let is_as_before = old.is_some_and(|old| {
                    old.connected
                        && old.id == head.id
                        && old.version.connected_at == head.version.connected_at
                });
                if !is_as_before {
                    self.go_on(std::slice::from_ref(&head.connection)).await?;
                }
            }
        }
        *self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(heads);
        for name in self.inner.denials.to_probe(self.now()) {
            if self.store().unpark_one(&name, self.now()).await? {
                self.inner.setup.wake.notify_one();
            }
        }
        Ok(())
    }

    /// Sets the parked events of connections going.
    async fn go_on(&self, connections: &[ConnectionName]) -> store::Result<()> {
        for name in connections {
            self.inner.denials.forget(name);
            self.store().unpark(name, self.now()).await?;
        }
        self.inner.setup.wake.notify_one();
        Ok(())
    }

    async fn attached(&self, live: &Live) -> Result<Attached, Unready> {
        let name = &live.connection.name;
        if let Some(attached) = self.inner.slots.get(name) {
            return Ok(attached);
        }
        match self.store().grant_of(name).await? {
            Some(granted) => Ok(self.inner.slots.attach(name, granted)),
            None => Err(self.not_connected(live, "the connection is not connected to HighLevel yet")),
        }
    }

    fn not_connected(&self, live: &Live, what: &str) -> Unready {
        Unready::NotConnected {
            reason: if live.connection.ghl.oauth.is_some() {
                format!("{what}: open {}", self.connect_url(&live.connection.name))
            } else {
                "the connection has no token for HighLevel yet".to_owned()
            },
        }
    }

    /// Whether a grant may be used by this connection now.
    fn in_use(&self, live: &Live, attached: &Attached) -> Result<(), Unready> {
        let grant = attached.slot.grant();
        let again = self.connect_url(&live.connection.name);
        let Some(oauth) = &live.connection.ghl.oauth else {
            return Err(self.not_connected(live, ""));
        };
        let is_ours = oauth.client_id == grant.client_id
            && match &grant.holder {
                Holder::Location(location) => location == live.location(),
                Holder::Company(_) => true,
            };
        if !is_ours {
            let what = "the connection was connected with another client or location";
            return Err(self.not_connected(live, what));
        }
        if let Some(left) = &attached.left {
            return Err(Unready::Disconnected { reason: format!("{left}. Connect again: {again}") });
        }
        match &grant.disconnected {
            Some(why) if why.refused_secret.is_none() => {
                Err(Unready::Disconnected { reason: format!("{}. Connect again: {again}", why.reason) })
            }
            Some(why) if why.refused_secret == Some(print_of(live)) => {
                Err(Unready::Disconnected { reason: why.reason.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The grant with a pair that is good for a while.
    async fn fresh(&self, live: &Live, attached: &Attached) -> Result<Arc<Grant>, Unready> {
        let grant = attached.slot.grant();
        let now = self.now();
        // It was refused with another client secret: nothing is known of this one.
        let must = grant.disconnected.is_some() || now >= grant.expires_at;
        if !must && (now < grant.refresh_at() || attached.slot.may_wait(now)) {
            return Ok(grant);
        }
        let renewed = self.refresh(live, attached, grant.generation, must).await?;
        self.in_use(live, attached)?;
        Ok(renewed)
    }
}

fn bearer_of(grant: &Grant) -> Bearer {
    Bearer { token: grant.pair.access_token.clone(), origin: Origin::Pair(grant.generation) }
}

fn print_of(live: &Live) -> SecretPrint {
    let secrets =
        live.connection.ghl.oauth.iter().flat_map(|oauth| {
            std::iter::once(&oauth.client_secret).chain(oauth.previous_client_secret.as_ref())
        });
    SecretPrint::of(secrets)
}
