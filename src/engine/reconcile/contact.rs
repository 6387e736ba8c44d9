//! Looking for the contact that a create of unknown outcome may have made.
//!
//! Where the location refuses duplicates (HighLevel's default) sending again is safe: it is refused with the id of the
//! contact that is there. Where it allows them ("Allow Duplicate Contact") a second contact would be made, so ours has to
//! be told from those that were there before it. They may share its e-mail address: a location that allows duplicates says
//! that this is no reason to take two contacts for one, so a new customer gets a contact of his own there, and the bridge
//! does not look before the first sending, which would cost every new customer a call.
//!
//! The duplicate search knows what was just written but gives one contact only. `POST /contacts/search` gives them all, but
//! its index lags behind by seconds (ghl.md, Contacts): that it does not show ours means something only after
//! `engine.index_lag_ms`.

use std::time::Duration;

use ghl::{Duplicate, SearchQuery};
use jiff::Timestamp;
use serde_json::json;

use super::{broken_at, earliest};
use crate::clock::after;
use crate::engine::calls::call;
use crate::engine::operations::{Found, SOURCE};
use crate::engine::step::Step;
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::reason::Code;
use crate::sync::{self, Field};

/// What was seen.
pub(in crate::engine) enum Look {
    /// The contact that the open create has made.
    Made(Found),
    /// Nothing of its making; perhaps another contact with the customer's e-mail or phone.
    Nothing {
        /// That one.
        other: Option<Found>,
    },
    /// Nothing yet, but the search's index may not show it before this time.
    TooEarly(Timestamp),
}

/// Looks for the contact that an open create has made.
pub(in crate::engine) async fn contact(
    work: &Work<'_>,
    step: &mut Step,
    tags: &[String],
) -> Result<Look, Verdict> {
    let location = &work.live.connection.ghl.location_id;
    let (email, phone) = (work.contact.shown(&Field::Email), work.contact.shown(&Field::Phone));
    let by = email.map(Duplicate::Email).or_else(|| phone.map(Duplicate::Number));
    let mut other = None;
    if let Some(by) = by {
        let Some(found) = call!(work, step, |ghl| ghl.contacts().find_duplicate(location, by)).await? else {
            return Ok(Look::Nothing { other: None });
        };
        let id = found.id.clone();
        if is_ours(work, step, found, tags).await? {
            return Ok(Look::Made(made(step, id)));
        }
        other = Some(Found::there(id, email.is_none()));
        // A phone may have been left out of what was sent: then it says nothing about ours.
        if email.is_some() && refuses_duplicates(work, step).await? {
            return Ok(Look::Nothing { other });
        }
    }
    let Some(query) = query(work) else { return cannot_be_found(step, other) };
    let page = match call!(work, step, |ghl| ghl.contacts().search(&query)).await {
        Ok(page) => page,
        Err(failed) if matches!(failed.error, ghl::Error::Invalid { .. } | ghl::Error::Refused { .. }) => {
            return cannot_be_found(step, other);
        }
        Err(failed) => return Err(failed.verdict),
    };
    for found in page.contacts {
        let id = found.id.clone();
        let theirs = sync::from_ghl(&found);
        if theirs.shown(&Field::Email) == email && is_ours(work, step, found, tags).await? {
            return Ok(Look::Made(made(step, id)));
        }
    }
    if let Some(open) = step.open() {
        let lag = Duration::from_millis(work.engine.config.index_lag_ms);
        let visible = after(broken_at(work, open), lag);
        if work.engine.clock.now() < visible {
            return Ok(Look::TooEarly(visible));
        }
    }
    Ok(Look::Nothing { other })
}

/// The same right after a 422, which may have created all the same (HighLevel's issue 64). What it has made is there when it
/// comes; only the search may have to be waited for. That happens here, with the lane held: after a 422 nothing is sent
/// again, so there is no later try that could look.
pub(in crate::engine) async fn contact_at_once(
    work: &Work<'_>,
    step: &mut Step,
    tags: &[String],
) -> Result<Look, Verdict> {
    loop {
        match contact(work, step, tags).await? {
            Look::TooEarly(at) => {
                let wait = Duration::try_from(at.duration_since(work.engine.clock.now()));
                tokio::time::sleep(wait.unwrap_or_default().max(Duration::from_millis(1))).await;
            }
            look => return Ok(look),
        }
    }
}

