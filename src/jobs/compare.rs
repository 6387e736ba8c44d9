//! Which contact a customer is, and what is to be done about it. Pure: no I/O.
//!
//! By the link first, then by the e-mail address, then by the phone number, as for a live event (`engine/operations`): the e-mail
//! decides, and a phone that another contact has is left out. Where several contacts have the e-mail, or the one that has it is
//! another customer, nobody but a person can tell: nothing is sent. After a restore the customer's number goes before his e-mail:
//! links are missing, and e-mails may have changed.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Plan;
use crate::connection::ConnectionName;
use crate::link::{Customer, Link};
use crate::store::jobs::{Candidates, KnownContact};
use crate::sync::{self, Canonical, Definitions, Field, Shadow};

/// What stands before the customer in the id of a contact that is going to be made.
pub(super) const MADE: &str = "new:";

/// What tags are called among the fields that are sent.
pub(super) const TAGS: &str = "tags";

/// A customer who is compared.
pub(super) struct Subject<'a> {
    pub(super) connection: &'a ConnectionName,
    pub(super) customer: Customer,
    /// As the store shows him.
    pub(super) contact: &'a Canonical,
    /// The tags that his contact is to have.
    pub(super) tags: &'a BTreeSet<String>,
    /// When the store was asked.
    pub(super) at: Timestamp,
    /// The location's custom fields, where they are known.
    pub(super) definitions: Option<&'a Definitions>,
    /// Links may be missing, because the database was restored; and contacts can be told by the customer's number.
    pub(super) after_restore: bool,
}

/// Which contact a customer is.
#[derive(Debug, Clone)]
pub(super) enum Match {
    /// This one; with his link, if there is one.
    Contact(Box<KnownContact>, Option<Box<Link>>),
    /// None that was read.
    Nobody,
    /// He is linked with one that was not read.
    Unread(Box<Link>),
    /// The contact that he would be is another customer of the store.
    Taken(String),
    /// Nobody can tell.
    Unclear(String),
    /// Nothing says who he is.
    Unnamed(&'static str),
}

/// What is to be done.
#[derive(Debug, Clone)]
pub(super) enum Decision {
    /// Nothing; the link is written if it is new or shows more than before.
    Equal(Option<Link>),
    /// He is linked with a contact that is as it should be.
    Linked(Link),
    /// An event is filed.
    Send {
        plan: Plan,
        /// Written before the event: so it becomes one call, or none.
        link: Option<Link>,
        /// The fields that are sent.
        fields: Vec<String>,
    },
}

/// Finds the contact of a customer. `gone`: the contact that he is linked with is known not to be there.
pub(super) fn find(subject: &Subject<'_>, found: &Candidates, gone: bool) -> Match {
    if let Some(link) = found.link.as_ref().or(found.guest.as_ref()).filter(|_| !gone) {
        return match &found.contact {
            Some(contact) => Match::Contact(Box::new(contact.clone()), Some(Box::new(link.clone()))),
            None => Match::Unread(Box::new(link.clone())),
        };
    }
    if let Some(why) = subject.contact.nobody() {
        return Match::Unnamed(why);
    }
    if subject.after_restore {
        match by_number(subject, found) {
            Ok(Some(contact)) => return Match::Contact(Box::new(contact.clone()), None),
            Ok(None) => {}
            Err(why) => return Match::Unclear(why),
        }
    }
    match found.by_email.as_slice() {
        [] => {}
        [one] => {
            return match other_owner(subject, one) {
                Some(owner) => Match::Taken(taken(one, &owner)),
                None => Match::Contact(Box::new(one.clone()), None),
            };
        }
        several => {
            return Match::Unclear(format!(
                "several contacts have the e-mail ({}): merge them in HighLevel",
                ids(several)
            ));
        }
    }
    let with_phone = fitting(subject, &found.by_phone, shares_the_phone_only);
    let has_neither = [Field::Email, Field::Phone].iter().all(|field| subject.contact.shown(field).is_none());
    let with_number = if has_neither { fitting(subject, &found.by_number, has_the_name) } else { Vec::new() };
    match (with_phone.as_slice(), with_number.as_slice()) {
        ([], []) => Match::Nobody,
        ([one], _) | ([], [one]) => Match::Contact(Box::new((*one).clone()), None),
        ([], several) => Match::Unclear(several_have_the_number(several)),
        (several, _) => Match::Unclear(format!(
            "several contacts have the phone ({}): merge them in HighLevel, or give the customer an e-mail",
            ids(several.iter().copied())
        )),
    }
}

/// One with the customer's number is the customer, whatever his e-mail address is by now. One that is another customer's shows a
/// number that is wrong.
fn by_number<'a>(subject: &Subject<'_>, found: &'a Candidates) -> Result<Option<&'a KnownContact>, String> {
    match fitting(subject, &found.by_number, |_, _| true).as_slice() {
        [] => Ok(None),
        [one] => match found.by_email.iter().find(|other| other.id != one.id) {
            Some(other) if !found.by_email.iter().any(|it| it.id == one.id) => Err(format!(
                "{} has the customer's number and {} the e-mail: merge them in HighLevel, or correct one",
                named(&one.id),
                named(&other.id)
            )),
            _ => Ok(Some(one)),
        },
        several => Err(several_have_the_number(several)),
    }
}

fn several_have_the_number(several: &[&KnownContact]) -> String {
    format!(
        "several contacts show the customer's number ({}): merge them in HighLevel",
        ids(several.iter().copied())
    )
}

/// Those that can be him and are no other customer's.
fn fitting<'a>(
    subject: &Subject<'_>,
    contacts: &'a [KnownContact],
    fits: impl Fn(&Canonical, &Canonical) -> bool,
) -> Vec<&'a KnownContact> {
    let can_be = |contact: &&KnownContact| {
        fits(subject.contact, &contact.fields) && other_owner(subject, contact).is_none()
    };
    contacts.iter().filter(can_be).collect()
}

