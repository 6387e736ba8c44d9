//! `ghl.contact.delete`.

use serde_json::json;

use crate::engine::calls::call;
use crate::engine::step::Step;
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::store::LinkChange;

/// Deletes the contact; one that is gone already is as good.
pub(super) async fn delete(work: &mut Work<'_>, step: &mut Step) -> Result<(), Verdict> {
    let Some(link) = work.link.clone() else {
        return step.skip(work, "the customer has no contact").await;
    };
    match call!(work, step, |ghl| ghl.contacts().delete(&link.contact_id)).await {
        Ok(()) => {}
        Err(failed) if failed.is_not_found() => {}
        Err(failed) => return Err(failed.verdict),
    }
    work.link = None;
    let links = vec![LinkChange::Drop(link.connection.clone(), link.customer.clone())];
    step.done(work, json!({ "contact_id": link.contact_id }), links).await
}
