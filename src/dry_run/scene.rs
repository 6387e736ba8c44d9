//! Where a dry run takes place: the engine itself, with a database of its own and the sandbox in place of HighLevel.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sandbox::{Entry, Options, Sandbox};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use super::Error;
use super::gate::Gate;
use super::given::{Given, GivenContact};
use super::report::StoreCall;
use crate::clock::Clock;
use crate::config::EngineConfig;
use crate::connection::{Connection, ConnectionName, CscartSide, GhlSide};
use crate::custom_fields::CustomFields;
use crate::effect::Effect;
use crate::engine::{Creating, Engine};
use crate::event::{Event, EventId, NewEvent, State};
use crate::flow::{Judged, RouteSet, Watch};
use crate::inbox::{Inbox, Incoming};
use crate::monitor::Monitor;
use crate::registry::Registry;
use crate::routes::Routes;
use crate::store::sqlite::Sqlite;
use crate::store::{LinkChange, Origin, Store};
use crate::tokens::{self, Tokens};
use crate::vault::{Key, Vault};

/// How often an event is taken up again before that is left: more than any that gets on needs.
const ROUNDS: usize = 20;

/// How many waits are followed: a flow that waits more often is told as far as here.
const MOST_ACTS: usize = 50;

/// More requests than any event makes: the limit is not what a dry run is about.
const NO_LIMIT: u32 = 1_000_000;

/// The simulated systems of one location. Each play begins with nothing but what it is given.
pub(crate) struct Scene {
    folder: TempDir,
    sandbox: Sandbox,
    gate: Gate,
    plays: usize,
}

/// What is played.
pub(crate) struct Play<'a> {
    /// The connection; its secrets stay where they are.
    pub(crate) connection: &'a Connection,
    /// The routes.
    pub(crate) routes: &'a RouteSet,
    /// What is there before.
    pub(crate) given: &'a Given,
    /// The event, and those that go with it.
    pub(crate) events: Vec<Arrival>,
    /// What stands in for the store.
    pub(crate) store: StoreSide,
}

/// An event that comes in.
pub(crate) enum Arrival {
    /// One that was not received.
    Told(Box<Incoming>),
    /// One that was, with its payload.
    Recorded(Box<Event>),
}

/// What stands in for the store.
pub(crate) enum StoreSide {
    /// Nothing: a step that needs it stops the event.
    LeftAlone,
    /// The store itself, for GET.
    OnlyAsked,
    /// The simulated store, with these customers: the number of each and what it has of him.
    Simulated(Vec<(u64, Value)>),
}

/// What came of it.
pub(crate) struct Played {
    /// The event, and what followed it after a wait.
    pub(crate) acts: Vec<Act>,
    /// What was asked of the store, or would have been.
    pub(crate) store_calls: Vec<StoreCall>,
    /// What could not be made as it is.
    pub(crate) flaws: Vec<String>,
}

/// One event, carried out.
pub(crate) struct Act {
    /// How long after the one before it.
    pub(crate) after: Option<Duration>,
    pub(crate) event: Event,
    pub(crate) effects: Vec<Effect>,
    pub(crate) judged: Vec<Judged>,
    /// What HighLevel was asked.
    pub(crate) calls: Vec<Entry>,
}

