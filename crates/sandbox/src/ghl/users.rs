//! The people who work in the location (users.json).

use serde_json::{Value, json};

use super::{
    call::{Call, Outcome, Reply},
    refusal::Refusal,
};

/// `GET /users/?locationId=`.
pub(crate) fn of_location(call: &mut Call<'_>) -> Outcome {
    call.location(call.request.parameter("locationId"))?;
    call.only_parameters(&["locationId"])?;
    Ok(Reply::ok(json!({ "users": call.state.users })))
}

/// `GET /users/{userId}`: the bare user.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    let id = call.args[0];
    let user = call.state.users.iter().find(|user| user["id"] == id);
    let mut user = user.cloned().ok_or_else(|| Refusal::new(404, format!("User with id {id} not found")))?;
    // `deleted` is in `UserSchema` but not in `UserSuccessfulResponseDto`.
    if let Value::Object(user) = &mut user {
        user.remove("deleted");
    }
    Ok(Reply::ok(user))
}

/// `GET /users/search?companyId=`: filters `query`, `locationId`, `role`, `type`, `ids`; pages by `skip`, `limit`.
pub(crate) fn search(call: &mut Call<'_>) -> Outcome {
    const KNOWN: &[&str] = &[
        "companyId",
        "query",
        "skip",
        "limit",
        "locationId",
        "type",
        "role",
        "ids",
        "sort",
        "sortDirection",
        "enabled2waySync",
    ];
    call.only_parameters(KNOWN)?;
    match call.request.parameter("companyId") {
        None | Some("") => {
            let complaints = ["companyId should not be empty", "companyId must be a string"];
            return Err(Refusal::invalid(complaints.map(str::to_owned).to_vec()));
        }
        Some(company) if company == call.state.company_id => {}
        Some(_) => return Err(Refusal::other_company()),
    }
    if let Some(location) = call.request.parameter("locationId") {
        call.location(Some(location))?;
    }
    let (skip, limit) = (call.number("skip")?.unwrap_or(0), call.number("limit")?.unwrap_or(25));
    let query = call.request.parameter("query").unwrap_or_default().to_lowercase();
    let parameter = |name: &str| call.request.parameter(name).filter(|value| !value.is_empty());
    let ids: Option<Vec<&str>> = parameter("ids").map(|ids| ids.split(',').collect());
    let wanted = |user: &&Value| {
        let text = |name: &str| user[name].as_str().unwrap_or_default();
        (text("name").to_lowercase().contains(&query) || text("email").contains(&query))
            && ids.as_ref().is_none_or(|ids| ids.contains(&text("id")))
            && parameter("role").is_none_or(|role| user["roles"]["role"] == role)
            && parameter("type").is_none_or(|kind| user["roles"]["type"] == kind)
    };
    let users: Vec<&Value> = call.state.users.iter().filter(wanted).collect();
    let count = users.len();
    let page: Vec<&Value> = users.into_iter().skip(skip as usize).take(limit as usize).collect();
    Ok(Reply::ok(json!({ "users": page, "count": count })))
}
