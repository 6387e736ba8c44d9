//! What may have been done in a time that the database does not know, because it was restored from a backup. It is looked for
//! first, like a create of unknown outcome. Whatever happened after the restore costs no call more.

use jiff::Timestamp;

use crate::engine::work::Work;
use crate::link::Customer;
use crate::reason::{Code, Reason};
use crate::restore::Restore;

/// What an event of that time or from before asks for may have been done: one that is delivered again, polled again or replayed,
/// that was open in the backup, or that a timer sets off. What a person wants done again is not looked for.
pub(in crate::engine) fn may_be_done(work: &Work<'_>) -> Option<Restore> {
    let event = work.event();
    work.engine.restore.filter(|restore| event.occurred_at < restore.lost_until && !event.forced)
}

/// A note that was made before may have been made in that time, whenever it is changed.
pub(in crate::engine) fn note_may_be_there(work: &Work<'_>) -> Option<Restore> {
    let event = work.event();
    let is_new = event.kind.ends_with(".created");
    may_be_done(work).or_else(|| work.engine.restore.filter(|_| !is_new && !event.forced))
}

/// A customer who was there before the restore may have a contact, and what each customer gets once. Of a guest only his event
/// tells when he came.
pub(in crate::engine) fn customer_was_there(work: &Work<'_>) -> Option<Restore> {
    let (restore, event) = (work.engine.restore?, work.event());
    let registered: Option<Timestamp> = match (&work.customer, event.kind.as_str()) {
        _ if event.occurred_at < restore.lost_until => return Some(restore),
        (Some(Customer::User(_)), kind) if kind != "customer.created" => work.registered_at,
        _ => return None,
    };
    registered.is_none_or(|at| at < restore.lost_until).then_some(restore)
}

/// Why it is not looked yet.
pub(super) fn not_yet() -> Reason {
    let why = "the database was restored a moment ago: what was made before may not be seen in HighLevel yet, and is looked for then";
    Reason::new(Code::Restored, why)
}
