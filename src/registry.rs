//! The connections in use: each with its clients and the keys to verify its webhooks, ready for work.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use ghl::webhook::Verifier;
use jiff::tz::TimeZone;
use secrecy::ExposeSecret as _;

use crate::breaker::Breaker;
use crate::budget::Budget;
use crate::clock::Clock;
use crate::connection::{AppInLocation, Connection, ConnectionName, GhlSide};
use crate::flow::FieldMap;
use crate::store::{self, Origin, Store, StoredConnection, UnreadableConnection};

/// A connection with everything that serves it.
pub struct Live {
    /// What it is.
    pub connection: Connection,
    /// Where it is defined.
    pub origin: Origin,
    /// HighLevel, without a token: that is given to each call. None: its URL is not one, or may not be called.
    pub ghl: Option<ghl::Client>,
    /// The same for calls for tokens, which are waited for longer: an answer that is missed may be the only one.
    pub ghl_tokens: Option<ghl::Client>,
    /// The store's REST API; none: no API key was given, or its URL may not be called.
    pub cscart: Option<cscart::Client>,
    /// What verifies the store's webhooks, newest first.
    pub webhook_secrets: Vec<cscart::webhook::Secret>,
    /// What verifies HighLevel's webhooks.
    pub verifier: Verifier,
    /// What is left of HighLevel's rate limit.
    pub budget: Arc<Budget>,
    /// Whether HighLevel works for the location.
    pub breaker: Arc<Breaker>,
    /// The mapping of its settings.
    pub fields: FieldMap,
    /// Where it is what time of the day, and which day.
    pub zone: TimeZone,
}

impl Live {
    /// Without the clients whose calls would cross a network in clear. No such connection is stored any more; a database
    /// may be older, or have been changed by hand.
    fn without_clear_text(mut self) -> Self {
        if self.connection.ghl.forbids_its_url() {
            (self.ghl, self.ghl_tokens) = (None, None);
        }
        self.cscart = self.cscart.filter(|_| !self.connection.cscart.forbids_its_url());
        self
    }
}

/// Connections in use, by name.
pub type LiveByName = HashMap<ConnectionName, Arc<Live>>;

/// All connections in use. Cheap to clone; all clones see the same.
#[derive(Clone)]
pub struct Registry {
    store: Arc<dyn Store>,
    clock: Clock,
    call_timeout: Duration,
    /// Where connections are that do not say it.
    zone: TimeZone,
    live: Arc<RwLock<Arc<LiveByName>>>,
    stores: Stores,
    /// Why the others cannot be used.
    unreadable: Arc<RwLock<BTreeMap<ConnectionName, String>>>,
}

impl Registry {
    /// An empty registry; [`Registry::reload`] fills it.
    pub fn new(store: Arc<dyn Store>, clock: Clock, call_timeout: Duration) -> Self {
        Self {
            store,
            clock,
            call_timeout,
            zone: TimeZone::UTC,
            live: Arc::default(),
            stores: Stores::default(),
            unreadable: Arc::default(),
        }
    }

    /// The same, for a bridge in this time zone: connections that name none of their own are in it, too.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// Reads the connections from the store again; answers those that are new or changed. An unchanged one keeps its
    /// clients and its budget.
    pub async fn reload(&self) -> store::Result<Vec<ConnectionName>> {
        let store::Connections { readable: stored, unreadable } = self.store.connections().await?;
        self.note_unreadable(unreadable);
        let before = self.all();
        let mut changed = Vec::new();
        let mut live = HashMap::with_capacity(stored.len());
        let mut gates: HashMap<_, _> =
            before.values().map(|live| (live.connection.ghl.app(), Gate::of(live))).collect();
        let shares = shares(&stored);
        for mut stored in stored {
            stored.connection.settings.settle_in(&self.zone);
            let name = stored.connection.name.clone();
            let kept = before.get(&name).filter(|live| {
                live.origin == stored.origin && live.connection.to_stored() == stored.connection.to_stored()
            });
            let entry = if let Some(kept) = kept {
                Arc::clone(kept)
            } else {
                changed.push(name.clone());
                let side = &stored.connection.ghl;
                let gate = gates.entry(side.app()).or_insert_with(|| Gate::new(&self.clock, side));
                Arc::new(self.live(stored.connection, stored.origin, gate.clone()).without_clear_text())
            };
            entry.budget.set_share(shares.get(&entry.connection.ghl.app()).copied().flatten());
            live.insert(name, entry);
        }
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
        Ok(changed)
    }

