//! Whom an event is about: the customer or the contact, how it shows him, and his link.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Engine;
use super::alone::Alone;
use super::reconcile::{self, lost};
use super::store_calls::fetch_user;
use super::verdict::Verdict;
use crate::event::{Event, Source};
use crate::flow::{Continued, RouteSet, Seen};
use crate::link::{Customer, Link};
use crate::reason::Code;
use crate::registry::Live;
use crate::sync::{self, Canonical};

/// Whom an event is about, and what is known of him.
pub(super) struct Whom<'a> {
    /// The event's body; of a resync with what the store has answered.
    pub(super) payload: Value,
    /// The customer as the event shows him.
    pub(super) mapped: sync::Mapped,
    pub(super) customer: Option<Customer>,
    /// When he registered, as far as the event or the store tells it.
    pub(super) registered_at: Option<Timestamp>,
    /// When the note or the order was made that the event is about, as far as the store tells it.
    pub(super) made_at: Option<Timestamp>,
    /// The contact that an event of HighLevel's is about, where no customer is linked with it.
    pub(super) told_contact: Option<ghl::ContactId>,
    pub(super) link: Option<Link>,
    /// The guest whom this customer was before he registered.
    pub(super) guest: Option<Customer>,
    /// Nobody else writes his link meanwhile: a contact's lane is not that of the customer who is linked with it.
    pub(super) turn: Option<Alone<'a>>,
}

/// Finds out whom an event is about. `continued`: what it goes on with, if it has waited.
pub(super) async fn know<'a>(
    engine: &'a Engine,
    live: &Live,
    event: &Event,
    payload: Value,
    continued: Option<&Continued>,
    routes: &RouteSet,
) -> Result<Whom<'a>, Verdict> {
    let told_contact = told_contact(event);
    let is_theirs = is_highlevels(event, continued);
    let (payload, mut mapped, customer) = if is_theirs {
        // What HighLevel calls a user or an order is not what the store does.
        let asked = continued.is_some() || routes.asks_for(&event.trigger());
        let customer = match &told_contact {
            Some(contact) if asked => linked_with(engine, live, contact).await?,
            _ => None,
        };
        (payload, sync::Mapped::default(), customer)
    } else {
        who(engine, live, event, payload).await?
    };
    let told_contact = told_contact.filter(|_| customer.is_none());
    let turn = customer.as_ref().map(|customer| turn(engine, live, customer)).transpose()?;
    let (link, guest) = find_link(engine, live, customer.as_ref(), &mapped.contact).await?;
    // Many events only name the customer (a cart, a review, a schedule): the link knows more of him.
    let shows_nobody = mapped.contact.is_empty();
    match (&link, &customer) {
        (Some(link), _) if shows_nobody => mapped.contact = link.shadow.cscart.clone(),
        (None, Some(Customer::Guest(email))) if shows_nobody && names_by_address(&payload) => {
            mapped.contact.set(sync::Field::Email, email.clone());
        }
        _ => {}
    }
    let registered_at = lost::registered_at(&payload).filter(|_| !is_theirs);
    let made_at = lost::made_at(&payload).filter(|_| !is_theirs);
    Ok(Whom { payload, mapped, customer, registered_at, made_at, told_contact, link, guest, turn })
}

/// Whom the event is about, and how it shows him. A resync asks the store.
async fn who(
    engine: &Engine,
    live: &Live,
    event: &Event,
    mut payload: Value,
) -> Result<(Value, sync::Mapped, Option<Customer>), Verdict> {
    let subject: Option<Customer> = event.subject.as_str().parse().ok();
    if event.is_resync() {
        match &subject {
            Some(Customer::User(id)) => {
                let user = fetch_user(engine, live, *id).await?;
                payload["data"] = json!({ "user": user });
            }
            Some(Customer::Guest(_)) => {
                return Err(Verdict::dead(
                    Code::GuestResync,
                    "a guest has no account in the store to compare with: only registered customers can be resynced",
                ));
            }
            None => {}
        }
    }
    let mapped = shown(live, event, &payload)?;
    Ok((payload, mapped, subject))
}

/// Whether HighLevel has told of it, maybe some time ago.
fn is_highlevels(event: &Event, continued: Option<&Continued>) -> bool {
    event.source == Source::Ghl || continued.is_some_and(|then| then.trigger.starts_with("ghl."))
}

/// The contact that an event of HighLevel's is filed under.
fn told_contact(event: &Event) -> Option<ghl::ContactId> {
    event.subject.as_str().strip_prefix("contact:").map(Into::into)
}

/// The customer who is linked with a contact. While a guest turns into a registered customer it is the latter.
async fn linked_with(
    engine: &Engine,
    live: &Live,
    contact: &ghl::ContactId,
) -> Result<Option<Customer>, Verdict> {
    let links = engine.store.links_of_contact(&live.connection.name, contact).await?;
    let mut customers: Vec<Customer> = links.into_iter().map(|link| link.customer).collect();
    customers.sort_by_key(|customer| matches!(customer, Customer::Guest(_)));
    Ok(customers.into_iter().next())
}

/// The turn of an event at its customer; none while an event of another lane has it.
fn turn<'a>(engine: &'a Engine, live: &Live, customer: &Customer) -> Result<Alone<'a>, Verdict> {
    reconcile::enter(engine, format!("{}/{customer}", live.connection.name))
}

/// The customer as a body of an event shows him.
pub(super) fn shown(live: &Live, event: &Event, body: &Value) -> Result<sync::Mapped, Verdict> {
    let seen = Seen::of_body(&event.kind, event.occurred_at, &live.connection, body);
    let mapped = live.fields.customer(&seen).map_err(|error| {
        Verdict::dead(Code::WrongShape, format!("{error}. Update the store's add-on, then replay"))
    })?;
    Ok(mapped.unwrap_or_default())
}

/// The customer's link. One who has registered takes over the link of the guest with his e-mail.
async fn find_link(
    engine: &Engine,
    live: &Live,
    customer: Option<&Customer>,
    contact: &Canonical,
) -> Result<(Option<Link>, Option<Customer>), Verdict> {
    let name = &live.connection.name;
    let Some(customer) = customer else { return Ok((None, None)) };
    if let Some(link) = engine.store.link(name, customer).await? {
        return Ok((Some(link), None));
    }
    let email = contact.shown(&sync::Field::Email);
    if let (Customer::User(_), Some(email)) = (customer, email) {
        let guest = Customer::Guest(email.to_owned());
        if let Some(mut link) = engine.store.link(name, &guest).await? {
            link.customer = customer.clone();
            return Ok((Some(link), Some(guest)));
        }
    }
    Ok((None, None))
}

/// Whether an event tells of somebody without an account by his address alone, which is all that there is to know of him. (A
/// guest's order and checkout show him in full.)
fn names_by_address(payload: &Value) -> bool {
    const PARTS: [&str; 5] = ["cart", "newsletter", "subscriber", "review", "call_request"];
    let data = payload.get("data").unwrap_or(&Value::Null);
    PARTS.iter().any(|part| data.get(part).is_some_and(Value::is_object))
}
