//! One customer of a page: which contact he is, and what is written down or filed for him.

use std::collections::BTreeSet;

use cscart::User;
use ghl::Duplicate;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::calls::{Hands, Trouble};
use super::compare::{self, Decision, MADE, Match, Subject, TAGS};
use super::verify::Difference;
use super::{Item, Job, JobKind, Outcome, Plan, custom_fields, scan, verify};
use crate::event::{EventId, NewEvent, Source, Subject as EventSubject};
use crate::flow::Seen;
use crate::link::{Customer, Link};
use crate::store::jobs::{Candidates, Chunk, KnownContact, NewLink, Sought};
use crate::sync::{Canonical, Definitions, Field};

/// What an event of a job is called.
const EVENT: &str = "import";

/// A customer as the store shows him.
pub(super) struct Read {
    id: u64,
    /// The body of the event that would carry him over.
    body: Value,
    contact: Canonical,
    /// What was left out of the contact, and why.
    problems: Vec<String>,
}

impl Read {
    pub(super) fn new(
        hands: &Hands<'_>,
        job: &Job,
        at: Timestamp,
        definitions: Option<&Definitions>,
        (id, user): (u64, User),
    ) -> Self {
        let live = hands.caller.live;
        let body = json!({
            "store": { "url": live.connection.cscart.url },
            "data": { "user": user, "job": job.id },
        });
        let seen = Seen::of_body(EVENT, at, &live.connection, &body);
        let (mut contact, mut problems) = match live.fields.customer(&seen) {
            Ok(mapped) => {
                let mapped = mapped.unwrap_or_default();
                (mapped.contact, mapped.problems.iter().map(ToString::to_string).collect())
            }
            Err(error) => (Canonical::default(), vec![error.to_string()]),
        };
        if let Some(definitions) = definitions {
            problems.extend(custom_fields::fit(&mut contact, &live.fields, definitions));
        }
        Self { id, body, contact, problems }
    }

    /// What his contact is looked for by; the number only where it may decide.
    pub(super) fn sought(&self, after_restore: bool) -> Sought {
        let value = |field| self.contact.shown(&field).map(str::to_owned);
        let (email, phone) = (value(Field::Email), value(Field::Phone));
        let by_number = after_restore || (email.is_none() && phone.is_none());
        let number = by_number.then(|| self.id.to_string());
        Sought { customer: Customer::User(self.id), number, email, phone }
    }
}

/// Looks at the customers of a page, one after the other.
pub(super) struct Examiner<'a> {
    pub(super) hands: &'a Hands<'a>,
    pub(super) job: &'a Job,
    /// The tags that every customer's contact is to have.
    pub(super) tags: BTreeSet<String>,
    /// When the store was asked.
    pub(super) at: Timestamp,
    /// The location's custom fields, where they are known.
    pub(super) definitions: Option<&'a Definitions>,
}

