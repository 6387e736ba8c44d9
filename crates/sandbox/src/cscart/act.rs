//! What customers and staff do in the store: the actions of `POST /_sandbox/act`.

use serde_json::{Map, Value, json};

use super::{
    fixtures::{WRITABLE, blank_user},
    orders,
    refusal::Refusal,
    state::{Event, Row, State, customer, loose, now, text},
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
    ("ping", Some(&[])),
    ("webhook.send", Some(&["type", "data", "sign", "webhook_id"])),
    ("webhook.redeliver", Some(&["webhook_id"])),
];

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
            let at = clock::iso_seconds(clock::now_ms());
            let note = row(json!({
                "note_id": note_id.to_string(),
                "user_id": id.to_string(),
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
            note.insert(String::from("updated_at"), json!(clock::iso_seconds(clock::now_ms())));
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
            let guest = guest(action);
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
        "ping" => {
            state.events.push(Event::new("ping", "ping", json!({})));
            Ok(json!({}))
        }
        other => Err(ActError::new(format!("`{other}` is not carried out here"))),
    }
}

/// A checkout without registration: user 0, known by his address.
fn guest(action: &Row) -> Row {
    let mut guest = blank_user(0);
    for name in WRITABLE {
        if let Some(value) = action.get(*name).filter(|_| *name != "status") {
            guest.insert((*name).to_owned(), json!(loose(value)));
        }
    }
    guest.insert(String::from("user_id"), json!("0"));
    guest.insert(String::from("timestamp"), json!(now()));
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
