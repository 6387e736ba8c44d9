//! The filters and orders of `GET /orders` (`fn_get_orders`).

use crate::{
    cscart::{
        paging::{like, list},
        state::{Row, State, text},
        world::CscartVersion,
    },
    serve::request::Request,
};

/// The orders that match, in order; and the order that was used. Newest first unless told otherwise.
pub(super) fn matching<'a>(
    state: &'a State,
    request: &Request,
) -> (Vec<&'a Row>, (&'static str, &'static str)) {
    let mut orders: Vec<&Row> =
        state.orders.values().filter(|order| matches(state, request, order)).collect();
    const KEYS: [&str; 6] = ["order_id", "status", "customer", "email", "date", "total"];
    let asked = request.parameter("sort_by").unwrap_or("date");
    let by = KEYS.into_iter().find(|key| *key == asked).unwrap_or("date");
    let direction = if request.parameter("sort_order") == Some("asc") { "asc" } else { "desc" };
    orders.sort_by_cached_key(|order| {
        let id: u64 = text(order, "order_id").parse().unwrap_or_default();
        let (number, words) = match by {
            "order_id" => (id, String::new()),
            "status" => (0, text(order, "status")),
            "customer" => {
                (0, format!("{} {}", text(order, "lastname"), text(order, "firstname")).to_lowercase())
            }
            "email" => (0, text(order, "email").to_lowercase()),
            "total" => ((amount(&text(order, "total")).unwrap_or_default() * 100.0) as u64, String::new()),
            _ => (text(order, "timestamp").parse().unwrap_or_default(), String::new()),
        };
        (number, words, id)
    });
    if direction == "desc" {
        orders.reverse();
    }
    (orders, (by, direction))
}

fn amount(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn matches(state: &State, request: &Request, order: &Row) -> bool {
    // 4.10 does not know these filters, and ignores what it does not know.
    let by_change = state.world.version >= CscartVersion::V4_13;
    let parameter = |name: &str| request.parameter(name).filter(|value| !value.is_empty());
    let among = |name: &str| {
        let wanted = list(request, name);
        wanted.is_empty() || wanted.contains(&text(order, name).as_str())
    };
    let alike =
        |name: &str, column: &str| parameter(name).is_none_or(|value| like(&text(order, column), value));
    let number = |name: &str| amount(&text(order, name)).unwrap_or_default();
    let from = |name: &str, column: &str| {
        parameter(name).and_then(amount).is_none_or(|bound| number(column) >= bound)
    };
    let to = |name: &str, column: &str| {
        parameter(name).and_then(amount).is_none_or(|bound| number(column) <= bound)
    };
    // time_from and time_to count only with a period, and not with `A` (all).
    let period = parameter("period").is_some_and(|period| period != "A");
    let status = text(order, "status");
    // Parent orders are never listed, incomplete ones only on request.
    status != "T"
        && (status != "N" || matches!(parameter("include_incompleted"), Some("1" | "Y" | "true")))
        && among("status")
        && among("user_id")
        && among("company_id")
        && alike("email", "email")
        && alike("phone", "phone")
        && parameter("cname").is_none_or(|name| {
            name.split_whitespace()
                .all(|word| like(&text(order, "firstname"), word) || like(&text(order, "lastname"), word))
        })
        && parameter("order_id")
            .is_none_or(|ids| ids.split(',').any(|id| id.trim() == text(order, "order_id")))
        && from("total_from", "total")
        && to("total_to", "total")
        && (!by_change || (from("updated_at_from", "updated_at") && to("updated_at_to", "updated_at")))
        && (!period || (from("time_from", "timestamp") && to("time_to", "timestamp")))
}
