//! `ghl.contact.create`: never twice for one customer.

use ghl::MatchingField;
use serde_json::json;

use super::contact_adopt::{self, Found};
use super::taken;
use crate::engine::alone::Alone;
use crate::engine::calls::call;
use crate::engine::custom_fields;
use crate::engine::reconcile::{self, Look, lost};
use crate::engine::step::Step;
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::link::Link;
use crate::reason::Code;
use crate::sync::{self, Canonical, Definitions, Field, Shadow};

/// What stands as the contact's source in HighLevel.
pub(in crate::engine) const SOURCE: &str = "CS-Cart";

/// Creates the contact of a customer who has none, or takes over the one that HighLevel has already.
pub(super) async fn create(work: &mut Work<'_>, step: &mut Step, tags: &[String]) -> Result<(), Verdict> {
    super::customer(work)?;
    step.operation("ghl.contact.create");
    if let Some(why) = work.contact.nobody() {
        let text = format!(
            "the customer has {why}. Fill in one of them in the store: the next change is sent by itself"
        );
        return Err(Verdict::dead(Code::NoCustomer, text));
    }
    let _alone = alone(work)?;
    if let Some(restore) = lost::customer_was_there(work) {
        if let Some(found) = reconcile::by_number(work, step, restore).await? {
            return contact_adopt::adopt(work, step, tags, found).await;
        }
        step.doubt(restore);
    }
    if reconcile::is_open(work, step)? {
        match reconcile::contact(work, step, tags).await? {
            Look::Made(found) => return contact_adopt::adopt(work, step, tags, found).await,
            Look::Nothing { .. } => reconcile::surely_nothing(work, step)?,
            Look::TooEarly(at) => return Err(reconcile::too_early(step, at)),
        }
    }
    let mut definitions = custom_fields::prepare(work, step).await?;
    let mut contact = work.contact.clone();
    // Each round sends less than the one before, so it ends.
    loop {
        let location = &work.live.connection.ghl.location_id;
        let new = sync::new_contact(location, &contact, tags, SOURCE, definitions.as_deref());
        step.begin(work).await?;
        let failed = match call!(work, step, |ghl| ghl.contacts().create(&new)).await {
            Ok(made) => {
                let definitions = definitions.as_deref();
                for field in custom_fields::ignored(work, step, &contact, definitions, &made).await? {
                    contact.remove(&field);
                }
                return link(work, step, tags, contact, &made, definitions).await;
            }
            Err(failed) => failed,
        };
        match &failed.error {
            ghl::Error::DuplicateContact { contact_id, matching_field, .. } => {
                step.nothing_made();
                let by_phone = *matching_field == MatchingField::Phone;
                let mut found = Found::there(contact_id.clone(), by_phone);
                if contact_adopt::is_same_person(work, step, &mut found).await? {
                    return contact_adopt::adopt(work, step, tags, found).await;
                }
                if !taken::leave_out(work, &failed.error, &mut contact) {
                    return Err(failed.verdict);
                }
            }
            error @ ghl::Error::Invalid { .. } => {
                let other = match reconcile::contact_at_once(work, step, tags).await? {
                    Look::Made(found) => return contact_adopt::adopt(work, step, tags, found).await,
                    Look::Nothing { other } => other,
                    Look::TooEarly(at) => return Err(reconcile::too_early(step, at)),
                };
                step.nothing_made();
                if let Some(mut found) = other
                    && contact_adopt::is_same_person(work, step, &mut found).await?
                {
                    return contact_adopt::adopt(work, step, tags, found).await;
                }
                if !custom_fields::mend(work, step, error, &mut contact, &mut definitions).await? {
                    return Err(failed.verdict);
                }
            }
            error if reconcile::is_uncertain(error) => {
                return Err(reconcile::unknown(work, failed.verdict));
            }
            _ => {
                step.nothing_made();
                return Err(failed.verdict);
            }
        }
    }
}

/// Makes sure that no other lane creates for whoever may be the same person: his e-mail, his phone, or without both his name.
fn alone<'a>(work: &Work<'a>) -> Result<Vec<Alone<'a>>, Verdict> {
    let shown = |field: &Field| work.contact.shown(field);
    let mut keys: Vec<&str> = [Field::Email, Field::Phone].iter().filter_map(shown).collect();
    if keys.is_empty() {
        keys.push(shown(&Field::FirstName).unwrap_or_default());
    }
    keys.into_iter().map(|key| reconcile::alone(work, key)).collect()
}

async fn link(
    work: &mut Work<'_>,
    step: &mut Step,
    tags: &[String],
    sent: Canonical,
    made: &ghl::Contact,
    definitions: Option<&Definitions>,
) -> Result<(), Verdict> {
    let mut shadow = Shadow { cscart: work.contact.clone(), ghl: sent };
    // What HighLevel made of it counts: it rewrites some values.
    shadow.ghl.extend(&sync::from_ghl_with(made, definitions));
    let link = Link {
        connection: work.live.connection.name.clone(),
        customer: super::customer(work)?,
        contact_id: made.id.clone(),
        shadow,
        tags: tags.iter().filter_map(|tag| sync::clean_tag(tag)).collect(),
        state_at: work.occurred_at,
    };
    let result = work.with_problems(json!({ "contact_id": made.id }));
    let links = work.put_link(link);
    step.done(work, result, links).await
}
