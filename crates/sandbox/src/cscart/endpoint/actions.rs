//! The actions. What they write is not told back as an event; only a usergroup makes a `customer.updated`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Problem;
use crate::{
    clock,
    cscart::state::{State, loose, text},
};

const ACTIONS: &str = "`action` is one of ping, customer.get, customers.changed, note.put, note.delete, notes.list, tags.change, \
                       usergroups.change";
const LONGEST_NOTE: usize = 60_000;
const LONGEST_TAG: usize = 100;

pub(super) fn act(state: &mut State, call: &Map<String, Value>) -> Result<Value, Problem> {
    match call.get("action").and_then(Value::as_str) {
        Some("ping") => Ok(json!({ "store": state.describe(), "time": state.world.now_ms() / 1000 })),
        Some("customer.get") => {
            let id = customer(state, call)?;
            Ok(state.customer_data(id))
        }
        Some("customers.changed") => changed(state, call),
        Some("notes.list") => {
            let id = user_id(call)?;
            let notes = state.notes.values().rev().filter(|note| text(note, "user_id") == id.to_string());
            let notes: Vec<Value> = notes.take(500).map(|note| json!(note)).collect();
            Ok(json!({ "notes": notes }))
        }
        Some("note.put") => put_note(state, call),
        Some("note.delete") => {
            let id = match whole(call, "note_id", 0)? {
                0 => note_with(state, &string(call, "external_id")?),
                id => id,
            };
            state.notes.remove(&id);
            Ok(json!({ "deleted": true }))
        }
        Some("tags.change") => change_tags(state, call),
        Some("usergroups.change") => change_usergroups(state, call),
        _ => Err(Problem::new(400, ACTIONS)),
    }
}

fn changed(state: &State, call: &Map<String, Value>) -> Result<Value, Problem> {
    let since = whole(call, "since", 0)?;
    let limit = whole(call, "limit", 100)?.clamp(1, 100) as usize;
    let rows: Vec<_> = state.changes.range(since + 1..).take(limit).collect();
    let items = rows.iter().map(|(_, (user_id, at_ms))| {
        let is_customer = state.users.get(user_id).is_some_and(|user| text(user, "user_type") == "C");
        let user = is_customer.then(|| state.customer_data(*user_id)["user"].clone());
        json!({
            "user_id": user_id, "deleted": user.is_none(), "changed_at": clock::iso_seconds(*at_ms), "user": user,
        })
    });
    let next = rows.last().map_or(since, |(number, _)| **number);
    Ok(json!({ "items": items.collect::<Vec<_>>(), "next": next, "more": rows.len() == limit }))
}

fn put_note(state: &mut State, call: &Map<String, Value>) -> Result<Value, Problem> {
    let external_id = string(call, "external_id")?;
    let note_id = match whole(call, "note_id", 0)? {
        0 => note_with(state, &external_id),
        id => id,
    };
    let created_at = match string(call, "created_at")?.as_str() {
        "" => state.world.now_ms(),
        at => at
            .parse::<Timestamp>()
            .map_err(|_| Problem::new(400, "`created_at` is a time such as 2026-11-24T12:00:00Z"))?
            .as_millisecond(),
    };
    let (user_id, body) = (user_id(call)?, string(call, "body")?.trim().to_owned());
    if body.is_empty() || body.len() > LONGEST_NOTE {
        return Err(Problem::new(
            400,
            format!("a note has 1 to {LONGEST_NOTE} bytes; this one has {}", body.len()),
        ));
    }
    if external_id.len() > 128 || !external_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Problem::new(400, "`external_id` has at most 128 characters, and no white space"));
    }
    is_customer(state, user_id)?;
    let now = clock::iso_seconds(state.world.now_ms());
    let mut note = match (note_id, state.notes.get(&note_id)) {
        (0, _) => json!({ "created_at": clock::iso_seconds(created_at), "external_id": external_id }),
        (_, Some(note)) if text(note, "user_id") == user_id.to_string() => json!(note),
        _ => return Err(Problem::new(404, format!("the customer {user_id} has no note {note_id}"))),
    };
    let id = if note_id == 0 { state.next("note") } else { note_id };
    for (name, value) in [
        ("note_id", json!(id)),
        ("user_id", json!(user_id)),
        ("body", json!(body)),
        ("author", json!(string(call, "author")?)),
        ("updated_at", json!(now)),
    ] {
        note[name] = value;
    }
    if !external_id.is_empty() {
        note["external_id"] = json!(external_id);
    }
    state.notes.insert(id, note.as_object().cloned().unwrap_or_default());
    Ok(json!({ "note_id": id }))
}

