//! Many contacts at once (contacts.json, tag Bulk).

use serde_json::{Value, json};

use super::{
    call::{Call, Outcome, Reply},
    contact::{Contact, clean_tags},
    contacts::store,
    refusal::Refusal,
    tags,
    validate::{Kind, Property, may, must},
};
use crate::control::journal::Effect;

/// `UpdateTagsDTO`.
const TAGS: &[Property] = &[
    must("contacts", Kind::Texts),
    must("tags", Kind::Texts),
    must("locationId", Kind::Text),
    may("removeAllTags", Kind::Bool),
];

/// `ContactsBusinessUpdate`; `businessId` must be there but may be null, which takes the contacts out.
const BUSINESS: &[Property] =
    &[must("locationId", Kind::Text), must("ids", Kind::Texts), may("businessId", Kind::Any)];

/// `POST /contacts/bulk/tags/update/{type}`: `add` or `remove`; one response a contact, with the messages of the
/// file's example.
pub(crate) fn tags(call: &mut Call<'_>) -> Outcome {
    let kind = call.args[0].to_owned();
    if kind != "add" && kind != "remove" {
        return Err(Refusal::invalid(vec![String::from(
            "type must be one of the following values: add, remove",
        )]));
    }
    let body = call.checked(TAGS)?;
    let all = body.get("removeAllTags") == Some(&json!(true));
    if all && kind == "add" {
        return Err(Refusal::new(400, "removeAllTags can only be used with remove type"));
    }
    let wanted = clean_tags(body.get("tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice));
    let (mut responses, mut errors, mut touched) = (Vec::new(), 0, Vec::new());
    let ids = body.get("contacts").and_then(Value::as_array);
    for id in ids.into_iter().flatten().filter_map(Value::as_str) {
        let Some(old) = call.state.contacts.get(id).cloned() else {
            errors += 1;
            let message = if call.state.deleted.contains(id) {
                "contact is deleted"
            } else if id.len() < 20 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                "contact id is not a valid firebase id"
            } else {
                "contact does not belong to location"
            };
            responses.push(json!({ "contactId": id, "message": message, "type": "error" }));
            continue;
        };
        let (add, remove): (&[String], &[String]) = match (kind.as_str(), all) {
            ("add", _) => (&wanted, &[]),
            (_, true) => (&[], &old.tags),
            (_, false) => (&[], &wanted),
        };
        let ((_, added), removed) = tags::change(call.state, id, add, remove, call.now);
        if !added.is_empty() || !removed.is_empty() {
            touched.push(id.to_owned());
        }
        responses.push(json!({
            "contactId": id, "message": "Tags updated", "type": "success",
            "oldTags": old.tags, "tagsAdded": added, "tagsRemoved": removed,
        }));
    }
    let answer = json!({ "succeded": errors == 0, "errorCount": errors, "responses": responses });
    let name = if kind == "add" { "tags.added" } else { "tags.removed" };
    Ok(Reply::created(answer).with_if(!touched.is_empty(), || Effect::on(name, touched.join(","))))
}

/// `POST /contacts/bulk/business`: the ids that were changed.
pub(crate) fn business(call: &mut Call<'_>) -> Outcome {
    let body = call.checked(BUSINESS)?;
    let business = match body.get("businessId") {
        Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id.clone()),
        _ => return Err(Refusal::invalid(vec![String::from("businessId must be a string")])),
    };
    if let Some(id) = &business
        && !call.state.businesses.iter().any(|known| known["id"] == id.as_str())
    {
        return Err(Refusal::invalid(vec![format!("Business with id {id} not found")]));
    }
    let mut changed = Vec::new();
    for id in body.get("ids").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if let Some(old) = call.state.contacts.get(id).cloned() {
            let mut contact = Contact::clone(&old);
            contact.business_id.clone_from(&business);
            store(call.state, &old, contact, call.now);
            changed.push(id.to_owned());
        }
    }
    let effect = Effect::on("contact.updated", changed.join(","));
    Ok(Reply::ok(json!({ "success": true, "ids": changed })).with_if(!changed.is_empty(), || effect))
}
