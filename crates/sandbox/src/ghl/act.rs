//! What a person does in HighLevel's own pages: the actions of `POST /_sandbox/act`.

mod access;
mod sales;
mod things;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    contact::{Contact, clean_tags},
    contacts::{self, store},
    refusal::Refusal,
    state::State,
    tags,
    validate::{DND, INBOUND_DND, Kind, Property, check, may, null},
    view,
};
use crate::control::{
    problem::{ActError, only_known},
    settings::{Fields, needed},
};

/// What a person can write into a contact: more than the API can.
const CONTACT: &[Property] = &[
    null("firstName", Kind::Text),
    null("lastName", Kind::Text),
    null("name", Kind::Text),
    null("email", Kind::Email),
    may("additionalEmails", Kind::Texts),
    may("additionalPhones", Kind::Texts),
    null("gender", Kind::Text),
    null("phone", Kind::Text),
    null("companyName", Kind::Text),
    null("address1", Kind::Text),
    null("city", Kind::Text),
    null("state", Kind::Text),
    null("postalCode", Kind::Text),
    null("country", Kind::Country),
    null("website", Kind::Text),
    null("timezone", Kind::Text),
    null("source", Kind::Text),
    null("dateOfBirth", Kind::Birthday),
    null("assignedTo", Kind::Text),
    null("businessId", Kind::Text),
    may("dnd", Kind::Bool),
    may("dndSettings", DND),
    may("inboundDndSettings", INBOUND_DND),
    may("tags", Kind::Texts),
    may("customFields", Kind::CustomFields),
];

/// Every action and the keys that it takes beside `action` and `deliver`.
const ACTIONS: &[(&str, &[&str])] = &[
    ("contact.create", &["contact", "id"]),
    ("contact.update", &["contact_id", "contact"]),
    ("contact.delete", &["contact_id"]),
    ("contact.merge", &["from", "into"]),
    ("tags.add", &["contact_id", "tags"]),
    ("tags.remove", &["contact_id", "tags"]),
    ("dnd.set", &["contact_id", "dnd", "dndSettings"]),
    ("note.create", &["contact_id", "id", "body", "title", "userId", "color", "pinned"]),
    ("note.update", &["note_id", "body", "title", "userId", "color", "pinned"]),
    ("note.delete", &["note_id"]),
    ("task.create", &["contact_id", "id", "title", "body", "dueDate", "completed", "assignedTo", "whole"]),
    ("task.complete", &["task_id"]),
    ("task.delete", &["task_id"]),
    (
        "appointment.create",
        &[
            "contact_id",
            "title",
            "startTime",
            "endTime",
            "calendarId",
            "appointmentStatus",
            "assignedUserId",
            "notes",
            "address",
        ],
    ),
    (
        "appointment.update",
        &[
            "appointment_id",
            "title",
            "startTime",
            "endTime",
            "calendarId",
            "appointmentStatus",
            "assignedUserId",
            "notes",
            "address",
        ],
    ),
    ("appointment.delete", &["appointment_id"]),
    ("opportunity.create", &["opportunity"]),
    ("opportunity.update", &["opportunity_id", "opportunity"]),
    ("opportunity.move", &["opportunity_id", "stage", "status"]),
    ("opportunity.delete", &["opportunity_id"]),
    ("message.receive", &["contact_id", "message", "type"]),
    ("custom_field.create", &["name", "dataType", "model", "options", "placeholder"]),
    ("business.create", &["name", "email", "phone", "website", "city", "country"]),
    ("oauth.authorize", &["scopes", "user_type", "location_id", "redirect_uri"]),
    ("oauth.expire", &[]),
    ("oauth.uninstall", &[]),
    ("oauth.rotate_secret", &["secret", "keep_old_ms"]),
    ("rate.consume", &["app", "location_id", "requests", "daily"]),
    ("webhook.send", &["type", "body", "sign"]),
    ("webhook.redeliver", &["webhook_id"]),
];

/// Names the action and refuses unknown ones and unknown keys.
pub(super) fn name(action: &Map<String, Value>) -> Result<&str, ActError> {
    let fields = Fields(action);
    let name = fields.needed_text("action")?;
    let known: Vec<&str> = ACTIONS.iter().map(|(known, _)| *known).collect();
    let Some((_, keys)) = ACTIONS.iter().find(|(known, _)| *known == name) else {
        return Err(ActError::unknown("action", name, &known));
    };
    only_known(&format!("key of {name}"), action, &[*keys, &["action", "deliver"]].concat())?;
    fields.bool("deliver")?;
    Ok(name)
}

