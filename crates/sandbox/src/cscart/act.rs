//! What customers and staff do in the store: the actions of `POST /_sandbox/act`.

use serde_json::{Map, Value, json};

use super::{
    fixtures::{WRITABLE, blank_user},
    orders,
    refusal::Refusal,
    state::{Event, Row, State, customer, loose, text},
    users,
};
use crate::{
    clock,
    control::{
        problem::{ActError, only_known},
        settings::{Fields, needed},
    },
};

/// Every action and the keys that it takes beside `action` and `deliver`; None: any column of an order.
const ACTIONS: &[(&str, Option<&[&str]>)] = &[
    ("customer.register", Some(&["user", "id"])),
    ("customers.seed", Some(&["users"])),
    ("customer.update", Some(&["user_id", "user"])),
    ("customer.delete", Some(&["user_id"])),
    ("customer.view", Some(&["user_id"])),
    ("customer.tags", Some(&["user_id", "tags"])),
    ("note.add", Some(&["user_id", "body", "author"])),
    ("note.update", Some(&["note_id", "body"])),
    ("note.delete", Some(&["note_id"])),
    ("order.place", None),
    ("guest.checkout", None),
    ("order.status", Some(&["order_id", "status"])),
    ("cart.fill", Some(&["user_id", "products"])),
    ("call.request", Some(&["name", "phone", "user_id", "notes"])),
    ("review.write", Some(&["name", "message", "rating_value", "user_id", "product_id"])),
    ("ping", Some(&[])),
    ("webhook.send", Some(&["type", "data", "sign", "webhook_id"])),
    ("webhook.redeliver", Some(&["webhook_id"])),
];

/// What only the add-on lets people do.
const OF_THE_ADDON: &[&str] = &["customer.tags", "note.add", "note.update", "note.delete", "ping"];

/// What an order may be placed with, beside the customer's columns.
const ORDER: &[&str] =
    &["user_id", "products", "status", "total", "currency", "notes", "details", "timestamp"];

/// Names the action and refuses unknown ones and unknown keys.
pub(super) fn name(action: &Map<String, Value>) -> Result<&str, ActError> {
    let fields = Fields(action);
    let name = fields.needed_text("action")?;
    let known: Vec<&str> = ACTIONS.iter().map(|(known, _)| *known).collect();
    let Some((_, keys)) = ACTIONS.iter().find(|(known, _)| *known == name) else {
        return Err(ActError::unknown("action", name, &known));
    };
    let order_keys = [ORDER, WRITABLE].concat();
    let keys = keys.unwrap_or(&order_keys);
    only_known(&format!("key of {name}"), action, &[keys, &["action", "deliver"]].concat())?;
    fields.bool("deliver")?;
    Ok(name)
}

