//! What becomes of an event after a try. Not an error: each variant says what happens next.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::budget::Closed;
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
        /// Why, in a sentence.
        why: String,
        /// When; none: after a back-off.
        not_before: Option<Timestamp>,
        /// Whether it counts as a failed try. Waiting for a rate limit does not.
        counts: bool,
    },
    /// Waits until its connection works again.
    Park {
        /// For what.
        reason: String,
    },
    /// Waits until a limit is open again, and then goes on by itself.
    ParkUntil {
        /// For what.
        reason: String,
        /// Until when.
        until: Timestamp,
    },
    /// Waits for a person.
    Dead {
        /// The sentence which that person reads.
        advice: String,
    },
    /// Another worker has taken over.
    LeaseLost,
}

impl Verdict {
    /// Try again after a back-off.
    pub(super) fn retry(why: impl Into<String>) -> Self {
        Self::Retry { why: why.into(), not_before: None, counts: true }
    }

    /// Try again at a certain time.
    pub(super) fn retry_at(at: Timestamp, why: impl Into<String>, counts: bool) -> Self {
        Self::Retry { why: why.into(), not_before: Some(at), counts }
    }

    /// Wait for a person.
    pub(super) fn dead(advice: impl Into<String>) -> Self {
        Self::Dead { advice: advice.into() }
    }
}

impl From<store::Error> for Verdict {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::LeaseLost => Self::LeaseLost,
            store::Error::Busy | store::Error::Unavailable(_) => Self::retry(error.to_string()),
            store::Error::Corrupt { .. } | store::Error::NotFound(_) | store::Error::Conflict(_) => {
                Self::dead(format!("{error}; the log tells more"))
            }
        }
    }
}

impl From<Unready> for Verdict {
    fn from(unready: Unready) -> Self {
        match unready {
            Unready::NotConnected { reason }
            | Unready::Disconnected { reason }
            | Unready::Refused { reason } => Self::Park { reason },
            Unready::Later { at, why } => Self::retry_at(at, why, false),
            Unready::Store(error) => error.into(),
        }
    }
}

/// No call may leave for a while: the limit is used up.
pub(super) fn of_closed(closed: Closed, now: Timestamp) -> Verdict {
    match closed {
        Closed::Window(until) => Verdict::retry_at(until, "HighLevel's rate limit is used up", false),
        Closed::Reserve(until) => Verdict::ParkUntil {
            reason: format!(
                "what an import may use of HighLevel's limit for the day is used up: it goes on by itself at {until:.0}"
            ),
            until,
        },
        Closed::Stopped => Verdict::retry_at(now, "the bridge stopped before it was its turn", false),
        Closed::Day(until) => Verdict::ParkUntil {
            reason: format!("HighLevel's limit for the day is used up: it goes on by itself at {until:.0}"),
            until,
        },
    }
}

/// No call may leave for a while: HighLevel does not work.
pub(super) fn of_open(until: Timestamp) -> Verdict {
    Verdict::retry_at(until, "HighLevel does not work for this location at the moment", false)
}

/// What a failed call to HighLevel means for the event, where the operation has nothing of its own to say. A rate limit is for
/// the budget to say: [`of_closed`].
pub(super) fn of_ghl(error: &ghl::Error, now: Timestamp) -> Verdict {
    use ghl::Error;
    match error {
        Error::NotSent { .. } => Verdict::retry("HighLevel cannot be reached"),
        Error::Uncertain { .. } => Verdict::retry("HighLevel's answer did not arrive"),
        Error::RateLimited { retry_after, .. } => {
            of_closed(Closed::Window(after_now(now, retry_after.unwrap_or_default())), now)
        }
        Error::Unavailable { status, retry_after, .. } => {
            let why = format!("HighLevel answered {status}: it is not available at the moment");
            match retry_after {
                Some(after) => Verdict::retry_at(after_now(now, *after), why, true),
                None => Verdict::retry(why),
            }
        }
        Error::Unauthorized { .. } => Verdict::Park { reason: "HighLevel refuses the token".into() },
        Error::MissingScope { message } => Verdict::Park {
            reason: format!("the token lacks a scope: {message}. Add it in HighLevel, then replay"),
        },
        Error::InvalidGrant { .. } => Verdict::Park {
            reason: "HighLevel's authorization is no longer valid: connect the location again".into(),
        },
        Error::WrongLocation { .. } => Verdict::Park {
            reason: "the token belongs to another location: give the connection a token of its own location"
                .into(),
        },
        Error::Invalid { messages, .. } => Verdict::dead(format!(
            "HighLevel rejects the data: {}. Correct it in the store (the next change is sent by itself) or in the route, \
             then replay",
            messages.join("; ")
        )),
        Error::NotFound { .. } => {
            Verdict::dead("HighLevel no longer has what this is about; resync the customer, then replay")
        }
        Error::DuplicateContact { contact_id, .. } => Verdict::dead(format!(
            "the e-mail or phone belongs to another contact ({contact_id}): merge the two contacts in HighLevel or \
             correct the customer, then replay"
        )),
        Error::Unsendable { reason } => {
            Verdict::dead(format!("it cannot be sent to HighLevel: {reason}. Correct it, then replay"))
        }
        Error::Refused { status: status @ 300..=399, .. } => Verdict::dead(format!(
            "HighLevel sends us elsewhere ({status}), and what is for HighLevel is sent nowhere else: correct `ghl.api_url` of \
             the connection, then replay"
        )),
        Error::Refused { status, message, .. } => Verdict::dead(format!(
            "HighLevel refuses it ({status}): {message}. Replay it when the cause is gone"
        )),
        _ => Verdict::retry(format!("HighLevel's answer is not of the documented form: {error}")),
    }
}

/// What a failed call to the store means for the event.
pub(super) fn of_cscart(error: &cscart::Error, now: Timestamp) -> Verdict {
    use cscart::Error;
    match error {
        Error::Unauthorized { .. } | Error::Forbidden { .. } => Verdict::Park {
            reason:
                "the store refuses the API key: check `cscart.email` and `cscart.api_key` of the connection"
                    .into(),
        },
        Error::NotAnApi { advice, .. } => {
            Verdict::Park { reason: format!("the store's address answers, but not as its API: {advice}") }
        }
        Error::Unsendable { reason, .. } => Verdict::dead(format!("the store cannot be asked: {reason}")),
        Error::NotFound { .. } => Verdict::dead("the store does not know this customer (any more)"),
        Error::Unavailable { retry_after: Some(after), .. } => {
            Verdict::retry_at(after_now(now, *after), "the store is not available at the moment", true)
        }
        _ => Verdict::retry(format!("the store could not be asked: {error}")),
    }
}

/// `now` and a while.
pub(super) fn after_now(now: Timestamp, after: Duration) -> Timestamp {
    now.saturating_add(SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}
