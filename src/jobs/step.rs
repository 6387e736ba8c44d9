//! One step of a job: a page of contacts, a page of customers, a look at what has become of the events.

use std::time::Duration;

use super::calls::{Hands, Trouble};
use super::examine::{Examiner, Read};
use super::{Item, Job, JobKind, Outcome, Place, Progress, custom_fields, customers, scan};
use crate::store::jobs::{Chunk, Step};
use crate::sync;

/// So many events of a job are under way at most: enough to use up a rate limit of 100 calls, few enough that a pause is one.
const WINDOW: u64 = 250;

/// How soon it is looked again what has become of the events.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How a step ended.
pub(super) enum Ended {
    /// To be written down; then the next one.
    Step(Box<(Step, Chunk)>),
    /// Nothing to be done for a while.
    Later(Duration),
    /// The job is done.
    Over,
}

/// Makes one step.
pub(super) async fn make(hands: &Hands<'_>, job: &Job) -> Result<Ended, Trouble> {
    let step = |made| Ended::Step(Box::new(made));
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
        Place::Contacts { after } => scan::page(hands, job, after).await.map(step),
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

/// Compares a page of customers.
async fn compared(hands: &Hands<'_>, job: &Job, page: customers::Page) -> Result<(Step, Chunk), Trouble> {
    let settings = &hands.caller.live.connection.settings;
    let definitions = custom_fields::definitions(hands, job).await?;
    let definitions = definitions.as_deref();
    let read: Vec<Read> = page
        .users
        .into_iter()
        .map(|(id, user)| Read::new(hands, job, page.at, definitions, (id, user)))
        .collect();
    let after_restore = hands.number.is_some();
    let sought = read.iter().map(|read| read.sought(after_restore)).collect();
    let found = hands.store.job_candidates(job.id, &job.connection, sought).await?;
    let tags = settings.customer_tags.iter().filter_map(|tag| sync::clean_tag(tag)).collect();
    let examiner = Examiner { hands, job, tags, at: page.at, definitions };
    let mut chunk = Chunk::default();
    for (read, found) in read.iter().zip(found) {
        examiner.examine(read, found, &mut chunk).await?;
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
