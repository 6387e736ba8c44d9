//! Creates that happen once: after an unknown outcome, look whether it happened before sending again.
//!
//! What is found is taken over only if it fits and belongs to no other effect: two notes that say the same stay two. The
//! creates of one subject follow one another (a lane), so that of two that say the same only one is ever open.
//!
//! What this rests on: HighLevel carries out what it has received soon after the connection broke, or never. "Soon" is
//! three times `engine.settle_ms`: the first look comes after one, and only a second look, after three, lets it be sent
//! again. A call that ran into our own timeout has had that time as well. Nothing in HighLevel's API could tell more: it
//! takes no idempotency key.

mod contact;
pub(super) mod lost;
mod number;

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Engine;
use super::alone::Alone;
use super::calls::CallError;
use super::step::{Open, Step};
use super::verdict::Verdict;
use super::work::Work;
use crate::clock::after;
use crate::link::ItemKind;
use crate::reason::{Code, Reason};
use crate::sync;

pub(super) use contact::{Look, contact, contact_at_once};
pub(super) use number::by_number;

/// Our clock and HighLevel's may differ by this much: with a clock further off the store's webhooks are refused as well.
const SKEW: Duration = Duration::from_mins(5);

/// How long another lane's create is waited for before asking again.
const IN_THE_WAY: Duration = Duration::from_millis(250);

/// The last look comes when so many times `engine.settle_ms` have passed.
const LAST_LOOK: u32 = 3;

/// A create that must happen once, where HighLevel refuses no second one.
pub(super) trait Create {
    /// What it makes.
    type Id;
    /// Sends it.
    async fn send(&self, work: &Work<'_>, step: &mut Step) -> Result<Self::Id, CallError>;
    /// Looks for what an earlier sending has made.
    async fn find(&self, work: &Work<'_>, step: &mut Step) -> Result<Option<Self::Id>, Verdict>;
}

/// What a create has made.
pub(super) struct Made<Id> {
    pub(super) id: Id,
    /// It was found: the call that made it was never answered as it should.
    pub(super) found: bool,
}

/// Creates once. An error leaves the step open as long as nobody knows what became of it. From before this until what was
/// made is written down the caller is [`alone`] on the contact.
pub(super) async fn once<C: Create>(
    work: &Work<'_>,
    step: &mut Step,
    create: &C,
) -> Result<Made<C::Id>, Verdict> {
    if is_open(work, step)? {
        if let Some(id) = create.find(work, step).await? {
            return Ok(Made { id, found: true });
        }
        surely_nothing(work, step)?;
    }
    step.begin(work).await?;
    let failed = match create.send(work, step).await {
        Ok(id) => return Ok(Made { id, found: false }),
        Err(failed) => failed,
    };
    if is_uncertain(&failed.error) {
        return Err(unknown(work, failed.verdict));
    }
    // A 422 may have made it all the same; it is there at once then.
    if failed.error.maybe_processed()
        && let Some(id) = create.find(work, step).await?
    {
        return Ok(Made { id, found: true });
    }
    step.nothing_made();
    Err(failed.verdict)
}

/// Makes sure that no other lane creates under this key, as long as what this gives is kept.
pub(super) fn alone<'a>(work: &Work<'a>, key: &str) -> Result<Alone<'a>, Verdict> {
    enter(work.engine, format!("{}/{key}", work.live.connection.name))
}

/// The right to work under a key, as long as what this gives is kept.
pub(super) fn enter(engine: &Engine, key: String) -> Result<Alone<'_>, Verdict> {
    engine.creating.enter(key).ok_or_else(|| {
        let soon = after(engine.clock.now(), IN_THE_WAY);
        let why = "another event is at work for the same person: this one waits for it";
        Verdict::retry_at(soon, Reason::new(Code::SamePerson, why), false)
    })
}

/// Whether a create of unknown outcome was sent. While it may still be under way, looking would be too early.
pub(super) fn is_open(work: &Work<'_>, step: &Step) -> Result<bool, Verdict> {
    let Some(open) = step.open() else { return Ok(false) };
    wait_until(work, step, after(broken_at(work, open), settle(work)))?;
    Ok(true)
}

