//! What may have been done in a time that the database does not know, because it was restored from a backup. It is looked for
//! first, like a create of unknown outcome. Whatever happened after the restore costs no call more.

use jiff::Timestamp;
use serde_json::Value;

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

/// The note of something that was made before the restore may be there, whenever that is changed.
pub(in crate::engine) fn note_may_be_there(work: &Work<'_>) -> Option<Restore> {
    let event = work.event();
    let made_at = if event.kind.ends_with(".created") { Some(event.occurred_at) } else { work.made_at };
    work.engine.restore.filter(|restore| made_at.is_none_or(|at| at < restore.lost_until) && !event.forced)
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

/// When the customer registered whom a body of the store's shows.
pub(in crate::engine) fn registered_at(body: &Value) -> Option<Timestamp> {
    time(body.get("data")?.get("user")?.get("timestamp")?)
}

/// When the note or the order was made that a body of the store's tells of.
pub(in crate::engine) fn made_at(body: &Value) -> Option<Timestamp> {
    let data = body.get("data")?;
    let told = |part: &str, name: &str| time(data.get(part)?.get(name)?);
    told("note", "created_at").or_else(|| told("order", "timestamp"))
}

/// A time as the store writes it: in ISO's form, or in seconds since 1970, as a number or as text.
fn time(told: &Value) -> Option<Timestamp> {
    let seconds = |seconds: i64| Timestamp::from_second(seconds).ok();
    match told {
        Value::String(text) => text.parse().ok().or_else(|| seconds(text.parse().ok()?)),
        told => seconds(told.as_i64()?),
    }
}

/// Why it is not looked yet.
pub(super) fn not_yet() -> Reason {
    let why = "the database was restored a moment ago: what was made before may not be seen in HighLevel yet, and is looked for then";
    Reason::new(Code::Restored, why)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_read_in_each_way_in_which_the_store_writes_it() {
        let at: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for told in [json!("2026-11-24T12:00:00Z"), json!(1_795_521_600), json!("1795521600")] {
            let note = json!({ "data": { "note": { "created_at": told } } });
            let order = json!({ "data": { "order": { "timestamp": told } } });
            let user = json!({ "data": { "user": { "timestamp": told } } });
            assert_eq!(
                (made_at(&note), made_at(&order), registered_at(&user)),
                (Some(at), Some(at), Some(at))
            );
        }
        for told in [json!(""), json!(null), json!("soon")] {
            assert_eq!(registered_at(&json!({ "data": { "user": { "timestamp": told } } })), None, "{told}");
        }
        assert_eq!(made_at(&json!({})), None);
    }
}
