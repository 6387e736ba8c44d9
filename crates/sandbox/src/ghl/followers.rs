//! Followers of a contact (contacts.json, tag Followers).

use serde_json::{Value, json};

use super::{
    call::{Call, Outcome, Reply},
    contact::Contact,
    contacts::{found, store},
    validate::{Kind, Property, must},
};
use crate::control::journal::Effect;

/// `FollowersDTO`.
const FOLLOWERS: &[Property] = &[must("followers", Kind::Texts)];

/// `POST /contacts/{contactId}/followers`.
pub(crate) fn add(call: &mut Call<'_>) -> Outcome {
    let wanted = named(call)?;
    let id = call.args[0];
    let old = found(call.state, id)?;
    let added: Vec<String> = wanted.into_iter().filter(|user| !old.followers.contains(user)).collect();
    let mut contact = Contact::clone(&old);
    contact.followers.extend(added.iter().cloned());
    let (contact, changed) = store(call.state, &old, contact, call.now);
    Ok(Reply::created(json!({ "followers": contact.followers, "followersAdded": added }))
        .with_if(changed, || Effect::of_contact("followers.added", id, id)))
}

/// `DELETE /contacts/{contactId}/followers`.
pub(crate) fn remove(call: &mut Call<'_>) -> Outcome {
    let unwanted = named(call)?;
    let id = call.args[0];
    let old = found(call.state, id)?;
    let removed: Vec<String> = old.followers.iter().filter(|user| unwanted.contains(user)).cloned().collect();
    let mut contact = Contact::clone(&old);
    contact.followers.retain(|user| !unwanted.contains(user));
    let (contact, changed) = store(call.state, &old, contact, call.now);
    Ok(Reply::ok(json!({ "followers": contact.followers, "followersRemoved": removed }))
        .with_if(changed, || Effect::of_contact("followers.removed", id, id)))
}

/// The users of the body, each once.
fn named(call: &Call<'_>) -> Result<Vec<String>, super::refusal::Refusal> {
    let body = call.checked(FOLLOWERS)?;
    let mut users: Vec<String> = Vec::new();
    for user in body.get("followers").and_then(Value::as_array).into_iter().flatten() {
        if let Some(user) = user.as_str().filter(|user| !users.iter().any(|known| known == user)) {
            users.push(user.to_owned());
        }
    }
    Ok(users)
}
