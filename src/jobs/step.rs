//! One step of a job: a page of contacts, a page of customers, a look at what has become of the events.

use std::collections::BTreeSet;
use std::time::Duration;

use cscart::User;
use ghl::Duplicate;
use jiff::Timestamp;
use serde_json::json;

use super::calls::{Hands, Trouble};
use super::compare::{self, Decision, Match, Subject};
use super::{Item, Job, JobKind, Outcome, Place, Plan, Progress, customers, scan, verify};
use crate::event::{EventId, NewEvent, Source, Subject as EventSubject};
use crate::link::Customer;
use crate::store::jobs::{Candidates, Chunk, KnownContact, NewLink, Sought, Step};
use crate::sync::{self, Canonical, Field};

/// So many events of a job are under way at most: enough to use up a rate limit of 100 calls, few enough that a pause is one.
const WINDOW: u64 = 250;

/// How soon it is looked again what has become of the events.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How a step ended.
pub(super) enum Ended {
    /// To be written down; then the next one.
    Step(Step, Chunk),
    /// Nothing to be done for a while.
    Later(Duration),
    /// The job is done.
    Over,
}

/// Makes one step.
pub(super) async fn make(hands: &Hands<'_>, job: &Job) -> Result<Ended, Trouble> {
    let step = |(step, chunk)| Ended::Step(step, chunk);
    match &job.place {
        Place::Counting => {
            let progress = Progress {
                contacts: scan::count(&hands.caller).await?,
                customers: match job.options.since {
                    None => customers::count(&hands.caller).await?,
                    Some(_) => None,
                },
                ..Progress::default()
            };
            let place = if job.options.is_partial() {
                Place::Choosing { page: 1 }
            } else {
                Place::Contacts { after: Vec::new() }
            };
            Ok(step((Step { place, progress }, Chunk::default())))
        }
        Place::Choosing { page } => customers::choose(hands, job, *page).await.map(step),
        Place::Contacts { after } => scan::page(&hands.caller, job, after).await.map(step),
        Place::Customers { page, last, total } => {
            let open = hands.store.resolve_job(job.id).await?;
            if open + customers::PAGE > WINDOW {
                return Ok(Ended::Later(LOOK_AGAIN));
            }
            let read = if job.options.is_partial() {
                customers::chosen(hands, job, *last).await?
            } else {
                customers::next(&hands.caller, *page, *last, *total).await?
            };
            compared(hands, job, read).await.map(step)
        }
        Place::Leftovers { after } => leftovers(hands, job, after).await.map(step),
        Place::Ending => match hands.store.resolve_job(job.id).await? {
            0 => Ok(Ended::Over),
            _ => Ok(Ended::Later(LOOK_AGAIN)),
        },
    }
}

/// A customer of the page under comparison.
struct Read {
    id: u64,
    user: User,
    contact: Canonical,
    problems: Vec<String>,
}

/// Compares a page of customers.
async fn compared(hands: &Hands<'_>, job: &Job, page: customers::Page) -> Result<(Step, Chunk), Trouble> {
    let settings = &hands.caller.live.connection.settings;
    let read: Vec<Read> = page
        .users
        .into_iter()
        .map(|(id, user)| {
            let mapped = sync::from_user(&user, settings);
            let problems = mapped.problems.iter().map(ToString::to_string).collect();
            Read { id, user, contact: mapped.contact, problems }
        })
        .collect();
    let sought = read.iter().map(|read| {
        let value = |field| read.contact.shown(&field).map(str::to_owned);
        Sought {
            customer: Customer::User(read.id),
            email: value(Field::Email),
            phone: value(Field::Phone),
        }
    });
    let found = hands.store.job_candidates(job.id, &job.connection, sought.collect()).await?;
    let tags = settings.customer_tags.iter().filter_map(|tag| sync::clean_tag(tag)).collect();
    let mut chunk = Chunk::default();
    for (read, found) in read.into_iter().zip(found) {
        one(hands, job, &tags, page.at, read, found, &mut chunk).await?;
    }
    let gone = page.unknown.iter().map(|id| {
        Item::of_customer(*id, Outcome::Rejected).because("the store does not have this customer any more")
    });
    chunk.items.extend(gone);
    let whole = !job.options.is_partial();
    let place = page.next.unwrap_or_else(|| match job.kind {
        JobKind::Verify if whole => Place::Leftovers { after: String::new() },
        _ => Place::Ending,
    });
    let progress = Progress { customers: page.total.filter(|_| whole), ..Progress::default() };
    Ok((Step { place, progress }, chunk))
}

