//! Calls to HighLevel: under the location's budget, and each exchange on record.

use std::future::Future;

use ghl::{Answer, Exchange, Failure};

use super::step::Step;
use super::verdict::{self, Verdict};
use super::work::Work;
use crate::breaker::{Admits, Pass};
use crate::budget::Place;
use crate::effect::Attempt;

/// The longest answer that is kept in the record.
const KEPT: usize = 4096;

/// Makes one call. What its failure means is for the caller to say: see [`CallError::verdict`].
pub(super) async fn call<T, F>(work: &Work<'_>, step: &mut Step, make: F) -> Result<T, CallError>
where
    F: Future<Output = Result<Answer<T>, Failure>>,
{
    let permit = match step.use_permit() {
        Some(permit) => permit,
        None => permit(work).await.map_err(|verdict| CallError {
            error: ghl::Error::Unsendable { reason: "it would have to wait".into() },
            verdict,
        })?,
    };
    let at = work.engine.clock.now();
    let (exchange, outcome) = match make.await {
        Ok(answer) => (answer.exchange, Ok(answer.value)),
        Err(failure) => (*failure.exchange, Err(failure.error)),
    };
    permit.over(work, &exchange, outcome.as_ref().err());
    work.engine.monitor.call("ghl", exchange.status.unwrap_or(0), exchange.duration);
    let error = outcome.as_ref().err().map(ToString::to_string);
    step.attempt(record(at, exchange, error));
    outcome.map_err(|error| {
        let verdict = match &error {
            ghl::Error::RateLimited { retry_after, daily } => {
                verdict::of_closed(work.live.budget.close(*retry_after, *daily), work.engine.clock.now())
            }
            _ => verdict::of_ghl(&error, work.engine.clock.now()),
        };
        CallError { error, verdict }
    })
}

/// What a call needs to leave: a place in the rate limit, and that HighLevel works.
#[derive(Debug)]
pub(super) struct Permit {
    place: Place,
    pass: Pass,
}

/// Waits until a call may leave, and makes sure that the lane is ours for longer than it takes.
pub(super) async fn permit(work: &Work<'_>) -> Result<Permit, Verdict> {
    let (live, engine) = (work.live, work.engine);
    if let Admits::Nothing(until) = live.breaker.admits() {
        return Err(verdict::of_open(until));
    }
    let asked = engine.clock.now();
    let taken = live.budget.take(work.claim.priority).await;
    let waited = engine.clock.now().duration_since(asked);
    engine.monitor.waited(waited);
    let place = taken.map_err(|closed| verdict::of_closed(closed, engine.clock.now()))?;
    if waited.is_positive() {
        // There is room again: for lanes that were not claimed because there was none.
        engine.wake.notify_one();
    }
    let pass = match live.breaker.enter() {
        Ok(pass) => pass,
        Err(until) => {
            place.unused();
            return Err(verdict::of_open(until));
        }
    };
    work.keep_lease().await?;
    Ok(Permit { place, pass })
}

impl Permit {
    /// Tells the budget and the breaker what came of the call.
    fn over(self, work: &Work<'_>, exchange: &Exchange, error: Option<&ghl::Error>) {
        match error {
            // It has not left.
            Some(ghl::Error::Unsendable { .. }) => return self.place.unused(),
            Some(
                error @ (ghl::Error::NotSent(_)
                | ghl::Error::Uncertain { .. }
                | ghl::Error::Unavailable { .. }),
            ) => {
                self.pass.failed(work.claim.lane.subject.as_str(), &error.to_string());
            }
            Some(_) | None => self.pass.answered(),
        }
        if let Some(ghl::Error::RateLimited { .. }) = error {
            self.place.refused(&exchange.rate_limit);
        } else if exchange.status.is_some() {
            self.place.answered(&exchange.rate_limit);
        }
    }
}

/// A failed call: what went wrong, and what that means unless the operation knows better.
#[derive(Debug)]
pub(super) struct CallError {
    pub(super) error: ghl::Error,
    pub(super) verdict: Verdict,
}

impl CallError {
    /// Whether HighLevel does not have (any more) what the call was about.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self.error, ghl::Error::NotFound { .. })
    }
}

impl From<CallError> for Verdict {
    fn from(failed: CallError) -> Self {
        failed.verdict
    }
}

fn record(at: jiff::Timestamp, exchange: Exchange, error: Option<String>) -> Attempt {
    let mut response = exchange.response_body;
    if let Some(text) = &mut response
        && text.len() > KEPT
    {
        let cut = (0..=KEPT).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0);
        text.truncate(cut);
        text.push('…');
    }
    Attempt {
        at,
        ms: exchange.duration.as_millis() as u64,
        method: exchange.method,
        path: exchange.path,
        request: exchange.request_body,
        status: exchange.status,
        response,
        error,
    }
}
