//! The first link to a contact that HighLevel has already: fill what is empty, wipe nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::tags::add_to;
use super::taken;
use crate::engine::calls::{CallError, call};
use crate::engine::custom_fields;
use crate::engine::reconcile::lost;
use crate::engine::step::Step;
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::link::{Customer, Link};
use crate::reason::Code;
use crate::sync::{self, Definitions, Field, Shadow};

/// A contact that seems to be the customer.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Found {
    /// Which.
    pub(in crate::engine) id: ghl::ContactId,
    /// Only the phone says so.
    pub(in crate::engine) by_phone: bool,
    /// It was made by our own call, whose answer never came.
    pub(in crate::engine) made_by_us: bool,
    /// It shows the customer's number, by these fields of the location.
    numbered: Option<Arc<Definitions>>,
    /// The contact, where it has been fetched already.
    seen: Option<Box<ghl::Contact>>,
}

impl Found {
    /// A contact that was there before.
    pub(in crate::engine) fn there(id: ghl::ContactId, by_phone: bool) -> Self {
        Self { id, by_phone, made_by_us: false, numbered: None, seen: None }
    }

    /// The contact that our own call made.
    pub(in crate::engine) fn made_by_us(id: ghl::ContactId) -> Self {
        Self { id, by_phone: false, made_by_us: true, numbered: None, seen: None }
    }

    /// A contact that shows the customer's number: the bridge has linked it before, and does not know any more.
    pub(in crate::engine) fn by_number(contact: ghl::Contact, definitions: Arc<Definitions>) -> Self {
        let id = contact.id.clone();
        let seen = Some(Box::new(contact));
        Self { id, by_phone: false, made_by_us: false, numbered: Some(definitions), seen }
    }

    /// The contact itself.
    async fn contact(&mut self, work: &Work<'_>, step: &mut Step) -> Result<ghl::Contact, CallError> {
        match self.seen.take() {
            Some(contact) => Ok(*contact),
            None => call!(work, step, |ghl| ghl.contacts().get(&self.id)).await,
        }
    }
}

/// Whether a contact that was there before is the customer. One with his e-mail is. One with his phone is, unless it has
/// another e-mail or is another customer's: a shared phone does not make one person of two (a family, an office).
pub(super) async fn is_same_person(
    work: &Work<'_>,
    step: &mut Step,
    found: &mut Found,
) -> Result<bool, Verdict> {
    if !found.by_phone {
        return Ok(true);
    }
    if owner(work, found).await?.is_some() {
        return Ok(false);
    }
    let contact = found.contact(work, step).await?;
    let theirs = sync::from_ghl(&contact);
    found.seen = Some(Box::new(contact));
    let (theirs, ours) = (theirs.shown(&Field::Email), work.contact.shown(&Field::Email));
    Ok(theirs.is_none() || ours.is_none() || theirs == ours)
}

/// The other customer who has this contact. A guest and a registered customer with the same e-mail are no two: who has an
/// account may order without it, before or after.
async fn owner(work: &Work<'_>, found: &Found) -> Result<Option<Customer>, Verdict> {
    let connection = &work.live.connection.name;
    let email = work.contact.shown(&Field::Email);
    let links = work.engine.store.links_of_contact(connection, &found.id).await?;
    let is_other = |link: &Link| match (&link.customer, &work.customer) {
        (other, Some(customer)) if other == customer => false,
        (Customer::Guest(guest), _) => Some(guest.as_str()) != email,
        (Customer::User(_), Some(Customer::Guest(guest))) => {
            link.shadow.cscart.shown(&Field::Email) != Some(guest.as_str())
        }
        (Customer::User(_), _) => true,
    };
    Ok(links.into_iter().find(is_other).map(|link| link.customer))
}

/// Links the customer with a contact that was there before.
pub(super) async fn adopt(
    work: &mut Work<'_>,
    step: &mut Step,
    tags: &[String],
    mut found: Found,
) -> Result<(), Verdict> {
    while let Some(other) = take_over(work, step, tags, found).await? {
        found = other;
    }
    Ok(())
}

