//! `ghl.task.create`: never twice, and where asked for once per customer.

use jiff::Timestamp;
use serde_json::json;

use super::contact_create::{is_uncertain, unknown};
use crate::engine::calls::call;
use crate::engine::reconcile;
use crate::engine::step::Step;
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::link::{Customer, ItemKind, ItemLink, Link};
use crate::store::LinkChange;

/// A task to make.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Task {
    pub(in crate::engine) title: String,
    pub(in crate::engine) body: Option<String>,
    pub(in crate::engine) due_date: Timestamp,
    pub(in crate::engine) assigned_to: Option<String>,
}

/// Makes a task on the customer's contact.
pub(super) async fn create(
    work: &mut Work<'_>,
    step: &mut Step,
    task: Task,
    once_per_customer: bool,
) -> Result<(), Verdict> {
    let link = super::link(work)?;
    let key = if once_per_customer {
        format!("{}/{}/{}", link.customer, step.key().route, step.key().step)
    } else {
        format!("{}/{}/{}", work.event().id, step.key().route, step.key().step)
    };
    if !work.event().forced && has_had(work, &link, &key, once_per_customer).await? {
        return step.skip(work, "the customer has had this task").await;
    }
    let mut made = None;
    if reconcile::is_open(work, step)? {
        made = reconcile::task(work, step, &link.contact_id, &task).await?;
        if made.is_none() {
            step.nothing_made();
        }
    }
    let adopted = made.is_some();
    let id = match made {
        Some(id) => id,
        None => send(work, step, &link.contact_id, &task).await?,
    };
    let item = ItemLink {
        connection: link.connection.clone(),
        kind: ItemKind::Task,
        key,
        contact_id: link.contact_id.clone(),
        remote_id: id.to_string(),
        shadow: json!({
            "title": task.title, "body": task.body, "due_date": task.due_date, "assigned_to": task.assigned_to,
            "completed": false,
        }),
        state_at: work.occurred_at,
    };
    let result =
        json!({ "contact_id": link.contact_id, "task_id": id, "found_after_unknown_outcome": adopted });
    step.done(work, result, vec![LinkChange::PutItem(item)]).await
}

/// Whether this task was made before. One that is made once per customer was also made if the customer's contact got it when
/// he was still a guest.
async fn has_had(work: &Work<'_>, link: &Link, key: &str, once_per_customer: bool) -> Result<bool, Verdict> {
    let store = &work.engine.store;
    if store.item(&link.connection, ItemKind::Task, key).await?.is_some() {
        return Ok(true);
    }
    let Some(step) = key.strip_prefix(&link.customer.to_string()).filter(|_| once_per_customer) else {
        return Ok(false);
    };
    let tasks = store.items_of_contact(&link.connection, ItemKind::Task, &link.contact_id).await?;
    Ok(tasks.iter().any(|task| task.key.starts_with("guest:") && task.key.ends_with(step)))
}

async fn send(
    work: &Work<'_>,
    step: &mut Step,
    contact: &ghl::ContactId,
    task: &Task,
) -> Result<ghl::TaskId, Verdict> {
    let new = ghl::NewTask {
        title: task.title.clone(),
        body: task.body.clone(),
        due_date: task.due_date,
        completed: false,
        assigned_to: task.assigned_to.clone().map(Into::into),
    };
    step.begin(work).await?;
    match call!(work, step, |ghl| ghl.tasks().create(contact, &new)).await {
        Ok(made) => Ok(made.id),
        Err(failed) if is_uncertain(&failed.error) => Err(unknown(work, failed.verdict)),
        Err(failed) => {
            // A 422 may have made it all the same; it is there at once then.
            if failed.error.maybe_processed()
                && let Some(id) = reconcile::task(work, step, contact, task).await?
            {
                return Ok(id);
            }
            step.nothing_made();
            Err(failed.verdict)
        }
    }
}

/// Whether a task is one that its customer gets once, such as the welcome task.
pub(super) fn is_once_per_customer(item: &ItemLink, customer: &Customer) -> bool {
    item.key.starts_with(&format!("{customer}/"))
}
