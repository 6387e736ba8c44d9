//! Opportunities (opportunities.json): made, changed, won and lost.

pub(crate) mod followers;
pub(crate) mod lists;

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Outcome, Reply},
    custom_fields,
    refusal::Refusal,
    state::State,
    view::picked,
};
use crate::{clock, control::journal::Effect};

/// `POST /opportunities/`.
pub(crate) fn create(call: &mut Call<'_>) -> Outcome {
    let made = make(call.state, call.object()?, call.now)?;
    let effect = Effect::of_contact("opportunity.created", text(&made, "id"), text(&made, "contactId"));
    Ok(Reply::created(json!({ "opportunity": shown(call.state, &made) })).with(effect))
}

/// `POST /opportunities/upsert`: the document has no contact in it; an opportunity that `id` names is changed, without `id`
/// one is made.
pub(crate) fn upsert(call: &mut Call<'_>) -> Outcome {
    let body = call.object()?;
    let mut values = body.clone();
    for other in ["id", "locationId", "followers", "isRemoveAllFollowers", "followersActionType"] {
        values.remove(other);
    }
    let (opportunity, new, changed) = match body.get("id").and_then(Value::as_str) {
        Some(id) => {
            let (opportunity, changed) = change(call.state, id, &values, call.now)?;
            (opportunity, false, changed)
        }
        None => (make(call.state, &values, call.now)?, true, true),
    };
    let id = text(&opportunity, "id").to_owned();
    let followed = followers::set(call.state, &id, body);
    let opportunity = found(call.state, &id)?.clone();
    let kind = if new { "opportunity.created" } else { "opportunity.updated" };
    let effect = || match opportunity["contactId"].as_str() {
        Some(contact) => Effect::of_contact(kind, id.as_str(), contact),
        None => Effect::on(kind, id.as_str()),
    };
    let reply = Reply::ok(json!({ "opportunity": shown(call.state, &opportunity), "new": new }));
    Ok(reply.with_if(changed || followed, effect))
}

/// `GET /opportunities/{id}`.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    let opportunity = found(call.state, call.args[0])?;
    Ok(Reply::ok(json!({ "opportunity": shown(call.state, opportunity) })))
}

/// `PUT /opportunities/{id}`.
pub(crate) fn update(call: &mut Call<'_>) -> Outcome {
    let (opportunity, changed) = change(call.state, call.args[0], call.object()?, call.now)?;
    let effect = effect("opportunity.updated", &opportunity);
    Ok(Reply::ok(json!({ "opportunity": shown(call.state, &opportunity) })).with_if(changed, || effect))
}

/// `PUT /opportunities/{id}/status`.
pub(crate) fn set_status(call: &mut Call<'_>) -> Outcome {
    let (opportunity, changed) = change(call.state, call.args[0], call.object()?, call.now)?;
    let effect = effect("opportunity.updated", &opportunity);
    Ok(Reply::ok(json!({ "succeded": true })).with_if(changed, || effect))
}

/// `DELETE /opportunities/{id}`.
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let gone = remove(call.state, call.args[0]).ok_or_else(|| missing(call.args[0]))?;
    Ok(Reply::ok(json!({ "succeded": true })).with(effect("opportunity.deleted", &gone)))
}

fn effect(kind: &str, opportunity: &Value) -> Effect {
    match opportunity["contactId"].as_str() {
        Some(contact) => Effect::of_contact(kind, text(opportunity, "id"), contact),
        None => Effect::on(kind, text(opportunity, "id")),
    }
}

fn text<'a>(opportunity: &'a Value, name: &str) -> &'a str {
    opportunity[name].as_str().unwrap_or_default()
}

/// The document has 400, 401 and 422 for what is not there.
pub(crate) fn missing(id: &str) -> Refusal {
    Refusal::new(400, format!("Opportunity with id {id} not found"))
}

pub(crate) fn found<'a>(state: &'a State, id: &str) -> Result<&'a Value, Refusal> {
    state.opportunities.get(id).ok_or_else(|| missing(id))
}

/// Stores an opportunity and tells of it.
pub(crate) fn make(state: &mut State, body: &Map<String, Value>, now: i64) -> Result<Value, Refusal> {
    let contact = body.get("contactId").and_then(Value::as_str);
    if let Some(contact) = contact {
        state.contacts.get(contact).ok_or_else(|| Refusal::no_contact_400(contact))?;
        // `settings.allowDuplicateOpportunity` of locations.json; the words are not documented.
        let pipeline = body.get("pipelineId");
        let of_contact = state.opportunities.list(contact);
        if !state.allow_duplicate_opportunities
            && of_contact.iter().any(|other| Some(&other["pipelineId"]) == pipeline)
        {
            return Err(Refusal::new(400, "Can not create duplicate opportunity for the contact."));
        }
    }
    let at = clock::iso(now);
    let mut made = json!({
        "id": state.ids.id(), "name": "", "monetaryValue": 0, "status": "open", "source": "", "indexVersion": 1,
        "createdAt": at, "updatedAt": at, "lastStatusChangeAt": at, "lastStageChangeAt": at, "lastActionDate": at,
        "locationId": state.location_id, "contactId": contact, "customFields": [], "followers": [],
    });
    write(state, &mut made, body)?;
    state.opportunities.add(made.clone());
    emit(state, "OpportunityCreate", &made);
    Ok(made)
}

