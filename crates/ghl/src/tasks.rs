//! Tasks of a contact: `/contacts/{contactId}/tasks` (contacts.json).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Client, ContactId, Result, TaskId, UserId, client::Call, decode, loose};

/// Calls about the tasks of a contact; from [`Client::tasks`].
#[derive(Clone, Copy, Debug)]
pub struct Tasks<'a> {
    pub(crate) client: &'a Client,
}

impl Tasks<'_> {
    /// All tasks of a contact: the list is not paged.
    pub async fn list(&self, contact: &ContactId) -> Result<Vec<Task>> {
        let call = Call::get(&["contacts", contact.as_str(), "tasks"]);
        self.client.send(call, |value| decode::under("tasks", value)).await
    }

    /// One task.
    pub async fn get(&self, contact: &ContactId, task: &TaskId) -> Result<Task> {
        let call = Call::get(&["contacts", contact.as_str(), "tasks", task.as_str()]);
        self.client.send(call, one).await
    }

    /// Makes a task. Doing it twice makes two.
    pub async fn create(&self, contact: &ContactId, task: &NewTask) -> Result<Task> {
        let call = Call::post(&["contacts", contact.as_str(), "tasks"]).json(task);
        self.client.send(call, one).await
    }

    /// Changes a task; fields that are `None` stay as they are.
    pub async fn update(&self, contact: &ContactId, task: &TaskId, update: &TaskUpdate) -> Result<Task> {
        let call = Call::put(&["contacts", contact.as_str(), "tasks", task.as_str()]).json(update);
        self.client.send(call, one).await
    }

    /// Ticks a task off, or takes the tick away.
    pub async fn set_completed(&self, contact: &ContactId, task: &TaskId, completed: bool) -> Result<Task> {
        let call = Call::put(&["contacts", contact.as_str(), "tasks", task.as_str(), "completed"])
            .json(&json!({ "completed": completed }));
        self.client.send(call, one).await
    }

    /// Deletes a task.
    pub async fn delete(&self, contact: &ContactId, task: &TaskId) -> Result<()> {
        let call = Call::delete(&["contacts", contact.as_str(), "tasks", task.as_str()]);
        self.client.send_for_success(call).await
    }
}

fn one(value: Value) -> std::result::Result<Task, decode::Misfit> {
    decode::under("task", value)
}

/// A task as HighLevel gives it (contacts.json, `TaskSchema`).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What is to be done.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub title: Option<String>,
    /// More about it.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub body: Option<String>,
    /// Who is to do it.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub assigned_to: Option<UserId>,
    /// When it is due.
    #[serde(default, deserialize_with = "loose::opt_time")]
    pub due_date: Option<Timestamp>,
    /// Whether it is done.
    #[serde(default, deserialize_with = "loose::bool")]
    pub completed: bool,
    /// Whose task it is.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub contact_id: Option<ContactId>,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A task to be made. HighLevel requires the title, the due date and whether it is done
/// (`CreateTaskParams`).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewTask {
    /// What is to be done.
    pub title: String,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// When it is due.
    pub due_date: Timestamp,
    /// Whether it is done.
    pub completed: bool,
    /// Who is to do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<UserId>,
}

impl NewTask {
    /// A task that is not done yet and assigned to nobody.
    pub fn new(title: impl Into<String>, due_date: Timestamp) -> Self {
        Self { title: title.into(), body: None, due_date, completed: false, assigned_to: None }
    }
}

/// What to change about a task (`UpdateTaskBody`).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskUpdate {
    /// What is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// When it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date: Option<Timestamp>,
    /// Whether it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed: Option<bool>,
    /// Who is to do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<UserId>,
}
