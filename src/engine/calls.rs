//! Calls to HighLevel: under the location's budget, and each exchange on record.

use std::future::Future;

use ghl::{Answer, Exchange, Failure};

use super::step::Step;
use super::verdict::{self, Verdict};
use super::work::Work;
use crate::effect::Attempt;

/// The longest answer that is kept in the record.
const KEPT: usize = 4096;

/// Makes one call. What its failure means is for the caller to say: see [`CallError::verdict`].
pub(super) async fn call<T, F>(work: &Work<'_>, step: &mut Step, make: F) -> Result<T, CallError>
where
    F: Future<Output = Result<Answer<T>, Failure>>,
{
    if !step.use_permit() {
        permit(work).await.map_err(|verdict| CallError {
            error: ghl::Error::Unsendable { reason: "it would have to wait".into() },
            verdict,
        })?;
    }
    let at = work.engine.clock.now();
    let (exchange, outcome) = match make.await {
        Ok(answer) => (answer.exchange, Ok(answer.value)),
        Err(failure) => (*failure.exchange, Err(failure.error)),
    };
    work.live.budget.learn(&exchange.rate_limit);
    work.engine.monitor.call("ghl", exchange.status.unwrap_or(0), exchange.duration);
    let error = outcome.as_ref().err().map(ToString::to_string);
    step.attempt(record(at, exchange, error));
    outcome.map_err(|error| {
        let limited = match &error {
            ghl::Error::RateLimited { retry_after, .. } => Some(work.live.budget.close(*retry_after)),
            _ => None,
        };
        let verdict = verdict::of_ghl(&error, work.engine.clock.now(), limited);
        CallError { error, verdict }
    })
}

/// Waits until a call may leave, and makes sure that the lane is ours for longer than it takes. A lane is held for no longer
/// than a window of the rate limit.
pub(super) async fn permit(work: &Work<'_>) -> Result<(), Verdict> {
    let taken = work.live.budget.take().await;
    taken.map_err(|until| Verdict::retry_at(until, "HighLevel's rate limit is used up", false))?;
    work.keep_lease().await
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
