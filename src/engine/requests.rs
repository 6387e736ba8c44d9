//! What a person asks of the engine: run an event again, run many again.

use std::collections::HashSet;

use crate::clock::Clock;
use crate::event::EventId;
use crate::store::{Error, EventFilter, Result, Store};

/// Runs an event again; answers the id under which to watch it.
pub async fn replay(store: &dyn Store, clock: &Clock, id: EventId, force: bool) -> Result<EventId> {
    store.replay(id, force, clock.now()).await
}

/// Runs everything that fits a filter again; answers how many, and how many were left alone.
pub async fn replay_all(
    store: &dyn Store,
    clock: &Clock,
    filter: &EventFilter,
    force: bool,
) -> Result<(usize, usize)> {
    // All ids first: replaying changes what fits the filter.
    let mut ids = Vec::new();
    let mut seen = HashSet::new();
    let mut cursor = None;
    loop {
        let page = store.events(filter, cursor, 500).await?;
        ids.extend(page.events.iter().map(|event| event.id).filter(|id| seen.insert(*id)));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let (mut replayed, mut skipped) = (0, 0);
    // Oldest first, as they happened.
    for id in ids.into_iter().rev() {
        match store.replay(id, force, clock.now()).await {
            Ok(_) => replayed += 1,
            Err(Error::Conflict(_)) => skipped += 1,
            Err(error) => return Err(error),
        }
    }
    Ok((replayed, skipped))
}