/// Carries out an action; what the add-on reports of it is in the state afterwards.
pub(super) fn perform(state: &mut State, name: &str, action: &Map<String, Value>) -> Result<Value, ActError> {
    let fields = Fields(action);
    if !state.world.addon && OF_THE_ADDON.contains(&name) {
        return Err(ActError::new(format!("`{name}` needs the add-on, and the setting `addon` is false")));
    }
    match name {
        "customer.register" => {
            let user = user_columns(&fields)?;
            if text(user, "email").is_empty() {
                return Err(ActError::new("`user.email` is missing"));
            }
            let id = users::create_as(state, fields.number("id")?, user).map_err(refused)?;
            state.report("customer.created", id);
            Ok(shown(state, id))
        }
        // Into the database past CS-Cart's functions, as some imports do: nobody is told, and the address may be missing.
        "customers.seed" => {
            let users = action.get("users").and_then(Value::as_array);
            let users = users.ok_or_else(|| ActError::new("`users` is missing: a list of users"))?;
            let mut ids = Vec::with_capacity(users.len());
            for user in users {
                let user = user.as_object().ok_or_else(|| ActError::new("`users`: each is an object"))?;
                only_known("column of `users`", user, &[WRITABLE, &["fields"]].concat())?;
                ids.push(users::seed(state, user));
            }
            Ok(json!({ "user_ids": ids }))
        }
        "customer.update" => {
            let id = user_id(state, &fields)?;
            users::update(state, id, user_columns(&fields)?).map_err(refused)?;
            state.report("customer.updated", id);
            Ok(shown(state, id))
        }
        "customer.delete" => {
            let id = user_id(state, &fields)?;
            let user = users::remove(state, id).map_err(refused)?;
            Ok(json!({ "user_id": id, "user": user }))
        }
        "customer.view" => {
            let id = user_id(state, &fields)?;
            state.report("customer.viewed", id);
            Ok(shown(state, id))
        }
        "customer.tags" => {
            let id = user_id(state, &fields)?;
            let tags = needed("tags", fields.texts("tags")?)?;
            state.tags.insert(id, tags.clone());
            let data = json!({ "user_id": id.to_string(), "tags": tags });
            state.events.push(Event::new("customer.tags_changed", format!("customer:{id}"), data));
            Ok(json!({ "user_id": id, "tags": tags }))
        }
        "note.add" => {
            let id = user_id(state, &fields)?;
            let body = fields.needed_text("body")?;
            let note_id = state.next("note");
            let at = clock::iso_seconds(state.world.now_ms());
            let note = row(json!({
                "note_id": note_id.to_string(),
                "user_id": id.to_string(),
                "external_id": "",
                "body": body,
                "author": fields.text("author")?.unwrap_or("Rosan Deo"),
                "created_at": at,
                "updated_at": at,
            }));
            state.notes.insert(note_id, note.clone());
            Ok(note_told(state, "note.created", note_id, &note))
        }
        "note.update" => {
            let id = note_id(state, &fields)?;
            let body = fields.needed_text("body")?;
            let mut note = state.notes.get(&id).cloned().unwrap_or_default();
            note.insert(String::from("body"), json!(body));
            note.insert(String::from("updated_at"), json!(clock::iso_seconds(state.world.now_ms())));
            state.notes.insert(id, note.clone());
            Ok(note_told(state, "note.updated", id, &note))
        }
        "note.delete" => {
            let id = note_id(state, &fields)?;
            let note = state.notes.remove(&id).unwrap_or_default();
            Ok(note_told(state, "note.deleted", id, &note))
        }
        "order.place" => {
            let id = match action.get("user_id") {
                None => 0,
                Some(value) if loose(value) == "0" => 0,
                Some(_) => user_id(state, &fields)?,
            };
            let customer = state.users.get(&id).cloned().unwrap_or_default();
            if id == 0 && text(action, "email").is_empty() {
                return Err(ActError::new("`user_id` or `email` is missing"));
            }
            Ok(placed(&orders::place(state, id, &customer, action)))
        }
        "guest.checkout" => {
            fields.needed_text("email")?;
            let guest = guest(action, &state.world.now());
            let told = customer(guest.clone(), json!([]), json!([]), true);
            let subject = format!("guest:{}", text(&guest, "email").trim().to_lowercase());
            state.events.push(Event::new("customer.created", subject, told));
            let mut made = placed(&orders::place(state, 0, &guest, action));
            made["user"] = json!(guest);
            Ok(made)
        }
        "order.status" => {
            let id: u64 =
                action.get("order_id").map(loose).and_then(|id| id.parse().ok()).unwrap_or_default();
            if !state.orders.contains_key(&id) {
                return Err(ActError::new(format!("`order_id`: no order has the id `{id}`")));
            }
            let status = fields.needed_text("status")?;
            let known: Vec<String> = state.statuses.iter().map(|it| text(it, "status")).collect();
            if !known.iter().any(|it| it == status) {
                return Err(ActError::new(format!("`status` is {status}. Allowed: {}", known.join(", "))));
            }
            orders::change_status(state, id, status);
            Ok(placed(&state.orders.get(&id).cloned().unwrap_or_default()))
        }
        "cart.fill" => {
            let id = user_id(state, &fields)?;
            let user = state.users.get(&id).cloned().unwrap_or_default();
            let products = action.get("products").cloned().unwrap_or_else(|| json!([]));
            let count = products.as_array().map_or(0, Vec::len);
            let cart = row(json!({
                "user_id": id.to_string(), "firstname": text(&user, "firstname"), "lastname": text(&user, "lastname"),
                "email": text(&user, "email"), "date": state.world.now(), "cart_products": count.to_string(),
                "order_id": "0", "company_id": "1", "user_data": user, "products": products,
            }));
            state.tables.entry("carts").or_default().insert(id, cart.clone());
            Ok(json!({ "cart": cart }))
        }
        "call.request" => {
            let id = state.next("call_request");
            let request = row(json!({
                "request_id": id.to_string(), "company_id": "1", "order_id": "0", "product_id": "0", "status": "new",
                "user_id": action.get("user_id").map(loose).unwrap_or_default(), "timestamp": state.world.now(),
                "name": fields.text("name")?.unwrap_or_default(), "phone": fields.needed_text("phone")?,
                "time_from": "", "time_to": "", "notes": fields.text("notes")?.unwrap_or_default(),
            }));
            state.tables.entry("call_requests").or_default().insert(id, request.clone());
            let told = json!({ "call_request": request });
            state.events.push(Event::new("call_request.created", format!("call_request:{id}"), told));
            Ok(json!({ "request_id": id, "call_request": request }))
        }
        "review.write" => {
            let id = state.next("post");
            let review = row(json!({
                "post_id": id.to_string(), "thread_id": "1", "object_type": "P", "status": "A", "type": "B",
                "object_id": action.get("product_id").map(loose).unwrap_or_default(),
                "user_id": action.get("user_id").map(loose).unwrap_or_default(), "timestamp": state.world.now(),
                "name": fields.text("name")?.unwrap_or_default(), "message": fields.needed_text("message")?,
                "rating_value": action.get("rating_value").map(loose).unwrap_or_default(),
            }));
            state.tables.entry("discussions").or_default().insert(id, review.clone());
            let told = json!({ "review": review });
            state.events.push(Event::new("review.created", format!("review:{id}"), told));
            Ok(json!({ "post_id": id, "review": review }))
        }
        "ping" => {
            state.events.push(Event::new("ping", "ping", json!({})));
            Ok(json!({}))
        }
        other => Err(ActError::new(format!("`{other}` is not carried out here"))),
    }
}

