//! Calls that a job makes itself, to read: with a good token, under the location's budget, after everything that is more urgent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::budget::Closed;
use crate::clock::{Clock, after};
use crate::custom_fields::CustomFields;
use crate::monitor::Monitor;
use crate::permit::Permit;
use crate::priority::Priority;
use crate::reason::{Code, Reason};
use crate::registry::Live;
use crate::store;
use crate::tokens::{Tokens, Unready};

/// How soon it is looked again whether a connection works that a person has to mend.
const MENDED: Duration = Duration::from_secs(5);

/// Why a step of a job was not done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It goes on by itself.
    Wait {
        /// When.
        until: Timestamp,
        /// Why.
        why: Reason,
    },
    /// It may work when it is tried again.
    Retry(Reason),
    /// It will not work by itself.
    Fatal(Reason),
    /// The database does not do it.
    Store(store::Error),
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// Calls on behalf of one connection, and how many there were.
pub(super) struct Caller<'a> {
    pub(super) live: &'a Live,
    pub(super) tokens: &'a Tokens,
    pub(super) clock: &'a Clock,
    pub(super) monitor: &'a Monitor,
    calls: AtomicU64,
    store_calls: AtomicU64,
}

impl<'a> Caller<'a> {
    pub(super) fn new(live: &'a Live, tokens: &'a Tokens, clock: &'a Clock, monitor: &'a Monitor) -> Self {
        Self { live, tokens, clock, monitor, calls: AtomicU64::new(0), store_calls: AtomicU64::new(0) }
    }

    /// How many calls there were since the last time it was asked: to HighLevel, and to the store.
    pub(super) fn spent(&self) -> (u64, u64) {
        (self.calls.swap(0, Ordering::Relaxed), self.store_calls.swap(0, Ordering::Relaxed))
    }

    /// Makes a call to HighLevel that only reads; what it does not know is `None`.
    pub(super) async fn highlevel<T>(
        &self,
        call: impl Fn(ghl::Client) -> BoxFuture<'static, ghl::Result<T>>,
    ) -> Result<Option<T>, Trouble> {
        let live = self.live;
        let Some(client) = &live.ghl else {
            let text = "HighLevel cannot be called: correct `ghl.api_url` of the connection";
            return Err(Trouble::Fatal(Reason::new(Code::ConnectionUnusable, text)));
        };
        let mut bearer = self.tokens.bearer(live).await.map_err(|unready| self.unready(&unready))?;
        let mut again = false;
        loop {
            let place = live.budget.take(Priority::Backfill).await.map_err(|closed| self.closed(closed))?;
            let permit = Permit::enter(live, place).map_err(|until| {
                let text = "HighLevel does not work for this location at the moment";
                Trouble::Wait { until, why: Reason::new(Code::HighlevelUnavailable, text) }
            })?;
            self.calls.fetch_add(1, Ordering::Relaxed);
            let (exchange, outcome) = match call(client.with_token(bearer.token.clone())).await {
                Ok(answer) => (answer.exchange, Ok(answer.value)),
                Err(failure) => (*failure.exchange, Err(failure.error)),
            };
            self.monitor.call("ghl", exchange.status.unwrap_or(0), exchange.duration);
            permit.over("job", &exchange, outcome.as_ref().err());
            match outcome {
                Ok(value) => return Ok(Some(value)),
                Err(ghl::Error::RateLimited { retry_after, daily }) => {
                    return Err(self.closed(live.budget.close(retry_after, daily)));
                }
                Err(ghl::Error::NotFound { .. }) => return Ok(None),
                Err(ghl::Error::Unauthorized { .. }) if !again => {
                    again = true;
                    let newer = self.tokens.after_401(live, &bearer).await;
                    bearer = newer.map_err(|unready| self.unready(&unready))?;
                }
                Err(error) => return Err(self.failed(&error)),
            }
        }
    }

