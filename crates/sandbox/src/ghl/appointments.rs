//! Appointments (calendars.json, tag Calendar Events), and what contacts show of them.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Outcome, Reply},
    refusal::Refusal,
    state::State,
    view::picked,
};
use crate::{clock, control::journal::Effect};

/// How long an appointment without an end is. Not documented.
const USUAL_LENGTH_MS: i64 = 30 * 60 * 1000;

/// `POST /calendars/events/appointments`: 200, as the document says, and the bare appointment. Free slots are not looked at.
pub(crate) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.object()?;
    let made = make(call.state, body, call.now, "third_party")?;
    let effect = Effect::of_contact("appointment.created", text(&made, "id"), text(&made, "contactId"));
    Ok(Reply::ok(bare(&made)).with(effect))
}

/// `GET /calendars/events/appointments/{eventId}`.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    let event = call.state.appointments.get(call.args[0]).ok_or_else(|| missing(call.args[0]))?;
    Ok(Reply::ok(json!({ "event": whole(event) })))
}

/// `PUT /calendars/events/appointments/{eventId}`.
pub(crate) fn update(call: &mut Call<'_>) -> Outcome {
    let (event, changed) = change(call.state, call.args[0], call.object()?, call.now)?;
    let effect = Effect::of_contact("appointment.updated", text(&event, "id"), text(&event, "contactId"));
    Ok(Reply::ok(bare(&event)).with_if(changed, || effect))
}

/// `DELETE /calendars/events/{eventId}`: 201, as the document says.
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let gone = remove(call.state, call.args[0]).ok_or_else(|| missing(call.args[0]))?;
    let effect = Effect::of_contact("appointment.deleted", text(&gone, "id"), text(&gone, "contactId"));
    Ok(Reply::created(json!({ "succeeded": true })).with(effect))
}

/// `GET /calendars/events`: those that begin between two times in milliseconds, of a calendar, a person or a group.
pub(crate) fn list(call: &mut Call<'_>) -> Outcome {
    let parameter = |name: &str| call.request.parameter(name).filter(|value| !value.is_empty());
    let (calendar, user, group) = (parameter("calendarId"), parameter("userId"), parameter("groupId"));
    if calendar.is_none() && user.is_none() && group.is_none() {
        return Err(Refusal::invalid(vec!["Either of userId, groupId or calendarId is required".to_owned()]));
    }
    let (from, to) = (call.number("startTime")?.unwrap_or(0), call.number("endTime")?.unwrap_or(u64::MAX));
    let is =
        |event: &Value, name: &str, wanted: Option<&str>| wanted.is_none_or(|wanted| event[name] == wanted);
    let wanted = |event: &&Value| {
        let start = clock::parse_iso(text(event, "startTime")).and_then(|at| u64::try_from(at).ok());
        start.is_some_and(|at| (from..=to).contains(&at))
            && is(event, "calendarId", calendar)
            && is(event, "assignedUserId", user)
            && is(event, "groupId", group)
    };
    let events: Vec<Value> = call.state.appointments.all().filter(wanted).map(whole).collect();
    Ok(Reply::ok(json!({ "events": events })))
}

fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event[name].as_str().unwrap_or_default()
}

fn missing(id: &str) -> Refusal {
    Refusal::new(404, format!("Appointment with id {id} not found"))
}

/// Stores an appointment and tells of it. `source` says who made it.
pub(crate) fn make(
    state: &mut State,
    body: &Map<String, Value>,
    now: i64,
    source: &str,
) -> Result<Value, Refusal> {
    let at = clock::iso(now);
    // GetEventSchema in contacts.json, and what calendars.json has beside it.
    let mut event = json!({
        "id": state.ids.id(), "status": "booked", "title": "", "notes": "", "address": "",
        "appointmentStatus": "confirmed", "dateAdded": at, "dateUpdated": at, "source": source,
        "locationId": state.location_id, "contactId": body.get("contactId").cloned().unwrap_or_default(),
    });
    let contact = text(&event, "contactId");
    state.contacts.get(contact).ok_or_else(|| Refusal::no_contact_404(contact))?;
    write(state, &mut event, body)?;
    state.appointments.add(event.clone());
    emit(state, "AppointmentCreate", &event);
    Ok(event)
}

