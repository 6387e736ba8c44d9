//! `ghl.contact.update`: only what has changed, and never the tags.

use serde_json::json;

use super::contact_adopt::{self, Found};
use super::tags::add_to;
use super::{contact_create, taken};
use crate::engine::calls::call;
use crate::engine::custom_fields;
use crate::engine::step::Step;
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::reason::Code;
use crate::sync::{self, Changes, Field};

/// Sends what the store has changed since the shadow.
pub(super) async fn update(work: &mut Work<'_>, step: &mut Step, tags: &[String]) -> Result<(), Verdict> {
    let mut link = super::link(work)?;
    step.operation("ghl.contact.update");
    let forced = work.event().forced;
    if work.is_outdated(&link) {
        return step.skip(work, "a newer state of the customer is there already").await;
    }
    if link.shadow.is_empty() {
        // Linked by hand: nothing is known of either side yet, so nothing may be overwritten.
        return contact_adopt::adopt(work, step, tags, Found::there(link.contact_id, false)).await;
    }
    let mut definitions = if work.event().is_resync() {
        custom_fields::prepare_to_compare(work, step).await?
    } else {
        custom_fields::prepare(work, step).await?
    };
    if work.event().is_resync() {
        // The shadow may be wrong by now: somebody has deleted the contact, or made a field that was ignored before.
        match call!(work, step, |ghl| ghl.contacts().get(&link.contact_id)).await {
            Ok(contact) => {
                let definitions = definitions.as_deref();
                link.shadow.see(&sync::from_ghl_with(&contact, definitions), definitions);
                let owned = tags.iter().filter_map(|tag| sync::clean_tag(tag));
                link.tags.extend(owned.filter(|tag| contact.tags.contains(tag)));
            }
            Err(failed) if failed.is_not_found() => return heal(work, step, tags).await,
            Err(failed) => return Err(failed.verdict),
        }
    }
    let mut changes =
        if forced { Changes::all(&work.contact) } else { sync::changes(&link.shadow, &work.contact) };
    let missing: Vec<String> =
        tags.iter().filter_map(|tag| sync::clean_tag(tag)).filter(|tag| !link.tags.contains(tag)).collect();
    link.state_at = work.occurred_at;
    if changes.is_empty() && missing.is_empty() {
        link.shadow.cscart.extend(&work.contact);
        let links = work.put_link(link);
        let unchanged = json!({ "reason": "nothing has changed" });
        return step.done_without_call(work, unchanged, links).await;
    }
    let mut has_the_email = None;
    while !changes.is_empty() {
        match call!(work, step, |ghl| ghl
            .contacts()
            .update(&link.contact_id, &sync::update(&changes, definitions.as_deref())))
        .await
        {
            Ok(updated) => {
                // What HighLevel made of it counts: it rewrites some values.
                link.shadow.ghl.extend(changes.values());
                let definitions = definitions.as_deref();
                link.shadow.ghl.extend(&sync::from_ghl_with(&updated, definitions));
                let sent = changes.values();
                for field in custom_fields::ignored(work, step, sent, definitions, &updated).await? {
                    link.shadow.cscart.remove(&field);
                    link.shadow.ghl.remove(&field);
                }
                break;
            }
            Err(failed) if failed.is_not_found() => {
                return heal(work, step, tags).await;
            }
            Err(failed) if taken::leave_out(work, &failed.error, changes.values_mut()) => {
                if let Some(other) = taken::has_the_email(&failed.error) {
                    work.contact.remove(&Field::Email);
                    has_the_email = Some(other.clone());
                }
            }
            Err(failed) => {
                let sent = changes.values_mut();
                if !custom_fields::mend(work, step, &failed.error, sent, &mut definitions).await? {
                    return Err(failed.verdict);
                }
            }
        }
    }
    // What could not be sent is not in the contact any more: it is sent when it can be.
    link.shadow.cscart.extend(&work.contact);
    match add_to(work, step, &link.contact_id, &missing).await {
        Ok(()) => link.tags.extend(missing),
        Err(failed) if failed.is_not_found() => {
            return heal(work, step, tags).await;
        }
        Err(failed) => return Err(failed.verdict),
    }
    let result = work.with_problems(json!({ "contact_id": link.contact_id, "changed": changes.names() }));
    let links = work.put_link(link);
    if let Some(other) = has_the_email {
        // An e-mail names one person, so the two contacts are one, and only a person can make one of them. Whatever else has
        // changed is there already, and is not sent again.
        step.keep(work, links).await?;
        let text = format!(
            "the e-mail belongs to another contact ({other}): merge the two contacts in HighLevel or correct the customer, then \
             replay. What else has changed was sent"
        );
        return Err(Verdict::dead(Code::DuplicateContact, text));
    }
    step.done(work, result, links).await
}

/// The contact was deleted or merged in HighLevel: find the one that took its place, or make a new one.
async fn heal(work: &mut Work<'_>, step: &mut Step, tags: &[String]) -> Result<(), Verdict> {
    let old = work.link.take();
    let id = old.map(|link| link.contact_id.to_string()).unwrap_or_default();
    tracing::info!(event.id = %work.event().id, contact.id = id, "contact {id} is gone from HighLevel; the link is made anew");
    work.say(format!("contact {id} is gone from HighLevel; the link was made anew"));
    // Apart, because it is rare, and needs more room than an update.
    Box::pin(contact_create::create(work, step, tags)).await
}
