//! Who works for whom: each connection has workers of its own, and none that would only wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::breaker::Admits;
use crate::connection::ConnectionName;
use crate::registry::{Live, LiveByName};
use crate::store::{Share, Shares};

/// Of so many lanes that a connection gets, one is the longest waiting, however urgent it is.
const ONE_IN: usize = 8;

/// How many lanes of each connection are being worked on.
#[derive(Debug, Default)]
pub(super) struct Crew {
    teams: Mutex<HashMap<ConnectionName, Team>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Team {
    /// At work now.
    working: usize,
    /// How many lanes it has ever got.
    served: usize,
}

/// One at work, until it is dropped.
pub(super) struct Hand {
    crew: Arc<Crew>,
    connection: ConnectionName,
}

impl Crew {
    /// How many more lanes each connection may have now. One that is not in use (any more) has its events parked, which waits for
    /// nothing.
    pub(super) fn shares(&self, all: &LiveByName, most: usize) -> Shares {
        let mut teams = self.teams();
        teams.retain(|name, team| team.working > 0 || all.contains_key(name));
        let of = all.iter().map(|(name, live)| {
            let team = teams.get(name).copied().unwrap_or_default();
            let lanes = worth(live, most, team.working).saturating_sub(team.working);
            let eldest = (team.served + lanes) / ONE_IN - team.served / ONE_IN;
            // A person does not wait behind those who only wait for a place in the rate limit.
            let all = if live.breaker.admits() == Admits::All { most } else { 0 };
            let persons = all.saturating_sub(team.working + lanes);
            (name.clone(), Share { lanes, eldest, persons })
        });
        Shares { of: of.collect(), other: Share { lanes: most, ..Share::default() } }
    }

    /// A lane of a connection is being worked on from now on.
    pub(super) fn join(self: &Arc<Self>, connection: ConnectionName) -> Hand {
        let mut teams = self.teams();
        let team = teams.entry(connection.clone()).or_default();
        team.working += 1;
        team.served += 1;
        drop(teams);
        Hand { crew: Arc::clone(self), connection }
    }

    /// How many work for the connection for which most do.
    pub(super) fn busiest(&self) -> usize {
        self.teams().values().map(|team| team.working).max().unwrap_or_default()
    }

    fn teams(&self) -> MutexGuard<'_, HashMap<ConnectionName, Team>> {
        self.teams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many lanes of a connection are worth working on at the same time.
fn worth(live: &Live, most: usize, working: usize) -> usize {
    match live.breaker.admits() {
        // Without a client there is nothing to wait for: the events are parked.
        _ if live.ghl.is_none() => most,
        Admits::All => live.budget.worth(most),
        // One makes the probe; whoever is still at work may do that as well.
        Admits::Probe => working.max(1),
        Admits::Nothing(_) => 0,
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        if let Some(team) = self.crew.teams().get_mut(&self.connection) {
            team.working = team.working.saturating_sub(1);
        }
    }
}
