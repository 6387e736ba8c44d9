//! Acts on what belongs to a contact or the location: notes, tasks, custom fields, businesses.

use serde_json::{Map, Value, json};

use super::{contact, refused};
use crate::{
    clock,
    control::{problem::ActError, settings::Fields},
    ghl::{businesses, custom_fields, notes, state::State, tasks},
};

pub(super) fn perform(
    state: &mut State,
    name: &str,
    action: &Map<String, Value>,
    now: i64,
) -> Result<Value, ActError> {
    let fields = Fields(action);
    match name {
        "note.create" => {
            let owner = contact(state, fields.needed_text("contact_id")?)?;
            fields.needed_text("body")?;
            let note = notes::make(state, &owner.id, &without(action, &["contact_id"]), now);
            Ok(json!({ "note": note }))
        }
        "note.update" => {
            let id = fields.needed_text("note_id")?;
            let change = notes::change(state, id, &without(action, &["note_id"]));
            let (note, _) = change.ok_or_else(|| none("note", id))?;
            Ok(json!({ "note": note }))
        }
        "note.delete" => {
            let id = fields.needed_text("note_id")?;
            Ok(json!({ "note": notes::remove(state, id).ok_or_else(|| none("note", id))? }))
        }
        "task.create" => {
            let owner = contact(state, fields.needed_text("contact_id")?)?;
            fields.needed_text("title")?;
            let mut task = without(action, &["contact_id", "whole"]);
            task.entry("dueDate").or_insert_with(|| json!(clock::iso(now + 86_400_000)));
            if clock::parse_iso(task["dueDate"].as_str().unwrap_or_default()).is_none() {
                return Err(ActError::new(format!("`dueDate` is {}. Allowed: ISO 8601", task["dueDate"])));
            }
            // HighLevel's issue 332: the webhook may lack contactId and body. Here it does unless told otherwise.
            let whole = fields.bool("whole")?.unwrap_or(false);
            Ok(json!({ "task": tasks::make(state, &owner.id, &task, now, whole) }))
        }
        "task.complete" => {
            let id = fields.needed_text("task_id")?;
            let owner = state.tasks.get(id).and_then(|task| task["contactId"].as_str()).map(str::to_owned);
            let completed = Map::from_iter([(String::from("completed"), json!(true))]);
            let change = owner.and_then(|owner| tasks::change(state, &owner, id, &completed));
            let (task, _) = change.ok_or_else(|| none("task", id))?;
            Ok(json!({ "task": task }))
        }
        "task.delete" => {
            let id = fields.needed_text("task_id")?;
            Ok(json!({ "task": tasks::remove(state, id).ok_or_else(|| none("task", id))? }))
        }
        "custom_field.create" => {
            fields.needed_text("name")?;
            if let Some(data_type) = fields.text("dataType")?
                && !custom_fields::TYPES.contains(&data_type)
            {
                return Err(ActError::unknown("value of `dataType`", data_type, custom_fields::TYPES));
            }
            let field = custom_fields::make(state, action).map_err(refused)?;
            Ok(json!({ "customField": field }))
        }
        "business.create" => {
            fields.needed_text("name")?;
            let business = businesses::make(state, &without(action, &[]), now);
            Ok(json!({ "business": business }))
        }
        other => Err(ActError::new(format!("`{other}` is not carried out here"))),
    }
}

/// The action's own keys are not part of the thing.
fn without(action: &Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    let mut rest = action.clone();
    for key in keys.iter().chain(&["action", "deliver"]) {
        rest.remove(*key);
    }
    rest
}

fn none(what: &str, id: &str) -> ActError {
    ActError::new(format!("no {what} has the id `{id}`"))
}
