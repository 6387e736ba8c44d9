//! Tasks of a contact (contacts.json, tag Tasks) and of the location (locations.json, tag Tasks Search).

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Outcome, Reply},
    contacts::owner,
    refusal::Refusal,
    state::State,
    validate::{Kind, Property, may, must},
};
use crate::{clock, control::journal::Effect};

/// `CreateTaskParams`.
const CREATE: &[Property] = &[
    must("title", Kind::Text),
    may("body", Kind::Text),
    must("dueDate", Kind::IsoDate),
    must("completed", Kind::Bool),
    may("assignedTo", Kind::Text),
];

/// `UpdateTaskBody`.
const UPDATE: &[Property] = &[
    may("title", Kind::Text),
    may("body", Kind::Text),
    may("dueDate", Kind::IsoDate),
    may("completed", Kind::Bool),
    may("assignedTo", Kind::Text),
];

/// `UpdateTaskStatusParams`.
const COMPLETE: &[Property] = &[must("completed", Kind::Bool)];

/// `TaskSearchParamsDto`.
const SEARCH: &[Property] = &[
    may("contactId", Kind::Texts),
    may("completed", Kind::Bool),
    may("assignedTo", Kind::Texts),
    may("query", Kind::Text),
    may("limit", Kind::Number),
    may("skip", Kind::Number),
    may("businessId", Kind::Text),
];

/// `GET /contacts/{contactId}/tasks`: all of them, not paged.
pub(crate) fn list(call: &mut Call<'_>) -> Outcome {
    let contact = owner(call.state, call.args[0])?;
    Ok(Reply::ok(json!({ "tasks": call.state.tasks.list(&contact.id) })))
}

/// `POST /contacts/{contactId}/tasks`.
pub(crate) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.checked(CREATE)?;
    let contact = owner(call.state, call.args[0])?;
    let task = make(call.state, &contact.id, body, call.now, true);
    let effect = Effect::of_contact("task.created", text(&task, "id"), contact.id.as_str());
    Ok(Reply::created(json!({ "task": task })).with(effect))
}

/// `GET /contacts/{contactId}/tasks/{taskId}`.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    let [contact_id, id] = call.args;
    owner(call.state, contact_id)?;
    let task = call.state.tasks.of(contact_id, id).ok_or_else(|| missing(id))?;
    Ok(Reply::ok(json!({ "task": task })))
}

/// `PUT /contacts/{contactId}/tasks/{taskId}`.
pub(crate) fn update(call: &mut Call<'_>) -> Outcome {
    let body = call.checked(UPDATE)?;
    let [contact_id, id] = call.args;
    owner(call.state, contact_id)?;
    let (task, kind) = change(call.state, contact_id, id, body).ok_or_else(|| missing(id))?;
    Ok(answered(task, kind, contact_id, id))
}

/// `PUT /contacts/{contactId}/tasks/{taskId}/completed`.
pub(crate) fn complete(call: &mut Call<'_>) -> Outcome {
    let body = call.checked(COMPLETE)?;
    let [contact_id, id] = call.args;
    owner(call.state, contact_id)?;
    let (task, kind) = change(call.state, contact_id, id, body).ok_or_else(|| missing(id))?;
    Ok(answered(task, kind, contact_id, id))
}

fn answered(task: Value, kind: Option<&'static str>, contact_id: &str, id: &str) -> Reply {
    let reply = Reply::ok(json!({ "task": task }));
    match kind {
        Some(kind) => reply.with(Effect::of_contact(kind, id, contact_id)),
        None => reply,
    }
}

/// `DELETE /contacts/{contactId}/tasks/{taskId}`.
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let [contact_id, id] = call.args;
    owner(call.state, contact_id)?;
    call.state.tasks.of(contact_id, id).ok_or_else(|| missing(id))?;
    remove(call.state, id);
    Ok(Reply::ok(json!({ "succeded": true })).with(Effect::of_contact("task.deleted", id, contact_id)))
}