/// A checkout without registration: user 0, known by his address.
fn guest(action: &Row, at: &str) -> Row {
    let mut guest = blank_user(0, at);
    for name in WRITABLE {
        if let Some(value) = action.get(*name).filter(|_| *name != "status") {
            guest.insert((*name).to_owned(), json!(loose(value)));
        }
    }
    guest.insert(String::from("user_id"), json!("0"));
    guest.insert(String::from("timestamp"), json!(at));
    guest
}

fn note_told(state: &mut State, kind: &str, id: u64, note: &Row) -> Value {
    let subject = format!("customer:{}", text(note, "user_id"));
    state.events.push(Event::new(kind, subject, json!({ "note": note })));
    json!({ "note_id": id, "note": note })
}

fn placed(order: &Row) -> Value {
    json!({ "order_id": text(order, "order_id").parse::<u64>().unwrap_or_default(), "order": order })
}

fn shown(state: &State, id: u64) -> Value {
    json!({ "user_id": id, "user": state.users.get(&id) })
}

/// The columns of `user`; unknown ones are refused here, the API ignores them.
fn user_columns<'a>(fields: &Fields<'a>) -> Result<&'a Row, ActError> {
    let user = needed("user", fields.object("user")?)?;
    only_known("column of `user`", user, &[WRITABLE, &["fields"]].concat())?;
    Ok(user)
}

fn user_id(state: &State, fields: &Fields<'_>) -> Result<u64, ActError> {
    let id = fields.0.get("user_id").map(loose).unwrap_or_default();
    let known = id.parse().ok().filter(|id| state.users.contains_key(id));
    known.ok_or_else(|| ActError::new(format!("`user_id`: no user has the id `{id}`")))
}

fn note_id(state: &State, fields: &Fields<'_>) -> Result<u64, ActError> {
    let id = fields.0.get("note_id").map(loose).unwrap_or_default();
    let known = id.parse().ok().filter(|id| state.notes.contains_key(id));
    known.ok_or_else(|| ActError::new(format!("`note_id`: no note has the id `{id}`")))
}

fn row(value: Value) -> Row {
    match value {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}

fn refused(refusal: Refusal) -> ActError {
    ActError::new(format!("refused: {}", String::from_utf8_lossy(&refusal.answer().body)))
}