impl Scene {
    /// Sets it up; HighLevel's location has this id. `call_timeout`: how long a call to the store may take.
    pub(crate) async fn open(location: &ghl::LocationId, call_timeout: Duration) -> Result<Self, Error> {
        let folder =
            tempfile::Builder::new().prefix("cartbridge-dry-run-").tempdir().map_err(Error::setup)?;
        let options = Options {
            strict_rate: false,
            search_lag: Duration::ZERO,
            location_id: Some(location.to_string()),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.map_err(Error::setup)?;
        let gate = Gate::open(call_timeout).await?;
        Ok(Self { folder, sandbox, gate, plays: 0 })
    }

    /// Carries an event out.
    pub(crate) async fn play(&mut self, play: Play<'_>) -> Result<Played, Error> {
        let flaws = self.set(play.given).await?;
        let cscart = self.store_side(&play).await?;
        let bridge = self.bridge(&play, cscart).await?;
        let mut changes: Vec<LinkChange> = play.given.links.iter().cloned().map(LinkChange::Put).collect();
        changes.extend(play.given.items.iter().cloned().map(LinkChange::PutItem));
        bridge.engine.store.put_links(changes).await?;
        let mut first = None;
        for arrival in play.events {
            let id = bridge.receive(&play.connection.name, arrival).await?;
            first.get_or_insert(id);
        }
        let mut acts = Vec::new();
        let mut next = first.map(|id| (None, id));
        let mut asked = 0;
        while let Some((after, id)) = next {
            let (event, effects) = bridge.settle(id).await?;
            let calls = self.sandbox.ghl().journal_since(asked);
            asked = calls.last().map_or(asked, |call| call.seq);
            acts.push(Act { after, event, effects, judged: bridge.watch.take(), calls });
            next = if acts.len() < MOST_ACTS { bridge.next(&play.connection.name).await? } else { None };
        }
        Ok(Played { acts, store_calls: self.gate.calls(), flaws })
    }

    /// Ends the simulated systems.
    pub(crate) async fn close(self) {
        self.sandbox.shutdown().await;
    }

    /// HighLevel holds what is given, and nothing else; answers what could not be made as it is.
    async fn set(&self, given: &Given) -> Result<Vec<String>, Error> {
        let ghl = self.sandbox.ghl();
        ghl.reset();
        let rate = json!({ "rate": { "max": NO_LIMIT, "daily": NO_LIMIT }, "strict_rate": false });
        ghl.settings(rate).map_err(Error::setup)?;
        let mut flaws = Vec::new();
        for contact in given.all_contacts() {
            flaws.extend(self.set_contact(contact).await?);
        }
        for item in given.all_items() {
            ghl.act(item).await.map_err(Error::setup)?;
        }
        Ok(flaws)
    }

    /// A value that HighLevel would not take by now is left out rather than the whole contact.
    async fn set_contact(&self, contact: GivenContact) -> Result<Option<String>, Error> {
        let act = |fields: &serde_json::Map<String, Value>| json!({ "action": "contact.create", "deliver": false, "id": contact.id, "contact": fields });
        let Err(refused) = self.sandbox.ghl().act(act(&contact.fields)).await else { return Ok(None) };
        let mut less = contact.fields.clone();
        for name in ["phone", "email", "country", "dateOfBirth", "customFields"] {
            less.remove(name);
        }
        self.sandbox.ghl().act(act(&less)).await.map_err(Error::setup)?;
        let id = &contact.id;
        Ok(Some(format!(
            "contact {id} cannot be simulated as it is ({refused}): it is without e-mail and phone here"
        )))
    }

    async fn store_side(&self, play: &Play<'_>) -> Result<CscartSide, Error> {
        let real = &play.connection.cscart;
        let customers = match &play.store {
            StoreSide::LeftAlone => return Ok(self.gate.side(real, false)),
            StoreSide::OnlyAsked => return Ok(self.gate.side(real, true)),
            StoreSide::Simulated(customers) => customers,
        };
        let store = self.sandbox.cscart();
        store.reset();
        for (id, user) in customers {
            let user = json!({ "action": "customer.register", "deliver": false, "id": id, "user": user });
            store.act(user).await.map_err(Error::setup)?;
        }
        let announced = &self.sandbox.announcement()["cscart"];
        let text = |name: &str| announced[name].as_str().unwrap_or_default().to_owned();
        Ok(CscartSide {
            email: Some(text("email")),
            api_key: Some(SecretString::from(text("api_key"))),
            ..CscartSide::new(text("url"))
        })
    }

    /// A bridge that knows only this connection, with made-up secrets.
    async fn bridge(&mut self, play: &Play<'_>, cscart: CscartSide) -> Result<Bridge, Error> {
        self.plays += 1;
        let path = self.folder.path().join(format!("{}.db", self.plays));
        let store: Arc<dyn Store> =
            Arc::new(Sqlite::open_temporary(&path, Vault::new(Key::generate())).map_err(Error::setup)?);
        let token = self.sandbox.announcement()["ghl"]["token"].as_str().map(SecretString::from);
        let connection = Connection {
            name: play.connection.name.clone(),
            ghl: GhlSide {
                token,
                api_url: self.sandbox.ghl_url().to_owned(),
                ..GhlSide::new(play.connection.ghl.location_id.clone())
            },
            cscart,
            retry: play.connection.retry,
            settings: play.connection.settings.clone(),
        };
        let clock = Clock::still();
        let config =
            EngineConfig { fold_window_ms: 0, settle_ms: 0, index_lag_ms: 0, ..EngineConfig::default() };
        store.put_connection(&connection, Origin::Api, clock.now()).await?;
        let registry = Registry::new(Arc::clone(&store), clock.clone(), config.call_timeout());
        registry.reload().await?;
        let (routes, watch) = play.routes.watched();
        let routes = Routes::just(routes).with_registry(registry.clone());
        let (monitor, wake) = (Monitor::default(), Arc::new(Notify::new()));
        let tokens = Tokens::new(tokens::Setup {
            store: Arc::clone(&store),
            clock: clock.clone(),
            monitor: monitor.clone(),
            wake: Arc::clone(&wake),
            routes: routes.clone(),
            public_url: "http://localhost".into(),
            call_timeout: config.call_timeout(),
        });
        let inbox =
            Inbox::new(Arc::clone(&store), routes.clone(), clock.clone(), Arc::clone(&wake), Duration::ZERO);
        let engine = Engine {
            store,
            registry,
            tokens,
            routes,
            started: clock.now(),
            restore: None,
            clock,
            monitor,
            config,
            custom_fields: CustomFields::default(),
            creating: Creating::default(),
            wake,
            timer_put: Arc::default(),
        };
        Ok(Bridge { engine, inbox, watch })
    }
}

/// The bridge of one play.
struct Bridge {
    engine: Engine,
    inbox: Inbox,
    watch: Watch,
}

impl Bridge {
    async fn receive(&self, connection: &ConnectionName, arrival: Arrival) -> Result<EventId, Error> {
        let event = match arrival {
            Arrival::Told(incoming) => return Ok(self.inbox.append(connection, *incoming).await?.id),
            Arrival::Recorded(event) => *event,
        };
        let now = self.engine.clock.now();
        let trigger = event.trigger();
        let new = NewEvent {
            ignored: !self.engine.routes.of(connection).handles(&trigger),
            id: event.id,
            connection: event.connection,
            source: event.source,
            source_id: event.source_id,
            kind: event.kind,
            subject: event.subject,
            received_at: now,
            occurred_at: event.occurred_at,
            payload: event.payload,
            replayed_from: None,
            forced: event.forced,
        };
        Ok(self.engine.store.append(new, now).await?.id)
    }

