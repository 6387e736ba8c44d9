//! Many recorded events, tried one after the other: what would differ.

use std::collections::HashMap;

use jiff::Timestamp;

use super::compare::{self, Compared, Comparison};
use super::scene::{Play, Scene, StoreSide};
use super::{DryRuns, Error, TriedRoute, report};
use crate::connection::ConnectionName;
use crate::event::{Event, EventId, State};
use crate::store::EventFilter;

/// Which events are tried, and how.
#[derive(Debug, Clone)]
pub struct Since {
    /// The connection; none: the only one that there is.
    pub connection: Option<ConnectionName>,
    /// Received at this time or later.
    pub since: Timestamp,
    /// At most so many; the newest.
    pub limit: usize,
    /// A route to be tried.
    pub route: Option<TriedRoute>,
    /// The real store may be asked, with GET only.
    pub ask_store: bool,
}

impl DryRuns {
    /// Tries recorded events with the present routes and compares with what was done then. `progress` is told after each how many
    /// are done, of how many.
    pub async fn since(
        &self,
        asked: Since,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Comparison, Error> {
        let _turn = self.turns.try_acquire().map_err(|_| Error::Busy)?;
        let connection = self.connection(asked.connection.as_ref()).await?;
        let routes = self.routes_with(&connection, asked.route.as_ref())?;
        let (events, cut) = self.received(&connection.name, asked.since, asked.limit).await?;
        let mut comparison = Comparison { cut, ..Comparison::default() };
        let mut folded: HashMap<EventId, Vec<Event>> = HashMap::new();
        let mut heads = Vec::with_capacity(events.len());
        for event in events {
            match event.folded_into {
                Some(head) => folded.entry(head).or_default().push(event),
                None => heads.push(event),
            }
        }
        let mut scene = Scene::open(&connection.ghl.location_id, self.setup.call_timeout).await?;
        let many = heads.len();
        for (index, event) in heads.into_iter().enumerate() {
            let followers = folded.remove(&event.id).unwrap_or_default();
            match self.compared(&mut scene, &connection, event, followers, &routes, asked.ask_store).await {
                Ok(one) => comparison.add(one),
                Err(Error::Setup(what)) => comparison.leave_out(what),
                Err(error) => {
                    scene.close().await;
                    return Err(error);
                }
            }
            progress(index + 1, many);
        }
        scene.close().await;
        Ok(comparison)
    }

    /// The newest events since then, oldest first, and whether there were more.
    async fn received(
        &self,
        connection: &ConnectionName,
        since: Timestamp,
        limit: usize,
    ) -> Result<(Vec<Event>, bool), Error> {
        let filter = EventFilter {
            connection: Some(connection.clone()),
            since: Some(since),
            ..EventFilter::default()
        };
        let mut events = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.setup.store.events(&filter, cursor, 500.min(limit - events.len())).await?;
            events.extend(page.events);
            cursor = page.next;
            if cursor.is_none() || events.len() >= limit {
                break;
            }
        }
        events.reverse();
        Ok((events, cursor.is_some()))
    }

    async fn compared(
        &self,
        scene: &mut Scene,
        connection: &crate::connection::Connection,
        event: Event,
        followers: Vec<Event>,
        routes: &crate::flow::RouteSet,
        ask_store: bool,
    ) -> Result<One, Error> {
        if event.replayed_from.is_some() {
            return Ok(One::NotTried("replays of another event".to_owned()));
        }
        if event.state.is_open() {
            return Ok(One::NotTried("not finished yet".to_owned()));
        }
        let id = event.id;
        let (event, effects) = self.setup.store.event(id).await?.ok_or(Error::NoEvent(id))?;
        let (state, kind, subject) = (event.state, event.trigger(), event.subject.to_string());
        let occurred_at = event.occurred_at;
        let tried = self.recorded(connection.clone(), event, &effects, followers).await?;
        let store = if ask_store { StoreSide::OnlyAsked } else { StoreSide::LeftAlone };
        let play = Play { connection, routes, given: &tried.given, events: tried.events, store };
        let played = scene.play(play).await?;
        let told = report::of(&connection.name, &tried.given, &played, true);
        let (Some(act), Some(phase)) = (played.acts.first(), told.phases.into_iter().next()) else {
            return Ok(One::NotTried("nothing came of it".to_owned()));
        };
        if phase.state == "stopped" {
            return Ok(One::NotTried(phase.reason.map_or_else(String::new, |reason| without_call(&reason))));
        }
        let (then, now) = (compare::calls(&effects), compare::calls(&act.effects));
        let changes = compare::changes(&then, &now);
        let other_end = state != act.event.state && (state == State::Dead || act.event.state == State::Dead);
        let calls = (then.len(), now.len());
        if changes.is_empty() && !other_end {
            return Ok(One::Same(calls));
        }
        let compared = Compared {
            id: id.to_string(),
            kind,
            subject,
            occurred_at,
            state_then: state.as_str(),
            state_now: phase.state,
            reason_now: phase.reason,
            changes,
        };
        Ok(One::Different(calls, Box::new(compared)))
    }
}

/// The reason without the call in brackets, so that many of a kind are counted together.
fn without_call(reason: &str) -> String {
    match (reason.find(" ("), reason.find(')')) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &reason[..from], &reason[to + 1..]),
        _ => reason.to_owned(),
    }
}

/// What came of one event.
enum One {
    Same((usize, usize)),
    Different((usize, usize), Box<Compared>),
    NotTried(String),
}

impl Comparison {
    fn add(&mut self, one: One) {
        let (then, now) = match one {
            One::NotTried(why) => return self.leave_out(why),
            One::Same(calls) => {
                self.same += 1;
                calls
            }
            One::Different(calls, compared) => {
                self.different.push(*compared);
                calls
            }
        };
        self.tried += 1;
        self.calls_then += then;
        self.calls_now += now;
    }

    fn leave_out(&mut self, why: String) {
        *self.not_tried.entry(why).or_default() += 1;
    }
}