/// Whether a contact is of the open create's making: it carries what we have sent (the source, or else our tags), is no
/// older than the first sending, and is no other customer's. What people and other software make has neither mark.
async fn is_ours(
    work: &Work<'_>,
    step: &mut Step,
    mut found: ghl::Contact,
    tags: &[String],
) -> Result<bool, Verdict> {
    let earliest = earliest(step);
    if found.date_added.is_some_and(|added| added < earliest) {
        return Ok(false);
    }
    let links = work.engine.store.links_of_contact(&work.live.connection.name, &found.id).await?;
    if links.iter().any(|link| Some(&link.customer) != work.customer.as_ref()) {
        return Ok(false);
    }
    if found.source.is_none() && found.tags.is_empty() {
        // A short form of the contact: what is not shown may be there.
        found = call!(work, step, |ghl| ghl.contacts().get(&found.id)).await?;
    }
    let mut sent = tags.iter().filter_map(|tag| sync::clean_tag(tag)).peekable();
    let has_tags = sent.peek().is_some() && sent.all(|tag| found.tags.contains(&tag));
    let source = work.contact.shown(&Field::Source).unwrap_or(SOURCE);
    let has_source = found.source.is_some_and(|theirs| theirs.eq_ignore_ascii_case(source));
    Ok(has_source || has_tags)
}

/// Whether the location is known to refuse duplicates. A token that may not read the location leaves it unknown.
async fn refuses_duplicates(work: &Work<'_>, step: &mut Step) -> Result<bool, Verdict> {
    match call!(work, step, |ghl| ghl.locations().get(&work.live.connection.ghl.location_id)).await {
        Ok(location) => Ok(location.settings.allow_duplicate_contact == Some(false)),
        Err(failed) if matches!(failed.verdict, Verdict::Retry { .. } | Verdict::LeaseLost) => {
            Err(failed.verdict)
        }
        Err(_) => Ok(false),
    }
}

/// The contacts among which ours would be, newest first: those with its e-mail; without one, with its name. Equality of
/// phones can miss (HighLevel's issue 289), so they are asked for only where there is nothing else. That names can be searched
/// for under these keys is seen and not documented (unverified).
fn query(work: &Work<'_>) -> Option<SearchQuery> {
    let mut query = SearchQuery::new(work.live.connection.ghl.location_id.clone());
    query.sort = vec![json!({ "field": "dateAdded", "direction": "desc" })];
    let shown = |field| work.contact.shown(&field);
    if let Some(email) = shown(Field::Email) {
        return Some(query.filter("email", "eq", email));
    }
    for (field, key) in [(Field::FirstName, "firstNameLowerCase"), (Field::LastName, "lastNameLowerCase")] {
        if let Some(name) = shown(field) {
            query = query.filter(key, "eq", name.to_lowercase());
        }
    }
    if query.filters.is_empty()
        && let Some(phone) = shown(Field::Phone)
    {
        query = query.filter("phone", "eq", phone);
    }
    (!query.filters.is_empty()).then_some(query)
}

/// What the open create has made. What was made in a time that the database does not know may have been changed since.
fn made(step: &Step, id: ghl::ContactId) -> Found {
    if step.open().is_some_and(|open| open.is_known) {
        Found::made_by_us(id)
    } else {
        Found::there(id, false)
    }
}

fn cannot_be_found(step: &Step, other: Option<Found>) -> Result<Look, Verdict> {
    if step.open().is_some_and(|open| !open.is_known) {
        return Ok(Look::Nothing { other });
    }
    Err(Verdict::dead(
        Code::UnclearContact,
        "a contact was being created when the connection broke, and what is known of it does not do to find it again: look in \
         HighLevel for the newest contacts; if it is not there, replay this with `force`",
    ))
}
