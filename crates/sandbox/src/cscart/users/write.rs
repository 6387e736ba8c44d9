//! Creating, changing and removing a user (`fn_update_user`, `fn_delete_user`).

use serde_json::{Value, json};

use super::report_removal;
use crate::cscart::{
    fixtures::{WRITABLE, blank_user},
    refusal::Refusal,
    state::{Row, State, loose, text},
};

/// Stores a new user from the columns of `body`; unknown ones are ignored.
pub(in crate::cscart) fn create(state: &mut State, body: &Row) -> Result<u64, Refusal> {
    create_as(state, None, body)
}

/// The same, under a number of one's own.
pub(in crate::cscart) fn create_as(state: &mut State, id: Option<u64>, body: &Row) -> Result<u64, Refusal> {
    if id.is_some_and(|id| state.users.contains_key(&id)) {
        return Err(Refusal::new(400, "There is a user with this number already"));
    }
    if is_taken(state, body) {
        return Err(Refusal::new(400, "The username or email you have chosen already exists"));
    }
    let id = id.unwrap_or_else(|| state.next("user"));
    let mut user = blank_user(id, &state.world.now());
    write(&mut user, body);
    if text(&user, "user_login").is_empty() {
        user.insert(String::from("user_login"), json!(format!("user_{id}")));
    }
    for name in ["firstname", "lastname"] {
        // Without a name of his own the user has that of an address.
        if text(&user, name).is_empty() {
            let other = ["b_", "s_"].into_iter().map(|of| text(&user, &format!("{of}{name}")));
            if let Some(other) = other.into_iter().find(|it| !it.is_empty()) {
                user.insert(name.to_owned(), json!(other));
            }
        }
    }
    state.put_user(id, user);
    Ok(id)
}

/// Whether the address is another user's; without a company it would be the first storefront's.
fn is_taken(state: &State, body: &Row) -> bool {
    let mut wanted = blank_user(0, "0");
    write(&mut wanted, body);
    !text(&wanted, "email").is_empty() && state.user_with_email_of(&wanted).is_some()
}

/// Stores a user as old stores have them, whatever a form or the API would say: without an e-mail address, or with one that
/// another user has (customers of several storefronts may share one: `fn_is_user_exists` looks only within a storefront where
/// users are not shared). Nothing is reported.
pub(in crate::cscart) fn seed(state: &mut State, body: &Row) -> u64 {
    let id = state.next("user");
    let mut user = blank_user(id, &state.world.now());
    write(&mut user, body);
    state.put_user(id, user);
    id
}

/// Changes a user; whether anything is different now.
pub(in crate::cscart) fn update(state: &mut State, id: u64, body: &Row) -> Result<bool, Refusal> {
    let Some(old) = state.users.get(&id) else { return Err(Refusal::new(400, "")) };
    if body.contains_key("email") {
        let email = text(body, "email");
        if email.is_empty() {
            return Err(Refusal::required("email"));
        }
        let mut wanted = old.clone();
        write(&mut wanted, body);
        if state.user_with_email_of(&wanted).is_some_and(|other| other != id) {
            return Err(Refusal::new(400, "The username or email you have chosen already exists"));
        }
    }
    let mut user = old.clone();
    write(&mut user, body);
    let changed = user != *old;
    if changed {
        state.put_user(id, user);
    }
    Ok(changed)
}

/// Removes a user and tells of it; never the root administrator.
pub(in crate::cscart) fn remove(state: &mut State, id: u64) -> Result<Row, Refusal> {
    if state.users.get(&id).is_some_and(|user| text(user, "is_root") == "Y") {
        return Err(Refusal::new(400, ""));
    }
    let user = state.remove_user(id).ok_or_else(Refusal::not_found)?;
    report_removal(state, &user);
    Ok(user)
}

/// Every known column that is given is written, as text. `fields` is the exception: it replaces all custom fields.
fn write(user: &mut Row, body: &Row) {
    for (name, value) in body {
        if name == "fields" {
            let fields: Row = value
                .as_object()
                .into_iter()
                .flatten()
                // The column is a varchar(255).
                .map(|(id, value)| (id.clone(), json!(loose(value).chars().take(255).collect::<String>())))
                .collect();
            // PHP writes an empty map as a list.
            let fields = if fields.is_empty() { json!([]) } else { Value::Object(fields) };
            user.insert(name.clone(), fields);
        } else if WRITABLE.contains(&name.as_str()) {
            user.insert(name.clone(), json!(loose(value)));
        }
    }
}
