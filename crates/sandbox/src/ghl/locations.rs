//! The location itself and its tags (locations.json).

use serde_json::{Value, json};

use super::{
    call::{Call, Outcome, Reply},
    refusal::Refusal,
    validate::{Kind, Property, must},
};
use crate::control::journal::Effect;

/// `tagBody`.
const TAG: &[Property] = &[must("name", Kind::Text)];

/// `GET /locations/{locationId}`: `settings.allowDuplicateContact` tells the duplicate rule.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    call.location(Some(call.args[0]))?;
    Ok(Reply::ok(json!({ "location": call.state.location() })))
}

/// `GET /locations/{locationId}/tags`: all of them.
pub(crate) fn tags(call: &mut Call<'_>) -> Outcome {
    call.location(Some(call.args[0]))?;
    Ok(Reply::ok(json!({ "tags": call.state.tags })))
}

/// `GET /locations/{locationId}/tags/{tagId}`.
pub(crate) fn tag(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    Ok(Reply::ok(json!({ "tag": call.state.tags[place] })))
}

/// `POST /locations/{locationId}/tags`: 200, as the file says; lower-cased like every tag.
pub(crate) fn create_tag(call: &mut Call<'_>) -> Outcome {
    call.location(Some(call.args[0]))?;
    let name = name(call)?;
    if call.state.knows_tag(&name) {
        return Err(Refusal::new(400, "The tag name is already exist."));
    }
    call.state.know_tag(&name);
    let tag = call.state.tags.last().cloned().unwrap_or_default();
    let effect = Effect::on("tag.created", tag["id"].as_str().unwrap_or_default());
    Ok(Reply::ok(json!({ "tag": tag })).with(effect))
}

/// `PUT /locations/{locationId}/tags/{tagId}`: contacts keep the old name.
pub(crate) fn rename_tag(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    let name = name(call)?;
    let old = call.state.tags[place]["name"].as_str().unwrap_or_default().to_owned();
    if name != old && call.state.knows_tag(&name) {
        return Err(Refusal::new(400, "The tag name is already exist."));
    }
    call.state.forget_tag(&old);
    call.state.note_tag_name(&name);
    call.state.tags[place]["name"] = json!(name);
    let effect = Effect::on("tag.updated", call.args[1]);
    Ok(Reply::ok(json!({ "tag": call.state.tags[place] })).with_if(name != old, || effect))
}

/// `DELETE /locations/{locationId}/tags/{tagId}`.
pub(crate) fn delete_tag(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    let tag = call.state.tags.remove(place);
    call.state.forget_tag(tag["name"].as_str().unwrap_or_default());
    Ok(Reply::ok(json!({ "succeded": true })).with(Effect::on("tag.deleted", call.args[1])))
}

fn place(call: &Call<'_>) -> Result<usize, Refusal> {
    let [location_id, id] = call.args;
    call.location(Some(location_id))?;
    let place = call.state.tags.iter().position(|tag| tag["id"] == id);
    place.ok_or_else(|| Refusal::new(404, format!("Tag with id {id} not found")))
}

fn name(call: &Call<'_>) -> Result<String, Refusal> {
    let body = call.checked(TAG)?;
    Ok(body.get("name").and_then(Value::as_str).unwrap_or_default().trim().to_lowercase())
}
