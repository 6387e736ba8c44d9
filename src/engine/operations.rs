//! The operations that a step can ask for: one file each.

mod api_call;
mod contact;
mod contact_adopt;
mod contact_create;
mod contact_delete;
mod contact_fetch;
mod contact_update;
mod count_orders;
mod note;
mod tags;
mod taken;
mod task;

pub(super) use contact_adopt::Found;
pub(super) use contact_create::SOURCE;

use super::step::Step;
use super::verdict::Verdict;
use super::work::Work;
use crate::event::Source;
use crate::flow::Operation;
use crate::link::{Customer, Link};
use crate::reason::Code;

/// Carries out one operation; `Ok`: it is written down as done or skipped.
pub(super) async fn carry_out(
    work: &mut Work<'_>,
    step: &mut Step,
    operation: Operation,
) -> Result<(), Verdict> {
    match operation {
        Operation::SaveContact { tags } => contact::save(work, step, &tags).await,
        Operation::EnsureContact { tags } => contact::ensure(work, step, &tags).await,
        Operation::DeleteContact => contact_delete::delete(work, step).await,
        Operation::FetchContact => contact_fetch::fetch(work, step).await,
        Operation::CreateTask { title, body, due_date, assigned_to, once_per_customer } => {
            let task = task::Task { title, body, due_date, assigned_to };
            task::create(work, step, task, once_per_customer).await
        }
        Operation::SaveNote { note_id, body } => note::save(work, step, &note_id, &body).await,
        Operation::DeleteNote { note_id } => note::delete(work, step, &note_id).await,
        Operation::AddTags { tags } => tags::add(work, step, &tags).await,
        Operation::RemoveTags { tags } => tags::remove(work, step, &tags).await,
        Operation::SetTags { tags } => tags::set(work, step, &tags).await,
        Operation::CountOrders => count_orders::count(work, step).await,
        Operation::Call { operation, inputs } => api_call::call(work, step, operation, inputs).await,
    }
}

/// The customer that an operation needs.
fn customer(work: &Work<'_>) -> Result<Customer, Verdict> {
    work.customer.clone().ok_or_else(|| match &work.told_contact {
        Some(contact) => {
            let text = format!(
                "contact `{contact}` is linked with no customer of the store, and the bridge's own operations work on customers. Give \
                 the step `raw = true` or a plain call in its place, or link the contact with a customer; then replay"
            );
            Verdict::dead(Code::NotLinked, text)
        }
        None if work.event().source == Source::Ghl => Verdict::dead(
            Code::NotLinked,
            "the event of HighLevel's names no contact, so it belongs to no customer of the store. Ask for another event in the route",
        ),
        None => Verdict::dead(
            Code::NoCustomer,
            "the event names no customer: neither a user id nor an e-mail. Correct it in the store, then replay",
        ),
    })
}

/// The contact that a call is about where the route does not name it.
fn contact_id(work: &Work<'_>) -> Result<ghl::ContactId, Verdict> {
    match work.contact_id() {
        Some(contact) => Ok(contact.clone()),
        None => link(work).map(|link| link.contact_id),
    }
}

/// The link that an operation on an existing contact needs.
fn link(work: &Work<'_>) -> Result<Link, Verdict> {
    let customer = customer(work)?;
    work.link.clone().ok_or_else(|| {
        let text = format!("{customer} has no contact yet: resync the customer, then replay");
        Verdict::dead(Code::NoContact, text)
    })
}
