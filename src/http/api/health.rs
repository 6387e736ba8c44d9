//! How a connection is doing, for people and programs.

use serde::Serialize;
use utoipa::ToSchema;

use crate::breaker::Admits;
use crate::registry::Live;

/// How a connection is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionHealth)]
pub(super) struct Health {
    budget: BudgetHealth,
    breaker: BreakerHealth,
}

/// What is left of HighLevel's rate limit. Connections with the same token and location share it.
#[derive(Debug, Serialize, ToSchema)]
struct BudgetHealth {
    /// Requests that may leave in a window.
    allowed: usize,
    /// Requests that may leave now.
    left: usize,
    /// Requests of a window that other software uses with the same token, as far as is known.
    used_by_others: u32,
    /// Requests that wait for their turn.
    waiting: usize,
    /// Requests left of the day.
    left_today: u64,
    /// Nothing leaves before.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_until: Option<jiff::Timestamp>,
}

/// Whether HighLevel works for the location.
#[derive(Debug, Serialize, ToSchema)]
struct BreakerHealth {
    /// `closed`: it works. `open`: it does not, and nothing is sent. `half_open`: one probe is made.
    state: &'static str,
    /// When the next probe is made.
    #[schema(value_type = Option<String>, format = DateTime)]
    open_until: Option<jiff::Timestamp>,
}

impl Health {
    pub(super) fn of(live: &Live) -> Self {
        let left = live.budget.left();
        let (state, open_until) = match live.breaker.admits() {
            Admits::All => ("closed", None),
            Admits::Probe => ("half_open", None),
            Admits::Nothing(until) => ("open", Some(until)),
        };
        Self {
            budget: BudgetHealth {
                allowed: left.allowed,
                left: left.now,
                used_by_others: left.used_by_others,
                waiting: left.waiting,
                left_today: left.today,
                closed_until: left.closed_until,
            },
            breaker: BreakerHealth { state, open_until },
        }
    }
}
