//! Effects: the record of each step carried out for an event, and of every HTTP exchange made for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names a step of a plan: with the event, the key of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepKey {
    /// The route's id.
    pub route: String,
    /// The step's id in it.
    pub step: String,
}

/// How far an effect has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EffectState {
    /// Written down, nothing sent yet.
    Planned,
    /// A call that is not idempotent may be on its way: after a crash its outcome is uncertain.
    Sending,
    /// Carried out; `result` holds what it made.
    Done,
    /// Nothing had to be done; `result` says why.
    Skipped,
    /// Refused; see the attempts.
    Failed,
}

impl EffectState {
    /// The word in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

impl std::str::FromStr for EffectState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Planned, Self::Sending, Self::Done, Self::Skipped, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a state of an effect"))
    }
}

/// One step carried out, or being carried out, for one event.
#[derive(Debug, Clone)]
pub struct Effect {
    /// Which step.
    pub key: StepKey,
    /// The operation's name in the catalogue: `ghl.contact.create`.
    pub operation: String,
    /// How far it has come.
    pub state: EffectState,
    /// When a call that is not idempotent was first about to be sent; what is older cannot be of its making.
    pub sending_since: Option<Timestamp>,
    /// When such a call was last about to be sent; it may still be under way for a while.
    pub sending_at: Option<Timestamp>,
    /// The ids it made, or why it was skipped.
    pub result: Value,
    /// Each exchange made for it, oldest first.
    pub attempts: Vec<Attempt>,
    /// The version of the route that it was last carried out, or tried, with; none: it is not known.
    pub version: Option<String>,
}

/// One HTTP exchange. Its bodies hold no secrets: tokens travel in headers, and headers are not recorded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body that was sent.
    pub request: Option<Value>,
    /// The status that came back, if one did.
    pub status: Option<u16>,
    /// The body that came back, cut where it is long.
    pub response: Option<String>,
    /// What was wrong, in a sentence.
    pub error: Option<String>,
}