    /// One connection.
    pub fn get(&self, name: &ConnectionName) -> Option<Arc<Live>> {
        self.all().get(name).cloned()
    }

    /// The key of the custom field by which a contact tells which of a connection's customers it is; none: no field does, or
    /// another store's customers in the same location have their numbers in that field, too.
    pub fn number_field<'a>(&self, connection: &'a Connection) -> Option<&'a str> {
        let key = connection.settings.custom_fields.customer_id.as_str();
        let in_the_way = |other: &Connection| {
            other.ghl.location_id == connection.ghl.location_id
                && other.cscart.url != connection.cscart.url
                && other.settings.custom_fields.customer_id == key
        };
        let is_shared = self.all().values().any(|live| in_the_way(&live.connection));
        (!key.is_empty() && !is_shared).then_some(key)
    }

    /// All connections.
    pub fn all(&self) -> Arc<LiveByName> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The names of all stored connections, also of those that cannot be used.
    pub fn names(&self) -> Vec<ConnectionName> {
        let unreadable = self.unreadable.read().unwrap_or_else(PoisonError::into_inner);
        self.all().keys().chain(unreadable.keys()).cloned().collect()
    }

    /// Why a stored connection cannot be used; none: it can, or there is none of this name.
    pub fn unreadable(&self, name: &ConnectionName) -> Option<String> {
        self.unreadable.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Whether any stored connection cannot be used.
    pub fn has_unreadable(&self) -> bool {
        !self.unreadable.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Keeps why connections cannot be used, and tells the log once of each.
    fn note_unreadable(&self, found: Vec<UnreadableConnection>) {
        let mut noted = self.unreadable.write().unwrap_or_else(PoisonError::into_inner);
        let mut now = BTreeMap::new();
        for UnreadableConnection { name, error } in found {
            let why = store::in_full(&error);
            if noted.get(&name) != Some(&why) {
                tracing::error!(connection = %name, "connection {name} cannot be used: {why}");
            }
            now.insert(name, why);
        }
        *noted = now;
    }

    /// A connection with everything that serves it, which is not taken into use.
    pub fn ready(&self, mut connection: Connection, origin: Origin) -> Live {
        connection.settings.settle_in(&self.zone);
        let gate = Gate::new(&self.clock, &connection.ghl);
        self.live(connection, origin, gate).without_clear_text()
    }

    fn live(&self, connection: Connection, origin: Origin, gate: Gate) -> Live {
        let parsed =
            |secret: &secrecy::SecretString| cscart::webhook::Secret::parse(secret.expose_secret()).ok();
        let ghl = |timeout| ghl::Client::builder().base_url(&connection.ghl.api_url).timeout(timeout).build();
        Live {
            ghl: usable(&connection.name, ghl(self.call_timeout)),
            ghl_tokens: usable(&connection.name, ghl(token_timeout(self.call_timeout))),
            cscart: connection.cscart.email.as_ref().zip(connection.cscart.api_key.as_ref()).and_then(
                |(email, key)| {
                    let builder = cscart::Client::builder(&connection.cscart.url, email, key.clone());
                    let gentleness = cscart::Gentleness {
                        concurrency: connection.cscart.concurrency,
                        per_second: connection.cscart.requests_per_second,
                    };
                    let gate = self.stores.gate(&connection.cscart.url, gentleness);
                    let builder = builder.timeout(self.call_timeout).gentle(gate);
                    usable(&connection.name, builder.build())
                },
            ),
            webhook_secrets: connection.cscart.webhook_secrets.iter().filter_map(parsed).collect(),
            verifier: verifier(&connection.ghl),
            budget: gate.budget,
            breaker: gate.breaker,
            fields: FieldMap::compile(&connection.settings),
            // One that is no time zone is told as a mistake of the mapping.
            zone: connection.settings.zone().unwrap_or_else(|_| self.zone.clone()),
            origin,
            connection,
        }
    }
}

/// How long a call for tokens may take.
pub fn token_timeout(call_timeout: Duration) -> Duration {
    call_timeout.max(Duration::from_mins(1))
}

/// What all connections of one app in one location have in common, over changes of their definitions, too.
#[derive(Clone)]
struct Gate {
    budget: Arc<Budget>,
    breaker: Arc<Breaker>,
}

impl Gate {
    fn new(clock: &Clock, side: &GhlSide) -> Self {
        Self {
            budget: Arc::new(Budget::new(clock.clone(), side.requests_per_window)),
            breaker: Arc::new(Breaker::new(clock.clone(), side.location_id.to_string())),
        }
    }

    fn of(live: &Live) -> Self {
        Self { budget: Arc::clone(&live.budget), breaker: Arc::clone(&live.breaker) }
    }
}

/// The gates that calls to stores go through, over changes of connections, too. One machine serves all storefronts of a store,
/// so connections that say the same of it share one. Cheap to clone; all clones see the same.
#[derive(Clone, Default)]
struct Stores(Arc<Mutex<HashMap<(String, cscart::Gentleness), cscart::Gate>>>);

impl Stores {
    fn gate(&self, url: &str, gentleness: cscart::Gentleness) -> cscart::Gate {
        let machine = reqwest::Url::parse(url)
            .map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization());
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry((machine, gentleness)).or_insert_with(|| gentleness.into()).clone()
    }
}

