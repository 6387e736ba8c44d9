//! What becomes of an event after a try. Not an error: each variant says what happens next.

use jiff::Timestamp;

use crate::budget::Closed;
use crate::clock::after;
use crate::reason::{Code, Reason};
use crate::store;
use crate::tokens::Unready;

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Everything is done.
    Done {
        /// A word on how, where that is not plain.
        reason: Option<String>,
    },
    /// Everything is done, and that was written down together with the last step.
    Finished,
    /// Nothing handles it.
    Ignored {
        /// Why.
        reason: String,
    },
    /// To be tried again.
    Retry {
        /// Why.
        why: Reason,
        /// When; none: after a back-off.
        not_before: Option<Timestamp>,
        /// Whether it counts as a failed try. Waiting for a rate limit does not.
        counts: bool,
    },
    /// Waits until its connection works again.
    Park {
        /// For what.
        reason: Reason,
    },
    /// Waits until a limit is open again, and then goes on by itself.
    ParkUntil {
        /// For what.
        reason: Reason,
        /// Until when.
        until: Timestamp,
    },
    /// Waits for a person.
    Dead {
        /// What that person can do.
        reason: Reason,
    },
    /// Another worker has taken over.
    LeaseLost,
}

impl Verdict {
    /// Try again after a back-off.
    pub(super) fn retry(why: Reason) -> Self {
        Self::Retry { why, not_before: None, counts: true }
    }

    /// Try again at a certain time.
    pub(super) fn retry_at(at: Timestamp, why: Reason, counts: bool) -> Self {
        Self::Retry { why, not_before: Some(at), counts }
    }

    /// Wait for the connection.
    pub(super) fn park(code: Code, text: impl Into<String>) -> Self {
        Self::Park { reason: Reason::new(code, text) }
    }

    /// Wait for a person.
    pub(super) fn dead(code: Code, text: impl Into<String>) -> Self {
        Self::Dead { reason: Reason::new(code, text) }
    }
}

impl From<store::Error> for Verdict {
    fn from(error: store::Error) -> Self {
        let reason = Reason::from(&error);
        match error {
            store::Error::LeaseLost => Self::LeaseLost,
            store::Error::Busy | store::Error::Unavailable(_) => Self::retry(reason),
            store::Error::Corrupt { .. } | store::Error::NotFound(_) | store::Error::Conflict(_) => {
                Self::Dead { reason }
            }
        }
    }
}

impl From<Unready> for Verdict {
    fn from(unready: Unready) -> Self {
        let reason = Reason::from(&unready);
        match unready {
            Unready::NotConnected { .. } | Unready::Disconnected { .. } | Unready::Refused { .. } => {
                Self::Park { reason }
            }
            Unready::Later { at, .. } => Self::retry_at(at, reason, false),
            Unready::Store(error) => error.into(),
        }
    }
}

/// No call may leave for a while: the limit is used up.
pub(super) fn of_closed(closed: Closed, now: Timestamp) -> Verdict {
    let limit = |daily| Reason::from(&ghl::Error::RateLimited { retry_after: None, daily });
    match closed {
        Closed::Window(until) => Verdict::retry_at(until, limit(false), false),
        Closed::Reserve(until) => Verdict::ParkUntil {
            reason: Reason::new(
                Code::DailyLimit,
                format!(
                    "what an import may use of HighLevel's limit for the day is used up: it goes on by itself at {until:.0}"
                ),
            ),
            until,
        },
        Closed::Stopped => Verdict::retry_at(now, limit(false), false),
        Closed::Day(until) => Verdict::ParkUntil {
            reason: Reason::new(
                Code::DailyLimit,
                format!("HighLevel's limit for the day is used up: it goes on by itself at {until:.0}"),
            ),
            until,
        },
    }
}

/// No call may leave for a while: HighLevel does not work.
pub(super) fn of_open(until: Timestamp) -> Verdict {
    let text = "HighLevel does not work for this location at the moment; it is tried again by itself";
    Verdict::retry_at(until, Reason::new(Code::HighlevelUnavailable, text), false)
}

/// What a failed call to HighLevel means for the event, where the operation has nothing of its own to say. A rate limit is for
/// the budget to say: [`of_closed`].
pub(super) fn of_ghl(error: &ghl::Error, now: Timestamp) -> Verdict {
    use ghl::Error;
    let reason = Reason::from(error);
    match error {
        Error::RateLimited { retry_after, .. } => {
            Verdict::retry_at(after(now, retry_after.unwrap_or_default()), reason, false)
        }
        Error::Unavailable { retry_after: Some(wait), .. } => {
            Verdict::retry_at(after(now, *wait), reason, true)
        }
        Error::Unauthorized { .. } | Error::MissingScope { .. } | Error::WrongLocation { .. } => {
            Verdict::Park { reason }
        }
        Error::Invalid { .. }
        | Error::NotFound { .. }
        | Error::DuplicateContact { .. }
        | Error::Unsendable { .. }
        | Error::Refused { .. } => Verdict::Dead { reason },
        _ => Verdict::retry(reason),
    }
}

/// What a failed call to the store means for the event.
pub(super) fn of_cscart(error: &cscart::Error, now: Timestamp) -> Verdict {
    use cscart::Error;
    let reason = Reason::from(error);
    match error {
        Error::Unauthorized { .. }
        | Error::Forbidden { .. }
        | Error::NotAnApi { .. }
        | Error::Absent { .. }
        | Error::SignatureRefused { .. } => Verdict::Park { reason },
        Error::Unsendable { .. } | Error::NotFound { .. } => Verdict::Dead { reason },
        Error::Unavailable { retry_after: Some(wait), .. } => {
            Verdict::retry_at(after(now, *wait), reason, true)
        }
        _ => Verdict::retry(reason),
    }
}
