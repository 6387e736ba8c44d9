//! Running an event again.

use jiff::Timestamp;
use rusqlite::Connection as Pool;

use super::arrivals::Arrivals;
use super::{effects, events, inbox, lanes};
use crate::event::{Event, EventId, NewEvent, State};
use crate::store::{Error, Result};

/// See [`crate::store::Store::replay`]. `fresh` is the id of the new event, should one be needed.
pub(super) fn replay(
    tx: &Pool,
    arrivals: &mut Arrivals,
    id: EventId,
    fresh: EventId,
    force: bool,
    now: Timestamp,
) -> Result<EventId> {
    let Some(event) = events::by_id(tx, id)? else { return Err(Error::NotFound(format!("event {id}"))) };
    match event.state {
        State::Working => Err(Error::Conflict(format!(
            "event {id} is being carried out right now: wait until it is finished"
        ))),
        State::Pending | State::Waiting | State::Parked | State::Dead if !force => {
            in_place(tx, &event, now)?;
            Ok(id)
        }
        State::Pending | State::Waiting | State::Parked => Err(Error::Conflict(format!(
            "event {id} is not finished, so there is nothing to force: replay it without `force`"
        ))),
        State::Dead | State::Done | State::Ignored | State::Folded => {
            again(tx, arrivals, event, fresh, force, now)?;
            Ok(fresh)
        }
    }
}

fn in_place(tx: &Pool, event: &Event, now: Timestamp) -> Result<()> {
    // One that is not filed yet needs its time: it need not wait for company any more.
    tx.prepare_cached(
        "UPDATE events SET state = 'pending', state_reason = NULL, state_code = NULL, tries = 0, failing_since = NULL, \
         next_attempt_at = CASE WHEN filed = 0 THEN received_at END WHERE seq = ?",
    )?
    .execute([event.seq])?;
    lanes::reopen(tx, event.connection.as_str(), event.subject.as_str(), event.seq, now)
}

fn again(
    tx: &Pool,
    arrivals: &mut Arrivals,
    event: Event,
    fresh: EventId,
    force: bool,
    now: Timestamp,
) -> Result<()> {
    let new = NewEvent {
        id: fresh,
        source_id: format!("replay:{fresh}"),
        replayed_from: Some(event.id),
        forced: force,
        ignored: false,
        received_at: now,
        connection: event.connection,
        source: event.source,
        kind: event.kind,
        subject: event.subject,
        occurred_at: event.occurred_at,
        payload: event.payload,
    };
    inbox::append(tx, arrivals, &new, now)?;
    if !force {
        let seq = tx
            .prepare_cached("SELECT seq FROM events WHERE id = ?")?
            .query_row([fresh.0.as_bytes()], |row| row.get(0))?;
        effects::inherit(tx, event.seq, seq)?;
    }
    Ok(())
}
