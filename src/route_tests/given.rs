//! What a test starts from.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::file::Test;
use crate::connection::Connection;
use crate::dry_run::{Given, GivenContact};
use crate::flow::{FieldMap, Seen};
use crate::link::{Customer, ItemKind, ItemLink, Link};
use crate::sync::{self, Canonical, Shadow};

/// The id of the contact that is given.
pub(super) const CONTACT: &str = "contactOfTheTest0000";

/// A customer in the words of the store: registered, or a guest by his e-mail.
pub(super) fn customer(user: &Map<String, Value>) -> Option<Customer> {
    let text = |name: &str| match user.get(name) {
        Some(Value::String(text)) => Some(text.trim().to_owned()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let id = text("user_id").filter(|id| id != "0").and_then(|id| id.parse().ok());
    id.or_else(|| text("email").map(|email| Customer::Guest(email.to_lowercase())))
}

/// What the bridge knows and HighLevel holds.
pub(super) fn given(test: &Test, connection: &Connection) -> Given {
    let mut given = Given::default();
    if let Some(contact) = &test.given.contact {
        let mut fields = contact.clone();
        if !test.given.tags.is_empty() {
            fields.insert("tags".to_owned(), json!(test.given.tags));
        }
        given.contacts.push(GivenContact { id: CONTACT.to_owned(), fields });
    }
    let linked = test.given.customer.as_ref().and_then(|user| Some((customer(user)?, user)));
    let Some((customer, user)) = linked else { return given };
    let body = json!({ "data": { "user": user } });
    let seen = Seen::of_body("customer.updated", Timestamp::UNIX_EPOCH, connection, &body);
    let known = FieldMap::compile(&connection.settings).customer(&seen);
    let known = known.ok().flatten().unwrap_or_default().contact;
    given.items.extend(items(test, connection, &customer));
    given.links.push(Link {
        connection: connection.name.clone(),
        customer,
        contact_id: CONTACT.to_owned().into(),
        shadow: Shadow { ghl: theirs(test, &known), cscart: known },
        tags: test.given.tags.iter().filter_map(|tag| sync::clean_tag(tag)).collect::<BTreeSet<_>>(),
        state_at: Timestamp::UNIX_EPOCH,
    });
    given
}

/// The contact as the bridge last saw it in HighLevel.
fn theirs(test: &Test, known: &Canonical) -> Canonical {
    let Some(contact) = &test.given.contact else { return known.clone() };
    let mut contact = contact.clone();
    contact.insert("id".to_owned(), json!(CONTACT));
    let shown = ghl::Contact::deserialize(&Value::Object(contact)).map(|contact| sync::from_ghl(&contact));
    // Custom fields are shown by ids, so what was sent is what is known of them.
    let mut theirs = known.custom_fields();
    theirs.extend(&shown.unwrap_or_default());
    theirs
}

fn items(test: &Test, connection: &Connection, customer: &Customer) -> Vec<ItemLink> {
    let item = |kind: ItemKind, key: String, number: usize, shadow: Value| ItemLink {
        connection: connection.name.clone(),
        kind,
        key,
        contact_id: CONTACT.to_owned().into(),
        remote_id: format!("{}OfTheTest{number:07}", kind.as_str()),
        shadow,
        state_at: Timestamp::UNIX_EPOCH,
    };
    let notes = test.given.notes.iter().enumerate().map(|(number, note)| {
        let shadow = json!({ "body": sync::note_text(&note.body) });
        item(ItemKind::Note, note.note_id.clone(), number, shadow)
    });
    let tasks = test.given.tasks.iter().enumerate().map(|(number, step)| {
        item(ItemKind::Task, format!("{customer}/{step}"), number, json!({ "title": step }))
    });
    notes.chain(tasks).collect()
}

/// The ids of notes and tasks that are given, with what they are.
pub(super) fn item_names(test: &Test) -> impl Iterator<Item = (String, &'static str)> {
    let notes = (0..test.given.notes.len()).map(|number| (format!("noteOfTheTest{number:07}"), "{note}"));
    let tasks = (0..test.given.tasks.len()).map(|number| (format!("taskOfTheTest{number:07}"), "{task}"));
    notes.chain(tasks)
}

/// The customers that the store has.
pub(super) fn store(test: &Test) -> Vec<(u64, Value)> {
    let users = test.given.store.iter().filter_map(|user| {
        let Some(Customer::User(id)) = customer(user) else { return None };
        let mut columns = user.clone();
        columns.remove("user_id");
        Some((id, Value::Object(columns)))
    });
    users.collect()
}
