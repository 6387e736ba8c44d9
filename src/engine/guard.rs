//! Stops a cycle between flows: an effect in HighLevel that sets off an automation there, whose event sets off the same route
//! again, and so on.

use jiff::SignedDuration;

use super::Engine;
use super::verdict::Verdict;
use crate::event::{Event, Source};
use crate::reason::Code;

/// Within which time the runs of a route are counted.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// Refuses to begin a route for an event of HighLevel's when it has run too often for the same subject, set off by HighLevel
/// each time. Counted in the store, so a restart changes nothing.
pub(super) async fn check(engine: &Engine, event: &Event, route: &str) -> Result<(), Verdict> {
    if event.source != Source::Ghl {
        return Ok(());
    }
    let now = engine.clock.now();
    let since = now.saturating_sub(WINDOW).unwrap_or(now);
    let runs = engine.store.runs_of_route(event, route, since).await?;
    if runs < u64::from(engine.config.loop_limit) {
        return Ok(());
    }
    let text = format!(
        "route `{route}` has run {runs} times within {} minutes for `{}`, set off by HighLevel each time: what it does there seems \
         to set it off again. Give the route a `when` that leaves out its own effects, or end the automation in HighLevel; then \
         replay. If so many changes are meant, raise `engine.loop_limit`",
        WINDOW.as_mins(),
        event.subject
    );
    Err(Verdict::dead(Code::FlowLoop, text))
}
