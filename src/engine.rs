//! The engine: claims lanes, carries out what their events ask for, settles them.
//!
//! One dispatcher claims; each claimed lane is worked on in a task of its own. Each connection has a number of tasks for itself
//! (`crew.rs`), so that one whose HighLevel is slow or used up never holds up another. Nothing polls on the way of an event: the
//! inbox wakes the dispatcher after each commit, and a timer wakes it when the next lane gets ready.

mod ahead;
mod alone;
mod backoff;
mod calls;
mod carry_out;
mod crew;
mod custom_fields;
mod guard;
mod operations;
mod reconcile;
pub mod requests;
mod schedule;
mod step;
mod store_calls;
mod timers;
mod verdict;
mod wait;
mod whom;
mod work;

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, after};
use crate::config::{EngineConfig, RetryConfig};
use crate::custom_fields::CustomFields;
use crate::event::{Event, State};
use crate::monitor::Monitor;
use crate::reason::{Code, Reason};
use crate::registry::Registry;
use crate::restore::Restore;
use crate::routes::Routes;
use crate::store::{self, Claim, LEASE, Settlement, Shares, Store};
use crate::tokens::Tokens;
pub use alone::Creating;
use crew::Crew;
pub use timers::Timers;
use verdict::Verdict;

/// Other processes (the command line) write to the same database without waking us; this is how soon we look anyway.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long a claim waits for company while more than half of a connection's workers are busy.
const RUSH: Duration = Duration::from_millis(2);

/// Everything the engine needs.
pub struct Engine {
    /// Everything durable.
    pub store: Arc<dyn Store>,
    /// The connections in use.
    pub registry: Registry,
    /// What calls to HighLevel go with.
    pub tokens: Tokens,
    /// The flows.
    pub routes: Routes,
    /// The time.
    pub clock: Clock,
    /// Counters.
    pub monitor: Monitor,
    /// How to work.
    pub config: EngineConfig,
    /// What is being created.
    pub creating: Creating,
    /// The custom fields of the locations.
    pub custom_fields: CustomFields,
    /// Since when this process works: what the one before it had under way broke off before.
    pub started: Timestamp,
    /// The database's last restore, if there was any.
    pub restore: Option<Restore>,
    /// Told when there may be something to do.
    pub wake: Arc<Notify>,
    /// Told when a timer was put ([`Timers`]).
    pub timer_put: Arc<Notify>,
}