/// Changes an appointment and tells of it when something changed.
pub(crate) fn change(
    state: &mut State,
    id: &str,
    body: &Map<String, Value>,
    now: i64,
) -> Result<(Value, bool), Refusal> {
    let old = state.appointments.get(id).cloned().ok_or_else(|| missing(id))?;
    let mut event = old.clone();
    write(state, &mut event, body)?;
    if event == old {
        return Ok((event, false));
    }
    event["dateUpdated"] = clock::iso(now).into();
    state.appointments.replace(event.clone());
    emit(state, "AppointmentUpdate", &event);
    Ok((event, true))
}

/// Removes an appointment and tells of it.
pub(crate) fn remove(state: &mut State, id: &str) -> Option<Value> {
    let event = state.appointments.remove(id)?;
    emit(state, "AppointmentDelete", &event);
    Some(event)
}

/// Writes a body of the right form; the switches in it are about this call only.
fn write(state: &State, event: &mut Value, body: &Map<String, Value>) -> Result<(), Refusal> {
    const SWITCHES: [&str; 4] =
        ["ignoreDateRange", "ignoreFreeSlotValidation", "toNotify", "overrideLocationConfig"];
    for (name, value) in body {
        if !["contactId", "locationId"].contains(&name.as_str()) && !SWITCHES.contains(&name.as_str()) {
            event[name] = value.clone();
        }
    }
    let calendar = text(event, "calendarId");
    if !state.office.calendars.iter().any(|known| known["id"] == calendar) {
        return Err(Refusal::new(404, format!("Calendar with id {calendar} not found")));
    }
    let time = |name: &str| clock::parse_iso(text(event, name));
    let invalid = |name: &str| Refusal::invalid(vec![format!("{name} must be a valid ISO 8601 date string")]);
    let start = time("startTime").ok_or_else(|| invalid("startTime"))?;
    let end = match &event["endTime"] {
        Value::Null => start.saturating_add(USUAL_LENGTH_MS),
        _ => time("endTime").ok_or_else(|| invalid("endTime"))?,
    };
    if end <= start {
        return Err(Refusal::new(400, "endTime must be after startTime"));
    }
    if event["endTime"].is_null() {
        event["endTime"] = clock::iso(end).into();
    }
    Ok(())
}

/// `AppointmentSchemaResponse`.
fn bare(event: &Value) -> Value {
    const SHOWN: [&str; 12] = [
        "id",
        "calendarId",
        "locationId",
        "contactId",
        "startTime",
        "endTime",
        "title",
        "meetingLocationType",
        "appointmentStatus",
        "assignedUserId",
        "address",
        "rrule",
    ];
    let mut shown = picked(event, &SHOWN);
    shown.insert("isRecurring".to_owned(), (!event["rrule"].is_null()).into());
    Value::Object(shown)
}

/// `CalendarEventDTO`.
fn whole(event: &Value) -> Value {
    let mut shown = bare(event);
    for name in ["groupId", "assignedUserId"] {
        shown[name] = event[name].as_str().unwrap_or_default().into();
    }
    for name in ["notes", "description", "dateAdded", "dateUpdated"] {
        shown[name] = event[name].clone();
    }
    shown["users"] = event["assignedUserId"].as_str().map(|user| vec![user]).unwrap_or_default().into();
    shown["createdBy"] = json!({ "source": event["source"] });
    shown
}

/// AppointmentCreate.md nests everything in `appointment`.
fn emit(state: &mut State, kind: &'static str, event: &Value) {
    let mut told = event.clone();
    if let Value::Object(told) = &mut told {
        told.remove("status");
        told.remove("locationId");
    }
    state.emit(kind, |_| Map::from_iter([("appointment".to_owned(), told)]));
}
