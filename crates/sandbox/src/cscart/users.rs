//! The entity `users` (CS-Cart 4.20, `app/Tygh/Api/Entities/Users.php`, `fn_get_users`).

mod filter;
mod write;

use serde_json::{Value, json};

use super::{
    fixtures::SHORT,
    paging::envelope,
    refusal::Refusal,
    router::{Outcome, Reply, body},
    state::{Event, Row, State, text},
    usergroups,
    world::CscartVersion,
};
use crate::{control::journal::Effect, serve::request::Request};

pub(super) use self::write::{create, create_as, remove, seed, update};

/// Runs a method of the entity.
pub(super) fn run(state: &mut State, request: &Request, method: &str, rest: &[&str]) -> Outcome {
    match (method, rest) {
        ("GET", []) => list(state, request),
        ("POST", []) => post(state, request),
        ("GET", [id]) => get(state, request, id),
        ("PUT", [id]) => put(state, request, id),
        ("DELETE", [id]) => delete(state, id),
        (_, [id, "usergroups", rest @ ..]) => usergroups::of_user(state, request, method, id, rest),
        // POST /users/3, PUT /users, DELETE /users.
        (_, [] | [_]) => Err(Refusal::new(405, "")),
        _ => Err(Refusal::no_object()),
    }
}

/// The columns that the API shows.
fn short(user: &Row) -> Row {
    SHORT.iter().map(|name| ((*name).to_owned(), user.get(*name).cloned().unwrap_or_default())).collect()
}

/// `GET /users`: `user_type` must be given.
fn list(state: &State, request: &Request) -> Outcome {
    // Required since some version after 4.15.2.
    if state.world.version >= CscartVersion::V4_20 && request.parameter("user_type").is_none_or(str::is_empty)
    {
        return Err(Refusal::required("user_type"));
    }
    let (users, sort) = filter::matching(state, request);
    Ok(Reply::new(200, envelope(request, "users", &users, short, sort)))
}

/// `GET /users/:id`: the same short columns; an unknown id is 200 with an empty list, and 404 before 4.20.
fn get(state: &State, request: &Request, id: &str) -> Outcome {
    match id.parse().ok().and_then(|id: u64| state.users.get(&id)) {
        Some(user) => Ok(Reply::new(200, Value::Object(short(user)))),
        None if state.world.version < CscartVersion::V4_20 => Err(Refusal::not_found()),
        None => Ok(Reply::new(200, envelope(request, "users", &[], short, ("name", "asc")))),
    }
}

/// `POST /users`: `email`, `user_type` and `company_id` must be there.
fn post(state: &mut State, request: &Request) -> Outcome {
    let body = body(request)?;
    for field in ["email", "user_type"] {
        if text(&body, field).is_empty() {
            return Err(Refusal::required(field));
        }
    }
    if !body.contains_key("company_id") {
        return Err(Refusal::required("company_id"));
    }
    let id = create(state, &body)?;
    state.report("customer.created", id);
    Ok(Reply::new(201, json!({ "user_id": id, "profile_id": id }))
        .with(Effect::on("user.created", id.to_string())))
}

/// `PUT /users/:id`: partial; an unknown id is 400.
fn put(state: &mut State, request: &Request, id: &str) -> Outcome {
    let body = body(request)?;
    let known = id.parse().ok().filter(|id| state.users.contains_key(id));
    let user_id = known.ok_or_else(|| Refusal::new(400, ""))?;
    let changed = update(state, user_id, &body)?;
    // The hook of a saved profile fires whether or not a value is new.
    state.report("customer.updated", user_id);
    let reply = Reply::new(200, json!({ "user_id": id, "profile_id": id }));
    Ok(if changed { reply.with(Effect::on("user.updated", id)) } else { reply })
}

/// `DELETE /users/:id`: 404 for an unknown id, 400 for the root administrator.
fn delete(state: &mut State, id: &str) -> Outcome {
    let known = id.parse().ok().filter(|id| state.users.contains_key(id));
    let user_id: u64 = known.ok_or_else(Refusal::not_found)?;
    remove(state, user_id)?;
    Ok(Reply::new(204, Value::Null).with(Effect::on("user.deleted", id)))
}

/// Tells that a customer is gone: `user_id` and `email` are all that is left.
fn report_removal(state: &mut State, user: &Row) {
    if user.get("user_type") == Some(&json!("C")) {
        let id = text(user, "user_id");
        state.mark_changed(id.parse().unwrap_or_default());
        let data = json!({ "user": { "user_id": id, "email": text(user, "email") } });
        state.events.push(Event::new("customer.deleted", format!("customer:{id}"), data));
    }
}
