//! What became of each customer of a job.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection as Pool, Row, params};
use serde_json::json;

use crate::connection::ConnectionName;
use crate::effect::{Effect, EffectState};
use crate::event::{EventId, State};
use crate::jobs::{Item, JobId, Outcome, Plan, Progress};
use crate::link::{Customer, Link};
use crate::reason::Code;
use crate::store::jobs::NewLink;
use crate::store::sqlite::{effects, events, links, row};
use crate::store::{LinkChange, Result};

/// So many are resolved at a time.
const RESOLVED: i64 = 500;

const ITEM: &str = "number, subject, outcome, plan, contact_id, reason, fields, event";

fn read(found: &Row<'_>) -> Result<Item> {
    Ok(Item {
        number: found.get::<_, i64>(0)? as u64,
        subject: found.get(1)?,
        outcome: row::parse_word("an outcome", &found.get::<_, String>(2)?)?,
        plan: found
            .get::<_, Option<String>>(3)?
            .map(|word| row::parse_word::<Plan>("a plan", &word))
            .transpose()?,
        contact_id: found.get(4)?,
        reason: found.get(5)?,
        fields: row::json("an item's fields", &found.get::<_, String>(6)?)?,
        event: found.get::<_, Option<[u8; 16]>>(7)?.map(row::id),
    })
}

/// Writes items; answers how much each outcome has grown.
pub(super) fn put(tx: &Pool, job: JobId, items: &[Item]) -> Result<HashMap<Outcome, i64>> {
    let mut grown = HashMap::new();
    for item in items {
        let place = params![job.0.as_bytes(), item.number as i64, item.subject];
        let before: Option<String> = row::optional(
            tx.prepare_cached("SELECT outcome FROM job_items WHERE job = ? AND number = ? AND subject = ?")?
                .query_row(place, |row| row.get(0)),
        )?;
        if let Some(before) = before {
            *grown.entry(row::parse_word("an outcome", &before)?).or_default() -= 1;
        }
        *grown.entry(item.outcome).or_default() += 1;
        tx.prepare_cached(
            "INSERT INTO job_items (job, number, subject, outcome, plan, contact_id, reason, fields, event) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job, number, subject) DO UPDATE SET \
             outcome = excluded.outcome, plan = excluded.plan, contact_id = excluded.contact_id, \
             reason = excluded.reason, fields = excluded.fields, event = excluded.event",
        )?
        .execute(params![
            job.0.as_bytes(),
            item.number as i64,
            item.subject,
            item.outcome.as_str(),
            item.plan.map(Plan::as_str),
            item.contact_id,
            item.reason,
            row::to_json("an item's fields", &item.fields)?,
            item.event.map(|id| *id.0.as_bytes())
        ])?;
    }
    Ok(grown)
}

/// Writes or drops a link, unless an event has changed it since it was read: that one knows better.
pub(super) fn put_link(tx: &Pool, new: &NewLink) -> Result<()> {
    let Some(any) = new.read.as_ref().or(new.link.as_ref()) else { return Ok(()) };
    let now = links::link(tx, &any.connection, &any.customer)?;
    let key = |link: &Link| (link.contact_id.clone(), link.state_at, link.shadow.clone());
    if now.as_ref().map(key) != new.read.as_ref().map(key) {
        return Ok(());
    }
    if let Some(link) = &new.link {
        links::change(tx, &LinkChange::Put(link.clone()))?;
    }
    match &new.read {
        // It was the guest's, or it leads to a contact that is gone.
        Some(read) if new.link.as_ref().is_none_or(|link| link.customer != read.customer) => {
            links::change(tx, &LinkChange::Drop(read.connection.clone(), read.customer.clone()))
        }
        _ => Ok(()),
    }
}

/// How many events of a job are under way.
pub(super) fn open(pool: &Pool, job: JobId) -> Result<u64> {
    let count: i64 = pool
        .prepare_cached(
            "SELECT count(*) FROM job_items INDEXED BY job_items_open WHERE job = ? AND outcome = 'open' \
             AND outcome IN ('pending', 'open')",
        )?
        .query_row([job.0.as_bytes()], |row| row.get(0))?;
    Ok(count as u64)
}

