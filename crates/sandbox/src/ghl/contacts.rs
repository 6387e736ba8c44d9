//! Contacts: create, read, update, upsert, delete, duplicate search (contacts.json, tag Contacts).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Outcome, Reply},
    contact::{Contact, lower},
    refusal::Refusal,
    state::State,
    validate::{DND, INBOUND_DND, Kind, Property, may, must, null},
    view,
};
use crate::control::journal::Effect;

/// `CreateContactDto`.
const CREATE: &[Property] = &[
    must("locationId", Kind::Text),
    null("firstName", Kind::Text),
    null("lastName", Kind::Text),
    null("name", Kind::Text),
    null("email", Kind::Email),
    may("gender", Kind::Text),
    null("phone", Kind::Text),
    null("address1", Kind::Text),
    null("city", Kind::Text),
    null("state", Kind::Text),
    may("postalCode", Kind::Text),
    null("website", Kind::Text),
    null("timezone", Kind::Text),
    may("dnd", Kind::Bool),
    may("dndSettings", DND),
    may("inboundDndSettings", INBOUND_DND),
    may("tags", Kind::Texts),
    may("customFields", Kind::CustomFields),
    may("source", Kind::Text),
    null("dateOfBirth", Kind::Birthday),
    may("country", Kind::Country),
    null("companyName", Kind::Text),
    may("assignedTo", Kind::Text),
];

/// `UpdateContactDto`: no `locationId`, `gender`, `companyName`, `additionalEmails` (HighLevel's issues 313, 262).
const UPDATE: &[Property] = &[
    null("firstName", Kind::Text),
    null("lastName", Kind::Text),
    null("name", Kind::Text),
    null("email", Kind::Email),
    null("phone", Kind::Text),
    null("address1", Kind::Text),
    null("city", Kind::Text),
    null("state", Kind::Text),
    may("postalCode", Kind::Text),
    null("website", Kind::Text),
    null("timezone", Kind::Text),
    may("dnd", Kind::Bool),
    may("dndSettings", DND),
    may("inboundDndSettings", INBOUND_DND),
    may("tags", Kind::Texts),
    may("customFields", Kind::CustomFields),
    null("source", Kind::Text),
    null("dateOfBirth", Kind::Birthday),
    may("country", Kind::Country),
    null("assignedTo", Kind::Text),
];

/// `UpsertContactDto`.
const UPSERT: &[Property] = &[
    must("locationId", Kind::Text),
    null("firstName", Kind::Text),
    null("lastName", Kind::Text),
    null("name", Kind::Text),
    null("email", Kind::Email),
    may("gender", Kind::Text),
    null("phone", Kind::Text),
    null("address1", Kind::Text),
    null("city", Kind::Text),
    null("state", Kind::Text),
    may("postalCode", Kind::Text),
    null("website", Kind::Text),
    null("timezone", Kind::Text),
    may("dnd", Kind::Bool),
    may("dndSettings", DND),
    may("inboundDndSettings", INBOUND_DND),
    may("tags", Kind::Texts),
    may("customFields", Kind::CustomFields),
    may("source", Kind::Text),
    null("dateOfBirth", Kind::Birthday),
    may("country", Kind::Country),
    null("companyName", Kind::Text),
    may("assignedTo", Kind::Text),
    may("createNewIfDuplicateAllowed", Kind::Bool),
];

/// `POST /contacts/`.
pub(crate) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.checked(CREATE)?;
    let contact = make(call.state, body, call.now)?;
    Ok(Reply::created(json!({ "contact": view::created(&contact, &call.state.location_id) }))
        .with(Effect::on("contact.created", contact.id.as_str())))
}

/// Stores a new contact and tells of it; refuses a duplicate.
pub(crate) fn make(state: &mut State, body: &Map<String, Value>, now: i64) -> Result<Arc<Contact>, Refusal> {
    let mut contact = state.fresh_contact(now);
    state.apply(&mut contact, body)?;
    state.refuse_duplicate(&contact)?;
    let contact = state.put(contact, now);
    state.emit_contact("ContactCreate", &contact);
    Ok(contact)
}

/// `GET /contacts/{contactId}`: unknown or deleted, 400.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    let contact = found(call.state, call.args[0])?;
    Ok(Reply::ok(json!({ "contact": view::by_id(&contact, &call.state.location_id) })))
}

/// `PUT /contacts/{contactId}`.
pub(crate) fn update(call: &mut Call<'_>) -> Outcome {
    let body = call.checked(UPDATE)?;
    let old = found(call.state, call.args[0])?;
    let (contact, changed) = change(call.state, &old, body, call.now)?;
    let shown = view::by_id(&contact, &call.state.location_id);
    Ok(Reply::ok(json!({ "succeded": true, "contact": shown }))
        .with_if(changed, || Effect::on("contact.updated", contact.id.as_str())))
}

/// Writes a checked body into a contact and tells of what really changed.
pub(crate) fn change(
    state: &mut State,
    old: &Arc<Contact>,
    body: &Map<String, Value>,
    now: i64,
) -> Result<(Arc<Contact>, bool), Refusal> {
    let mut contact = Contact::clone(old);
    state.apply(&mut contact, body)?;
    if contact.email != old.email || contact.phone != old.phone {
        state.refuse_duplicate(&contact)?;
    }
    Ok(store(state, old, contact, now))
}

