//! User groups, and which of them a user is in (`usergroups`, `users/:id/usergroups`).

use serde_json::{Value, json};

use super::{
    paging::envelope,
    refusal::Refusal,
    router::{Outcome, Reply, body},
    state::{Row, State, text},
};
use crate::{control::journal::Effect, serve::request::Request};

/// Runs a method of `usergroups`.
pub(super) fn run(state: &mut State, request: &Request, method: &str, rest: &[&str]) -> Outcome {
    match (method, rest) {
        ("GET", []) => {
            let exact = |group: &Row, name: &str| {
                request.parameter(name).is_none_or(|value| value.is_empty() || text(group, name) == value)
            };
            let groups =
                state.usergroups.values().filter(|group| exact(group, "type") && exact(group, "status"));
            let groups: Vec<&Row> = groups.collect();
            Ok(Reply::new(200, envelope(request, "usergroups", &groups, Row::clone, ("usergroup", "asc"))))
        }
        ("GET", [id]) => {
            let group = id.parse().ok().and_then(|id: u64| state.usergroups.get(&id));
            group.map(|group| Reply::new(200, json!(group))).ok_or_else(Refusal::not_found)
        }
        ("POST", []) => {
            let body = body(request)?;
            for field in ["type", "status"] {
                if text(&body, field).is_empty() {
                    return Err(Refusal::required(field));
                }
            }
            let id = state.next("usergroup");
            let mut group = Row::new();
            for name in ["type", "status", "usergroup"] {
                group.insert(name.to_owned(), json!(text(&body, name)));
            }
            group.insert(String::from("usergroup_id"), json!(id.to_string()));
            group.insert(String::from("company_id"), json!("0"));
            state.usergroups.insert(id, group);
            Ok(Reply::new(201, json!({ "usergroup_id": id }))
                .with(Effect::on("usergroup.created", id.to_string())))
        }
        (_, [] | [_]) => Err(Refusal::new(405, "")),
        _ => Err(Refusal::no_object()),
    }
}

/// Runs a method of `users/:id/usergroups`.
pub(super) fn of_user(
    state: &mut State,
    request: &Request,
    method: &str,
    id: &str,
    rest: &[&str],
) -> Outcome {
    let known = id.parse().ok().filter(|id| state.users.contains_key(id));
    let user_id: u64 = known.ok_or_else(Refusal::not_found)?;
    match (method, rest) {
        ("GET", []) => {
            let all = request.parameter("all") == Some("1");
            let status = request.parameter("status").filter(|it| !it.is_empty());
            let links = state
                .links
                .get(&user_id)
                .into_iter()
                .flatten()
                .filter(|(_, (_, own))| status.map_or(all || own != "F", |wanted| own == wanted));
            let map: Row = links
                .map(|(group, (link, status))| {
                    let link = json!({
                        "link_id": link.to_string(), "usergroup_id": group.to_string(), "status": status,
                    });
                    (group.to_string(), link)
                })
                .collect();
            // PHP writes an empty map as a list.
            let body = if map.is_empty() { json!([]) } else { Value::Object(map) };
            Ok(Reply::new(200, body))
        }
        ("PUT", [group]) => {
            let status = text(&body(request)?, "status");
            if !["A", "P", "D", "F"].contains(&status.as_str()) {
                return Err(Refusal::required("status"));
            }
            set(state, user_id, group, &status)
        }
        ("DELETE", [group]) => set(state, user_id, group, "F"),
        (_, [] | [_]) => Err(Refusal::new(405, "")),
        _ => Err(Refusal::no_object()),
    }
}

/// Puts a user into a group, or out of it with `F`. 400 when the group is unknown or of the other type.
fn set(state: &mut State, user_id: u64, group: &str, status: &str) -> Outcome {
    let id = group.parse().ok().filter(|id| state.usergroups.contains_key(id));
    let group_id: u64 = id.ok_or_else(|| Refusal::new(400, ""))?;
    let type_of = |row: Option<&Row>, name: &str| row.map(|row| text(row, name)).unwrap_or_default();
    let group_type = type_of(state.usergroups.get(&group_id), "type");
    let user_type = type_of(state.users.get(&user_id), "user_type");
    if (group_type == "A") != (user_type == "A") {
        return Err(Refusal::new(400, ""));
    }
    let fresh = state.next("link");
    let link = state.links.entry(user_id).or_default().entry(group_id).or_insert((fresh, String::from("F")));
    let changed = link.1 != status;
    status.clone_into(&mut link.1);
    if changed {
        state.report("customer.updated", user_id);
    }
    let reply = match status {
        "F" => Reply::new(204, Value::Null),
        _ => Reply::new(200, json!({ "usergroup_id": group, "status": status })),
    };
    Ok(if changed { reply.with(Effect::on("usergroup.changed", user_id.to_string())) } else { reply })
}
