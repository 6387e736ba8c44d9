//! A store without the add-on is asked for what is new, at intervals that follow how much there is.
//!
//! Customers and orders are read by their ids, not by time: an id needs no clock, and a store's may be wrong. What was read
//! becomes events of the add-on's types, stored before it is written down as read, so that nothing is missed and, by the ids of
//! the events, nothing is told twice.

mod pass;
mod told;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::connection::{ConnectionName, CscartSide, PollingMode};
use crate::inbox::Inbox;
use crate::monitor::Monitor;
use crate::registry::{Live, Registry};
use crate::store::{self, Store};

use pass::Pass;

/// How often it is looked which store is due.
const TICK: Duration = Duration::from_millis(200);

/// What polling sees of a store.
pub const SEES: &str = "new customers and orders, changes of the newest 100 customers, and of orders";
/// What only the add-on tells.
const CANNOT_SEE: &[&str] = &[
    "changes of customers other than the newest 100",
    "addresses, language, birthday and own fields of customers",
    "usergroups",
    "deletions",
    "notes",
    "tags",
    "visits to a customer's page",
    "abandoned carts",
    "newsletter subscriptions",
    "reviews",
    "call requests",
    "vendors",
];
/// What is not seen, either, in a store that does not list orders by when they were changed.
const CANNOT_SEE_BEFORE_4_13: &str = "changes of orders other than the newest 100";

/// How the polling of a store goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether it is polled.
    pub on: bool,
    /// When the last poll ended.
    pub last_at: Option<Timestamp>,
    /// When the next one is due.
    pub next_at: Option<Timestamp>,
    /// What was wrong with the last one, and what to do.
    pub last_error: Option<String>,
    /// What polling cannot see.
    pub cannot_see: Vec<&'static str>,
}

/// Polls the stores that need it. Cheap to clone; all clones see the same.
#[derive(Clone)]
pub struct Polling {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    registry: Registry,
    inbox: Inbox,
    clock: Clock,
    monitor: Monitor,
    board: Mutex<HashMap<ConnectionName, Round>>,
    /// Whether a store's add-on was ever heard, as far as that was looked up.
    heard: Mutex<HashMap<ConnectionName, bool>>,
}

/// Where a store is in its round of polls.
#[derive(Debug, Clone, Default)]
struct Round {
    running: bool,
    interval: Duration,
    last_at: Option<Timestamp>,
    next_at: Option<Timestamp>,
    last_error: Option<String>,
}

/// A panic while it was locked has left it whole: it changes in one step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Polling {
    /// Polls nothing yet; [`Polling::run`] does.
    pub fn new(
        store: Arc<dyn Store>,
        registry: Registry,
        inbox: Inbox,
        clock: Clock,
        monitor: Monitor,
    ) -> Self {
        let (board, heard) = (Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { store, registry, inbox, clock, monitor, board, heard }) }
    }

    /// The add-on of a store has told something (of type `kind`). The event is stored already; that this is noted later is no
    /// harm, so a failure is only logged.
    pub async fn heard(&self, connection: &ConnectionName, kind: &str) {
        if kind == "ping" || locked(&self.inner.heard).get(connection) == Some(&true) {
            return;
        }
        match self.inner.store.note_addon(connection, self.inner.clock.now()).await {
            Ok(()) => drop(locked(&self.inner.heard).insert(connection.clone(), true)),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, connection = %connection, "that the add-on was heard is not noted");
            }
        }
    }

    /// How the polling of a store goes.
    pub async fn standing(&self, live: &Live) -> store::Result<Standing> {
        if !self.is_on(live).await? {
            return Ok(Standing::default());
        }
        let round = locked(&self.inner.board).get(&live.connection.name).cloned().unwrap_or_default();
        Ok(Standing {
            on: true,
            last_at: round.last_at,
            next_at: round.next_at,
            last_error: round.last_error,
            cannot_see: cannot_see(live.cscart.as_ref()),
        })
    }

    /// Polls until `stop`. One store's failure, however bad, is no other's.
    pub async fn run(self, stop: CancellationToken) {
        let mut polls = JoinSet::new();
        loop {
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                () = stop.cancelled() => break,
            }
            while polls.try_join_next().is_some() {}
            for live in self.due().await {
                let (this, stop) = (self.clone(), stop.clone());
                polls.spawn(async move {
                    let ended = Ended { polling: &this, live: &live };
                    // What is cut off was only read; what was stored and not written down as read is a duplicate next time.
                    tokio::select! {
                        outcome = this.poll(&live) => ended.note(outcome),
                        () = stop.cancelled() => {}
                    }
                });
            }
        }
        while polls.join_next().await.is_some() {}
    }

    /// The stores whose next poll is due; they count as being polled from now on.
    async fn due(&self) -> Vec<Arc<Live>> {
        let now = self.inner.clock.now();
        let mut due = Vec::new();
        for live in self.inner.registry.all().values() {
            let name = &live.connection.name;
            let waits = locked(&self.inner.board)
                .get(name)
                .is_some_and(|round| round.running || round.next_at.is_some_and(|next| next > now));
            // Should the database not tell, there is a next time.
            if !waits && matches!(self.is_on(live).await, Ok(true)) {
                locked(&self.inner.board).entry(name.clone()).or_default().running = true;
                due.push(Arc::clone(live));
            }
        }
        due
    }

    async fn is_on(&self, live: &Live) -> store::Result<bool> {
        let side = &live.connection.cscart;
        if live.cscart.is_none() {
            return Ok(false);
        }
        // What is decided without knowing that is decided without asking.
        if is_polled(side, true) == is_polled(side, false) {
            return Ok(is_polled(side, false));
        }
        let name = &live.connection.name;
        let known = locked(&self.inner.heard).get(name).copied();
        if let Some(heard) = known {
            return Ok(is_polled(side, heard));
        }
        let heard = self.inner.store.addon_heard(name).await?;
        Ok(is_polled(side, *locked(&self.inner.heard).entry(name.clone()).or_insert(heard)))
    }

    async fn poll(&self, live: &Live) -> Result<usize, pass::PollError> {
        let Some(client) = &live.cscart else { return Ok(0) };
        let inner = &*self.inner;
        let pass = Pass {
            live,
            client,
            store: &*inner.store,
            inbox: &inner.inbox,
            clock: &inner.clock,
            monitor: &inner.monitor,
        };
        let events = pass.run().await?;
        inner.store.note_read(&live.connection.name, inner.clock.now()).await?;
        Ok(events)
    }
}

