//! Taking back what has come of a recorded event, so that it can be tried as it was then.
//!
//! The ledger of the event tells what it found: a contact that it made was not there before, a field that it sent was another
//! one before, and one that it did not send was the same.

use jiff::Timestamp;
use serde_json::Value;

use super::given::{Given, GivenContact};
use super::names;
use crate::connection::Connection;
use crate::effect::{Effect, EffectState};
use crate::event::Event;
use crate::flow::{FieldMap, Seen};
use crate::link::{ItemKind, ItemLink, Link};
use crate::sync::{self, Canonical, Field, Shadow};

/// Stands for a value that is not known any more, and was not empty.
const ANOTHER: &str = "?";

/// An event, with what was done for it.
pub(super) struct Then<'a> {
    pub(super) event: &'a Event,
    /// When the state that was carried out was reached.
    pub(super) occurred_at: Timestamp,
    /// That state.
    pub(super) payload: &'a Value,
    pub(super) effects: &'a [Effect],
}

/// Makes what is there now what was there then.
pub(super) fn rewind(given: &mut Given, then: &Then<'_>, connection: &Connection) {
    let shown = shown(then, connection);
    let made: Vec<String> = names::made(then.effects).into_iter().map(|made| made.id).collect();
    for effect in then.effects.iter().filter(|effect| effect.state == EffectState::Done) {
        if effect.result["adopted"] == true {
            adopted(given, effect);
        }
    }
    given.links.retain(|link| !made.contains(&link.contact_id.to_string()));
    given.contacts.retain(|contact| !made.contains(&contact.id));
    relink(given, then, &made);
    for link in &mut given.links {
        link.state_at = link.state_at.min(then.occurred_at);
        tags_before(link, then.effects);
        if let Some(saved) = then.effects.iter().find(|effect| is_saved(effect)) {
            fields_before(&mut link.shadow, &shown, saved);
        }
    }
    items_before(given, then, &made);
}

/// The customer as the event shows him; what cannot be read shows nobody.
fn shown(then: &Then<'_>, connection: &Connection) -> Canonical {
    let seen = Seen::of_body(&then.event.kind, then.event.occurred_at, connection, then.payload);
    let mapped = FieldMap::compile(&connection.settings).customer(&seen);
    mapped.ok().flatten().unwrap_or_default().contact
}

/// The contact was there, and nobody's.
fn adopted(given: &mut Given, effect: &Effect) {
    let Some(id) = effect.result["contact_id"].as_str() else { return };
    let Some(mut contact) = given.all_contacts().into_iter().find(|contact| contact.id == id) else { return };
    let filled = fields_of(&effect.result["filled"]);
    contact.fields.retain(|name, _| field(name).is_none_or(|field| !filled.contains(&field)));
    let added: Vec<&Value> = effect
        .attempts
        .iter()
        .filter(|attempt| attempt.path.ends_with("/tags"))
        .filter_map(|attempt| attempt.request.as_ref()?["tags"].as_array())
        .flatten()
        .collect();
    if let Some(tags) = contact.fields.get_mut("tags").and_then(Value::as_array_mut) {
        tags.retain(|tag| !added.contains(&tag));
    }
    given.links.retain(|link| link.contact_id.as_str() != id);
    given.contacts.push(GivenContact { id: contact.id, fields: contact.fields });
}

/// The customer was linked then, and is not any more.
fn relink(given: &mut Given, then: &Then<'_>, made: &[String]) {
    let Ok(customer) = then.event.subject.as_str().parse() else { return };
    let adopts = then.effects.iter().any(|effect| effect.result["adopted"] == true);
    let then_linked = then.effects.iter().find_map(|effect| effect.result["contact_id"].as_str());
    let Some(id) = then_linked.filter(|id| !adopts && !made.iter().any(|made| made == id)) else { return };
    if given.links.iter().any(|link| link.customer == customer) {
        return;
    }
    given.links.push(Link {
        connection: then.event.connection.clone(),
        customer,
        contact_id: id.to_owned().into(),
        shadow: Shadow {
            cscart: [(Field::FirstName, ANOTHER.to_owned())].into_iter().collect(),
            ghl: Canonical::default(),
        },
        tags: std::collections::BTreeSet::default(),
        state_at: then.occurred_at,
    });
}