impl Engine {
    /// Works until `stop`, then finishes what is in flight and gives every lease back.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let crew = Arc::new(Crew::default());
        let tasks = TaskTracker::new();
        while !stop.is_cancelled() {
            // Registered before we look, so that what comes in while we look is not missed.
            let woken = pin!(self.wake.notified());
            let looked_at = self.clock.now();
            self.claim(&crew, &tasks, looked_at).await;
            if crew.busiest() > self.config.workers_per_connection / 2 {
                // In a rush each claim shall be worth its commit; whoever ends meanwhile is served by the next.
                tokio::time::sleep(RUSH).await;
            }
            let timer = async { tokio::time::sleep(self.until_next(looked_at).await).await };
            tokio::select! {
                biased;
                () = woken => {}
                () = stop.cancelled() => {}
                () = timer => {}
            }
        }
        // Whoever only waits for his turn gives it back.
        self.registry.all().values().for_each(|live| live.budget.stop());
        tasks.close();
        tasks.wait().await;
    }

    /// Carries out what is ready now, lane by lane, and comes back; answers how many lanes that were. For who needs an end, such
    /// as a dry run, in place of [`Engine::run`].
    pub async fn carry_out_ready(&self) -> store::Result<usize> {
        let now = self.clock.now();
        let until = after(now, LEASE);
        let claims = self.store.claim(&Shares::of_each(1), now, until).await?;
        let lanes = claims.len();
        for claim in claims {
            self.work_on(claim).await;
        }
        Ok(lanes)
    }

    /// Claims what each connection may have now, and starts work on it.
    async fn claim(self: &Arc<Self>, crew: &Arc<Crew>, tasks: &TaskTracker, now: Timestamp) {
        let until = after(now, LEASE);
        let shares = crew.shares(&self.registry.all(), self.config.workers_per_connection);
        let claims = match self.store.claim(&shares, now, until).await {
            Ok(claims) => claims,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot claim work");
                tokio::time::sleep(LOOK_AGAIN).await;
                return;
            }
        };
        for claim in claims {
            let engine = Arc::clone(self);
            let hand = crew.join(claim.lane.connection.clone());
            tasks.spawn(async move {
                engine.work_on(claim).await;
                drop(hand);
                engine.wake.notify_one();
            });
        }
    }

    /// How long until there is something new. What is ready and was left, for its connection may not have more at the moment, is
    /// nothing new: whoever ends wakes us, and so does whoever was let through by the budget.
    async fn until_next(&self, looked_at: Timestamp) -> Duration {
        let Ok(Some(next)) = self.store.next_ready(looked_at).await else { return LOOK_AGAIN };
        let wait = next.duration_since(self.clock.now()).max(SignedDuration::ZERO);
        Duration::try_from(wait).unwrap_or_default().clamp(Duration::from_millis(1), LOOK_AGAIN)
    }

    /// Carries out one claim and settles it. A panic is a failed try, not a dead worker.
    async fn work_on(&self, claim: Claim) {
        let mut folded = Vec::new();
        let verdict = AssertUnwindSafe(carry_out::carry_out(self, &claim, &mut folded)).catch_unwind().await;
        let verdict = verdict.unwrap_or_else(|_| {
            // What was about to be folded stays: the next try folds again.
            folded.clear();
            tracing::error!(event.id = %claim.head.id, "carrying out event {} panicked", claim.head.id);
            Verdict::retry(Reason::new(
                Code::Internal,
                "the bridge made a mistake: its log tells more; it is tried again by itself",
            ))
        });
        if verdict == Verdict::Finished {
            self.monitor.settled(State::Done);
            return;
        }
        let settlement = self.settlement(&claim, verdict);
        tell(&claim.head, &settlement);
        let state = match &settlement {
            Settlement::Done { .. } => State::Done,
            Settlement::Ignored { .. } => State::Ignored,
            Settlement::Waiting { .. } => State::Waiting,
            Settlement::Parked { .. } => State::Parked,
            Settlement::Dead { .. } => State::Dead,
            Settlement::Released => State::Pending,
        };
        // Followers go with the head only when it is finished; one that waits may be joined by more.
        if !matches!(settlement, Settlement::Done { .. } | Settlement::Ignored { .. }) {
            folded.clear();
        }
        match self.store.settle(&claim.lane, &claim.head, folded, settlement, self.clock.now()).await {
            Ok(()) => self.monitor.settled(state),
            // The lease runs out by itself, and the ledger knows what was done.
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error, event.id = %claim.head.id,
                "cannot settle event {}; it will be claimed again", claim.head.id
            ),
        }
    }

    fn settlement(&self, claim: &Claim, verdict: Verdict) -> Settlement {
        let event = &claim.head;
        match verdict {
            Verdict::Done { reason } => Settlement::Done { reason },
            Verdict::Finished => Settlement::Done { reason: None },
            Verdict::Ignored { reason } => Settlement::Ignored { reason },
            Verdict::Park { reason } => Settlement::Parked { reason, until: None },
            Verdict::ParkUntil { reason, until } => Settlement::Parked { reason, until: Some(until) },
            Verdict::Dead { reason } => Settlement::Dead { reason },
            Verdict::Retry { why, not_before, counts } => {
                let now = self.clock.now();
                let retry = self.retry(event);
                if counts && let Some(reason) = given_up(event, &retry, &why, now) {
                    return Settlement::Dead { reason };
                }
                let at =
                    not_before.unwrap_or_else(|| after(now, backoff::delay(&retry, event.id, event.tries)));
                Settlement::Waiting { at: at.max(now), reason: why, counts }
            }
            Verdict::LeaseLost => Settlement::Released,
        }
    }

    /// How the events of a connection are tried again.
    fn retry(&self, event: &Event) -> RetryConfig {
        let live = self.registry.get(&event.connection);
        let overrides = live.map(|live| live.connection.retry).unwrap_or_default();
        RetryConfig::of(&self.config, &overrides)
    }
}

/// Why an event is not tried again after one more failed try; none: it is. Waiting for a limit is no failure, and the time
/// while it was parked does not count.
fn given_up(event: &Event, retry: &RetryConfig, why: &Reason, now: Timestamp) -> Option<Reason> {
    let tries = event.tries + 1;
    let failing = now.duration_since(event.failing_since.unwrap_or(now)).unsigned_abs();
    let how_long = if tries >= retry.max_tries {
        format!("after {tries} tries")
    } else if failing >= retry.max_age {
        format!("after {} hours and {tries} tries", failing.as_secs() / 3600)
    } else {
        return None;
    };
    let text = format!(
        "given up {how_long}, so it does not go on by itself: replay it when the cause is gone. The last try said: {why}"
    );
    Some(Reason::new(why.code, text))
}

/// Tells the log why an event is not done, in the words that the API and the command line show.
fn tell(event: &Event, settlement: &Settlement) {
    let (id, connection) = (event.id, &event.connection);
    match settlement {
        Settlement::Parked { reason, .. } => {
            tracing::warn!(event.id = %id, %connection, code = %reason.code, "event {id} is parked: {reason}");
        }
        Settlement::Dead { reason } => {
            tracing::warn!(event.id = %id, %connection, code = %reason.code, "event {id} is a dead letter: {reason}");
        }
        Settlement::Waiting { reason, counts: true, .. } => {
            tracing::warn!(event.id = %id, %connection, code = %reason.code, "event {id} is tried again: {reason}");
        }
        // A rate limit, or a call that is looked into: nothing is wrong, and there may be many.
        Settlement::Waiting { reason, counts: false, .. } => {
            tracing::debug!(event.id = %id, %connection, code = %reason.code, "event {id} waits: {reason}");
        }
        Settlement::Done { .. } | Settlement::Ignored { .. } | Settlement::Released => {}
    }
}
