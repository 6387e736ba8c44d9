//! A plain call of HighLevel's API, by the catalogue.
//!
//! What only reads, or comes to the same when it is sent twice, is tried again freely. What makes a thing or does something
//! is written down before it is sent; when nobody knows whether it arrived, it is for a person to look: no document says
//! where the bridge could.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use catalogue::{Operation, Part, Repeat, Request, RequestBody};
use ghl::{RawBody, RawCall, RawPart};
use serde_json::Value;

use crate::engine::calls::call;
use crate::engine::reconcile::{self, lost};
use crate::engine::step::Step;
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::flow::{Usual, usual};
use crate::reason::{Code, Reason};

/// Makes the call; its answer is the step's result.
pub(super) async fn call(
    work: &mut Work<'_>,
    step: &mut Step,
    operation: &'static Operation,
    inputs: Value,
) -> Result<(), Verdict> {
    let inputs = with_usual(work, operation, inputs)?;
    let request = operation.request(&inputs).map_err(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        refuse(operation, &mistakes.join("; "))
    })?;
    let raw = raw(operation, request)?;
    let again = matches!(operation.repeat, Repeat::Read | Repeat::Idempotent);
    if !again {
        if let Some(restore) = lost::may_be_done(work) {
            step.doubt(restore);
        }
        may_be_sent(work, step, operation)?;
        step.begin(work).await?;
    }
    let answer = match call!(work, step, |ghl| ghl.call(raw.clone())).await {
        Ok(answer) => answer,
        Err(failed) if again => return Err(failed.verdict),
        Err(failed) if reconcile::is_uncertain(&failed.error) => {
            return Err(uncertain(work, step, operation));
        }
        Err(failed) => {
            step.nothing_made();
            return Err(failed.verdict);
        }
    };
    step.done(work, answer, Vec::new()).await
}

/// The inputs, with what goes without saying.
fn with_usual(work: &Work<'_>, operation: &Operation, mut inputs: Value) -> Result<Value, Verdict> {
    for (name, usual) in usual(operation) {
        if inputs.get(&name).is_some() {
            continue;
        }
        inputs[&name] = match usual {
            Usual::Location => work.live.connection.ghl.location_id.as_str().into(),
            Usual::LocationWord => "location".into(),
            Usual::Contact => super::contact_id(work)?.as_str().into(),
        };
    }
    Ok(inputs)
}

fn raw(operation: &Operation, request: Request) -> Result<RawCall, Verdict> {
    let method = request.method.as_str().parse().map_err(|_| refuse(operation, "its method is none"))?;
    let body = match request.body {
        None => RawBody::None,
        Some(RequestBody::Json(body)) => RawBody::Json(body),
        Some(RequestBody::Form(fields)) => RawBody::Form(fields),
        Some(RequestBody::Files(parts)) => {
            let parts = parts.into_iter().map(|(name, part)| match part {
                Part::Text(text) => Ok((name, RawPart::Text(text))),
                Part::File(base64) => match STANDARD.decode(&base64) {
                    Ok(bytes) => Ok((name.clone(), RawPart::File { name, bytes })),
                    Err(error) => Err(refuse(operation, &format!("`{name}` is no base64: {error}"))),
                },
            });
            RawBody::Files(parts.collect::<Result<_, _>>()?)
        }
    };
    let call = RawCall::new(method, request.path);
    Ok(RawCall { query: request.query, body, version: request.version, ..call })
}

fn refuse(operation: &Operation, mistakes: &str) -> Verdict {
    let text = format!(
        "`{}` cannot be called so: {mistakes}. Mend the route, or what it takes the value from, then replay",
        operation.name
    );
    Verdict::dead(Code::RouteMistake, text)
}

/// Whether the call may leave although an earlier one may have arrived: only when a person who knows has asked for it.
///
/// A replay begins the count of failed tries anew, and a person is told only after a failed try was counted. So what was told
/// and has no failed try was replayed, at whatever moment the process may have ended.
fn may_be_sent(work: &Work<'_>, step: &mut Step, operation: &Operation) -> Result<(), Verdict> {
    if step.open().is_none() || (step.is_told() && work.event().tries == 0) {
        return Ok(());
    }
    Err(uncertain(work, step, operation))
}

/// Nobody knows whether it was done.
fn uncertain(work: &Work<'_>, step: &mut Step, operation: &Operation) -> Verdict {
    let why = match step.open() {
        Some(open) if !open.is_known => "the event is from before the database was restored",
        _ => "its answer did not arrive",
    };
    let text = format!(
        "`{}` may have been done: {why}, and sent again it could be done twice. Look in HighLevel: if it was not done, replay this \
         event, which does it again; if it was, leave the event as it is",
        operation.name
    );
    let reason = Reason::new(Code::MayBeDone, text);
    let now = work.engine.clock.now();
    let event = work.event();
    if event.tries == 0 && work.engine.retry(event).max_tries > 1 {
        // First counted, then told.
        return Verdict::Retry { why: reason, not_before: Some(now), counts: true };
    }
    step.tell(now);
    Verdict::Dead { reason }
}
