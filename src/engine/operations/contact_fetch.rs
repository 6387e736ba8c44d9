//! `ghl.contact.fetch`: contact, tasks, notes and appointments, kept for the store's page.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::task;
use crate::engine::calls::{CallError, call};
use crate::engine::step::Step;
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::link::{ItemKind, Link};
use crate::store::View;

/// Fetches them and keeps them. Notes and appointments may be refused for themselves: then the rest is kept, with the reason.
pub(super) async fn fetch(work: &mut Work<'_>, step: &mut Step) -> Result<(), Verdict> {
    let customer = super::customer(work)?;
    let Some(link) = work.link.clone() else {
        return step.skip(work, "the customer has no contact yet").await;
    };
    let contact = match call!(work, step, |ghl| ghl.contacts().get(&link.contact_id)).await {
        Ok(contact) => contact,
        Err(failed) if failed.is_not_found() => {
            return step
                .skip(work, "the contact is gone from HighLevel; the next change makes a new one")
                .await;
        }
        Err(failed) => return Err(failed.verdict),
    };
    let mut missing = Map::new();
    let notes = call!(work, step, |ghl| ghl.notes().list(&link.contact_id)).await;
    let mut notes = part(notes, "notes", &mut missing)?;
    name_those_of_the_store(work, &link, &mut notes).await?;
    let appointments = call!(work, step, |ghl| ghl.contacts().appointments(&link.contact_id)).await;
    let appointments = part(appointments, "appointments", &mut missing)?;
    // After what may be refused for itself: that this is allowed shows that the token can read contacts, so that nothing else
    // waits for the scope.
    let tasks = call!(work, step, |ghl| ghl.tasks().list(&link.contact_id)).await?;
    let store = &work.engine.store;
    let items = store.items_of_contact(&link.connection, ItemKind::Task, &link.contact_id).await?;
    let welcome = items.into_iter().find(|item| task::is_once_per_customer(item, &customer));
    let mut welcome_task = Value::Null;
    if let Some(item) = welcome {
        match call!(work, step, |ghl| ghl.tasks().get(&link.contact_id, &item.remote_id.clone().into())).await
        {
            Ok(task) => welcome_task = json!(task),
            Err(failed) if failed.is_not_found() => {}
            Err(failed) => return Err(failed.verdict),
        }
    }
    let result = json!({ "contact_id": link.contact_id, "tasks": tasks.len(), "missing": missing });
    let view = json!({
        "contact": contact, "tasks": tasks, "welcome_task": welcome_task, "notes": notes, "appointments": appointments,
        "missing": missing,
    });
    let fetched_at = work.engine.clock.now();
    store.put_view(&link.connection, &customer, View { view, fetched_at }).await?;
    step.done(work, result, Vec::new()).await
}

/// A part of the view. Refused for itself it is null, and `missing` says why; what may go away by itself is tried again.
fn part<T: Serialize>(
    answer: Result<T, CallError>,
    name: &str,
    missing: &mut Map<String, Value>,
) -> Result<Value, Verdict> {
    let failed = match answer {
        Ok(found) => return Ok(json!(found)),
        Err(failed) => failed,
    };
    let refused = matches!(failed.error, ghl::Error::MissingScope { .. });
    match failed.verdict {
        Verdict::Park { reason } if refused => missing.insert(name.to_owned(), json!(reason.text)),
        Verdict::Dead { reason } => missing.insert(name.to_owned(), json!(reason.text)),
        verdict => return Err(verdict),
    };
    Ok(Value::Null)
}

/// Writes the store's own number on each note that came from the store, so that its page need not show it twice.
async fn name_those_of_the_store(work: &Work<'_>, link: &Link, notes: &mut Value) -> Result<(), Verdict> {
    let items =
        work.engine.store.items_of_contact(&link.connection, ItemKind::Note, &link.contact_id).await?;
    let of_store: HashMap<_, _> = items.into_iter().map(|item| (item.remote_id, item.key)).collect();
    for note in notes.as_array_mut().into_iter().flatten() {
        if let Some(key) = note["id"].as_str().and_then(|id| of_store.get(id)) {
            note["storeNoteId"] = json!(key);
        }
    }
    Ok(())
}