/// One with the phone is the customer unless it has another e-mail: a shared phone does not make one person of two.
fn shares_the_phone_only(ours: &Canonical, theirs: &Canonical) -> bool {
    let (ours, theirs) = (ours.shown(&Field::Email), theirs.shown(&Field::Email));
    theirs.is_none() || ours.is_none() || theirs == ours
}

/// One with the customer's number has to have his name as well: another store in the same location counts from 1, too.
fn has_the_name(ours: &Canonical, theirs: &Canonical) -> bool {
    let name = |contact: &Canonical, field| contact.get(field).unwrap_or_default().to_lowercase();
    [Field::FirstName, Field::LastName].iter().all(|field| name(ours, field) == name(theirs, field))
}

fn taken(contact: &KnownContact, owner: &str) -> String {
    let whose = match contact.id.strip_prefix(MADE) {
        Some(_) => format!("a contact with the same e-mail is going to be made for {owner}"),
        None => format!("contact {} is {owner}", contact.id),
    };
    format!(
        "{whose}: two customers of the store cannot be one contact. Merge the two customers, or correct the e-mail of one"
    )
}

fn ids<'a>(contacts: impl IntoIterator<Item = &'a KnownContact>) -> String {
    contacts.into_iter().map(|contact| named(&contact.id)).collect::<Vec<_>>().join(", ")
}

/// A contact in words: one that is going to be made has no id yet.
fn named(id: &str) -> String {
    match id.strip_prefix(MADE) {
        Some(customer) => format!("the contact that is going to be made for {customer}"),
        None => format!("contact {id}"),
    }
}

/// The other customer who is this contact. A guest with the same e-mail is no other: who has an account may order without it.
fn other_owner(subject: &Subject<'_>, contact: &KnownContact) -> Option<String> {
    let own = subject.customer.to_string();
    if let Some(owner) = contact.owner.as_ref().filter(|owner| **owner != own) {
        return Some(owner.clone());
    }
    let email = subject.contact.shown(&Field::Email);
    let other = contact.linked.iter().find(|link| match &link.customer {
        Customer::Guest(guest) => Some(guest.as_str()) != email,
        user @ Customer::User(_) => *user != subject.customer,
    });
    other.map(|link| link.customer.to_string())
}

/// What is to be done for a customer whose contact is known.
pub(super) fn decide(subject: &Subject<'_>, contact: &KnownContact, link: Option<&Link>) -> Decision {
    let there: BTreeSet<&String> = contact.tags.iter().collect();
    // Linked by hand, nothing is known of either side yet: as if it were found just now.
    let Some(before) = link.filter(|link| !link.shadow.is_empty()) else {
        return adopt(subject, contact, &there);
    };
    let mut link = before.clone();
    link.customer = subject.customer.clone();
    link.shadow.see(&contact.fields, subject.definitions);
    // A tag of ours that is there costs no call; one that a person has taken away stays away.
    link.tags.extend(subject.tags.iter().filter(|tag| there.contains(tag)).cloned());
    let changes = sync::changes(&link.shadow, subject.contact);
    let tags = subject.tags.iter().any(|tag| !link.tags.contains(tag));
    if !changes.is_empty() || tags {
        let mut fields = changes.names();
        if tags {
            fields.push(TAGS.to_owned());
        }
        return Decision::Send { plan: Plan::Update, link: Some(link), fields };
    }
    link.shadow.cscart.extend(subject.contact);
    let same = link.customer == before.customer && link.shadow == before.shadow && link.tags == before.tags;
    link.state_at = link.state_at.max(subject.at);
    Decision::Equal((!same).then_some(link))
}

/// The first link with a contact that was there: what is empty there is filled in, and nothing is wiped. Only the e-mail address of
/// one that was found by the customer's number after a restore is the store's.
fn adopt(subject: &Subject<'_>, contact: &KnownContact, there: &BTreeSet<&String>) -> Decision {
    let mut fill = sync::first_link(subject.contact, &contact.fields);
    let is_his = subject.after_restore
        && contact.number.as_ref().is_some_and(|number| subject.customer.is_number(number));
    if let Some(email) = subject.contact.shown(&Field::Email).filter(|_| is_his) {
        // That the bridge could not bring it over is why he was not found by it.
        if contact.fields.shown(&Field::Email) != Some(email) {
            fill.values_mut().set(Field::Email, email);
        }
    }
    let mut ours = subject.contact.clone();
    let link = |ours: Canonical| Link {
        connection: subject.connection.clone(),
        customer: subject.customer.clone(),
        contact_id: contact.id.clone().into(),
        shadow: Shadow { cscart: ours, ghl: contact.fields.clone() },
        tags: subject.tags.iter().filter(|tag| there.contains(tag)).cloned().collect(),
        state_at: subject.at,
    };
    let tags = subject.tags.iter().any(|tag| !there.contains(tag));
    if fill.is_empty() && !tags {
        return Decision::Linked(link(ours));
    }
    let mut fields = fill.names();
    // What the shadow does not show is a change that the event will send: the very fields that are empty there.
    fill.values().iter().for_each(|(field, _)| ours.remove(field));
    if tags {
        fields.push(TAGS.to_owned());
    }
    Decision::Send { plan: Plan::Adopt, link: Some(link(ours)), fields }
}

#[cfg(test)]
mod tests;