/// Compares one customer.
async fn one(
    hands: &Hands<'_>,
    job: &Job,
    tags: &BTreeSet<String>,
    at: Timestamp,
    read: Read,
    mut found: Candidates,
    chunk: &mut Chunk,
) -> Result<(), Trouble> {
    let customer = Customer::User(read.id);
    let subject = Subject {
        connection: &job.connection,
        customer: customer.clone(),
        contact: &read.contact,
        tags,
        at,
    };
    if job.options.is_partial() {
        look_up(hands, &read.contact, &mut found, chunk).await?;
    }
    claimed(chunk, &read.contact, &mut found);
    let mut matched = compare::find(&subject, &found, false);
    let mut dropped = None;
    if let Match::Unread(link) = matched {
        let id = link.contact_id.clone();
        let there = hands.caller.highlevel(move |client| {
            let id = id.clone();
            Box::pin(async move { client.contacts().get(&id).await })
        });
        match there.await? {
            Some(contact) => {
                let contact = scan::known(&contact);
                chunk.contacts.push(contact.clone());
                found.contact = Some(contact);
                matched = compare::find(&subject, &found, false);
            }
            None => {
                dropped = Some(*link);
                matched = compare::find(&subject, &found, true);
            }
        }
    }
    let mut item = Item::of_customer(read.id, Outcome::Equal);
    if !read.problems.is_empty() {
        item.reason = Some(format!("left out: {}", read.problems.join("; ")));
    }
    let send = match matched {
        Match::Unclear(why) => {
            (item.outcome, item.reason) = (Outcome::Conflict, Some(why));
            None
        }
        Match::Nameless => {
            item = item.because("neither an e-mail address nor a phone number: nothing to find a contact by");
            item.outcome = Outcome::Rejected;
            None
        }
        // It is in none of the pages, and was just looked for.
        Match::Unread(_) | Match::Nobody if job.kind == JobKind::Verify => {
            item.outcome = Outcome::MissingContact;
            None
        }
        Match::Unread(_) | Match::Nobody => {
            let mut made = KnownContact {
                id: format!("new:{customer}"),
                fields: Canonical::default(),
                tags: Vec::new(),
                owner: Some(customer.to_string()),
                linked: Vec::new(),
            };
            for field in [Field::Email, Field::Phone] {
                if let Some(value) = read.contact.shown(&field) {
                    made.fields.set(field, value);
                }
            }
            chunk.contacts.push(made);
            let link = dropped.map(|read| NewLink { link: None, read: Some(read) });
            Some((Plan::Create, link))
        }
        Match::Contact(contact, link) => {
            item.contact_id = Some(contact.id.clone());
            chunk.owners.push((contact.id.clone(), customer.to_string()));
            if job.kind == JobKind::Verify {
                item.fields = verify::differences(&read.contact, &contact, link.as_deref());
                if !item.fields.is_empty() {
                    item.outcome = Outcome::Differs;
                }
                None
            } else {
                let before = link.map(|link| *link).or(dropped);
                let new = |link| NewLink { link: Some(link), read: before.clone() };
                match compare::decide(&subject, &contact, before.as_ref().filter(|it| it.contact_id.as_str() == contact.id)) {
                    Decision::Equal(link) => {
                        chunk.links.extend(link.map(new).filter(|_| job.sends()));
                        None
                    }
                    Decision::Linked(link) => {
                        item.outcome = Outcome::Adopted;
                        chunk.links.extend(Some(new(link)).filter(|_| job.sends()));
                        None
                    }
                    Decision::Send { plan, link, fields } => {
                        item.fields = fields;
                        Some((plan, link.map(new)))
                    }
                }
            }
        }
    };
    if let Some((plan, link)) = send {
        item.plan = Some(plan);
        if job.sends() {
            let event = event(hands, job, &read, at);
            (item.outcome, item.event) = (Outcome::Open, Some(event.id));
            chunk.events.push(event);
            chunk.links.extend(link);
        } else {
            item.outcome = plan.outcome();
        }
    }
    chunk.items.push(item);
    Ok(())
}