    /// Carries out what there is, until the event rests or would only be tried again because something has failed.
    async fn settle(&self, id: EventId) -> Result<(Event, Vec<Effect>), Error> {
        let store = &self.engine.store;
        for _ in 0..ROUNDS {
            // The engine's future is large, and everything that waits for it would be.
            Box::pin(self.engine.carry_out_ready()).await?;
            let (event, _) = store.event(id).await?.ok_or(Error::NoEvent(id))?;
            match (event.state, event.next_attempt_at) {
                (State::Pending | State::Working, _) => {}
                // It looks what became of a call, and waits for nothing but time.
                (State::Waiting, Some(at)) if event.tries == 0 => self.wait(at),
                _ => break,
            }
        }
        store.event(id).await?.ok_or(Error::NoEvent(id))
    }

    /// Lets the time of the next timer come; answers how long that took and the event that it became.
    async fn next(&self, connection: &ConnectionName) -> Result<Option<(Option<Duration>, EventId)>, Error> {
        let store = &self.engine.store;
        let Some(timer) = store.timers(Some(connection), 1).await?.into_iter().next() else {
            return Ok(None);
        };
        let wait = timer.due_at.duration_since(self.engine.clock.now());
        self.wait(timer.due_at);
        let fired = store.fire_timer(&timer, None, self.engine.clock.now()).await?;
        Ok(fired.map(|id| (Some(Duration::try_from(wait).unwrap_or_default()), id)))
    }

    /// Lets the time come, for the bridge of this play alone.
    fn wait(&self, until: Timestamp) {
        let wait = until.duration_since(self.engine.clock.now());
        self.engine.clock.advance(Duration::try_from(wait).unwrap_or_default() + Duration::from_millis(1));
    }
}
