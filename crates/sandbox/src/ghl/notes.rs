//! Notes of a contact (contacts.json, tag Notes).

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Outcome, Reply},
    contacts::owner,
    refusal::Refusal,
    state::State,
    validate::{Kind, Property, may, must},
};
use crate::{clock, control::journal::Effect};

/// `NotesDTO`.
const CREATE: &[Property] = &[
    must("body", Kind::Text),
    may("userId", Kind::Text),
    may("title", Kind::Text),
    may("color", Kind::Text),
    may("pinned", Kind::Bool),
];

/// `UpdateNoteDTO`.
const UPDATE: &[Property] = &[
    may("body", Kind::Text),
    may("userId", Kind::Text),
    may("title", Kind::Text),
    may("color", Kind::Text),
    may("pinned", Kind::Bool),
];

/// `GET /contacts/{contactId}/notes`: all of them, newest first; no filter, no paging.
pub(crate) fn list(call: &mut Call<'_>) -> Outcome {
    let contact = owner(call.state, call.args[0])?;
    let mut notes = call.state.notes.list(&contact.id);
    notes.reverse();
    Ok(Reply::ok(json!({ "notes": notes })))
}

/// `POST /contacts/{contactId}/notes`.
pub(crate) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.checked(CREATE)?;
    let contact = owner(call.state, call.args[0])?;
    let note = make(call.state, &contact.id, body, call.now);
    let effect = Effect::of_contact("note.created", text(&note, "id"), contact.id.as_str());
    Ok(Reply::created(json!({ "note": note })).with(effect))
}

/// `GET /contacts/{contactId}/notes/{id}`.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    let [contact_id, id] = call.args;
    owner(call.state, contact_id)?;
    let note = call.state.notes.of(contact_id, id).ok_or_else(|| missing(id))?;
    Ok(Reply::ok(json!({ "note": note })))
}

/// `PUT /contacts/{contactId}/notes/{id}`.
pub(crate) fn update(call: &mut Call<'_>) -> Outcome {
    let body = call.checked(UPDATE)?;
    let [contact_id, id] = call.args;
    owner(call.state, contact_id)?;
    call.state.notes.of(contact_id, id).ok_or_else(|| missing(id))?;
    let (note, changed) = change(call.state, id, body).ok_or_else(|| missing(id))?;
    Ok(Reply::ok(json!({ "note": note }))
        .with_if(changed, || Effect::of_contact("note.updated", id, contact_id)))
}

/// `DELETE /contacts/{contactId}/notes/{id}`.
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let [contact_id, id] = call.args;
    owner(call.state, contact_id)?;
    call.state.notes.of(contact_id, id).ok_or_else(|| missing(id))?;
    remove(call.state, id);
    Ok(Reply::ok(json!({ "succeded": true })).with(Effect::of_contact("note.deleted", id, contact_id)))
}

fn missing(id: &str) -> Refusal {
    Refusal::new(404, format!("Note with id {id} not found"))
}

/// Stores a note and tells of it.
pub(crate) fn make(state: &mut State, contact_id: &str, body: &Map<String, Value>, now: i64) -> Value {
    let mut note = json!({ "id": state.ids.id(), "contactId": contact_id, "dateAdded": clock::iso(now) });
    write(&mut note, body);
    state.notes.add(note.clone());
    emit(state, "NoteCreate", &note);
    note
}

/// Changes a note and tells of it when something changed.
pub(crate) fn change(state: &mut State, id: &str, body: &Map<String, Value>) -> Option<(Value, bool)> {
    let old = state.notes.get(id)?.clone();
    let mut note = old.clone();
    write(&mut note, body);
    if note == old {
        return Some((note, false));
    }
    let contact_id = text(&note, "contactId").to_owned();
    *state.notes.of(&contact_id, id)? = note.clone();
    emit(state, "NoteUpdate", &note);
    Some((note, true))
}

/// Removes a note and tells of it.
pub(crate) fn remove(state: &mut State, id: &str) -> Option<Value> {
    let note = state.notes.remove(id)?;
    emit(state, "NoteDelete", &note);
    Some(note)
}

fn write(note: &mut Value, body: &Map<String, Value>) {
    for (name, value) in body {
        note[name] = value.clone();
    }
    if let Some(html) = body.get("body").and_then(Value::as_str) {
        note["bodyText"] = json!(plain(html));
    }
}

/// The webhook has `id, body, contactId, dateAdded` and nothing else of the note (HighLevel's issue 312).
fn emit(state: &mut State, kind: &'static str, note: &Value) {
    state.emit(kind, |_| {
        ["id", "body", "contactId", "dateAdded"]
            .into_iter()
            .map(|name| (name.to_owned(), note[name].clone()))
            .collect()
    });
}

fn text<'a>(note: &'a Value, name: &str) -> &'a str {
    note[name].as_str().unwrap_or_default()
}

/// HTML as plain text: tags away, block ends as line breaks, the common entities as characters.
fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('>') else {
            text.push_str(&rest[at..]);
            rest = "";
            break;
        };
        let tag = rest[at + 1..at + end].trim_end_matches('/').trim().to_ascii_lowercase();
        if ["br", "/p", "/div", "/li"].contains(&tag.as_str()) {
            text.push('\n');
        }
        rest = &rest[at + end + 1..];
    }
    text.push_str(rest);
    for (entity, character) in
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        text = text.replace(entity, character);
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn html_becomes_plain_text() {
        assert_eq!(plain("<p>Bought <b>two</b> &amp; left</p><p>5 &lt; 6</p>"), "Bought two & left\n5 < 6");
        assert_eq!(plain("plain < text"), "plain < text");
    }
}