/// Links him, unless another contact turns out to be the one: it has his e-mail, where this one has his phone alone. A location
/// may look for the phone first, and it is the e-mail that decides.
async fn take_over(
    work: &mut Work<'_>,
    step: &mut Step,
    tags: &[String],
    mut found: Found,
) -> Result<Option<Found>, Verdict> {
    let customer = super::customer(work)?;
    // That one with the customer's number is no other customer's is seen to where it is found.
    if found.numbered.is_none()
        && let Some(owner) = owner(work, &found).await?
    {
        let text = format!(
            "contact {} has this customer's {} and is linked to {owner}: two customers of the store cannot be one contact. \
             Merge the two customers, or correct the e-mail of one, then replay",
            found.id,
            if found.by_phone { "phone" } else { "e-mail" },
        );
        return Err(Verdict::dead(Code::ContactTaken, text));
    }
    let mut definitions = custom_fields::prepare(work, step).await?;
    let contact = found.contact(work, step).await?;
    let known = definitions.as_deref().or(found.numbered.as_deref());
    let mut theirs = sync::from_ghl_with(&contact, known);
    if found.made_by_us {
        // HighLevel shows custom fields by ids of its own, so that ours look empty: but we have just sent them.
        theirs.extend(&work.contact.custom_fields());
    }
    let mut fill = sync::first_link(&work.contact, &theirs);
    let is_ours = found.made_by_us || found.numbered.is_some();
    if found.numbered.is_some() && lost::may_be_done(work).is_none() {
        // It has the address that he had then: that he has another one now is why he could be lost.
        let email =
            work.contact.shown(&Field::Email).filter(|email| theirs.shown(&Field::Email) != Some(*email));
        if let Some(email) = email {
            fill.values_mut().set(Field::Email, email);
        }
    }
    while !fill.is_empty() {
        let change = sync::update(&fill, definitions.as_deref());
        let updated = call!(work, step, |ghl| ghl.contacts().update(&found.id, &change)).await;
        match updated {
            Ok(updated) => {
                theirs.extend(fill.values());
                theirs.extend(&sync::from_ghl(&updated));
                break;
            }
            Err(failed)
                if custom_fields::mend(work, step, &failed.error, fill.values_mut(), &mut definitions)
                    .await? => {}
            Err(failed) if found.by_phone && taken::has_the_email(&failed.error).is_some() => {
                let other = taken::has_the_email(&failed.error).cloned();
                return Ok(other.map(|other| Found::there(other, false)));
            }
            Err(failed) if taken::leave_out(work, &failed.error, fill.values_mut()) => {
                if taken::has_the_email(&failed.error).is_some() {
                    // It does not count as sent: see `contact_update`.
                    work.contact.remove(&Field::Email);
                }
            }
            // What cannot be filled in does not keep the customer from his contact.
            Err(failed)
                if matches!(
                    failed.error,
                    ghl::Error::DuplicateContact { .. } | ghl::Error::Invalid { .. }
                ) =>
            {
                work.say(format!("what was empty could not be filled in: {}", failed.error));
                break;
            }
            Err(failed) => return Err(failed.verdict),
        }
    }
    let owned: BTreeSet<String> = tags.iter().filter_map(|tag| sync::clean_tag(tag)).collect();
    let missing: Vec<String> = owned.iter().filter(|tag| !contact.tags.contains(tag)).cloned().collect();
    add_to(work, step, &found.id, &missing).await?;
    let link = Link {
        connection: work.live.connection.name.clone(),
        customer,
        contact_id: found.id.clone(),
        shadow: Shadow { cscart: work.contact.clone(), ghl: theirs },
        tags: if is_ours { owned } else { missing.into_iter().collect() },
        state_at: work.occurred_at,
    };
    let mut result = json!({ "contact_id": found.id, "adopted": true, "filled": fill.names() });
    if found.made_by_us {
        result["made_by_us"] = true.into();
    }
    let result = work.with_problems(result);
    let links = work.put_link(link);
    step.done(work, result, links).await?;
    Ok(None)
}