impl Examiner<'_> {
    /// Adds what is found out about a customer to what is written down of the page.
    pub(super) async fn examine(
        &self,
        read: &Read,
        mut found: Candidates,
        chunk: &mut Chunk,
    ) -> Result<(), Trouble> {
        let subject = Subject {
            connection: &self.job.connection,
            customer: Customer::User(read.id),
            contact: &read.contact,
            tags: &self.tags,
            at: self.at,
            definitions: self.definitions,
            after_restore: self.hands.number.is_some(),
        };
        if self.job.options.is_partial() {
            self.look_up(read, &mut found, chunk).await?;
        }
        claimed(chunk, &read.contact, &mut found);
        let (matched, gone) = self.whom(&subject, &mut found, chunk).await?;
        let mut item = Item::of_customer(read.id, Outcome::Equal);
        if !read.problems.is_empty() {
            item.reason = Some(format!("left out: {}", read.problems.join("; ")));
        }
        match matched {
            // A person has decided that there are two: nothing is left to be done about it.
            Match::Taken(why) if self.job.kind == JobKind::Verify => {
                item.outcome = Outcome::Kept;
                item.reason = Some(why);
            }
            Match::Taken(why) | Match::Unclear(why) => {
                item.outcome = Outcome::Conflict;
                item.reason = Some(why);
            }
            Match::Unnamed(why) => {
                item.outcome = Outcome::Rejected;
                item = item.because(why);
            }
            Match::Unread(_) | Match::Nobody if self.job.kind == JobKind::Verify => {
                item.outcome = Outcome::MissingContact;
            }
            Match::Unread(_) | Match::Nobody => {
                chunk.contacts.push(to_be_made(&subject));
                let dropped = gone.map(|read| NewLink { link: None, read: Some(read) });
                self.send(read, &mut item, Plan::Create, dropped, chunk);
            }
            Match::Contact(contact, link) => {
                item.contact_id = Some(contact.id.clone());
                chunk.owners.push((contact.id.clone(), subject.customer.to_string()));
                let decision = compare::decide(&subject, &contact, link.as_deref());
                if self.job.kind == JobKind::Verify {
                    self.verify(read, &contact, &decision, &mut item);
                } else {
                    let before = link.map(|link| *link).or(gone);
                    if !matches!(decision, Decision::Send { .. }) {
                        tell_kept(&verify::differences(&read.contact, &contact, self.definitions), &mut item);
                    }
                    self.carry(read, &mut item, decision, before, chunk);
                }
            }
        }
        chunk.items.push(item);
        Ok(())
    }

    /// Which contact he is, and the link that leads to one which is not there any more.
    async fn whom(
        &self,
        subject: &Subject<'_>,
        found: &mut Candidates,
        chunk: &mut Chunk,
    ) -> Result<(Match, Option<Link>), Trouble> {
        let link = match compare::find(subject, found, false) {
            Match::Unread(link) => *link,
            matched => return Ok((matched, None)),
        };
        // It is in none of the pages: it is gone, or the search lags behind.
        let id = link.contact_id.clone();
        let there = self.hands.caller.highlevel(move |client| {
            let id = id.clone();
            Box::pin(async move { client.contacts().get(&id).await })
        });
        if let Some(contact) = there.await? {
            let contact = self.known(&contact);
            chunk.contacts.push(contact.clone());
            found.contact = Some(contact);
            return Ok((compare::find(subject, found, false), None));
        }
        Ok((compare::find(subject, found, true), Some(link)))
    }

    /// Says what differs: apart what a resync would send, and what it would leave as it is.
    fn verify(&self, read: &Read, contact: &KnownContact, decision: &Decision, item: &mut Item) {
        let sent: &[String] = match decision {
            Decision::Send { fields, .. } => fields,
            Decision::Equal(_) | Decision::Linked(_) => &[],
        };
        let differences = verify::differences(&read.contact, contact, self.definitions);
        let (to_be_sent, kept): (Vec<_>, Vec<_>) =
            differences.into_iter().partition(|difference| sent.contains(&difference.field.to_string()));
        item.fields = to_be_sent.iter().map(ToString::to_string).collect();
        item.fields.extend(sent.iter().filter(|name| *name == TAGS).cloned());
        if !item.fields.is_empty() {
            item.outcome = Outcome::Differs;
            tell_kept(&kept, item);
        } else if !kept.is_empty() {
            item.outcome = Outcome::Kept;
            item.fields = kept.iter().map(ToString::to_string).collect();
        }
    }

    /// A contact that was looked up.
    fn known(&self, contact: &ghl::Contact) -> KnownContact {
        scan::known(contact, &self.hands.caller.live.connection.settings, self.definitions)
    }

    /// What is done for a customer whose contact is known.
    fn carry(
        &self,
        read: &Read,
        item: &mut Item,
        decision: Decision,
        before: Option<Link>,
        chunk: &mut Chunk,
    ) {
        let new = |link| NewLink { link: Some(link), read: before.clone() };
        match decision {
            Decision::Equal(link) => {
                chunk.links.extend(link.filter(|_| self.job.sends()).map(new));
            }
            Decision::Linked(link) => {
                item.outcome = Outcome::Adopted;
                chunk.links.extend(Some(link).filter(|_| self.job.sends()).map(new));
            }
            Decision::Send { plan, link, fields } => {
                item.fields = fields;
                self.send(read, item, plan, link.map(new), chunk);
            }
        }
    }

    /// Files an event, unless only what would be done is to be told. The link is written in the same transaction, before it.
    fn send(&self, read: &Read, item: &mut Item, plan: Plan, link: Option<NewLink>, chunk: &mut Chunk) {
        item.plan = Some(plan);
        if !self.job.sends() {
            item.outcome = plan.outcome();
            return;
        }
        let event = self.event(read);
        item.outcome = Outcome::Open;
        item.event = Some(event.id);
        chunk.events.push(event);
        chunk.links.extend(link);
    }

    /// The event that carries a customer over. Its source id makes it one, however often it is filed.
    fn event(&self, read: &Read) -> NewEvent {
        NewEvent {
            id: EventId::new(),
            connection: self.job.connection.clone(),
            source: Source::Manual,
            source_id: format!("job:{}:{}", self.job.id, read.id),
            kind: EVENT.to_owned(),
            subject: EventSubject::customer(&Customer::User(read.id)),
            received_at: self.hands.caller.clock.now(),
            // What the store says was so when it was asked: a live event of later knows better.
            occurred_at: self.at,
            payload: read.body.to_string().into_bytes(),
            replayed_from: None,
            forced: false,
            ignored: false,
        }
    }

    /// Looks up the contact of a customer who is not linked, where the location was not read by pages.
    async fn look_up(&self, read: &Read, found: &mut Candidates, chunk: &mut Chunk) -> Result<(), Trouble> {
        let known = found.by_number.len() + found.by_email.len() + found.by_phone.len();
        if found.link.is_some() || found.guest.is_some() || known > 0 {
            return Ok(());
        }
        let connection = &self.hands.caller.live.connection;
        for there in scan::with_number(self.hands, self.definitions, read.id).await? {
            let mut known = self.known(&there);
            known.linked = self.hands.store.links_of_contact(&connection.name, &there.id).await?;
            chunk.contacts.push(known.clone());
            found.by_number.push(known);
        }
        if !found.by_number.is_empty() {
            return Ok(());
        }
        for field in [Field::Email, Field::Phone] {
            let Some(value) = read.contact.shown(&field) else { continue };
            let by_email = field == Field::Email;
            let there = self.hands.caller.highlevel(|client| {
                let (location, value) = (connection.ghl.location_id.clone(), value.to_owned());
                Box::pin(async move {
                    let by = if by_email { Duplicate::Email(&value) } else { Duplicate::Number(&value) };
                    client.contacts().find_duplicate(&location, by).await
                })
            });
            let Some(Some(there)) = there.await? else { continue };
            let mut known = self.known(&there);
            known.linked = self.hands.store.links_of_contact(&connection.name, &there.id).await?;
            chunk.contacts.push(known.clone());
            if by_email {
                found.by_email.push(known);
            } else {
                found.by_phone.push(known);
            }
            break;
        }
        Ok(())
    }
}

