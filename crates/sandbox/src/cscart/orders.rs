//! The entity `orders` (CS-Cart 4.20, `app/Tygh/Api/Entities/Orders.php`, `fn_get_orders`). The sandbox places orders
//! by acts; over the API they are read, listed, and change their status.

mod filter;
mod place;

use serde_json::{Value, json};

pub(super) use self::place::{data, place, total};
use super::{
    paging::envelope,
    refusal::Refusal,
    router::{Outcome, Reply, body},
    state::{Event, Row, State, loose, text},
    world::CscartVersion,
};
use crate::{control::journal::Effect, serve::request::Request};

/// The columns of the list: `updated_at`, products, addresses and notes are not among them.
const SHORT: &[&str] = &[
    "order_id",
    "issuer_id",
    "user_id",
    "is_parent_order",
    "parent_order_id",
    "company_id",
    "company",
    "timestamp",
    "firstname",
    "lastname",
    "email",
    "phone",
    "status",
    "total",
];

/// The only keys that leave the order as it is but for its status (`isStatusUpdateRequest`).
const STATUS_KEYS: &[&str] = &["status", "notify_user", "notify_department", "notify_vendor"];

/// Runs a method of the entity.
pub(super) fn run(state: &mut State, request: &Request, method: &str, rest: &[&str]) -> Outcome {
    match (method, rest) {
        ("GET", []) => {
            let whole = request.parameter("get_orders_data") == Some("1")
                && state.world.version >= CscartVersion::V4_13;
            let (orders, sort) = filter::matching(state, request);
            let show = if whole { Row::clone } else { short };
            Ok(Reply::new(200, envelope(request, "orders", &orders, show, sort)))
        }
        ("GET", [id]) => {
            let order = number(id).and_then(|id| state.orders.get(&id));
            order.map(|order| Reply::new(200, json!(order))).ok_or_else(Refusal::not_found)
        }
        ("PUT", [id]) => put(state, request, id),
        ("DELETE", [id]) => {
            let order_id =
                number(id).filter(|id| state.orders.contains_key(id)).ok_or_else(Refusal::not_found)?;
            state.orders.remove(&order_id);
            Ok(Reply::new(204, Value::Null).with(Effect::on("order.deleted", *id)))
        }
        (_, [] | [_]) => Err(Refusal::new(405, "")),
        _ => Err(Refusal::no_object()),
    }
}

fn number(id: &str) -> Option<u64> {
    id.parse().ok()
}

fn short(order: &Row) -> Row {
    SHORT.iter().map(|name| ((*name).to_owned(), order.get(*name).cloned().unwrap_or_default())).collect()
}

/// `PUT /orders/:id`: with status keys only, the status; with any other key the whole order is calculated and
/// written anew, which resets hand-made prices.
fn put(state: &mut State, request: &Request, id: &str) -> Outcome {
    let body = body(request)?;
    let order_id = number(id).filter(|id| state.orders.contains_key(id)).ok_or_else(Refusal::not_found)?;
    let only_status = body.keys().all(|key| STATUS_KEYS.contains(&key.as_str()));
    let mut effect = None;
    if body.contains_key("status") {
        let status = text(&body, "status");
        if !state.statuses.iter().any(|known| text(known, "status") == status) {
            return Err(Refusal::new(400, "status"));
        }
        if change_status(state, order_id, &status) {
            effect = Some(Effect::on("order.status_changed", id));
        }
    }
    if !only_status {
        rewrite(state, order_id, &body);
        effect = Some(Effect::on("order.rewritten", id));
    }
    let reply = Reply::new(200, json!({ "order_id": id }));
    Ok(Reply { effect, ..reply })
}

/// Sets an order's status and tells of it; false when it has it already.
pub(super) fn change_status(state: &mut State, id: u64, status: &str) -> bool {
    let at = state.world.now();
    let Some(order) = state.orders.get_mut(&id) else { return false };
    let previous = text(order, "status");
    if previous == status {
        return false;
    }
    order.insert(String::from("status"), json!(status));
    order.insert(String::from("updated_at"), json!(at));
    let (subject, mut told) = (subject(order), data(order));
    told["order"]["previous_status"] = json!(previous);
    state.events.push(Event::new("order.status_changed", subject, told));
    true
}

fn rewrite(state: &mut State, id: u64, body: &Row) {
    let at = state.world.now();
    let Some(order) = state.orders.get_mut(&id) else { return };
    for (name, value) in body {
        if order.contains_key(name) && !["order_id", "products", "status"].contains(&name.as_str()) {
            order.insert(name.clone(), json!(loose(value)));
        }
    }
    let sum = total(order);
    order.insert(String::from("total"), json!(sum));
    order.insert(String::from("updated_at"), json!(at));
    let (subject, told) = (subject(order), data(order));
    state.events.push(Event::new("order.updated", subject, told));
}

/// Whose events an order's stand among: the customer's, or the guest's with this address.
pub(super) fn subject(order: &Row) -> String {
    match text(order, "user_id").as_str() {
        "0" | "" => format!("guest:{}", text(order, "email").trim().to_lowercase()),
        id => format!("customer:{id}"),
    }
}
