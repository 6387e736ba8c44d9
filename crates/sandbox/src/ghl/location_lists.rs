//! Lists of what a location's people set up: workflows, campaigns, calendars. Made and changed on HighLevel's own pages.

use serde_json::{Value, json};

use super::{
    call::{Call, Outcome, Reply},
    refusal::Refusal,
};

/// `GET /workflows/?locationId=` (workflows.json).
pub(crate) fn workflows(call: &mut Call<'_>) -> Outcome {
    call.location(call.request.parameter("locationId"))?;
    Ok(Reply::ok(json!({ "workflows": call.state.office.workflows })))
}

/// `GET /campaigns/?locationId=&status=` (campaigns.json).
pub(crate) fn campaigns(call: &mut Call<'_>) -> Outcome {
    call.location(call.request.parameter("locationId"))?;
    let status = call.request.parameter("status");
    let wanted = |campaign: &&Value| status.is_none_or(|status| campaign["status"] == status);
    let campaigns: Vec<&Value> = call.state.office.campaigns.iter().filter(wanted).collect();
    Ok(Reply::ok(json!({ "campaigns": campaigns })))
}

/// `GET /calendars/?locationId=` (calendars.json).
pub(crate) fn calendars(call: &mut Call<'_>) -> Outcome {
    call.location(call.request.parameter("locationId"))?;
    let group = call.request.parameter("groupId");
    let wanted = |calendar: &&Value| group.is_none_or(|group| calendar["groupId"] == group);
    let calendars: Vec<&Value> = call.state.office.calendars.iter().filter(wanted).collect();
    Ok(Reply::ok(json!({ "calendars": calendars })))
}

/// `GET /calendars/{calendarId}`.
pub(crate) fn calendar(call: &mut Call<'_>) -> Outcome {
    let id = call.args[0];
    let calendar = call.state.office.calendars.iter().find(|calendar| calendar["id"] == id);
    let calendar = calendar.ok_or_else(|| Refusal::new(404, format!("Calendar with id {id} not found")))?;
    Ok(Reply::ok(json!({ "calendar": calendar })))
}
