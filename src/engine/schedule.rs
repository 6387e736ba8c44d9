//! Routes that run by themselves: a timer for each, armed from the routes in force, and moved on as it fires.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::timers::Timers;
use crate::connection::ConnectionName;
use crate::event::{EventId, NewEvent, Source, Subject};
use crate::flow::{Context, RouteSet, Schedule};
use crate::link::Link;
use crate::registry::Live;
use crate::store;
use crate::timer::Timer;

/// What all keys of such timers begin with, and those of no others: waits begin with `wait/`.
const PREFIX: &str = "schedule";

/// How many customers are looked at between two breaths.
const PAGE: usize = 256;

/// For so many customers a run of a route files an event although its condition cannot be told: so that a person sees why.
const UNTOLD: usize = 10;

/// What is armed: by connection and key.
pub(super) type Armed = BTreeMap<(ConnectionName, String), Armament>;

/// A timer that there is to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Armament {
    schedule: Schedule,
    /// That of its connection.
    zone: TimeZone,
    route: String,
    /// The event's type: once for all, or the beginning of a run through the customers.
    kind: &'static str,
}

/// The event of a route that runs once each time.
const DUE: &str = "due";
/// The timer of a route that runs for customers; the events of these are [`CUSTOMER`].
const CUSTOMERS: &str = "customers";
/// The event of one customer.
const CUSTOMER: &str = "customer";

impl Armament {
    /// The body of its event. It tells one schedule from another, so that a timer is armed anew when that changes.
    fn payload(&self) -> Vec<u8> {
        let zone = self.zone.iana_name();
        json!({ "data": { "route": self.route, "schedule": self.schedule.to_string(), "time_zone": zone } })
            .to_string()
            .into_bytes()
    }
}

/// The route that an event of a schedule is for, from its body; none: it is for whichever asks for its trigger.
pub(super) fn route_of<'a>(source: Source, kind: &str, payload: &'a Value) -> Option<&'a str> {
    (source == Source::Schedule && matches!(kind, DUE | CUSTOMER))
        .then(|| payload["data"]["route"].as_str())?
}

impl Timers {
    /// Every timer that the routes in force want.
    pub(super) fn wanted(&self) -> Armed {
        let mut wanted = Armed::new();
        for (name, live) in self.registry.all().iter() {
            let routes = self.routes.of_connection(&live.connection);
            for route in routes.routes().iter().filter(|route| route.enabled) {
                let Some(schedule) = route.schedule else { continue };
                for (trigger, kind) in [(Schedule::TRIGGER, DUE), (Schedule::CUSTOMER_TRIGGER, CUSTOMERS)] {
                    if route.on.iter().any(|on| on == trigger) {
                        let key = format!("{trigger}/{}", route.id);
                        let (zone, route) = (live.zone.clone(), route.id.clone());
                        let armament = Armament { schedule, zone, route, kind };
                        wanted.insert((name.clone(), key), armament);
                    }
                }
            }
        }
        wanted
    }

    /// Makes the timers those that are wanted. One that is there already keeps its time.
    pub(super) async fn arm(&self, wanted: &Armed) -> store::Result<()> {
        let now = self.clock.now();
        let there = self.store.timers_named(PREFIX).await?;
        for timer in &there {
            if !wanted.contains_key(&(timer.connection.clone(), timer.key.clone())) {
                self.store.drop_timer(&timer.connection, &timer.key).await?;
            }
        }
        for ((connection, key), armament) in wanted {
            let payload = armament.payload();
            let is_armed = there.iter().any(|timer| {
                timer.connection == *connection && timer.key == *key && timer.payload == payload
            });
            let Some(due_at) = armament.schedule.next_after(now, &armament.zone).filter(|_| !is_armed) else {
                continue;
            };
            let timer = Timer {
                connection: connection.clone(),
                key: key.clone(),
                subject: Subject::other(format!("{PREFIX}:{}", armament.route)),
                due_at,
                kind: armament.kind.to_owned(),
                payload,
            };
            self.store.put_timer(timer).await?;
        }
        Ok(())
    }