/// Stores a changed contact and sends the webhooks that GHL sends for such a change; nothing when it is the same.
pub(crate) fn store(
    state: &mut State,
    old: &Arc<Contact>,
    mut contact: Contact,
    now: i64,
) -> (Arc<Contact>, bool) {
    if contact == **old {
        return (Arc::clone(old), false);
    }
    let tags = contact.tags != old.tags;
    let dnd = contact.dnd != old.dnd || contact.dnd_settings != old.dnd_settings;
    // ContactTagUpdate and ContactDndUpdate come apart from ContactUpdate (ghl.md, Webhooks).
    let rest = {
        let mut same = Contact::clone(old);
        same.tags.clone_from(&contact.tags);
        same.dnd = contact.dnd;
        same.dnd_settings.clone_from(&contact.dnd_settings);
        same.inbound_dnd_settings.clone_from(&contact.inbound_dnd_settings);
        same != contact
    };
    contact.date_updated = now;
    let contact = state.put(contact, now);
    for (happened, kind) in [(rest, "ContactUpdate"), (tags, "ContactTagUpdate"), (dnd, "ContactDndUpdate")] {
        if happened {
            state.emit_contact(kind, &contact);
        }
    }
    (contact, true)
}

/// `POST /contacts/upsert`, with its quirks:
/// e-mail and phone of two contacts: the e-mail's is taken, the phone dropped silently (HighLevel's issue 37); an
/// address that is someone's additional one overwrites the primary (337); `gender` of an existing contact is ignored
/// silently (313).
pub(crate) fn upsert(call: &mut Call<'_>) -> Outcome {
    let body = call.checked(UPSERT)?;
    let (state, now) = (&mut *call.state, call.now);
    // Scenario 1 of createNewIfDuplicateAllowed: no look for duplicates at all.
    let always_new = state.allow_duplicates && body.get("createNewIfDuplicateAllowed") == Some(&json!(true));
    let mut probe = Contact::new(String::new(), 0, now);
    state.apply(&mut probe, body)?;
    if probe.email.is_none() && probe.phone.is_none() {
        return Err(Refusal::nothing_to_match());
    }
    let by_email = probe.email.as_deref().and_then(|it| state.with_email(it, "")).cloned();
    let by_phone = probe.phone.as_deref().and_then(|it| state.with_phone(it, "")).cloned();
    let existing = by_email.clone().or(by_phone.clone()).filter(|_| !always_new);
    let Some(old) = existing else {
        let contact = if always_new {
            let mut contact = state.fresh_contact(now);
            state.apply(&mut contact, body)?;
            let contact = state.put(contact, now);
            state.emit_contact("ContactCreate", &contact);
            contact
        } else {
            make(state, body, now)?
        };
        let body = upserted(state, &contact, true);
        return Ok(Reply::created(body).with(Effect::on("contact.created", contact.id.as_str())));
    };
    let mut body = body.clone();
    body.remove("gender");
    if !state.allow_duplicates && by_phone.is_some_and(|other| other.id != old.id) {
        body.remove("phone");
    }
    let mut contact = Contact::clone(&old);
    state.apply(&mut contact, &body)?;
    contact.additional_emails.retain(|email| contact.email.as_ref() != Some(email));
    let (contact, changed) = store(state, &old, contact, now);
    let answer = upserted(state, &contact, false);
    Ok(Reply::ok(answer).with_if(changed, || Effect::on("contact.updated", contact.id.as_str())))
}

fn upserted(state: &mut State, contact: &Contact, new: bool) -> Value {
    json!({
        "new": new,
        "contact": view::by_id(contact, &state.location_id),
        "traceId": state.ids.uuid(),
    })
}

/// `DELETE /contacts/{contactId}`.
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let id = call.args[0];
    remove(call.state, id, call.now)?;
    Ok(Reply::ok(json!({ "succeded": true })).with(Effect::on("contact.deleted", id)))
}

/// Removes a contact and tells of it.
pub(crate) fn remove(state: &mut State, id: &str, now: i64) -> Result<Arc<Contact>, Refusal> {
    let contact = state.remove(id, now).ok_or_else(|| Refusal::no_contact_400(id))?;
    state.emit_contact("ContactDelete", &contact);
    Ok(contact)
}

/// `GET /contacts/search/duplicate`: not the index but the contacts themselves. The address is looked for before
/// the number; an unparsable number finds nobody.
pub(crate) fn duplicate(call: &mut Call<'_>) -> Outcome {
    call.location(call.request.parameter("locationId"))?;
    call.only_parameters(&["locationId", "email", "number"])?;
    let (email, number) = (call.request.parameter("email"), call.request.parameter("number"));
    if email.is_none() && number.is_none() {
        return Err(Refusal::nothing_to_match());
    }
    let state = &call.state;
    let by_email = email.and_then(|email| state.with_email(&lower(email), ""));
    let found = by_email.or_else(|| {
        let number = super::contact::e164(number?, &state.country)?;
        state.with_phone(&number, "")
    });
    let shown = found.map_or(Value::Null, |contact| view::by_id(contact, &state.location_id));
    Ok(Reply::ok(json!({ "contact": shown })))
}

/// The contact of this id, or 400.
pub(crate) fn found(state: &State, id: &str) -> Result<Arc<Contact>, Refusal> {
    state.contacts.get(id).cloned().ok_or_else(|| Refusal::no_contact_400(id))
}

/// The contact above a task, note, tag, …: or 404.
pub(crate) fn owner(state: &State, id: &str) -> Result<Arc<Contact>, Refusal> {
    state.contacts.get(id).cloned().ok_or_else(|| Refusal::no_contact_404(id))
}