/// Carries out an action that changes the state; the events are in the state afterwards.
pub(super) fn perform(
    state: &mut State,
    name: &str,
    action: &Map<String, Value>,
    now: i64,
) -> Result<Value, ActError> {
    let fields = Fields(action);
    match name {
        "contact.create" => create(state, &fields, now),
        "contact.update" => {
            let old = contact(state, fields.needed_text("contact_id")?)?;
            let body = needed("contact", fields.object("contact")?)?;
            checked(body)?;
            let mut contact = Contact::clone(&old);
            write(state, &mut contact, body)?;
            if contact.emails().ne(old.emails()) || contact.phones().ne(old.phones()) {
                state.refuse_duplicate(&contact).map_err(refused)?;
            }
            let (contact, _) = store(state, &old, contact, now);
            Ok(shown(state, &contact))
        }
        "contact.delete" => {
            let id = fields.needed_text("contact_id")?;
            let contact = contacts::remove(state, id, now).map_err(refused)?;
            Ok(shown(state, &contact))
        }
        "contact.merge" => merge(state, &fields, now),
        "tags.add" | "tags.remove" => {
            let id = fields.needed_text("contact_id")?;
            contact(state, id)?;
            let wanted = needed("tags", fields.texts("tags")?)?;
            let wanted = clean_tags(&wanted.into_iter().map(Value::String).collect::<Vec<_>>());
            let (add, remove): (&[String], &[String]) =
                if name == "tags.add" { (&wanted, &[]) } else { (&[], &wanted) };
            tags::change(state, id, add, remove, now);
            let contact = contact(state, id)?;
            Ok(shown(state, &contact))
        }
        "dnd.set" => {
            let old = contact(state, fields.needed_text("contact_id")?)?;
            let mut body =
                Map::from_iter([(String::from("dnd"), Value::Bool(needed("dnd", fields.bool("dnd")?)?))]);
            if let Some(settings) = fields.object("dndSettings")? {
                body.insert(String::from("dndSettings"), Value::Object(settings.clone()));
            }
            checked(&body)?;
            let mut contact = Contact::clone(&old);
            state.apply(&mut contact, &body).map_err(refused)?;
            let (contact, _) = store(state, &old, contact, now);
            Ok(shown(state, &contact))
        }
        name if name.starts_with("oauth.") || name == "rate.consume" => {
            access::perform(state, name, &fields, now)
        }
        name if ["opportunity", "appointment", "message"]
            .contains(&name.split('.').next().unwrap_or_default()) =>
        {
            sales::perform(state, name, action, now)
        }
        _ => things::perform(state, name, action, now),
    }
}

fn create(state: &mut State, fields: &Fields<'_>, now: i64) -> Result<Value, ActError> {
    let body = needed("contact", fields.object("contact")?)?;
    checked(body)?;
    let mut contact = state.fresh_contact(now);
    if let Some(id) = fields.text("id")? {
        if state.contacts.contains_key(id) {
            return Err(ActError::new(format!("a contact has the id `{id}` already")));
        }
        id.clone_into(&mut contact.id);
    }
    write(state, &mut contact, body)?;
    state.refuse_duplicate(&contact).map_err(refused)?;
    let contact = state.put(contact, now);
    state.emit_contact("ContactCreate", &contact);
    Ok(shown(state, &contact))
}

/// `into` keeps what it has, gets what it lacks, and `from`'s address, tags, notes and tasks; `from` is gone.
fn merge(state: &mut State, fields: &Fields<'_>, now: i64) -> Result<Value, ActError> {
    let (from_id, into_id) = (fields.needed_text("from")?, fields.needed_text("into")?);
    if from_id == into_id {
        return Err(ActError::new("`from` and `into` are the same contact"));
    }
    let (from, old) = (contact(state, from_id)?, contact(state, into_id)?);
    let mut into = Contact::clone(&old);
    for (mine, other) in [
        (&mut into.first_name, &from.first_name),
        (&mut into.last_name, &from.last_name),
        (&mut into.company_name, &from.company_name),
        (&mut into.address1, &from.address1),
        (&mut into.city, &from.city),
        (&mut into.state, &from.state),
        (&mut into.postal_code, &from.postal_code),
        (&mut into.country, &from.country),
        (&mut into.date_of_birth, &from.date_of_birth),
        (&mut into.email, &from.email),
        (&mut into.phone, &from.phone),
    ] {
        if mine.is_none() {
            mine.clone_from(other);
        }
    }
    for email in from.emails() {
        if !into.emails().any(|known| known == email) {
            into.additional_emails.push(email.clone());
        }
    }
    for phone in from.phones() {
        if !into.phones().any(|known| known == phone) {
            into.additional_phones.push(phone.clone());
        }
    }
    for tag in &from.tags {
        if !into.tags.contains(tag) {
            into.tags.push(tag.clone());
        }
    }
    state.tasks.hand_over(from_id, into_id);
    state.notes.hand_over(from_id, into_id);
    state.appointments.hand_over(from_id, into_id);
    state.opportunities.hand_over(from_id, into_id);
    contacts::remove(state, from_id, now).map_err(refused)?;
    let (into, _) = store(state, &old, into, now);
    Ok(shown(state, &into))
}

/// Refuses a contact that not even a person could write.
fn checked(body: &Map<String, Value>) -> Result<(), ActError> {
    check(body, CONTACT).map_err(refused)
}

fn write(state: &State, contact: &mut Contact, body: &Map<String, Value>) -> Result<(), ActError> {
    state.apply(contact, body).map_err(refused)?;
    let fields = Fields(body);
    if let Some(emails) = fields.texts("additionalEmails")? {
        contact.additional_emails = emails.iter().map(|email| super::contact::lower(email)).collect();
    }
    if let Some(phones) = fields.texts("additionalPhones")? {
        contact.additional_phones = phones;
    }
    Ok(())
}

fn contact(state: &State, id: &str) -> Result<Arc<Contact>, ActError> {
    state.contacts.get(id).cloned().ok_or_else(|| ActError::new(format!("no contact has the id `{id}`")))
}

fn shown(state: &State, contact: &Contact) -> Value {
    json!({ "contact": view::by_id(contact, &state.location_id) })
}

/// What HighLevel's pages would refuse, in the API's words.
pub(super) fn refused(refusal: Refusal) -> ActError {
    ActError::new(format!("refused: {}", refusal.body("")["message"]))
}
