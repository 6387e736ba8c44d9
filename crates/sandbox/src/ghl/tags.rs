//! Tags of a contact (contacts.json, tag Tags).

use serde_json::{Value, json};

use super::{
    call::{Call, Outcome, Reply},
    contact::{Contact, clean_tags},
    contacts::{found, store},
    state::State,
    validate::{Kind, Property, must},
};
use crate::control::journal::Effect;

/// `TagsDTO`.
const TAGS: &[Property] = &[must("tags", Kind::Texts)];

/// `POST /contacts/{contactId}/tags`: the whole list now, and what was added.
pub(crate) fn add(call: &mut Call<'_>) -> Outcome {
    let tags = clean(call.checked(TAGS)?);
    let id = call.args[0];
    found(call.state, id)?;
    let (now_has, added) = change(call.state, id, &tags, &[], call.now).0;
    Ok(Reply::created(json!({ "tags": now_has, "tagsAdded": added }))
        .with_if(!added.is_empty(), || Effect::of_contact("tags.added", id, id)))
}

/// `DELETE /contacts/{contactId}/tags`: the whole list now, and what was removed.
pub(crate) fn remove(call: &mut Call<'_>) -> Outcome {
    let tags = clean(call.checked(TAGS)?);
    let id = call.args[0];
    let before = found(call.state, id)?.tags.clone();
    let removed: Vec<&String> = tags.iter().filter(|tag| before.contains(tag)).collect();
    let (now_has, _) = change(call.state, id, &[], &tags, call.now).0;
    Ok(Reply::ok(json!({ "tags": now_has, "tagsRemoved": removed }))
        .with_if(!removed.is_empty(), || Effect::of_contact("tags.removed", id, id)))
}

fn clean(body: &serde_json::Map<String, Value>) -> Vec<String> {
    clean_tags(body.get("tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice))
}

/// Adds and removes tags of an existing contact. Gives the list now with what was added, and what was removed.
pub(crate) fn change(
    state: &mut State,
    id: &str,
    add: &[String],
    remove: &[String],
    now: i64,
) -> ((Vec<String>, Vec<String>), Vec<String>) {
    let Some(old) = state.contacts.get(id).cloned() else { return Default::default() };
    let mut contact = Contact::clone(&old);
    let removed: Vec<String> = contact.tags.iter().filter(|tag| remove.contains(tag)).cloned().collect();
    contact.tags.retain(|tag| !remove.contains(tag));
    let added: Vec<String> = add.iter().filter(|tag| !contact.tags.contains(tag)).cloned().collect();
    contact.tags.extend(added.iter().cloned());
    let (contact, _) = store(state, &old, contact, now);
    ((contact.tags.clone(), added), removed)
}
