//! `ghl.contact.save` and `ghl.contact.ensure`: a customer becomes a contact and stays one.

use serde_json::json;

use super::{contact_create, contact_update};
use crate::engine::step::Step;
use crate::engine::store_calls::fetch_user;
use crate::engine::verdict::Verdict;
use crate::engine::whom::shown;
use crate::engine::work::Work;
use crate::link::Customer;
use crate::reason::Code;

/// Creates the contact, or sends what has changed.
pub(super) async fn save(work: &mut Work<'_>, step: &mut Step, tags: &[String]) -> Result<(), Verdict> {
    if work.link.is_none() {
        return contact_create::create(work, step, tags).await;
    }
    contact_update::update(work, step, tags).await
}

/// Creates the contact where there is none.
pub(super) async fn ensure(work: &mut Work<'_>, step: &mut Step, tags: &[String]) -> Result<(), Verdict> {
    if work.link.is_some() {
        step.operation("ghl.contact.ensure");
        return step.skip(work, "the customer has a contact").await;
    }
    if work.contact.is_empty() {
        // A note tells only whose it is; the store knows the rest.
        let Customer::User(id) = super::customer(work)? else {
            return Err(Verdict::dead(
                Code::NoContact,
                "the guest's checkout has not arrived: replay this after it",
            ));
        };
        let user = fetch_user(work.engine, work.live, id).await?;
        work.registered_at = user.timestamp;
        let mapped = shown(work.live, work.event(), &json!({ "data": { "user": user } }))?;
        work.contact = mapped.contact;
        work.problems.extend(mapped.problems.iter().map(ToString::to_string));
    }
    contact_create::create(work, step, tags).await
}
