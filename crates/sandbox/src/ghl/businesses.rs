//! Businesses of a location (businesses.json).

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Outcome, Reply},
    refusal::Refusal,
    state::State,
};
use crate::{clock, control::journal::Effect};

/// `POST /businesses/`; `buiseness` is the document's spelling.
pub(crate) fn create(call: &mut Call<'_>) -> Outcome {
    let made = make(call.state, call.object()?, call.now);
    let effect = Effect::on("business.created", made["id"].as_str().unwrap_or_default());
    Ok(Reply::created(json!({ "success": true, "buiseness": made })).with(effect))
}

/// `GET /businesses/{businessId}`.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    Ok(Reply::ok(json!({ "business": call.state.businesses[place] })))
}

/// `GET /businesses/?locationId=`: all of them unless `limit` and `skip` (texts, in the document) say otherwise.
pub(crate) fn list(call: &mut Call<'_>) -> Outcome {
    let (skip, limit) = (call.number("skip")?.unwrap_or(0), call.number("limit")?.unwrap_or(u64::MAX));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page: Vec<&Value> = call.state.businesses.iter().skip(skip as usize).take(limit).collect();
    Ok(Reply::ok(json!({ "businesses": page })))
}

/// `PUT /businesses/{businessId}`.
pub(crate) fn update(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    let body = call.object()?;
    let old = call.state.businesses[place].clone();
    let mut business = old.clone();
    for (name, value) in body {
        business[name] = value.clone();
    }
    let changed = business != old;
    if changed {
        business["updatedAt"] = clock::iso(call.now).into();
        call.state.businesses[place] = business.clone();
    }
    Ok(Reply::ok(json!({ "success": true, "buiseness": business }))
        .with_if(changed, || Effect::on("business.updated", call.args[0])))
}

/// `DELETE /businesses/{businessId}`.
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    call.state.businesses.remove(place);
    Ok(Reply::ok(json!({ "success": true })).with(Effect::on("business.deleted", call.args[0])))
}

/// Stores a business.
pub(crate) fn make(state: &mut State, body: &Map<String, Value>, now: i64) -> Value {
    let mut business = Value::Object(body.clone());
    business["id"] = state.ids.hex24().into();
    business["locationId"] = state.location_id.as_str().into();
    business["createdAt"] = clock::iso(now).into();
    business["updatedAt"] = clock::iso(now).into();
    state.businesses.push(business.clone());
    business
}

fn place(call: &Call<'_>) -> Result<usize, Refusal> {
    let id = call.args[0];
    let place = call.state.businesses.iter().position(|business| business["id"] == id);
    // The document has 400, 401 and 422.
    place.ok_or_else(|| Refusal::new(400, format!("Business with id {id} not found")))
}
