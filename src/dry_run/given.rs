//! What a dry run starts from: what the bridge knows of the customer, and what HighLevel holds as far as that tells.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::connection::ConnectionName;
use crate::event::Event;
use crate::link::{Customer, ItemKind, ItemLink, Link};
use crate::store::{self, Store};
use crate::sync;

/// What is there before the event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    /// The customer's links.
    pub(crate) links: Vec<Link>,
    /// The links of tasks and notes on his contact.
    pub(crate) items: Vec<ItemLink>,
    /// Contacts of HighLevel's of which more is known than a link tells.
    pub(crate) contacts: Vec<GivenContact>,
}

/// A contact that HighLevel holds.
#[derive(Debug, Clone)]
pub(crate) struct GivenContact {
    /// Its id.
    pub(crate) id: String,
    /// Its fields, as HighLevel's API names them.
    pub(crate) fields: Map<String, Value>,
}

impl Given {
    /// HighLevel's contacts: those that are given, and those of the links as the bridge last saw them.
    pub(super) fn all_contacts(&self) -> Vec<GivenContact> {
        let mut all = self.contacts.clone();
        for link in &self.links {
            if all.iter().all(|contact| contact.id != link.contact_id.as_str()) {
                all.push(of_link(link));
            }
        }
        all
    }

    /// HighLevel's tasks or notes, as acts of the sandbox.
    pub(super) fn all_items(&self) -> impl Iterator<Item = Value> {
        self.items.iter().map(|item| match item.kind {
            ItemKind::Note => json!({
                "action": "note.create", "deliver": false, "contact_id": item.contact_id, "id": item.remote_id,
                "body": text(&item.shadow, "body"),
            }),
            ItemKind::Task => json!({
                "action": "task.create", "deliver": false, "contact_id": item.contact_id, "id": item.remote_id,
                "title": text(&item.shadow, "title"),
            }),
        })
    }

    /// In words, what the customer is to HighLevel.
    pub(super) fn in_words(&self) -> String {
        match self.links.first() {
            None => "the bridge has no contact for this customer".to_owned(),
            Some(link) if link.shadow.is_empty() => format!(
                "{} is linked to contact {}, of which nothing more is known: it is taken to be empty",
                link.customer, link.contact_id
            ),
            Some(link) => format!("{} is linked to contact {}", link.customer, link.contact_id),
        }
    }
}

/// What stands in a shadow; a space where there is nothing, which no comparison takes for a text.
fn text<'a>(shadow: &'a Value, name: &str) -> &'a str {
    shadow[name].as_str().filter(|text| !text.is_empty()).unwrap_or(" ")
}

fn of_link(link: &Link) -> GivenContact {
    let tags: Vec<String> = link.tags.iter().cloned().collect();
    let location = ghl::LocationId::from(String::new());
    let new = sync::new_contact(&location, &link.shadow.ghl, &tags, "CS-Cart", None);
    let mut fields = match serde_json::to_value(&new) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    fields.remove("locationId");
    GivenContact { id: link.contact_id.to_string(), fields }
}

/// What is there now, for an event that was not received.
pub(super) async fn of_told(
    store: &dyn Store,
    connection: &ConnectionName,
    event: &Value,
) -> store::Result<Given> {
    let data = event.get("data").unwrap_or(event);
    let parts = ["user", "order", "note", "cart", "review", "subscriber", "newsletter", "call_request"];
    let who = parts.iter().filter_map(|part| data.get(*part)).find(|part| part.is_object()).unwrap_or(data);
    let mut customers: Vec<Customer> =
        ["user_id", "customer"].iter().filter_map(|name| who.get(*name)).filter_map(customer).collect();
    customers.extend(guest(event));
    let contacts = ["/id", "/contactId", "/appointment/contactId", "/contact/id"];
    let contacts = contacts.iter().filter_map(|at| data.pointer(at).and_then(Value::as_str));
    known(store, connection, &customers, contacts.map(Into::into).collect()).await
}

/// What is there now, for an event that was received.
pub(super) async fn of_recorded(store: &dyn Store, event: &Event, payload: &Value) -> store::Result<Given> {
    let mut customers: Vec<Customer> = event.subject.as_str().parse().into_iter().collect();
    customers.extend(guest(payload));
    let contacts = event.subject.as_str().strip_prefix("contact:").map(Into::into).into_iter().collect();
    known(store, &event.connection, &customers, contacts).await
}

fn customer(id: &Value) -> Option<Customer> {
    match id {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The guest with the e-mail of the event: whoever registers takes over his link.
fn guest(event: &Value) -> Option<Customer> {
    let email =
        ["/data/user/email", "/data/order/email", "/data/email"].iter().find_map(|at| event.pointer(at))?;
    let email = email.as_str()?.trim().to_lowercase();
    (!email.is_empty()).then_some(Customer::Guest(email))
}

async fn known(
    store: &dyn Store,
    connection: &ConnectionName,
    customers: &[Customer],
    contacts: Vec<ghl::ContactId>,
) -> store::Result<Given> {
    let mut given = Given::default();
    let mut contacts: BTreeSet<String> = contacts.iter().map(ToString::to_string).collect();
    for customer in customers {
        contacts.extend(store.link(connection, customer).await?.map(|link| link.contact_id.to_string()));
    }
    for contact in contacts {
        let contact = ghl::ContactId::from(contact);
        given.links.extend(store.links_of_contact(connection, &contact).await?);
        for kind in [ItemKind::Task, ItemKind::Note] {
            given.items.extend(store.items_of_contact(connection, kind, &contact).await?);
        }
    }
    Ok(given)
}