/// Sees to it that a poll that ends in any way, a panic included, is followed by another.
struct Ended<'a> {
    polling: &'a Polling,
    live: &'a Live,
}

impl Ended<'_> {
    fn note(&self, outcome: Result<usize, pass::PollError>) {
        let name = &self.live.connection.name;
        let now = self.polling.inner.clock.now();
        let mut board = locked(&self.polling.inner.board);
        let round = board.entry(name.clone()).or_default();
        let side = &self.live.connection.cscart;
        match outcome {
            Ok(events) => {
                round.interval = interval(side, round.interval, events > 0);
                round.last_error = None;
            }
            Err(error) => {
                let reason = error.reason();
                if round.last_error.as_ref() != Some(&reason.text) {
                    tracing::warn!(connection = %name, code = %reason.code, "the store of {name} cannot be polled: {reason}");
                }
                round.interval =
                    interval(side, round.interval, false).max(error.retry_after().unwrap_or_default());
                round.last_error = Some(reason.text);
            }
        }
        round.last_at = Some(now);
        round.next_at = now.checked_add(SignedDuration::try_from(round.interval).unwrap_or_default()).ok();
    }
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut board = locked(&self.polling.inner.board);
        let round = board.entry(self.live.connection.name.clone()).or_default();
        round.running = false;
        if round.next_at.is_none_or(|next| next <= self.polling.inner.clock.now()) {
            let pause = SignedDuration::from_secs(i64::from(self.live.connection.cscart.poll_min_seconds));
            round.next_at = self.polling.inner.clock.now().checked_add(pause).ok();
        }
    }
}

/// The time until the next poll: the shortest after one that brought something, otherwise twice as long as before.
fn interval(side: &CscartSide, before: Duration, brought_something: bool) -> Duration {
    let min = Duration::from_secs(u64::from(side.poll_min_seconds.max(1)));
    let max = Duration::from_secs(u64::from(side.poll_max_seconds)).max(min);
    if brought_something || before.is_zero() { min } else { (before * 2).clamp(min, max) }
}

/// Whether a store is polled. `heard`: whether its add-on ever was.
pub fn is_polled(side: &CscartSide, heard: bool) -> bool {
    side.has_api()
        && match side.polling {
            PollingMode::Off => false,
            PollingMode::On => true,
            PollingMode::Auto => !heard,
        }
}

/// What polling cannot see of a store.
pub fn cannot_see(client: Option<&cscart::Client>) -> Vec<&'static str> {
    let lists_by_change = client.and_then(|client| client.capabilities().orders_by_change);
    let older = (lists_by_change == Some(false)).then_some(CANNOT_SEE_BEFORE_4_13);
    CANNOT_SEE.iter().copied().chain(older).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_doubles_while_nothing_comes_and_is_short_again_once_something_does() {
        let side: CscartSide =
            serde_json::from_str(r#"{"url":"https://x.test","poll_min_seconds":30,"poll_max_seconds":100}"#)
                .unwrap();
        let mut pause = Duration::ZERO;
        let mut pauses = Vec::new();
        for brought_something in [false, false, false, false, true, false] {
            pause = interval(&side, pause, brought_something);
            pauses.push(pause.as_secs());
        }
        assert_eq!(pauses, [30, 60, 100, 100, 30, 60]);
    }
}
