//! `ghl.contact.fetch`: contact, tasks and the welcome task, kept for the store's page.

use serde_json::{Value, json};

use super::task;
use crate::engine::calls::call;
use crate::engine::step::Step;
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::link::ItemKind;
use crate::store::View;

/// Fetches them and keeps them.
pub(super) async fn fetch(work: &mut Work<'_>, step: &mut Step) -> Result<(), Verdict> {
    let customer = super::customer(work)?;
    let Some(link) = work.link.clone() else {
        return step.skip(work, "the customer has no contact yet").await;
    };
    let contact = match call!(work, step, |ghl| ghl.contacts().get(&link.contact_id)).await {
        Ok(contact) => contact,
        Err(failed) if failed.is_not_found() => {
            return step
                .skip(work, "the contact is gone from HighLevel; the next change makes a new one")
                .await;
        }
        Err(failed) => return Err(failed.verdict),
    };
    let tasks = call!(work, step, |ghl| ghl.tasks().list(&link.contact_id)).await?;
    let store = &work.engine.store;
    let items = store.items_of_contact(&link.connection, ItemKind::Task, &link.contact_id).await?;
    let welcome = items.into_iter().find(|item| task::is_once_per_customer(item, &customer));
    let mut welcome_task = Value::Null;
    if let Some(item) = welcome {
        match call!(work, step, |ghl| ghl.tasks().get(&link.contact_id, &item.remote_id.clone().into())).await
        {
            Ok(task) => welcome_task = json!(task),
            Err(failed) if failed.is_not_found() => {}
            Err(failed) => return Err(failed.verdict),
        }
    }
    let view = json!({ "contact": contact, "tasks": tasks, "welcome_task": welcome_task });
    let fetched_at = work.engine.clock.now();
    store.put_view(&link.connection, &customer, View { view, fetched_at }).await?;
    step.done(work, json!({ "contact_id": link.contact_id, "tasks": tasks.len() }), Vec::new()).await
}
