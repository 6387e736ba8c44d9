//! Calls to HighLevel: with a good token, under the location's budget, and each exchange on record.

use ghl::{Answer, Exchange, Failure};

use super::step::Step;
use super::verdict::{self, Verdict};
use super::work::Work;
use crate::breaker::Admits;
use crate::effect::Attempt;
use crate::permit::Permit;
use crate::reason::Code;
use crate::tokens::Bearer;

/// The longest answer that is kept in the record.
const KEPT: usize = 4096;

/// Makes one call with the connection's token: `call!(work, step, |ghl| ghl.contacts().get(&id)).await` is a
/// `Result<T, CallError>`.
/// What its failure means is for the caller to say: see [`CallError::verdict`].
///
/// A token that is refused (401) is replaced and the call made once more: what is refused for its token was not carried out.
/// (A macro, because the call is made anew each time: a closure for it cannot be proved `Send` yet.)
macro_rules! call {
    ($work:expr, $step:expr, |$ghl:ident| $call:expr) => {
        async {
            let mut calling = $crate::engine::calls::Calling::begin($work, $step).await?;
            loop {
                let answer = {
                    let $ghl = calling.client();
                    $call.await
                };
                if let Some(outcome) = calling.end($work, $step, answer).await {
                    break outcome;
                }
            }
        }
    };
}
pub(super) use call;

/// A call under way.
pub(super) struct Calling {
    bearer: Bearer,
    client: ghl::Client,
    /// For the exchange under way.
    permit: Option<Permit>,
    /// It goes out with the second token.
    again: bool,
}

impl Calling {
    /// Waits until the call may leave.
    pub(super) async fn begin(work: &Work<'_>, step: &mut Step) -> Result<Self, CallError> {
        let permit = match step.use_permit() {
            Some(permit) => permit,
            None => permit(work).await.map_err(CallError::not_made)?,
        };
        // With a permit the lane is held for this call, and for no renewing before it.
        let bearer = work.engine.tokens.bearer_at_hand(work.live).await;
        let bearer = bearer.map_err(|unready| CallError::not_made(unready.into()))?;
        let client = work.client.with_token(bearer.token.clone());
        Ok(Self { bearer, client, permit: Some(permit), again: false })
    }

    /// The client that it goes out with.
    pub(super) fn client(&self) -> &ghl::Client {
        &self.client
    }

    /// What came of it; none: it is to be made once more.
    pub(super) async fn end<T>(
        &mut self,
        work: &Work<'_>,
        step: &mut Step,
        answer: Result<Answer<T>, Failure>,
    ) -> Option<Result<T, CallError>> {
        let failed = match exchange(work, step, self.permit.take(), answer).await {
            Err(failed) if matches!(failed.error, ghl::Error::Unauthorized { .. }) => failed,
            outcome => return Some(outcome),
        };
        let tokens = &work.engine.tokens;
        if self.again {
            return Some(Err(CallError { verdict: tokens.refused(work.live).into(), ..failed }));
        }
        let newer = match tokens.after_401(work.live, &self.bearer).await {
            Ok(newer) => newer,
            Err(unready) => return Some(Err(CallError { verdict: unready.into(), ..failed })),
        };
        match permit(work).await {
            Ok(permit) => self.permit = Some(permit),
            Err(verdict) => return Some(Err(CallError { verdict, ..failed })),
        }
        self.client = work.client.with_token(newer.token.clone());
        self.bearer = newer;
        self.again = true;
        None
    }
}

/// What came of one exchange, learned from and put on record.
async fn exchange<T>(
    work: &Work<'_>,
    step: &mut Step,
    permit: Option<Permit>,
    answer: Result<Answer<T>, Failure>,
) -> Result<T, CallError> {
    let (exchange, outcome) = match answer {
        Ok(answer) => (answer.exchange, Ok(answer.value)),
        Err(failure) => (*failure.exchange, Err(failure.error)),
    };
    let (live, tokens) = (work.live, &work.engine.tokens);
    if let Some(permit) = permit {
        permit.over(work.claim.lane.subject.as_str(), &exchange, outcome.as_ref().err());
    }
    work.engine.monitor.call("ghl", exchange.status.unwrap_or(0), exchange.duration);
    let outcome = match outcome {
        Ok(value) => {
            // Should the database not say, the next call does.
            drop(tokens.allowed(live, &exchange.method, &exchange.path).await);
            Ok(value)
        }
        Err(error) => {
            let lacking = match &error {
                ghl::Error::MissingScope { .. } => tokens.denied(live, &exchange.method, &exchange.path),
                _ => None,
            };
            let now = work.engine.clock.now();
            let verdict = match (lacking, &error) {
                (Some(scope), _) => Verdict::park(Code::NeedsScope, tokens.lack(live, &[scope].into())),
                (None, ghl::Error::RateLimited { retry_after, daily }) => {
                    verdict::of_closed(live.budget.close(*retry_after, *daily), now)
                }
                (None, _) => verdict::of_ghl(&error, now),
            };
            Err(CallError { error, verdict })
        }
    };
    let error = outcome.as_ref().err().map(|failed| failed.error.to_string());
    step.attempt(record(at(work, &exchange), exchange, error));
    outcome
}

/// When an exchange that has just ended began.
fn at(work: &Work<'_>, exchange: &Exchange) -> jiff::Timestamp {
    let took = jiff::SignedDuration::try_from(exchange.duration).unwrap_or_default();
    let now = work.engine.clock.now();
    now.saturating_sub(took).unwrap_or(now)
}

/// Waits until a call may leave, and makes sure that the lane is ours for longer than it takes. That the token is good is
/// seen to before: it may have to be renewed.
pub(super) async fn permit(work: &Work<'_>) -> Result<Permit, Verdict> {
    let (live, engine) = (work.live, work.engine);
    engine.tokens.bearer(live).await?;
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
    let permit = Permit::enter(live, place).map_err(verdict::of_open)?;
    work.keep_lease().await?;
    Ok(permit)
}

/// A failed call: what went wrong, and what that means unless the operation knows better.
#[derive(Debug)]
pub(super) struct CallError {
    pub(super) error: ghl::Error,
    pub(super) verdict: Verdict,
}

impl CallError {
    /// The call did not leave.
    fn not_made(verdict: Verdict) -> Self {
        Self { error: ghl::Error::Unsendable { reason: "it would have to wait".into() }, verdict }
    }

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