    /// Fires one timer that is due, and moves it on if it comes again. Of the times that were missed only the last is made up.
    pub(super) async fn fire(
        &self,
        armed: &Armed,
        mut timer: Timer,
        now: Timestamp,
        stop: &CancellationToken,
    ) -> store::Result<()> {
        let Some(armament) = armed.get(&(timer.connection.clone(), timer.key.clone())) else {
            if !timer.key.starts_with(PREFIX) {
                self.store.fire_timer(&timer, None, now).await?;
            }
            return Ok(());
        };
        let next = armament.schedule.next_after(now, &armament.zone);
        if let Some(last) = armament.schedule.last_until(now, &armament.zone)
            && last > timer.due_at
        {
            self.store.pass_timer(&timer, Some(last)).await?;
            timer.due_at = last;
        }
        if armament.kind == DUE {
            self.store.fire_timer(&timer, next, now).await?;
            return Ok(());
        }
        if let Some(live) = self.registry.get(&timer.connection) {
            self.run_through(&live, armament, timer.due_at, stop).await?;
        }
        // Only at the end: one that was cut off begins again, and what it has filed is there already.
        if !stop.is_cancelled() {
            self.store.pass_timer(&timer, next).await?;
        }
        Ok(())
    }

    /// Files an event for each linked customer for whom the route's condition holds.
    async fn run_through(
        &self,
        live: &Live,
        armament: &Armament,
        due_at: Timestamp,
        stop: &CancellationToken,
    ) -> store::Result<()> {
        let connection = &live.connection.name;
        let routes = self.routes.of_connection(&live.connection).only(&armament.route);
        let (mut after, mut untold) = (None, 0);
        while !stop.is_cancelled() {
            let page = self.store.links_page(connection, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.customer.clone());
            let run = Run { live, routes: &routes, armament, due_at };
            let chosen = page.iter().filter(|link| run.chooses(link, &mut untold));
            let events: Vec<NewEvent> = chosen.map(|link| run.event(link, self.clock.now())).collect();
            let filing = events.into_iter().map(|event| {
                let at = event.received_at;
                self.store.append(event, at)
            });
            for filed in futures::future::join_all(filing).await {
                filed?;
            }
            self.wake.notify_one();
        }
        Ok(())
    }
}

/// One run of a route through the customers.
struct Run<'a> {
    live: &'a Live,
    routes: &'a RouteSet,
    armament: &'a Armament,
    due_at: Timestamp,
}

impl Run<'_> {
    fn day(&self) -> jiff::civil::Date {
        day(self.due_at, &self.armament.zone)
    }

    fn data(&self) -> Value {
        json!({ "route": self.armament.route, "date": self.day().to_string() })
    }

    /// Whether the route's condition holds for a customer, as the store last showed him.
    fn chooses(&self, link: &Link, untold: &mut usize) -> bool {
        let Some(route) = self.routes.routes().first() else { return false };
        let holds = route.holds(&Context {
            trigger: Schedule::CUSTOMER_TRIGGER,
            event_id: String::new(),
            occurred_at: self.due_at,
            connection: &self.live.connection.name,
            settings: &self.live.connection.settings,
            store: &Value::Null,
            data: &self.data(),
            contact: &link.shadow.cscart,
            contact_id: Some(link.contact_id.as_str()),
            today: self.day(),
            continued: None,
        });
        holds.unwrap_or_else(|error| {
            tracing::warn!(connection = %link.connection, "for {}: {error}", link.customer);
            *untold += 1;
            *untold <= UNTOLD
        })
    }

    fn event(&self, link: &Link, now: Timestamp) -> NewEvent {
        // A change of the time of the day does not make a second run on a day.
        let time = if self.armament.schedule.is_of_days() {
            self.day().to_string()
        } else {
            self.due_at.to_string()
        };
        NewEvent {
            id: EventId::new(),
            connection: link.connection.clone(),
            source: Source::Schedule,
            source_id: format!("{PREFIX}/{}/{time}/{}", self.armament.route, link.customer),
            kind: CUSTOMER.to_owned(),
            subject: Subject::customer(&link.customer),
            received_at: now,
            occurred_at: self.due_at,
            payload: json!({ "data": self.data() }).to_string().into_bytes(),
            replayed_from: None,
            forced: false,
            ignored: false,
        }
    }
}

/// The day on which something happens, in a time zone.
pub(super) fn day(at: Timestamp, zone: &TimeZone) -> jiff::civil::Date {
    zone.to_datetime(at).date()
}
