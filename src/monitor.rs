//! What can be seen from outside: counters and whether the bridge is stopping.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::breaker::Admits;
use crate::event::State;
use crate::registry::Live;

/// Counters, cheap to clone.
#[derive(Clone)]
pub struct Monitor {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    webhooks: Family<Webhook, Counter>,
    calls: Family<Call, Counter>,
    call_seconds: Family<System, Histogram>,
    settled: Family<Settled, Counter>,
    waits: Histogram,
    budget: Family<OfConnection, Gauge>,
    budget_today: Family<OfConnection, Gauge>,
    breaker_open: Family<OfConnection, Gauge>,
    events: Family<InState, Gauge>,
    refreshes: Family<Refreshed, Counter>,
    connected: Family<OfConnection, Gauge>,
    route_mistakes: Gauge,
    stopping: AtomicBool,
    refused_ghl_at_ms: AtomicI64,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Webhook {
    source: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    system: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct System {
    system: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Settled {
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct InState {
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Refreshed {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfConnection {
    connection: String,
}

impl Default for Monitor {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("cartbridge");
        let webhooks = Family::default();
        registry.register("webhooks", "Webhooks received, by what was answered", webhooks.clone());
        let calls = Family::default();
        registry.register("calls", "Calls made, by status (0: no answer)", calls.clone());
        let call_seconds: Family<System, Histogram> =
            Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.005, 2.0, 13)));
        registry.register("call_seconds", "How long calls took", call_seconds.clone());
        let settled = Family::default();
        registry.register("settled", "Events settled, by the state they went to", settled.clone());
        let waits = Histogram::new(exponential_buckets(0.01, 2.0, 13));
        registry.register("budget_wait_seconds", "How long calls waited for the rate limit", waits.clone());
        let budget = Family::default();
        registry.register("budget_left", "Requests that may leave now, by connection", budget.clone());
        let budget_today = Family::default();
        registry.register(
            "budget_left_today",
            "Requests left of the day, by connection",
            budget_today.clone(),
        );
        let breaker_open = Family::default();
        registry.register(
            "breaker_open",
            "1 while HighLevel does not work, by connection",
            breaker_open.clone(),
        );
        let events = Family::default();
        registry.register("events", "Events in the database, by state", events.clone());
        let refreshes = Family::default();
        registry.register(
            "token_refreshes",
            "Attempts to renew tokens, by what came of them",
            refreshes.clone(),
        );
        let connected = Family::default();
        let help = "1: calls to HighLevel can go out; 0: a person has to connect it";
        registry.register("connection_connected", help, connected.clone());
        let route_mistakes = Gauge::default();
        let help = "Mistakes in files of routes, whose last good version is in force";
        registry.register("route_mistakes", help, route_mistakes.clone());
        Self {
            inner: Arc::new(Inner {
                registry,
                webhooks,
                calls,
                call_seconds,
                settled,
                waits,
                budget,
                budget_today,
                breaker_open,
                events,
                refreshes,
                connected,
                route_mistakes,
                stopping: AtomicBool::new(false),
                refused_ghl_at_ms: AtomicI64::new(i64::MIN),
            }),
        }
    }
}

impl Monitor {
    /// A webhook was answered: `stored`, `duplicate`, `refused`, …
    pub fn webhook(&self, source: &'static str, result: &'static str) {
        self.inner.webhooks.get_or_create(&Webhook { source, result }).inc();
    }

    /// A call was made; `status` 0: no answer came.
    pub fn call(&self, system: &'static str, status: u16, took: std::time::Duration) {
        self.inner.calls.get_or_create(&Call { system, status }).inc();
        self.inner.call_seconds.get_or_create(&System { system }).observe(took.as_secs_f64());
    }

    /// An event was settled.
    pub fn settled(&self, state: State) {
        self.inner.settled.get_or_create(&Settled { state: state.as_str() }).inc();
    }

    /// Tokens were to be renewed: `renewed`, `failed` (for now) or `refused` (for good).
    pub fn refreshed(&self, result: &'static str) {
        self.inner.refreshes.get_or_create(&Refreshed { result }).inc();
    }

    /// A call has waited for its place in the rate limit.
    pub fn waited(&self, how_long: jiff::SignedDuration) {
        self.inner.waits.observe(how_long.as_secs_f64().max(0.0));
    }

    /// How the connections are doing, with whether each can work with HighLevel; those that are gone are not shown any more.
    pub fn connections(&self, all: &[(Arc<Live>, bool)]) {
        let inner = &self.inner;
        for family in [&inner.connected, &inner.budget, &inner.budget_today, &inner.breaker_open] {
            family.clear();
        }
        for (live, works) in all {
            let label = OfConnection { connection: live.connection.name.to_string() };
            inner.connected.get_or_create(&label).set(i64::from(*works));
            let left = live.budget.left();
            inner.budget.get_or_create(&label).set(left.now as i64);
            inner.budget_today.get_or_create(&label).set(left.today as i64);
            let open = live.breaker.admits() != Admits::All;
            inner.breaker_open.get_or_create(&label).set(i64::from(open));
        }
    }

    /// So many mistakes are in files of routes.
    pub fn route_mistakes(&self, count: usize) {
        self.inner.route_mistakes.set(count as i64);
    }

    /// The bridge begins to stop.
    pub fn stop(&self) {
        self.inner.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the bridge is stopping.
    pub fn is_stopping(&self) -> bool {
        self.inner.stopping.load(Ordering::Relaxed)
    }

    /// A webhook of HighLevel's was answered 429: its repetition will carry an old timestamp.
    pub fn refused_ghl(&self, now: jiff::Timestamp) {
        self.inner.refused_ghl_at_ms.store(now.as_millisecond(), Ordering::Relaxed);
    }

    /// When a webhook of HighLevel's was last answered 429, in milliseconds since 1970.
    pub fn refused_ghl_at_ms(&self) -> i64 {
        self.inner.refused_ghl_at_ms.load(Ordering::Relaxed)
    }

    /// All counters as text.
    pub fn render(&self, counts: &[(State, u64)]) -> String {
        for (state, count) in counts {
            self.inner.events.get_or_create(&InState { state: state.as_str() }).set(*count as i64);
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.inner.registry);
        text
    }
}
