//! Followers of an opportunity (opportunities.json, tag Followers).

use serde_json::{Map, Value, json};

use super::{
    super::{
        call::{Call, Outcome, Reply},
        state::State,
    },
    found,
};
use crate::control::journal::Effect;

/// `POST /opportunities/{id}/followers`.
pub(crate) fn add(call: &mut Call<'_>) -> Outcome {
    let wanted = named(call.object()?);
    let mut opportunity = found(call.state, call.args[0])?.clone();
    let mut followers = followers(&opportunity);
    let added: Vec<Value> = wanted.into_iter().filter(|user| !followers.contains(user)).collect();
    followers.extend(added.iter().cloned());
    opportunity["followers"] = json!(followers);
    call.state.opportunities.replace(opportunity);
    Ok(Reply::created(json!({ "followers": followers, "followersAdded": added }))
        .with_if(!added.is_empty(), || Effect::on("followers.added", call.args[0])))
}

/// `DELETE /opportunities/{id}/followers`; `isRemoveAllFollowers=true` in the query takes them all away.
pub(crate) fn remove(call: &mut Call<'_>) -> Outcome {
    let unwanted = named(call.object()?);
    let all = call.request.parameter("isRemoveAllFollowers") == Some("true");
    let mut opportunity = found(call.state, call.args[0])?.clone();
    let (removed, followers): (Vec<Value>, Vec<Value>) =
        followers(&opportunity).into_iter().partition(|user| all || unwanted.contains(user));
    opportunity["followers"] = json!(followers);
    call.state.opportunities.replace(opportunity);
    Ok(Reply::ok(json!({ "followers": followers, "followersRemoved": removed }))
        .with_if(!removed.is_empty(), || Effect::on("followers.removed", call.args[0])))
}

/// What an upsert says of followers; whether it changed any.
pub(super) fn set(state: &mut State, id: &str, body: &Map<String, Value>) -> bool {
    let Some(mut opportunity) = state.opportunities.get(id).cloned() else { return false };
    let (before, wanted) = (followers(&opportunity), named(body));
    let mut followers =
        if body.get("isRemoveAllFollowers") == Some(&json!(true)) { Vec::new() } else { before.clone() };
    if body.get("followersActionType") == Some(&json!("remove")) {
        followers.retain(|user| !wanted.contains(user));
    } else {
        followers.extend(wanted.into_iter().filter(|user| !before.contains(user)));
    }
    let changed = followers != before;
    opportunity["followers"] = json!(followers);
    state.opportunities.replace(opportunity);
    changed
}

fn followers(opportunity: &Value) -> Vec<Value> {
    opportunity["followers"].as_array().cloned().unwrap_or_default()
}

/// The users of a body, each once.
fn named(body: &Map<String, Value>) -> Vec<Value> {
    let mut users = Vec::new();
    for user in body.get("followers").and_then(Value::as_array).into_iter().flatten() {
        if !users.contains(user) {
            users.push(user.clone());
        }
    }
    users
}
