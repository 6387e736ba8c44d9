//! Fires timers when they are due: each becomes an event in the inbox, once.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::schedule::Armed;
use crate::clock::Clock;
use crate::registry::Registry;
use crate::routes::Routes;
use crate::store::{self, Store};

/// How soon the timers are looked at anyway: other processes put some, too, and a clock can be moved.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How many are fired in a row. Their transactions share commits.
const BATCH: usize = 256;

/// What fires timers.
pub struct Timers {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Clock,
    /// The flows, of which some run by themselves.
    pub routes: Routes,
    /// The connections for which they do.
    pub registry: Registry,
    /// Told when a timer was put, or when the routes have changed.
    pub put: Arc<Notify>,
    /// Tells the engine that there are events.
    pub wake: Arc<Notify>,
}

impl Timers {
    /// Fires what is due, until `stop`. What comes due while nobody runs this fires when somebody does.
    pub async fn run(self, stop: CancellationToken) {
        let mut armed: Option<Armed> = None;
        while !stop.is_cancelled() {
            // Registered before we look, so that what is put while we look is not missed.
            let put = pin!(self.put.notified());
            let wait = match self.look(&mut armed, &stop).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "cannot fire timers");
                    LOOK_AGAIN
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = put => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Arms what is wanted by now, and fires a batch of what is due; answers how long there is nothing to do.
    async fn look(&self, armed: &mut Option<Armed>, stop: &CancellationToken) -> store::Result<Duration> {
        let wanted = self.wanted();
        if armed.as_ref() != Some(&wanted) {
            self.arm(&wanted).await?;
        }
        let armed = armed.insert(wanted);
        let now = self.clock.now();
        let due = self.store.due_timers(now, BATCH).await?;
        let is_any_due = !due.is_empty();
        let firing = due.into_iter().map(|timer| self.fire(armed, timer, now, stop));
        let fired = futures::future::join_all(firing).await;
        if is_any_due {
            self.wake.notify_one();
        }
        fired.into_iter().collect::<store::Result<Vec<_>>>()?;
        let Some(next) = self.store.next_timer().await? else { return Ok(LOOK_AGAIN) };
        let wait = next.duration_since(self.clock.now()).max(SignedDuration::ZERO);
        Ok(Duration::try_from(wait).unwrap_or_default().min(LOOK_AGAIN))
    }
}
