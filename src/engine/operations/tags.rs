//! `ghl.tags.add`, `ghl.tags.remove`, `ghl.tags.set`: exactly the difference, and only tags that the bridge owns.

use std::collections::BTreeSet;

use serde_json::json;

use crate::engine::calls::{CallError, call};
use crate::engine::step::Step;
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::sync;

/// Adds tags; from then on the bridge owns them.
pub(super) async fn add(work: &mut Work<'_>, step: &mut Step, tags: &[String]) -> Result<(), Verdict> {
    let link = super::link(work)?;
    let wanted = clean(tags);
    let forced = work.event().forced;
    let missing = wanted.iter().filter(|tag| forced || !link.tags.contains(*tag)).cloned().collect();
    apply(work, step, missing, BTreeSet::new()).await
}

/// Removes tags that the bridge owns.
pub(super) async fn remove(work: &mut Work<'_>, step: &mut Step, tags: &[String]) -> Result<(), Verdict> {
    let link = super::link(work)?;
    let owned = clean(tags).into_iter().filter(|tag| link.tags.contains(tag)).collect();
    apply(work, step, BTreeSet::new(), owned).await
}

/// Makes the tags of the store's list the ones that the bridge has put there, beside those of its settings.
pub(super) async fn set(work: &mut Work<'_>, step: &mut Step, tags: &[String]) -> Result<(), Verdict> {
    let link = super::link(work)?;
    if work.is_outdated(&link) {
        return step.skip(work, "a newer state of the customer is there already").await;
    }
    let wanted = clean(tags);
    let settings = &work.live.connection.settings;
    let fixed = clean(&[settings.customer_tags.as_slice(), settings.order_tags.as_slice()].concat());
    let added = wanted.difference(&link.tags).cloned().collect();
    let removed =
        link.tags.iter().filter(|tag| !wanted.contains(*tag) && !fixed.contains(*tag)).cloned().collect();
    apply(work, step, added, removed).await
}

/// Adds tags to a contact; none: no call.
pub(super) async fn add_to(
    work: &Work<'_>,
    step: &mut Step,
    contact: &ghl::ContactId,
    tags: &[String],
) -> Result<(), CallError> {
    if tags.is_empty() {
        return Ok(());
    }
    call!(work, step, |ghl| ghl.tags().add(contact, tags)).await.map(drop)
}

async fn apply(
    work: &mut Work<'_>,
    step: &mut Step,
    added: BTreeSet<String>,
    removed: BTreeSet<String>,
) -> Result<(), Verdict> {
    let mut link = super::link(work)?;
    if added.is_empty() && removed.is_empty() {
        return step.skip(work, "the contact has exactly these tags of ours").await;
    }
    add_to(work, step, &link.contact_id, &added.iter().cloned().collect::<Vec<_>>()).await?;
    if !removed.is_empty() {
        let removed: Vec<String> = removed.iter().cloned().collect();
        call!(work, step, |ghl| ghl.tags().remove(&link.contact_id, &removed)).await?;
    }
    link.tags.extend(added.iter().cloned());
    link.tags.retain(|tag| !removed.contains(tag));
    let result = json!({ "contact_id": link.contact_id, "added": added, "removed": removed });
    let links = work.put_link(link);
    step.done(work, result, links).await
}

fn clean(tags: &[String]) -> BTreeSet<String> {
    tags.iter().filter_map(|tag| sync::clean_tag(tag)).collect()
}
