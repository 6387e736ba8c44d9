//! Custom values of a location (locations.json, tag Custom Value).

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Outcome, Reply},
    refusal::Refusal,
};
use crate::control::journal::Effect;

/// `GET /locations/{locationId}/customValues`.
pub(crate) fn list(call: &mut Call<'_>) -> Outcome {
    call.location(Some(call.args[0]))?;
    Ok(Reply::ok(json!({ "customValues": call.state.office.custom_values })))
}

/// `POST /locations/{locationId}/customValues`.
pub(crate) fn create(call: &mut Call<'_>) -> Outcome {
    let mut made = json!({ "id": call.state.ids.id(), "locationId": call.state.location_id });
    write(&mut made, call.object()?);
    call.state.office.custom_values.push(made.clone());
    let effect = Effect::on("custom_value.created", made["id"].as_str().unwrap_or_default());
    Ok(Reply::created(json!({ "customValue": made })).with(effect))
}

/// `GET /locations/{locationId}/customValues/{id}`.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    Ok(Reply::ok(json!({ "customValue": call.state.office.custom_values[place] })))
}

/// `PUT /locations/{locationId}/customValues/{id}`.
pub(crate) fn update(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    let body = call.object()?;
    let value = &mut call.state.office.custom_values[place];
    let old = value.clone();
    write(value, body);
    let (value, changed) = (value.clone(), *value != old);
    Ok(Reply::ok(json!({ "customValue": value }))
        .with_if(changed, || Effect::on("custom_value.updated", call.args[1])))
}

/// `DELETE /locations/{locationId}/customValues/{id}`.
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    call.state.office.custom_values.remove(place);
    Ok(Reply::ok(json!({ "succeded": true })).with(Effect::on("custom_value.deleted", call.args[1])))
}

/// Name and value; the key is the name in snake case, as in the document's example.
fn write(value: &mut Value, body: &Map<String, Value>) {
    for (name, given) in body {
        value[name] = given.clone();
    }
    let name = value["name"].as_str().unwrap_or_default().to_lowercase();
    let words: String = name.chars().map(|it| if it.is_alphanumeric() { it } else { ' ' }).collect();
    let key = words.split_whitespace().collect::<Vec<_>>().join("_");
    value["fieldKey"] = format!("{{{{ custom_values.{key} }}}}").into();
}

fn place(call: &Call<'_>) -> Result<usize, Refusal> {
    let id = call.args[1];
    let place = call.state.office.custom_values.iter().position(|value| value["id"] == id);
    place.ok_or_else(|| Refusal::new(404, format!("Custom value with id {id} not found")))
}
