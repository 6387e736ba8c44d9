//! Conversations (conversations.json, tags Conversations and Search): one a contact.

use serde_json::{Value, json};

use super::{
    call::{Call, Outcome, Reply},
    contacts::found,
    refusal::Refusal,
    state::State,
};
use crate::{clock, control::journal::Effect};

/// `POST /conversations/`: the one that is there, if there is one (HighLevel's issue 73).
pub(crate) fn create(call: &mut Call<'_>) -> Outcome {
    let contact = call.object()?.get("contactId").and_then(Value::as_str).unwrap_or_default().to_owned();
    found(call.state, &contact)?;
    let (conversation, new) = of(call.state, &contact, call.now);
    let id = text(&conversation, "id").to_owned();
    let shown = json!({
        "id": id, "contactId": contact, "locationId": call.state.location_id, "deleted": false,
        "dateAdded": conversation["dateAdded"], "dateUpdated": conversation["dateUpdated"],
        "lastMessageDate": conversation["lastMessageDate"],
    });
    Ok(Reply::created(json!({ "success": true, "conversation": shown }))
        .with_if(new, || Effect::of_contact("conversation.created", id, contact)))
}

/// `GET /conversations/{conversationId}`: the bare conversation.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    let conversation = known(call.state, call.args[0])?;
    let mut shown = json!({ "deleted": false, "type": conversation["typeNumber"] });
    for name in ["id", "contactId", "locationId", "inbox", "unreadCount", "starred"] {
        shown[name] = conversation[name].clone();
    }
    Ok(Reply::ok(shown))
}

/// `PUT /conversations/{conversationId}`: `unreadCount`, `starred`.
pub(crate) fn update(call: &mut Call<'_>) -> Outcome {
    let body = call.object()?;
    let old = known(call.state, call.args[0])?.clone();
    let mut conversation = old.clone();
    for name in ["unreadCount", "starred"] {
        if let Some(value) = body.get(name) {
            conversation[name] = value.clone();
        }
    }
    let changed = conversation != old;
    call.state.conversations.replace(conversation.clone());
    let mut shown = conversation.clone();
    if let Value::Object(shown) = &mut shown {
        shown.retain(|name, _| !["typeNumber", "type", "dateAdded", "dateUpdated"].contains(&name.as_str()));
        shown.insert("deleted".to_owned(), json!(false));
    }
    Ok(Reply::ok(json!({ "success": true, "conversation": shown })).with_if(changed, || {
        Effect::of_contact("conversation.updated", call.args[0], text(&conversation, "contactId"))
    }))
}

/// `DELETE /conversations/{conversationId}`, with its messages.
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let id = call.args[0];
    known(call.state, id)?;
    let gone = call.state.conversations.remove(id).unwrap_or_default();
    call.state.messages.retain(|message| message["conversationId"] != id);
    Ok(Reply::ok(json!({ "success": true })).with(Effect::of_contact(
        "conversation.deleted",
        id,
        text(&gone, "contactId"),
    )))
}

/// `GET /conversations/search`: the last touched first, 20 at a time unless told otherwise.
pub(crate) fn search(call: &mut Call<'_>) -> Outcome {
    let parameter = |name: &str| call.request.parameter(name).filter(|value| !value.is_empty());
    let query = parameter("query").unwrap_or_default().to_lowercase();
    let state = &call.state;
    let wanted = |it: &&Value| {
        let named =
            state.contacts.get(text(it, "contactId")).map(|contact| contact.full_name().to_lowercase());
        parameter("contactId").is_none_or(|id| it["contactId"] == id)
            && parameter("id").is_none_or(|id| it["id"] == id)
            && (parameter("status") != Some("unread") || it["unreadCount"].as_u64() > Some(0))
            && (query.is_empty() || named.is_some_and(|name| name.contains(&query)))
    };
    let mut all: Vec<&Value> = state.conversations.all().filter(wanted).collect();
    all.sort_by(|a, b| text(b, "dateUpdated").cmp(text(a, "dateUpdated")));
    let (total, limit) = (all.len(), call.number("limit")?.unwrap_or(20));
    let page: Vec<Value> = all.into_iter().take(limit as usize).map(|it| listed(state, it)).collect();
    Ok(Reply::ok(json!({ "conversations": page, "total": total })))
}

/// `ConversationSchema`, with what it shows of the contact.
fn listed(state: &State, conversation: &Value) -> Value {
    let mut shown = json!({});
    for name in ["id", "contactId", "locationId", "lastMessageBody", "lastMessageType", "type", "unreadCount"]
    {
        shown[name] = conversation[name].clone();
    }
    let contact = state.contacts.get(text(conversation, "contactId"));
    let name = contact.map(|it| it.full_name()).unwrap_or_default();
    shown["fullName"] = name.as_str().into();
    shown["contactName"] = name.as_str().into();
    shown["email"] = contact.and_then(|it| it.email.clone()).unwrap_or_default().into();
    shown["phone"] = contact.and_then(|it| it.phone.clone()).unwrap_or_default().into();
    shown
}

pub(crate) fn text<'a>(thing: &'a Value, name: &str) -> &'a str {
    thing[name].as_str().unwrap_or_default()
}

/// The document has 400 and 401.
pub(crate) fn known<'a>(state: &'a State, id: &str) -> Result<&'a Value, Refusal> {
    let found = state.conversations.get(id);
    found.ok_or_else(|| Refusal::new(400, format!("Conversation with id {id} not found")))
}

/// A contact's conversation, and whether it was made just now.
pub(crate) fn of(state: &mut State, contact_id: &str, now: i64) -> (Value, bool) {
    if let Some(there) = state.conversations.list(contact_id).pop() {
        return (there, false);
    }
    let at = clock::iso(now);
    let made = json!({
        "id": state.ids.id(), "contactId": contact_id, "locationId": state.location_id, "inbox": true,
        "unreadCount": 0, "starred": false, "type": "TYPE_PHONE",
        // The document shows a number and does not say what it means.
        "typeNumber": 1, "lastMessageBody": "", "lastMessageType": "TYPE_SMS", "lastMessageDate": at,
        "dateAdded": at, "dateUpdated": at,
    });
    state.conversations.add(made.clone());
    (made, true)
}
