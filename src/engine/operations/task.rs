//! `ghl.task.create`: never twice, and where asked for once per customer.

use jiff::Timestamp;
use serde_json::json;

use crate::engine::calls::{CallError, call};
use crate::engine::reconcile::{self, Create, Made, lost};
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
    let _alone = reconcile::alone(work, link.contact_id.as_str())?;
    if !work.event().forced && has_had(work, &link, &key, once_per_customer).await? {
        return step.skip(work, "the customer has had this task").await;
    }
    let doubt = if once_per_customer && !work.event().forced {
        lost::customer_was_there(work)
    } else {
        lost::may_be_done(work)
    };
    if let Some(restore) = doubt {
        step.doubt(restore);
    }
    // What a customer gets once, another event may have given him: then it is due at another time.
    let at_any_time = once_per_customer && step.open().is_some_and(|open| !open.is_known);
    let create = OnContact { contact: &link.contact_id, task: &task, at_any_time };
    let Made { id, found } = reconcile::once(work, step, &create).await?;
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
        json!({ "contact_id": link.contact_id, "task_id": id, "found_after_unknown_outcome": found });
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

/// A task on its contact.
struct OnContact<'a> {
    contact: &'a ghl::ContactId,
    task: &'a Task,
    /// One that says the same is it, whenever it is due.
    at_any_time: bool,
}

impl Create for OnContact<'_> {
    type Id = ghl::TaskId;

    async fn send(&self, work: &Work<'_>, step: &mut Step) -> Result<ghl::TaskId, CallError> {
        let task = self.task.clone();
        let new = ghl::NewTask {
            title: task.title,
            body: task.body,
            due_date: task.due_date,
            completed: false,
            assigned_to: task.assigned_to.map(Into::into),
        };
        call!(work, step, |ghl| ghl.tasks().create(self.contact, &new)).await.map(|made| made.id)
    }

    /// HighLevel does not say when a task was made (contacts.json, `TaskSchema`). One is of our making if it says the same,
    /// is due at the same time, which counts from when the event happened, and belongs to no other effect.
    async fn find(&self, work: &Work<'_>, step: &mut Step) -> Result<Option<ghl::TaskId>, Verdict> {
        let taken = reconcile::taken(work, ItemKind::Task, self.contact).await?;
        let tasks = call!(work, step, |ghl| ghl.tasks().list(self.contact)).await?;
        let same = |sent: Option<&str>, found: Option<&str>| {
            reconcile::same_words(sent.unwrap_or_default(), found.unwrap_or_default())
        };
        let made = tasks.into_iter().find(|found| {
            !taken.contains(found.id.as_str())
                && same(Some(&self.task.title), found.title.as_deref())
                && same(self.task.body.as_deref(), found.body.as_deref())
                && (self.at_any_time
                    || found.due_date.is_none_or(|due| is_same_time(due, self.task.due_date)))
        });
        Ok(made.map(|made| made.id))
    }
}

/// To the minute: HighLevel may drop what is smaller.
fn is_same_time(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).as_secs().abs() < 60
}

/// Whether a task is one that its customer gets once, such as the welcome task.
pub(super) fn is_once_per_customer(item: &ItemLink, customer: &Customer) -> bool {
    item.key.starts_with(&format!("{customer}/"))
}
