//! The engine: claims lanes, carries out what their events ask for, settles them.
//!
//! One dispatcher claims; each claimed lane is worked on in a task of its own. Nothing polls on the way of an event: the
//! inbox wakes the dispatcher after each commit, and a timer wakes it when the next lane gets ready.

mod alone;
mod backoff;
mod calls;
mod operations;
mod reconcile;
pub mod requests;
mod step;
mod verdict;
mod work;

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::EngineConfig;
use crate::event::{Event, State};
use crate::flow::RouteSet;
use crate::monitor::Monitor;
use crate::reason::{Code, Reason};
use crate::registry::Registry;
use crate::store::{Claim, LEASE, Settlement, Store};
use crate::tokens::Tokens;
pub use alone::Creating;
use verdict::Verdict;

/// Other processes (the command line) write to the same database without waking us; this is how soon we look anyway.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long a claim waits for company while more than half of the workers are busy.
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
    pub routes: RouteSet,
    /// The time.
    pub clock: Clock,
    /// Counters.
    pub monitor: Monitor,
    /// How to work.
    pub config: EngineConfig,
    /// What is being created.
    pub creating: Creating,
    /// Since when this process works: what the one before it had under way broke off before.
    pub started: Timestamp,
    /// Told when there may be something to do.
    pub wake: Arc<Notify>,
}

impl Engine {
    /// Works until `stop`, then finishes what is in flight and gives every lease back.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(self.config.workers));
        let tasks = TaskTracker::new();
        while !stop.is_cancelled() {
            // Registered before we look, so that what comes in while we look is not missed.
            let woken = pin!(self.wake.notified());
            let claimed = self.claim(&slots, &tasks).await;
            if claimed {
                continue;
            }
            if slots.available_permits() < self.config.workers / 2 {
                // In a rush each claim shall be worth its commit; whoever ends meanwhile is served by the next.
                tokio::time::sleep(RUSH).await;
            }
            let timer = async { tokio::time::sleep(self.until_next().await).await };
            tokio::select! {
                biased;
                () = woken => {}
                () = stop.cancelled() => {}
                () = timer => {}
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    /// Claims as many lanes as there are free slots, and starts work on them. Answers whether there may be more.
    async fn claim(self: &Arc<Self>, slots: &Arc<Semaphore>, tasks: &TaskTracker) -> bool {
        let free = slots.available_permits();
        if free == 0 {
            // Whoever frees a slot wakes us.
            return false;
        }
        let now = self.clock.now();
        let until = now.saturating_add(SignedDuration::try_from(LEASE).unwrap_or_default()).unwrap_or(now);
        let claims = match self.store.claim(free, now, until).await {
            Ok(claims) => claims,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot claim work");
                tokio::time::sleep(LOOK_AGAIN).await;
                return false;
            }
        };
        let more = claims.len() == free;
        for claim in claims {
            let Ok(slot) = Arc::clone(slots).try_acquire_owned() else { break };
            let engine = Arc::clone(self);
            tasks.spawn(async move {
                engine.work_on(claim).await;
                drop(slot);
                engine.wake.notify_one();
            });
        }
        more
    }

    async fn until_next(&self) -> Duration {
        let Ok(Some(next)) = self.store.next_ready().await else { return LOOK_AGAIN };
        let wait = next.duration_since(self.clock.now()).max(SignedDuration::ZERO);
        Duration::try_from(wait).unwrap_or_default().clamp(Duration::from_millis(1), LOOK_AGAIN)
    }

    /// Carries out one claim and settles it. A panic is a failed try, not a dead worker.
    async fn work_on(&self, claim: Claim) {
        let mut folded = Vec::new();
        let verdict = AssertUnwindSafe(work::carry_out(self, &claim, &mut folded)).catch_unwind().await;
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
            Verdict::Park { reason } => Settlement::Parked { reason },
            Verdict::Dead { reason } => Settlement::Dead { reason },
            Verdict::Retry { why, .. } if event.tries + 1 >= self.config.max_tries => Settlement::Dead {
                reason: Reason::new(
                    why.code,
                    format!(
                        "given up after {} tries, so it does not go on by itself: replay it when the cause is gone. The last try said: {why}",
                        event.tries + 1
                    ),
                ),
            },
            Verdict::Retry { why, not_before, counts } => {
                let now = self.clock.now();
                let at = match not_before {
                    Some(at) => at,
                    None => backoff::next(&self.config, event.tries, now),
                };
                Settlement::Waiting { at: at.max(now), reason: why, counts }
            }
            Verdict::LeaseLost => Settlement::Released,
        }
    }
}

/// Tells the log why an event is not done, in the words that the API and the command line show.
fn tell(event: &Event, settlement: &Settlement) {
    let (id, connection) = (event.id, &event.connection);
    match settlement {
        Settlement::Parked { reason } => {
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