/// Says what differs though nothing is sent: what a person has changed in HighLevel stays.
fn tell_kept(kept: &[Difference], item: &mut Item) {
    if kept.is_empty() {
        return;
    }
    let kept: Vec<String> = kept.iter().map(ToString::to_string).collect();
    let kept = format!("kept HighLevel's {}", kept.join("; "));
    item.reason = Some(match item.reason.take() {
        Some(reason) => format!("{reason}; {kept}"),
        None => kept,
    });
}

/// The contact that an event is going to make: it is the customer's from now on.
fn to_be_made(subject: &Subject<'_>) -> KnownContact {
    let mut fields = Canonical::default();
    for field in [Field::Email, Field::Phone] {
        if let Some(value) = subject.contact.shown(&field) {
            fields.set(field, value);
        }
    }
    let owner = subject.customer.to_string();
    KnownContact {
        id: format!("{MADE}{owner}"),
        number: None,
        fields,
        tags: Vec::new(),
        owner: Some(owner),
        linked: Vec::new(),
    }
}

/// What the customers before this one on the same page have or are going to have: two customers cannot be one contact.
fn claimed(chunk: &Chunk, contact: &Canonical, found: &mut Candidates) {
    let shares = |field: &Field, made: &&KnownContact| {
        let value = contact.shown(field);
        made.id.starts_with(MADE) && value.is_some() && made.fields.shown(field) == value
    };
    found.by_email.extend(chunk.contacts.iter().filter(|made| shares(&Field::Email, made)).cloned());
    found.by_phone.extend(chunk.contacts.iter().filter(|made| shares(&Field::Phone, made)).cloned());
    let all = found.by_number.iter_mut().chain(&mut found.by_email).chain(&mut found.by_phone);
    for known in all {
        if let Some((_, owner)) = chunk.owners.iter().find(|(id, _)| *id == known.id) {
            known.owner = Some(owner.clone());
        }
    }
}