    /// Makes a call to the store that only reads.
    pub(super) async fn store<T>(
        &self,
        call: impl AsyncFnOnce(&cscart::Client) -> cscart::Result<T>,
    ) -> Result<T, Trouble> {
        let Some(store) = &self.live.cscart else {
            let text = "the store cannot be asked: give the connection `cscart.email` and `cscart.api_key`, then resume";
            return Err(Trouble::Fatal(Reason::new(Code::StoreKeyMissing, text)));
        };
        self.store_calls.fetch_add(1, Ordering::Relaxed);
        match call(store).await {
            Ok(answer) => {
                self.monitor.call("cscart", answer.exchange.status.unwrap_or(0), answer.exchange.duration);
                Ok(answer.value)
            }
            Err(failure) => {
                self.monitor.call("cscart", failure.exchange.status.unwrap_or(0), failure.exchange.duration);
                Err(self.of_store(&failure.error))
            }
        }
    }

    fn of_store(&self, error: &cscart::Error) -> Trouble {
        use cscart::Error;
        let why = Reason::from(error);
        match error {
            Error::Unavailable { retry_after: Some(after), .. } => {
                Trouble::Wait { until: self.after(*after), why }
            }
            Error::Unauthorized { .. }
            | Error::Forbidden { .. }
            | Error::Unsendable { .. }
            | Error::Invalid { .. }
            | Error::NotFound { .. } => Trouble::Fatal(why),
            _ => Trouble::Retry(why),
        }
    }

    fn failed(&self, error: &ghl::Error) -> Trouble {
        use ghl::Error;
        let why = Reason::from(error);
        match error {
            Error::Unauthorized { .. } | Error::MissingScope { .. } => {
                Trouble::Wait { until: self.after(MENDED), why }
            }
            Error::Unavailable { retry_after: Some(after), .. } => {
                Trouble::Wait { until: self.after(*after), why }
            }
            Error::WrongLocation { .. }
            | Error::Invalid { .. }
            | Error::DuplicateContact { .. }
            | Error::Unsendable { .. }
            | Error::Refused { .. } => Trouble::Fatal(why),
            _ => Trouble::Retry(why),
        }
    }

    pub(super) fn unready(&self, unready: &Unready) -> Trouble {
        let why = Reason::from(unready);
        match unready {
            Unready::NotConnected { .. } | Unready::Disconnected { .. } | Unready::Refused { .. } => {
                Trouble::Wait { until: self.after(MENDED), why }
            }
            Unready::Later { at, .. } => Trouble::Wait { until: *at, why },
            Unready::Store(error) => Trouble::Store(error.clone()),
        }
    }

    fn closed(&self, closed: Closed) -> Trouble {
        let (until, what) = match closed {
            Closed::Window(until) => (until, "HighLevel's rate limit is used up"),
            Closed::Day(until) => (until, "HighLevel's limit for the day is used up"),
            Closed::Reserve(until) => {
                (until, "what an import may use of HighLevel's limit for the day is used up")
            }
            Closed::Stopped => (self.clock.now(), "the bridge is stopping"),
        };
        let code = if matches!(closed, Closed::Day(_) | Closed::Reserve(_)) {
            Code::DailyLimit
        } else {
            Code::RateLimit
        };
        Trouble::Wait { until, why: Reason::new(code, format!("{what}: it goes on by itself at {until:.0}")) }
    }

    fn after(&self, wait: Duration) -> Timestamp {
        after(self.clock.now(), wait)
    }
}

/// What a step of a job works with: everything that serves its connection.
pub(super) struct Hands<'a> {
    pub(super) caller: Caller<'a>,
    pub(super) store: &'a Arc<dyn store::Store>,
    pub(super) custom_fields: &'a CustomFields,
    /// The key of the custom field by which a contact tells which customer it is. Only in a database that was restored, whose links
    /// may not tell: reading the definitions costs a call.
    pub(super) number: Option<&'a str>,
}
