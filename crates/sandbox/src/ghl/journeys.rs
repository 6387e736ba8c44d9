//! What a contact takes part in: appointments, campaigns, workflows (contacts.json).

use std::sync::Arc;

use serde_json::json;

use super::{
    call::{Call, Outcome, Reply},
    contact::Contact,
    contacts::owner,
    validate::{Kind, Property, may},
};
use crate::control::journal::Effect;

/// `CreateWorkflowDto`.
const WORKFLOW: &[Property] = &[may("eventStartTime", Kind::IsoDate)];

/// `GET /contacts/{contactId}/appointments`.
pub(crate) fn appointments(call: &mut Call<'_>) -> Outcome {
    let contact = owner(call.state, call.args[0])?;
    Ok(Reply::ok(json!({ "events": call.state.appointments.list(&contact.id) })))
}

/// `POST /contacts/{contactId}/campaigns/{campaignId}`.
pub(crate) fn join_campaign(call: &mut Call<'_>) -> Outcome {
    call.checked(&[])?;
    let campaign = call.args[1].to_owned();
    let reply = change(call, "campaign.joined", |contact| {
        if !contact.campaigns.contains(&campaign) {
            contact.campaigns.push(campaign);
        }
    })?;
    Ok(Reply { status: 201, ..reply })
}

/// `DELETE /contacts/{contactId}/campaigns/{campaignId}`.
pub(crate) fn leave_campaign(call: &mut Call<'_>) -> Outcome {
    let campaign = call.args[1].to_owned();
    change(call, "campaign.left", |contact| contact.campaigns.retain(|known| *known != campaign))
}

/// `DELETE /contacts/{contactId}/campaigns/removeAll`.
pub(crate) fn leave_all_campaigns(call: &mut Call<'_>) -> Outcome {
    change(call, "campaign.left", |contact| contact.campaigns.clear())
}

/// `POST /contacts/{contactId}/workflow/{workflowId}`: 200, as the file says.
pub(crate) fn join_workflow(call: &mut Call<'_>) -> Outcome {
    call.checked(WORKFLOW)?;
    let workflow = call.args[1].to_owned();
    change(call, "workflow.joined", |contact| {
        if !contact.workflows.contains(&workflow) {
            contact.workflows.push(workflow);
        }
    })
}

/// `DELETE /contacts/{contactId}/workflow/{workflowId}`.
pub(crate) fn leave_workflow(call: &mut Call<'_>) -> Outcome {
    call.checked(WORKFLOW)?;
    let workflow = call.args[1].to_owned();
    change(call, "workflow.left", |contact| contact.workflows.retain(|known| *known != workflow))
}

/// Changes what a contact takes part in; no webhook tells of it.
fn change(call: &mut Call<'_>, kind: &str, change: impl FnOnce(&mut Contact)) -> Outcome {
    let [contact_id, thing] = call.args;
    let old = owner(call.state, contact_id)?;
    let mut contact = Contact::clone(&old);
    change(&mut contact);
    let changed = contact != *Arc::as_ref(&old);
    if changed {
        call.state.put(contact, call.now);
    }
    Ok(Reply::ok(json!({ "succeded": true }))
        .with_if(changed, || Effect::of_contact(kind, thing, contact_id)))
}
