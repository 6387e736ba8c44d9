//! Reconciling a create whose outcome is not known: look whether it happened before sending again.
//!
//! What is found is taken over only if it fits and belongs to no other effect: two notes that say the same stay two.

use std::collections::HashSet;
use std::time::Duration;

use ghl::Duplicate;
use jiff::{SignedDuration, Timestamp};

use super::calls::call;
use super::operations::{Found, TaskToMake};
use super::step::Step;
use super::verdict::{Verdict, after_now};
use super::work::Work;
use crate::link::ItemKind;
use crate::sync::{self, Field};

/// HighLevel's clock may be behind ours by this much.
const SKEW: Duration = Duration::from_mins(1);

/// Whether a create of unknown outcome was sent. While it may still be under way, looking would be too early.
pub(super) fn is_open(work: &Work<'_>, step: &Step) -> Result<bool, Verdict> {
    let Some(open) = step.open() else { return Ok(false) };
    let settled = after_now(open.last, Duration::from_millis(work.engine.config.settle_ms));
    if work.engine.clock.now() < settled {
        let why =
            "a call was cut off; waiting until it has surely been processed before looking whether it was";
        return Err(Verdict::retry_at(settled, why, false));
    }
    Ok(true)
}

/// The contact that a create made, or that was there before it. The duplicate search, unlike the other, does not lag
/// behind writes.
pub(super) async fn contact(work: &Work<'_>, step: &mut Step) -> Result<Option<Found>, Verdict> {
    let location = &work.live.connection.ghl.location_id;
    let (by, by_phone) = match (work.contact.shown(&Field::Email), work.contact.shown(&Field::Phone)) {
        (Some(email), _) => (Duplicate::Email(email), false),
        (None, Some(phone)) => (Duplicate::Number(phone), true),
        (None, None) => {
            return Err(Verdict::dead(
                "a contact was being created when the connection broke, and without e-mail and phone it cannot be found \
                 again: look in HighLevel for it by name; if it is not there, replay this with `force`",
            ));
        }
    };
    let found = call!(work, step, |ghl| ghl.contacts().find_duplicate(location, by)).await?;
    let since = earliest(step);
    Ok(found.map(|found| Found {
        made_by_us: found.date_added.is_some_and(|added| added >= since),
        id: found.id,
        by_phone,
    }))
}

/// The task that a create made.
pub(super) async fn task(
    work: &Work<'_>,
    step: &mut Step,
    contact: &ghl::ContactId,
    wanted: &TaskToMake,
) -> Result<Option<ghl::TaskId>, Verdict> {
    let taken = taken(work, ItemKind::Task, contact).await?;
    let tasks = call!(work, step, |ghl| ghl.tasks().list(contact)).await?;
    let same_text = |found: Option<&str>, wanted: Option<&str>| {
        sync::plain_text(found.unwrap_or_default()) == sync::plain_text(wanted.unwrap_or_default())
    };
    let made = tasks.into_iter().find(|found| {
        !taken.contains(found.id.as_str())
            && same_text(found.title.as_deref(), Some(&wanted.title))
            && same_text(found.body.as_deref(), wanted.body.as_deref())
            && found.due_date.is_none_or(|due| due.as_second() == wanted.due_date.as_second())
    });
    Ok(made.map(|made| made.id))
}

/// The note that a create made.
pub(super) async fn note(
    work: &Work<'_>,
    step: &mut Step,
    contact: &ghl::ContactId,
    body: &str,
) -> Result<Option<ghl::NoteId>, Verdict> {
    let earliest = earliest(step);
    let taken = taken(work, ItemKind::Note, contact).await?;
    let notes = call!(work, step, |ghl| ghl.notes().list(contact)).await?;
    let made = notes.into_iter().find(|found| {
        let text = found.body_text.as_deref().or(found.body.as_deref()).unwrap_or_default();
        !taken.contains(found.id.as_str())
            && sync::plain_text(text) == sync::plain_text(body)
            && found.date_added.is_none_or(|added| added >= earliest)
    });
    Ok(made.map(|made| made.id))
}

/// What was made before this is not of the open create's making.
fn earliest(step: &Step) -> Timestamp {
    let Some(open) = step.open() else { return Timestamp::MAX };
    open.since.saturating_sub(SignedDuration::try_from(SKEW).unwrap_or_default()).unwrap_or(open.since)
}

/// What on this contact belongs to other effects.
async fn taken(
    work: &Work<'_>,
    kind: ItemKind,
    contact: &ghl::ContactId,
) -> Result<HashSet<String>, Verdict> {
    let items = work.engine.store.items_of_contact(&work.live.connection.name, kind, contact).await?;
    Ok(items.into_iter().map(|item| item.remote_id).collect())
}
