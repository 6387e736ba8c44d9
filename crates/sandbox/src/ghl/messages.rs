//! Messages (conversations.json, tag Messages): kept, and sent nowhere.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Outcome, Reply},
    contacts::found,
    conversations::{self, known, text},
    refusal::Refusal,
    state::State,
    view::picked,
};
use crate::{clock, control::journal::Effect};

/// `POST /conversations/messages`: 200, as the document says. It begins the conversation if there is none.
pub(crate) fn send(call: &mut Call<'_>) -> Outcome {
    let body = call.object()?;
    let contact = body.get("contactId").and_then(Value::as_str).unwrap_or_default();
    let contact = found(call.state, contact)?;
    let kind = body.get("type").and_then(Value::as_str).unwrap_or_default();
    // What it cannot go without. The words are not documented.
    if kind == "SMS" && contact.phone.is_none() {
        return Err(Refusal::new(400, "Missing phone number"));
    }
    if kind == "Email" && contact.email.is_none() && !body.contains_key("emailTo") {
        return Err(Refusal::new(400, "Missing email address"));
    }
    let message = store(call.state, &contact.id, body, "outbound", call.now);
    let mut answer = json!({
        "conversationId": message["conversationId"], "messageId": message["id"],
        "msg": "Message queued successfully.", "status": message["status"],
    });
    if let Some(email) = message.get("emailMessageId") {
        answer["emailMessageId"] = email.clone();
    }
    let effect = Effect::of_contact("message.sent", text(&message, "id"), contact.id.as_str());
    Ok(Reply::ok(answer).with(effect))
}

/// `POST /conversations/messages/inbound`: as if the contact had written.
pub(crate) fn add_inbound(call: &mut Call<'_>) -> Outcome {
    let body = call.object()?;
    let contact = body.get("contactId").and_then(Value::as_str).unwrap_or_default();
    let contact = found(call.state, contact)?;
    let conversation = body.get("conversationId").and_then(Value::as_str).unwrap_or_default();
    if known(call.state, conversation)?["contactId"] != contact.id.as_str() {
        return Err(Refusal::new(400, "The conversation is not the contact's"));
    }
    let message = store(call.state, &contact.id, body, "inbound", call.now);
    let answer = json!({
        "success": true, "conversationId": message["conversationId"], "messageId": message["id"],
        "message": "Message added", "contactId": contact.id, "dateAdded": message["dateAdded"],
    });
    let effect = Effect::of_contact("message.received", text(&message, "id"), contact.id.as_str());
    Ok(Reply::ok(answer).with(effect))
}

/// `GET /conversations/messages/{id}`: the bare message.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    Ok(Reply::ok(call.state.messages[place].clone()))
}

/// `PUT /conversations/messages/{messageId}/status`.
pub(crate) fn set_status(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    let status = call.object()?.get("status").cloned().unwrap_or_default();
    let message = &mut call.state.messages[place];
    let changed = message["status"] != status;
    message["status"] = status;
    let answer = json!({
        "conversationId": message["conversationId"], "messageId": message["id"],
        "msg": "Message status updated successfully.", "status": message["status"],
    });
    let effect = Effect::of_contact("message.updated", text(message, "id"), text(message, "contactId"));
    Ok(Reply::ok(answer).with_if(changed, || effect))
}

/// `GET /conversations/{conversationId}/messages`: newest first, 20 at a time unless told otherwise.
pub(crate) fn list(call: &mut Call<'_>) -> Outcome {
    let id = call.args[0];
    known(call.state, id)?;
    let kinds: Option<Vec<&str>> = call.request.parameter("type").map(|kinds| kinds.split(',').collect());
    let wanted = |message: &&Value| {
        message["conversationId"] == id
            && kinds.as_ref().is_none_or(|kinds| kinds.contains(&text(message, "messageType")))
    };
    let all: Vec<&Value> = call.state.messages.iter().rev().filter(wanted).collect();
    let skipped = match call.request.parameter("lastMessageId") {
        Some(last) => {
            all.iter().position(|message| message["id"] == last).map_or(all.len(), |place| place + 1)
        }
        None => 0,
    };
    let limit = call.number("limit")?.unwrap_or(20) as usize;
    let page: Vec<&&Value> = all.iter().skip(skipped).take(limit).collect();
    let last = page.last().map(|message| text(message, "id")).unwrap_or_default();
    let next = skipped + page.len() < all.len();
    Ok(Reply::ok(json!({ "lastMessageId": last, "nextPage": next, "messages": page })))
}

fn place(call: &Call<'_>) -> Result<usize, Refusal> {
    let id = call.args[0];
    let place = call.state.messages.iter().position(|message| message["id"] == id);
    place.ok_or_else(|| Refusal::new(400, format!("Message with id {id} not found")))
}

/// Keeps a message and tells of it.
pub(crate) fn store(
    state: &mut State,
    contact_id: &str,
    body: &Map<String, Value>,
    direction: &str,
    now: i64,
) -> Value {
    let (mut conversation, _) = conversations::of(state, contact_id, now);
    let kind = body.get("type").and_then(Value::as_str).unwrap_or("SMS");
    let at = clock::iso(now);
    let said =
        ["message", "html"].iter().find_map(|name| body.get(*name)).cloned().unwrap_or_else(|| json!(""));
    // The enum of `messageType`; the number of `type` is the example's, the document does not say what it means.
    let mut message = json!({
        "id": state.ids.id(), "type": 1, "messageType": format!("TYPE_{}", kind.to_uppercase()),
        "locationId": state.location_id, "contactId": contact_id, "conversationId": conversation["id"],
        "dateAdded": at, "body": said, "direction": direction, "contentType": "text/plain", "source": "api",
        "status": body.get("status").cloned().unwrap_or_else(|| json!("delivered")),
        "attachments": body.get("attachments").cloned().unwrap_or_else(|| json!([])),
    });
    if kind == "Email" {
        message["contentType"] = "text/html".into();
        message["emailMessageId"] = state.ids.id().into();
    }
    for name in ["conversationProviderId", "subject"] {
        if let Some(value) = body.get(name) {
            message[name] = value.clone();
        }
    }
    conversation["lastMessageBody"] = message["body"].clone();
    conversation["lastMessageType"] = message["messageType"].clone();
    conversation["lastMessageDate"] = message["dateAdded"].clone();
    conversation["dateUpdated"] = message["dateAdded"].clone();
    if direction == "inbound" {
        conversation["unreadCount"] = (conversation["unreadCount"].as_u64().unwrap_or(0) + 1).into();
    }
    state.conversations.replace(conversation);
    state.messages.push(message.clone());
    emit(state, kind, &message);
    message
}

/// InboundMessage.md and OutboundMessage.md: `messageType` is the word of the call.
fn emit(state: &mut State, kind: &str, message: &Value) {
    const TOLD: [&str; 9] = [
        "body",
        "contactId",
        "conversationId",
        "dateAdded",
        "direction",
        "emailMessageId",
        "subject",
        "attachments",
        "conversationProviderId",
    ];
    let event = if message["direction"] == "inbound" { "InboundMessage" } else { "OutboundMessage" };
    state.emit(event, |_| {
        let mut body = picked(message, &TOLD);
        body.insert("messageType".to_owned(), kind.into());
        body.insert("messageId".to_owned(), message["id"].clone());
        body
    });
}
