//! Acts on opportunities, appointments and messages.

use serde_json::{Map, Value, json};

use super::{contact, refused};
use crate::{
    control::{
        problem::{ActError, only_known},
        settings::{Fields, needed},
    },
    ghl::{appointments, messages, opportunities, state::State},
};

/// What a person can write into an opportunity.
const OPPORTUNITY: &[&str] = &[
    "name",
    "contactId",
    "pipelineId",
    "pipelineStageId",
    "status",
    "monetaryValue",
    "assignedTo",
    "source",
    "lostReasonId",
    "customFields",
];
/// The statuses that an opportunity can have (opportunities.json, without `all`).
const STATUSES: &[&str] = &["open", "won", "lost", "abandoned"];

pub(super) fn perform(
    state: &mut State,
    name: &str,
    action: &Map<String, Value>,
    now: i64,
) -> Result<Value, ActError> {
    let fields = Fields(action);
    match name {
        "opportunity.create" => {
            let mut body = opportunity(&fields)?;
            let owner = contact(state, Fields(&body).needed_text("contactId")?)?;
            let first = state.office.pipelines.first().map(|pipeline| pipeline["id"].clone());
            body.entry("pipelineId").or_insert_with(|| first.unwrap_or_default());
            body.entry("name").or_insert_with(|| owner.full_name().into());
            let made = opportunities::make(state, &body, now).map_err(refused)?;
            Ok(json!({ "opportunity": made }))
        }
        "opportunity.update" => {
            let body = opportunity(&fields)?;
            changed(state, fields.needed_text("opportunity_id")?, &body, now)
        }
        "opportunity.move" => {
            let id = fields.needed_text("opportunity_id")?;
            let mut body = Map::new();
            if let Some(stage) = fields.text("stage")? {
                body.insert("pipelineStageId".to_owned(), stage_named(state, id, stage)?);
            }
            if let Some(status) = fields.text("status")? {
                known_status(status)?;
                body.insert("status".to_owned(), status.into());
            }
            if body.is_empty() {
                return Err(ActError::new("`stage` is missing, and so is `status`: give one of them"));
            }
            changed(state, id, &body, now)
        }
        "opportunity.delete" => {
            let id = fields.needed_text("opportunity_id")?;
            let gone = opportunities::remove(state, id).ok_or_else(|| refused(opportunities::missing(id)))?;
            Ok(json!({ "opportunity": gone }))
        }
        "appointment.create" => {
            let owner = contact(state, fields.needed_text("contact_id")?)?;
            for needed in ["title", "startTime", "endTime"] {
                fields.needed_text(needed)?;
            }
            let mut body = appointment(action);
            body.insert("contactId".to_owned(), owner.id.as_str().into());
            let first = state.office.calendars.first().map(|calendar| calendar["id"].clone());
            body.entry("calendarId").or_insert_with(|| first.unwrap_or_default());
            let made = appointments::make(state, &body, now, "calendar_page").map_err(refused)?;
            Ok(json!({ "appointment": made }))
        }
        "appointment.update" => {
            let id = fields.needed_text("appointment_id")?;
            let (event, _) = appointments::change(state, id, &appointment(action), now).map_err(refused)?;
            Ok(json!({ "appointment": event }))
        }
        "appointment.delete" => {
            let id = fields.needed_text("appointment_id")?;
            let gone = appointments::remove(state, id);
            let gone = gone.ok_or_else(|| ActError::new(format!("no appointment has the id `{id}`")))?;
            Ok(json!({ "appointment": gone }))
        }
        _ => {
            let writer = contact(state, fields.needed_text("contact_id")?)?;
            let mut body = Map::new();
            body.insert("message".to_owned(), fields.needed_text("message")?.into());
            body.insert("type".to_owned(), fields.text("type")?.unwrap_or("SMS").into());
            let message = messages::store(state, &writer.id, &body, "inbound", now);
            Ok(json!({ "message": message }))
        }
    }
}

/// The opportunity of the action, with known fields of the right kind.
fn opportunity(fields: &Fields<'_>) -> Result<Map<String, Value>, ActError> {
    let body = needed("opportunity", fields.object("opportunity")?)?;
    only_known("field of `opportunity`", body, OPPORTUNITY)?;
    let values = Fields(body);
    for name in ["name", "contactId", "pipelineId", "pipelineStageId", "assignedTo", "source", "lostReasonId"]
    {
        values.text(name)?;
    }
    if let Some(status) = values.text("status")? {
        known_status(status)?;
    }
    if body.get("monetaryValue").is_some_and(|value| !value.is_number()) {
        return Err(ActError::new("`monetaryValue` is not a number"));
    }
    Ok(body.clone())
}

fn known_status(status: &str) -> Result<(), ActError> {
    if STATUSES.contains(&status) {
        Ok(())
    } else {
        Err(ActError::unknown("value of `status`", status, STATUSES))
    }
}

fn changed(state: &mut State, id: &str, body: &Map<String, Value>, now: i64) -> Result<Value, ActError> {
    let (opportunity, _) = opportunities::change(state, id, body, now).map_err(refused)?;
    Ok(json!({ "opportunity": opportunity }))
}

/// The id of a stage of the opportunity's pipeline, by its id or its name.
fn stage_named(state: &State, id: &str, stage: &str) -> Result<Value, ActError> {
    let opportunity = opportunities::found(state, id).map_err(refused)?;
    let pipeline = state.office.pipeline(opportunity["pipelineId"].as_str().unwrap_or_default());
    let stages = pipeline.and_then(|pipeline| pipeline["stages"].as_array()).map_or(&[][..], Vec::as_slice);
    let found = stages.iter().find(|known| known["id"] == stage || known["name"] == stage);
    found.map(|known| known["id"].clone()).ok_or_else(|| {
        let names: Vec<&str> = stages.iter().filter_map(|known| known["name"].as_str()).collect();
        ActError::unknown("stage", stage, &names)
    })
}

/// The action without its own keys.
fn appointment(action: &Map<String, Value>) -> Map<String, Value> {
    let mut body = action.clone();
    body.retain(|name, _| !["action", "deliver", "contact_id", "appointment_id"].contains(&name.as_str()));
    body
}