/// A look has found nothing: then nothing was made, if it came late enough.
pub(super) fn surely_nothing(work: &Work<'_>, step: &mut Step) -> Result<(), Verdict> {
    if let Some(open) = step.open() {
        wait_until(work, step, after(broken_at(work, open), settle(work) * LAST_LOOK))?;
    }
    step.nothing_made();
    Ok(())
}

/// Whether nobody knows yet what became of a call: it may be under way still. A 422 is no such case, although it may have
/// been carried out: what it has made is there when it comes.
pub(super) fn is_uncertain(error: &ghl::Error) -> bool {
    error.maybe_processed() && !matches!(error, ghl::Error::Invalid { .. })
}

/// After a create of unknown outcome: look when it may have been processed.
pub(super) fn unknown(work: &Work<'_>, verdict: Verdict) -> Verdict {
    let settled = after(work.engine.clock.now(), settle(work));
    match verdict {
        Verdict::Retry { why, not_before, counts } => {
            Verdict::Retry { why, not_before: Some(not_before.map_or(settled, |at| at.max(settled))), counts }
        }
        other => other,
    }
}

/// What was made before this is not of the open create's making.
pub(super) fn earliest(step: &Step) -> Timestamp {
    let Some(open) = step.open() else { return Timestamp::MAX };
    open.since.saturating_sub(SignedDuration::try_from(SKEW).unwrap_or_default()).unwrap_or(open.since)
}

/// What on this contact belongs to other effects.
pub(super) async fn taken(
    work: &Work<'_>,
    kind: ItemKind,
    contact: &ghl::ContactId,
) -> Result<HashSet<String>, Verdict> {
    let items = work.engine.store.items_of_contact(&work.live.connection.name, kind, contact).await?;
    Ok(items.into_iter().map(|item| item.remote_id).collect())
}

/// Whether what came back is the text that was sent. HighLevel may have put it into HTML, taken HTML out of it, or tidied
/// its white space; the words are the same.
pub(super) fn same_words(sent: &str, found: &str) -> bool {
    words(sent) == words(found)
}

fn words(text: &str) -> String {
    let mut text = text.to_owned();
    // What was escaped twice is unwrapped twice; each round makes it shorter, so it ends.
    loop {
        let plain = sync::plain_text(&text);
        if plain.len() >= text.len() {
            return plain.split_whitespace().collect();
        }
        text = plain;
    }
}

/// When the connection of an open create broke, at the latest. One that this process knows nothing of broke when the process
/// before it ended.
fn broken_at(work: &Work<'_>, open: Open) -> Timestamp {
    open.ended.unwrap_or_else(|| open.last.max(work.engine.started))
}

fn settle(work: &Work<'_>) -> Duration {
    Duration::from_millis(work.engine.config.settle_ms)
}

fn wait_until(work: &Work<'_>, step: &Step, at: Timestamp) -> Result<(), Verdict> {
    if work.engine.clock.now() < at {
        return Err(too_early(step, at));
    }
    Ok(())
}

/// It may still come to light: look again at `at`.
pub(super) fn too_early(step: &Step, at: Timestamp) -> Verdict {
    let why = match step.open() {
        Some(open) if !open.is_known => lost::not_yet(),
        _ => {
            let why = "a call was cut off; it is sent again only when it has surely not been carried out";
            Reason::new(Code::AnswerLost, why)
        }
    };
    Verdict::retry_at(at, why, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_again_in_whatever_form_it_comes_back() {
        for (sent, found) in [
            ("Rang twice.\nWants <blue> ones.", "<p>Rang twice.</p><p>Wants &lt;blue&gt; ones.</p>"),
            ("Bought <b>two</b>!", "Bought two!"),
            ("5 &lt; 6 & more", "5 &amp;lt; 6 &amp; more"),
            ("  two  spaces ", "two spaces"),
        ] {
            assert!(same_words(sent, found), "{sent} / {found}");
        }
        assert!(!same_words("Rang.", "Rang twice."));
    }
}
