//! What a call to HighLevel needs to leave: a place in the rate limit, and that HighLevel works.

use ghl::Exchange;
use jiff::Timestamp;

use crate::breaker::Pass;
use crate::budget::Place;
use crate::registry::Live;

/// A call may leave. Whoever has this tells what came of the call.
#[derive(Debug)]
pub struct Permit {
    place: Place,
    pass: Pass,
}

impl Permit {
    /// With a place of the connection's rate limit, if HighLevel works. Otherwise the place is given back, and the error says
    /// when to ask again.
    pub fn enter(live: &Live, place: Place) -> Result<Self, Timestamp> {
        match live.breaker.enter() {
            Ok(pass) => Ok(Self { place, pass }),
            Err(until) => {
                place.unused();
                Err(until)
            }
        }
    }

    /// Tells the budget and the breaker what came of the call. `whose`: for whom it was; failures of one alone do not tell
    /// against HighLevel.
    pub fn over(self, whose: &str, exchange: &Exchange, error: Option<&ghl::Error>) {
        match error {
            // It has not left.
            Some(ghl::Error::Unsendable { .. }) => return self.place.unused(),
            Some(
                error @ (ghl::Error::NotSent(_)
                | ghl::Error::Uncertain { .. }
                | ghl::Error::Unavailable { .. }),
            ) => self.pass.failed(whose, &error.to_string()),
            Some(_) | None => self.pass.answered(),
        }
        if let Some(ghl::Error::RateLimited { .. }) = error {
            self.place.refused(&exchange.rate_limit);
        } else if exchange.status.is_some() {
            self.place.answered(&exchange.rate_limit);
        }
        // Without an answer it may have arrived all the same: a place that is dropped tells the budget so.
    }
}