/// What of each limit is meant for the bridge: the least that a connection says.
fn shares(stored: &[StoredConnection]) -> HashMap<AppInLocation, Option<u32>> {
    let mut shares: HashMap<_, Option<u32>> = HashMap::new();
    for side in stored.iter().map(|stored| &stored.connection.ghl) {
        let share = shares.entry(side.app()).or_default();
        *share = share.iter().copied().chain(side.requests_per_window).min();
    }
    shares
}

/// The keys that a connection takes HighLevel's webhooks by. Its definition was checked before it was stored; should a key
/// not be one all the same, HighLevel's own count and the sandbox's do not.
fn verifier(side: &GhlSide) -> Verifier {
    let own = if side.webhook_public_keys.is_empty() {
        Verifier::default()
    } else {
        Verifier::from_pem(&side.webhook_public_keys).unwrap_or_default()
    };
    if side.legacy_webhook_signature { own.with_legacy_rsa() } else { own }
}

/// The client; none, and a word in the log, where it cannot be made: then the connection's events are parked.
fn usable<C, E: std::error::Error + 'static>(name: &ConnectionName, built: Result<C, E>) -> Option<C> {
    built
        .inspect_err(|error| {
            tracing::error!(error = error as &dyn std::error::Error, connection = %name, "connection {name} cannot be used");
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_to_one_machine_share_a_gate_and_others_do_not() {
        let (stores, gentle) = (Stores::default(), cscart::Gentleness::default());
        let gate = stores.gate("https://shop.example.com/first", gentle);
        assert!(stores.gate("https://SHOP.example.com/second/", gentle) == gate);
        assert!(stores.gate("https://other.example.com/first", gentle) != gate);
        let hurry = cscart::Gentleness { concurrency: 8, ..gentle };
        assert!(stores.gate("https://shop.example.com/first", hurry) != gate, "as that connection asks for");
    }
}