/// Takes over what has become of events that have ended; answers what that adds to the progress.
pub(super) fn resolve(tx: &Pool, job: JobId) -> Result<Progress> {
    let mut ended = Vec::new();
    {
        let mut statement = tx.prepare_cached(&format!(
            "SELECT {ITEM} FROM job_items INDEXED BY job_items_open WHERE job = ? AND outcome = 'open' \
             AND outcome IN ('pending', 'open') AND \
             (SELECT state FROM events WHERE events.id = job_items.event) IN ('done', 'ignored', 'folded', 'dead') LIMIT ?"
        ))?;
        let mut rows = statement.query(params![job.0.as_bytes(), RESOLVED])?;
        while let Some(found) = rows.next()? {
            ended.push(read(found)?);
        }
    }
    let mut progress = Progress::default();
    for mut item in ended {
        let Some(event) = item.event.map(|id| events::by_id(tx, id)).transpose()?.flatten() else { continue };
        let effects = effects::of_event(tx, event.seq)?;
        progress.calls += effects.iter().map(|effect| effect.attempts.len() as u64).sum::<u64>();
        let plan = item.plan.unwrap_or(Plan::Update);
        let (outcome, reason) = match event.state {
            State::Dead if matches!(event.state_code, Some(Code::ContactTaken | Code::DuplicateContact)) => {
                (Outcome::Conflict, event.state_reason)
            }
            State::Dead | State::Ignored => (Outcome::Rejected, event.state_reason),
            _ => (done(plan, &effects), event.state_reason),
        };
        if let Some(effect) = effects.first() {
            if let Some(id) = effect.result["contact_id"].as_str() {
                item.contact_id = Some(id.to_owned());
            }
            if let Some(left_out) = effect.result["left_out"].as_array() {
                let told: Vec<&str> = left_out.iter().filter_map(|it| it.as_str()).collect();
                item.reason = Some(format!("left out: {}", told.join("; ")));
            }
        }
        item.reason = reason.or(item.reason);
        item.outcome = outcome;
        for (outcome, by) in put(tx, job, std::slice::from_ref(&item))? {
            progress.outcomes.count(outcome, by);
        }
    }
    Ok(progress)
}

/// How an event that is done has ended, by what was really carried out.
fn done(plan: Plan, effects: &[Effect]) -> Outcome {
    let Some(effect) = effects.iter().find(|effect| effect.operation.starts_with("ghl.contact.")) else {
        return Outcome::Equal;
    };
    match (effect.state, effect.operation.as_str()) {
        // The answer of our own call was lost, and what it made was found.
        _ if effect.result["made_by_us"] == true => Outcome::Created,
        _ if effect.result["adopted"] == true => Outcome::Adopted,
        (EffectState::Done, "ghl.contact.create") => Outcome::Created,
        (EffectState::Done, _) if plan == Plan::Adopt => Outcome::Adopted,
        // Another contact has what was to be sent.
        (EffectState::Done, _)
            if effect.result["changed"] == json!([]) && effect.result["left_out"].is_array() =>
        {
            Outcome::Equal
        }
        (EffectState::Done, _) => Outcome::Updated,
        _ if plan == Plan::Adopt => Outcome::Adopted,
        _ => Outcome::Equal,
    }
}

pub(super) fn pending(pool: &Pool, job: JobId, last: u64, limit: usize) -> Result<Vec<u64>> {
    let mut statement = pool.prepare_cached(
        "SELECT number FROM job_items INDEXED BY job_items_open WHERE job = ? AND outcome = 'pending' \
         AND outcome IN ('pending', 'open') AND number > ? ORDER BY number LIMIT ?",
    )?;
    let found = statement.query_map(params![job.0.as_bytes(), last as i64, limit as i64], |row| {
        Ok(row.get::<_, i64>(0)? as u64)
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn with_events(pool: &Pool, connection: &ConnectionName, since: Timestamp) -> Result<Vec<u64>> {
    // An event's id begins with the time of receipt, and is in order with `seq`: so nothing older is read.
    let mut statement = pool.prepare_cached(
        "SELECT DISTINCT subject FROM events WHERE seq >= coalesce((SELECT min(seq) FROM events WHERE id >= ?), \
         (SELECT max(seq) + 1 FROM events)) AND connection = ? AND subject LIKE 'customer:%'",
    )?;
    let first = first_id(since);
    let found = statement
        .query_map(params![first.0.as_bytes(), connection.as_str()], |row| row.get::<_, String>(0))?;
    let mut customers = Vec::new();
    for subject in found {
        if let Ok(Customer::User(id)) = subject?.parse() {
            customers.push(id);
        }
    }
    Ok(customers)
}

/// The least id that an event of this time can have.
fn first_id(at: Timestamp) -> EventId {
    let ms = (at.as_millisecond().max(0) as u64).to_be_bytes();
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&ms[2..]);
    row::id(bytes)
}

pub(super) fn page(
    pool: &Pool,
    job: JobId,
    after: Option<&(u64, String)>,
    limit: usize,
) -> Result<Vec<Item>> {
    let mut statement = pool.prepare_cached(&format!(
        "SELECT {ITEM} FROM job_items WHERE job = ? AND (number, subject) > (?, ?) ORDER BY number, subject LIMIT ?"
    ))?;
    let (number, subject) = after.map_or((-1, ""), |(number, subject)| (*number as i64, subject.as_str()));
    let mut rows = statement.query(params![job.0.as_bytes(), number, subject, limit as i64])?;
    let mut items = Vec::new();
    while let Some(found) = rows.next()? {
        items.push(read(found)?);
    }
    Ok(items)
}