/// What the customers before this one on the same page are going to have: two customers cannot be one contact.
fn claimed(chunk: &Chunk, contact: &Canonical, found: &mut Candidates) {
    let shares = |field: &Field, made: &&KnownContact| {
        made.id.starts_with("new:") && contact.shown(field).is_some_and(|it| made.fields.shown(field) == Some(it))
    };
    found.by_email.extend(chunk.contacts.iter().filter(|made| shares(&Field::Email, made)).cloned());
    found.by_phone.extend(chunk.contacts.iter().filter(|made| shares(&Field::Phone, made)).cloned());
    for known in found.by_email.iter_mut().chain(&mut found.by_phone) {
        if let Some((_, owner)) = chunk.owners.iter().find(|(id, _)| *id == known.id) {
            known.owner = Some(owner.clone());
        }
    }
}

/// Looks up the contact of a customer who is not linked, where the location was not read by pages.
async fn look_up(
    hands: &Hands<'_>,
    contact: &Canonical,
    found: &mut Candidates,
    chunk: &mut Chunk,
) -> Result<(), Trouble> {
    if found.link.is_some() || found.guest.is_some() || !found.by_email.is_empty() || !found.by_phone.is_empty() {
        return Ok(());
    }
    let location = &hands.caller.live.connection.ghl.location_id;
    for field in [Field::Email, Field::Phone] {
        let Some(value) = contact.shown(&field) else { continue };
        let by_email = field == Field::Email;
        let there = hands.caller.highlevel(|client| {
            let (location, value) = (location.clone(), value.to_owned());
            Box::pin(async move {
                let by = if by_email { Duplicate::Email(&value) } else { Duplicate::Number(&value) };
                client.contacts().find_duplicate(&location, by).await
            })
        });
        let Some(Some(there)) = there.await? else { continue };
        let mut known = scan::known(&there);
        known.linked = hands.store.links_of_contact(&hands.caller.live.connection.name, &there.id).await?;
        chunk.contacts.push(known.clone());
        if by_email {
            found.by_email.push(known);
        } else {
            found.by_phone.push(known);
        }
        return Ok(());
    }
    Ok(())
}

/// The event that carries a customer over. Its source id makes it one, however often it is filed.
fn event(hands: &Hands<'_>, job: &Job, read: &Read, at: Timestamp) -> NewEvent {
    let payload = json!({
        "store": { "url": hands.caller.live.connection.cscart.url },
        "data": { "user": read.user, "job": job.id },
    });
    let customer = Customer::User(read.id);
    NewEvent {
        id: EventId::new(),
        connection: job.connection.clone(),
        source: Source::Manual,
        source_id: format!("job:{}:{}", job.id, read.id),
        kind: "import".to_owned(),
        subject: EventSubject::customer(&customer),
        received_at: hands.caller.clock.now(),
        occurred_at: at,
        payload: payload.to_string().into_bytes(),
        replayed_from: None,
        forced: false,
        ignored: false,
    }
}

/// Contacts that are linked with customers whom the store did not show.
async fn leftovers(hands: &Hands<'_>, job: &Job, after: &str) -> Result<(Step, Chunk), Trouble> {
    let found = hands.store.leftovers_of_job(job.id, &job.connection, after, 100).await?;
    let place = match found.last() {
        Some(last) => Place::Leftovers { after: last.id.clone() },
        None => Place::Ending,
    };
    let items = found.into_iter().map(|contact| {
        let who: Vec<String> = contact.linked.iter().map(|link| link.customer.to_string()).collect();
        Item {
            number: 0,
            subject: format!("contact:{}", contact.id),
            outcome: Outcome::MissingCustomer,
            plan: None,
            contact_id: Some(contact.id),
            reason: Some(format!("linked with {}, whom the store does not have", who.join(" and "))),
            fields: Vec::new(),
            event: None,
        }
    });
    let chunk = Chunk { items: items.collect(), ..Chunk::default() };
    Ok((Step { place, progress: Progress::default() }, chunk))
}