/// Whether this step has compared the customer with his contact.
fn is_saved(effect: &Effect) -> bool {
    let compared = matches!(effect.state, EffectState::Done | EffectState::Skipped);
    compared && effect.operation == "ghl.contact.update"
}

/// The tags that the bridge owned before.
fn tags_before(link: &mut Link, effects: &[Effect]) {
    let words = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
    };
    for effect in effects.iter().rev().filter(|effect| effect.state == EffectState::Done) {
        for tag in words(&effect.result["added"]) {
            link.tags.remove(&tag);
        }
        link.tags.extend(words(&effect.result["removed"]));
        if effect.operation == "ghl.contact.update" {
            let sent = effect.attempts.iter().filter(|attempt| attempt.path.ends_with("/tags"));
            for tag in
                sent.filter_map(|attempt| attempt.request.as_ref()).flat_map(|body| words(&body["tags"]))
            {
                link.tags.remove(&tag);
            }
        }
    }
}

/// The fields as both sides had them before: what was sent was another one, what was not sent was the same.
fn fields_before(shadow: &mut Shadow, shown: &Canonical, saved: &Effect) {
    let sent = fields_of(&saved.result["changed"]);
    for (field, value) in shown.iter() {
        for half in [&mut shadow.cscart, &mut shadow.ghl] {
            if !sent.contains(field) {
                half.set(field.clone(), value);
            } else if value.is_empty() {
                half.set(field.clone(), ANOTHER);
            } else {
                half.remove(field);
            }
        }
    }
}

/// The fields that a result names.
fn fields_of(names: &Value) -> Vec<Field> {
    names.as_array().into_iter().flatten().filter_map(|name| name.as_str()?.parse().ok()).collect()
}

/// A field by HighLevel's name of it.
fn field(name: &str) -> Option<Field> {
    Some(match name {
        "firstName" => Field::FirstName,
        "lastName" => Field::LastName,
        "email" => Field::Email,
        "phone" => Field::Phone,
        "companyName" => Field::Company,
        "address1" => Field::Address,
        "city" => Field::City,
        "state" => Field::State,
        "postalCode" => Field::PostalCode,
        "country" => Field::Country,
        "dateOfBirth" => Field::DateOfBirth,
        _ => return None,
    })
}

/// The tasks and notes as they were before.
fn items_before(given: &mut Given, then: &Then<'_>, made: &[String]) {
    let was_there = |item: &ItemLink| {
        let is_linked = given.links.iter().any(|link| link.contact_id == item.contact_id);
        // A note that was changed later was there before; a task does not change.
        let is_later = item.kind == ItemKind::Task && item.state_at > then.occurred_at;
        is_linked && !is_later && !made.contains(&item.remote_id)
    };
    let mut items = std::mem::take(&mut given.items);
    items.retain(was_there);
    let body = then.payload.pointer("/data/note/body").and_then(Value::as_str).map(sync::note_text);
    for effect in then.effects.iter().filter(|effect| effect.operation.starts_with("ghl.note.")) {
        let id = effect.result["note_id"].as_str();
        for item in items.iter_mut().filter(|item| item.kind == ItemKind::Note) {
            let key = then.payload.pointer("/data/note/note_id");
            let is_this = id == Some(item.remote_id.as_str())
                || key.is_some_and(|key| {
                    key.as_str().map_or_else(|| key.to_string(), str::to_owned) == item.key
                });
            if is_this {
                let was_same = effect.state == EffectState::Skipped;
                let before = body.clone().filter(|_| was_same).unwrap_or_else(|| ANOTHER.to_owned());
                item.shadow = serde_json::json!({ "body": before });
            }
        }
    }
    for item in &mut items {
        item.state_at = item.state_at.min(then.occurred_at);
    }
    given.items = items;
}