/// Changes an opportunity and tells of what really changed: `OpportunityUpdate`, and one event more for each of status,
/// stage, value and person that did.
pub(crate) fn change(
    state: &mut State,
    id: &str,
    body: &Map<String, Value>,
    now: i64,
) -> Result<(Value, bool), Refusal> {
    let old = found(state, id)?.clone();
    let mut opportunity = old.clone();
    write(state, &mut opportunity, body)?;
    if opportunity == old {
        return Ok((opportunity, false));
    }
    let at = Value::from(clock::iso(now));
    let differs = |name: &str| opportunity[name] != old[name];
    let (status, stage) = (differs("status"), differs("pipelineStageId"));
    let (value, person) = (differs("monetaryValue"), differs("assignedTo"));
    for (happened, name) in
        [(true, "updatedAt"), (status, "lastStatusChangeAt"), (stage, "lastStageChangeAt")]
    {
        if happened {
            opportunity[name] = at.clone();
        }
    }
    state.opportunities.replace(opportunity.clone());
    for (happened, kind) in [
        (true, "OpportunityUpdate"),
        (status, "OpportunityStatusUpdate"),
        (stage, "OpportunityStageUpdate"),
        (value, "OpportunityMonetaryValueUpdate"),
        (person, "OpportunityAssignedToUpdate"),
    ] {
        if happened {
            emit(state, kind, &opportunity);
        }
    }
    Ok((opportunity, true))
}

/// Removes an opportunity and tells of it.
pub(crate) fn remove(state: &mut State, id: &str) -> Option<Value> {
    let gone = state.opportunities.remove(id)?;
    emit(state, "OpportunityDelete", &gone);
    Some(gone)
}

/// Writes a body of the right form. A stage belongs to its pipeline; a pipeline without a stage begins with its first.
fn write(state: &State, opportunity: &mut Value, body: &Map<String, Value>) -> Result<(), Refusal> {
    let moved = body.contains_key("pipelineId") && body.get("pipelineId") != opportunity.get("pipelineId");
    for (name, value) in body {
        match name.as_str() {
            "customFields" => write_custom_fields(state, opportunity, value)?,
            "locationId" | "contactId" => {}
            name => opportunity[name] = value.clone(),
        }
    }
    let id = text(opportunity, "pipelineId");
    let pipeline = state.office.pipeline(id);
    let pipeline = pipeline.ok_or_else(|| Refusal::new(400, format!("Pipeline with id {id} not found")))?;
    let stages = pipeline["stages"].as_array().map_or(&[][..], Vec::as_slice);
    if moved && !body.contains_key("pipelineStageId") {
        opportunity["pipelineStageId"] = stages.first().map(|stage| stage["id"].clone()).unwrap_or_default();
    }
    let stage = &opportunity["pipelineStageId"];
    if !stages.iter().any(|known| known["id"] == *stage) {
        let stage = stage.as_str().unwrap_or_default();
        return Err(Refusal::new(400, format!("Pipeline stage with id {stage} not found")));
    }
    Ok(())
}

/// Written as `[{id | key, field_value}]`, shown as `[{id, fieldValue}]`; unknown ones are left out, as a contact's are.
fn write_custom_fields(state: &State, opportunity: &mut Value, given: &Value) -> Result<(), Refusal> {
    let mut fields = opportunity["customFields"].as_array().cloned().unwrap_or_default();
    let mut complaints = Vec::new();
    for (index, field) in given.as_array().into_iter().flatten().enumerate() {
        let names = [&field["id"], &field["key"]];
        let known = state.custom_fields.iter().find(|known| {
            let key = known["fieldKey"].as_str().unwrap_or_default();
            let short = key.strip_prefix("opportunity.").unwrap_or(key);
            known["model"] == "opportunity"
                && names.iter().any(|name| **name == known["id"] || **name == key || **name == short)
        });
        let Some(known) = known else { continue };
        let place = format!("customFields.{index}.field_value");
        complaints.extend(custom_fields::complaints(known, &place, field.get("field_value")));
        fields.retain(|field| field["id"] != known["id"]);
        fields.push(json!({ "id": known["id"], "fieldValue": field["field_value"] }));
    }
    opportunity["customFields"] = Value::Array(fields);
    if complaints.is_empty() { Ok(()) } else { Err(Refusal::invalid(complaints)) }
}

/// With its contact, as `SearchOpportunitiesContactResponseSchema` has it. The notes that the document promises are not in
/// real answers (HighLevel's issue 305).
pub(crate) fn shown(state: &State, opportunity: &Value) -> Value {
    let mut shown = opportunity.clone();
    if let Some(contact) = state.contacts.get(text(opportunity, "contactId")) {
        shown["contact"] = json!({
            "id": contact.id, "name": contact.full_name(), "companyName": contact.company_name,
            "email": contact.email, "phone": contact.phone, "tags": contact.tags,
        });
    }
    shown
}

/// The fields of the pages of webhook-events, those that are there.
fn emit(state: &mut State, kind: &'static str, opportunity: &Value) {
    const TOLD: [&str; 9] = [
        "id",
        "assignedTo",
        "contactId",
        "monetaryValue",
        "name",
        "pipelineId",
        "pipelineStageId",
        "source",
        "status",
    ];
    state.emit(kind, |_| {
        let mut body = picked(opportunity, &TOLD);
        body.insert("dateAdded".to_owned(), opportunity["createdAt"].clone());
        body
    });
}
