//! `ghl.contact.create`: never twice for one customer.

use serde_json::json;

use super::contact_adopt::{self, Found};
use crate::engine::calls::call;
use crate::engine::reconcile;
use crate::engine::step::Step;
use crate::engine::verdict::{Verdict, after_now};
use crate::engine::work::Work;
use crate::link::Link;
use crate::sync::{self, Field, Shadow};

/// Creates the contact of a customer who has none, or takes over the one that HighLevel has already.
pub(super) async fn create(work: &mut Work<'_>, step: &mut Step, tags: &[String]) -> Result<(), Verdict> {
    let customer = super::customer(work)?;
    step.operation("ghl.contact.create");
    if reconcile::is_open(work, step)? {
        if let Some(found) = reconcile::contact(work, step).await? {
            return contact_adopt::adopt(work, step, tags, found).await;
        }
        step.nothing_made();
    }
    let location = &work.live.connection.ghl.location_id;
    let mut contact = work.contact.clone();
    for without_phone in [false, true] {
        if without_phone {
            contact.remove(&Field::Phone);
        }
        let new = sync::new_contact(location, &contact, tags, "CS-Cart");
        step.begin(work).await?;
        let failed = match call(work, step, work.client.contacts().create(&new)).await {
            Ok(made) => {
                let shadow = Shadow { cscart: work.contact.clone(), ghl: sync::from_ghl(&made) };
                let link = Link {
                    connection: work.live.connection.name.clone(),
                    customer,
                    contact_id: made.id.clone(),
                    shadow: shadow.shown(&contact),
                    tags: tags.iter().filter_map(|tag| sync::clean_tag(tag)).collect(),
                    state_at: work.occurred_at,
                };
                let mut result = json!({ "contact_id": made.id });
                if !work.problems.is_empty() {
                    result["left_out"] = json!(work.problems);
                }
                let links = work.put_link(link);
                return step.done(work, result, links).await;
            }
            Err(failed) => failed,
        };
        match &failed.error {
            ghl::Error::DuplicateContact { contact_id, matching_field, .. } => {
                step.nothing_made();
                let found = Found { id: contact_id.clone(), by_phone: *matching_field == ghl::MatchingField::Phone };
                if !found.by_phone || without_phone {
                    return contact_adopt::adopt(work, step, tags, found).await;
                }
                // A shared phone does not make one person of two: a family, an office.
                if contact_adopt::is_same_person(work, step, &found).await? {
                    return contact_adopt::adopt(work, step, tags, found).await;
                }
                work.problems.push(format!("the phone, which contact {contact_id} has as well"));
            }
            error if error.maybe_processed() => {
                // A 422 may have created all the same, and says so at once; everything else needs a moment.
                if matches!(error, ghl::Error::Invalid { .. }) {
                    if let Some(found) = reconcile::contact(work, step).await? {
                        return contact_adopt::adopt(work, step, tags, found).await;
                    }
                    step.nothing_made();
                    return Err(failed.verdict);
                }
                return Err(unknown(work, failed.verdict));
            }
            _ => {
                step.nothing_made();
                return Err(failed.verdict);
            }
        }
    }
    Err(Verdict::retry("HighLevel calls the contact a duplicate by its phone, although none was sent"))
}

/// After a create of unknown outcome: look again when it has surely been processed, if ever it will be.
pub(super) fn unknown(work: &Work<'_>, verdict: Verdict) -> Verdict {
    let settled =
        after_now(work.engine.clock.now(), std::time::Duration::from_millis(work.engine.config.settle_ms));
    match verdict {
        Verdict::Retry { why, not_before, counts } => {
            Verdict::Retry { why, not_before: Some(not_before.map_or(settled, |at| at.max(settled))), counts }
        }
        other => other,
    }
}
