//! The filters and orders of `GET /users` (`fn_get_users`).

use crate::{
    cscart::{
        paging::{like, list},
        state::{Row, State, text},
    },
    serve::request::Request,
};

/// The users that match, in order; and the order that was used.
pub(super) fn matching<'a>(
    state: &'a State,
    request: &Request,
) -> (Vec<&'a Row>, (&'static str, &'static str)) {
    let ids: Vec<u64> = list(request, "user_ids").iter().filter_map(|id| id.parse().ok()).collect();
    let wanted = |user: &&Row| matches(state, request, user);
    let mut users: Vec<&Row> = if ids.is_empty() {
        state.users.values().filter(wanted).collect()
    } else {
        ids.iter().filter_map(|id| state.users.get(id)).filter(wanted).collect()
    };
    let sort = order(request);
    let key = |user: &Row| -> (u64, String) {
        let number = |name: &str| text(user, name).parse().unwrap_or_default();
        let words = |name: &str| (0, text(user, name).to_lowercase());
        match sort.0 {
            "id" => (number("user_id"), String::new()),
            "date" => (number("timestamp"), String::new()),
            "last_login" => (number("last_login"), String::new()),
            "username" => words("user_login"),
            "email" => words("email"),
            "type" => words("user_type"),
            "status" => words("status"),
            "phone" => words("phone"),
            "company" => words("company_name"),
            _ => (0, format!("{} {}", text(user, "lastname"), text(user, "firstname")).to_lowercase()),
        }
    };
    users.sort_by_cached_key(|user| key(user));
    if sort.1 == "desc" {
        users.reverse();
    }
    (users, sort)
}

fn order(request: &Request) -> (&'static str, &'static str) {
    const KEYS: [&str; 10] =
        ["id", "username", "email", "name", "date", "type", "status", "phone", "last_login", "company"];
    let asked = request.parameter("sort_by").unwrap_or("name");
    let by = KEYS.into_iter().find(|key| *key == asked).unwrap_or("name");
    (by, if request.parameter("sort_order") == Some("desc") { "desc" } else { "asc" })
}

fn matches(state: &State, request: &Request, user: &Row) -> bool {
    let parameter = |name: &str| request.parameter(name).filter(|value| !value.is_empty());
    let exact = |name: &str| parameter(name).is_none_or(|value| text(user, name) == value);
    let alike = |name: &str| parameter(name).is_none_or(|value| like(&text(user, name), value));
    // Address filters look at both addresses.
    let either = |name: &str, column: &str| {
        parameter(name).is_none_or(|value| {
            ["b_", "s_"].into_iter().any(|of| like(&text(user, &format!("{of}{column}")), value))
        })
    };
    let id: u64 = text(user, "user_id").parse().unwrap_or_default();
    exact("user_type")
        && exact("status")
        && exact("tax_exempt")
        && exact("is_root")
        && exact("user_id")
        && alike("email")
        && alike("user_login")
        && alike("company")
        && either("address", "address")
        && either("zipcode", "zipcode")
        && either("country", "country")
        && either("state", "state")
        && either("city", "city")
        && parameter("name").is_none_or(|name| {
            name.split_whitespace()
                .all(|word| like(&text(user, "firstname"), word) || like(&text(user, "lastname"), word))
        })
        && parameter("phone").is_none_or(|phone| has_phone(user, phone))
        && in_group(state, id, parameter("usergroup_id"))
        && !list(request, "exclude_user_ids").contains(&text(user, "user_id").as_str())
        && (list(request, "company_ids").is_empty()
            || list(request, "company_ids").contains(&text(user, "company_id").as_str()))
}

/// Digits only, in any of the three numbers.
fn has_phone(user: &Row, phone: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let wanted = digits(phone);
    ["phone", "b_phone", "s_phone"].into_iter().any(|name| digits(&text(user, name)).contains(&wanted))
}

/// 0 asks for users in no group.
fn in_group(state: &State, id: u64, group: Option<&str>) -> bool {
    let Some(group) = group else { return true };
    let groups = state.links.get(&id);
    let active = |(_, (_, status)): &(&u64, &(u64, String))| status == "A";
    match group.parse::<u64>() {
        Ok(0) => !groups.into_iter().flatten().any(|link| active(&link)),
        Ok(group) => groups.into_iter().flatten().any(|link| *link.0 == group && active(&link)),
        Err(_) => false,
    }
}
