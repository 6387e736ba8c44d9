//! Waiting: the rest of a route becomes a timer, so that nothing else of the customer waits with it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::step::Step;
use super::verdict::Verdict;
use super::work::Work;
use crate::flow::{self, Continued, PlannedDelay};
use crate::reason::Code;
use crate::timer::Timer;

/// A wait that begins, or that is over already.
pub(super) struct Wait {
    delay: PlannedDelay,
    /// The step's result.
    pub(super) result: Value,
    /// Nothing: it is over already.
    timer: Option<Timer>,
}

impl Wait {
    /// Begins it now.
    pub(super) fn begin(
        work: &Work<'_>,
        delay: &PlannedDelay,
        earlier: Option<&Continued>,
        payload: &Value,
    ) -> Result<Self, Verdict> {
        let now = work.engine.clock.now();
        let until = delay.wait.over_at(now);
        if until <= now {
            return Ok(Self { delay: delay.clone(), result: PlannedDelay::is_over(until), timer: None });
        }
        let timer = timer(work, delay, earlier, payload, until)?;
        Ok(Self { delay: delay.clone(), result: PlannedDelay::waits(until), timer: Some(timer) })
    }

    /// Writes it down, with its timer, in one transaction.
    pub(super) async fn write_down(self, work: &Work<'_>, last: bool) -> Result<(), Verdict> {
        let mut step = Step::new(self.delay.key, "delay", None, last);
        step.waits(work, self.result, self.timer).await
    }
}

fn timer(
    work: &Work<'_>,
    delay: &PlannedDelay,
    earlier: Option<&Continued>,
    payload: &Value,
    due_at: Timestamp,
) -> Result<Timer, Verdict> {
    let event = work.event();
    let route = &delay.key.route;
    // One that waits again goes back to what set it off in the first place.
    let continued = Continued {
        event: earlier.map_or_else(|| event.id.to_string(), |earlier| earlier.event.clone()),
        trigger: earlier.map_or_else(|| event.trigger(), |earlier| earlier.trigger.clone()),
        occurred_at: work.occurred_at,
        route: route.clone(),
        step: delay.step.clone(),
        saved: delay.saved.clone(),
    };
    let body = json!({ "store": payload.get("store"), "data": payload.get("data"), "continued": continued });
    let payload = serde_json::to_vec(&body).map_err(|error| {
        Verdict::dead(Code::Internal, format!("what waits cannot be written down: {error}"))
    })?;
    let whose = if delay.restart { event.subject.to_string() } else { event.id.to_string() };
    Ok(Timer {
        connection: event.connection.clone(),
        // Apart from those of schedules, whatever the route is called.
        key: format!("wait/{route}/{}/{whose}", delay.step),
        subject: event.subject.clone(),
        due_at,
        kind: flow::CONTINUED_KIND.to_owned(),
        payload,
    })
}