/// `POST /locations/{locationId}/tasks/search`: newest first, 25 at a time unless told otherwise.
pub(crate) fn search(call: &mut Call<'_>) -> Outcome {
    call.location(Some(call.args[0]))?;
    let body = call.checked(SEARCH)?;
    let list = |name: &str| body.get(name).and_then(Value::as_array);
    let (contacts, assigned) = (list("contactId"), list("assignedTo"));
    let completed = body.get("completed").and_then(Value::as_bool);
    let query = body.get("query").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let business = body.get("businessId");
    let state = &call.state;
    let wanted = |task: &&Value| {
        contacts.is_none_or(|ids| ids.contains(&task["contactId"]))
            && assigned.is_none_or(|ids| ids.contains(&task["assignedTo"]))
            && completed.is_none_or(|it| task["completed"] == it)
            && (query.is_empty() || text(task, "title").to_lowercase().contains(&query))
            && business.is_none_or(|id| {
                let contact = state.contacts.get(text(task, "contactId"));
                contact.is_some_and(|contact| contact.business_id.as_deref() == id.as_str())
            })
    };
    let count = |name: &str, default| body.get(name).and_then(Value::as_u64).unwrap_or(default) as usize;
    let mut tasks: Vec<&Value> = state.tasks.all().filter(wanted).collect();
    tasks.reverse();
    let page: Vec<&Value> = tasks.into_iter().skip(count("skip", 0)).take(count("limit", 25)).collect();
    Ok(Reply::ok(json!({ "tasks": page })))
}

fn missing(id: &str) -> Refusal {
    Refusal::new(404, format!("Task with id {id} not found"))
}

/// Stores a task and tells of it. `whole` false leaves `contactId` and `body` out of the webhook, as HighLevel does
/// at times (its issue 332).
pub(crate) fn make(
    state: &mut State,
    contact_id: &str,
    body: &Map<String, Value>,
    now: i64,
    whole: bool,
) -> Value {
    let mut task = json!({
        "id": state.ids.id(),
        "contactId": contact_id,
        "completed": false,
        "dateAdded": clock::iso(now),
    });
    write(&mut task, body);
    state.tasks.add(task.clone());
    emit(state, "TaskCreate", &task, whole);
    task
}

/// Changes a task; gives it and the kind of the effect, None when nothing changed. There is a webhook for the
/// completion and none for other changes (webhook-events).
pub(crate) fn change(
    state: &mut State,
    contact_id: &str,
    id: &str,
    body: &Map<String, Value>,
) -> Option<(Value, Option<&'static str>)> {
    let task = state.tasks.of(contact_id, id)?;
    let old = task.clone();
    write(task, body);
    let new = task.clone();
    let completed = old["completed"] == false && new["completed"] == true;
    if completed {
        emit(state, "TaskComplete", &new, true);
    }
    let kind = if completed { "task.completed" } else { "task.updated" };
    let changed = (new != old).then_some(kind);
    Some((new, changed))
}

/// Removes a task and tells of it.
pub(crate) fn remove(state: &mut State, id: &str) -> Option<Value> {
    let task = state.tasks.remove(id)?;
    emit(state, "TaskDelete", &task, true);
    Some(task)
}

fn write(task: &mut Value, body: &Map<String, Value>) {
    for (name, value) in body {
        task[name] = value.clone();
    }
    if let Some(due) = body.get("dueDate").and_then(Value::as_str).and_then(clock::parse_iso) {
        task["dueDate"] = json!(clock::iso(due));
    }
}

fn emit(state: &mut State, kind: &'static str, task: &Value, whole: bool) {
    const ALWAYS: [&str; 5] = ["id", "assignedTo", "title", "dateAdded", "dueDate"];
    const AT_TIMES: [&str; 2] = ["contactId", "body"];
    state.emit(kind, |_| {
        let names = ALWAYS.iter().chain(AT_TIMES.iter().filter(|_| whole));
        names.filter_map(|name| Some(((*name).to_owned(), task.get(*name)?.clone()))).collect()
    });
}

fn text<'a>(task: &'a Value, name: &str) -> &'a str {
    task[name].as_str().unwrap_or_default()
}