fn note_with(state: &State, external_id: &str) -> u64 {
    let found = state.notes.iter().find(|(_, note)| text(note, "external_id") == external_id);
    found.filter(|_| !external_id.is_empty()).map_or(0, |(id, _)| *id)
}

fn change_tags(state: &mut State, call: &Map<String, Value>) -> Result<Value, Problem> {
    let (add, remove) = (list(call, "add")?, list(call, "remove")?);
    let (add, remove): (Vec<String>, Vec<String>) = (
        add.iter().map(clean_tag).collect::<Result<_, _>>()?,
        remove.iter().map(clean_tag).collect::<Result<_, _>>()?,
    );
    let id = customer(state, call)?;
    let tags = state.tags.entry(id).or_default();
    tags.retain(|tag| !remove.contains(tag));
    for tag in add {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags.sort();
    Ok(json!({ "tags": tags }))
}

fn clean_tag(tag: &Value) -> Result<String, Problem> {
    let text = tag.as_str().ok_or_else(|| Problem::new(400, "a tag is a text"))?;
    let tag = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if tag.is_empty() || tag.len() > LONGEST_TAG || tag.contains(',') {
        return Err(Problem::new(
            400,
            format!("a tag has 1 to {LONGEST_TAG} bytes and no comma; this one is \"{tag}\""),
        ));
    }
    Ok(tag)
}

fn change_usergroups(state: &mut State, call: &Map<String, Value>) -> Result<Value, Problem> {
    let id = customer(state, call)?;
    let mut changed = false;
    for (name, status) in [("add", "A"), ("remove", "F")] {
        for group in list(call, name)? {
            let number: u64 = loose(&group).parse().unwrap_or_default();
            let is_of_customers = state.usergroups.get(&number).is_some_and(|row| text(row, "type") == "C");
            if number < 3 || !is_of_customers {
                let detail = format!("`{name}`: no usergroup of customers has the id {}", loose(&group));
                return Err(Problem::new(404, detail));
            }
            let fresh = state.next("link");
            let link = state.links.entry(id).or_default().entry(number).or_insert((fresh, String::from("F")));
            changed |= link.1 != status;
            status.clone_into(&mut link.1);
        }
    }
    if changed {
        state.report("customer.updated", id);
    }
    Ok(json!({ "usergroups": state.customer_data(id)["usergroups"] }))
}

/// The customer that a call is about.
fn customer(state: &State, call: &Map<String, Value>) -> Result<u64, Problem> {
    let id = user_id(call)?;
    is_customer(state, id).map(|()| id)
}

fn is_customer(state: &State, id: u64) -> Result<(), Problem> {
    match state.users.get(&id) {
        Some(user) if text(user, "user_type") == "C" => Ok(()),
        _ => Err(Problem::new(404, format!("no customer has the id {id}"))),
    }
}

fn user_id(call: &Map<String, Value>) -> Result<u64, Problem> {
    match whole(call, "user_id", 0)? {
        0 => Err(Problem::new(400, "`user_id` is missing: the id of a registered customer")),
        id => Ok(id),
    }
}

fn whole(call: &Map<String, Value>, name: &str, default: u64) -> Result<u64, Problem> {
    match call.get(name) {
        None | Some(Value::Null) => Ok(default),
        Some(Value::Number(number)) if number.is_u64() => Ok(number.as_u64().unwrap_or_default()),
        Some(Value::String(text))
            if (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Ok(text.parse().unwrap_or_default())
        }
        Some(_) => Err(Problem::new(400, format!("`{name}` is a whole number"))),
    }
}

fn string(call: &Map<String, Value>, name: &str) -> Result<String, Problem> {
    match call.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Problem::new(400, format!("`{name}` is a text"))),
    }
}

fn list(call: &Map<String, Value>, name: &str) -> Result<Vec<Value>, Problem> {
    match call.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= 100 => Ok(list.clone()),
        Some(_) => Err(Problem::new(400, format!("`{name}` is a list of at most 100"))),
    }
}
