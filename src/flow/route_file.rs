//! A route as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteFile {
    /// What it does, for people.
    #[serde(default)]
    pub(super) description: String,
    /// Whether it runs at all; a file of the same name switches a shipped route off with it.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    /// The triggers.
    pub(super) on: Vec<Spanned<String>>,
    /// How often it runs by itself, with a trigger `schedule` or `schedule.customer`.
    pub(super) every: Option<Spanned<String>>,
    /// At which time of the day.
    pub(super) at: Option<Spanned<String>>,
    /// A condition for the whole.
    pub(super) when: Option<Spanned<String>>,
    /// The steps, in order.
    #[serde(default)]
    pub(super) step: Vec<StepTable>,
}

/// A `[[step]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepTable {
    /// Names it in the ledger: it must stay the same as long as events of the route can be replayed.
    pub(super) id: Spanned<String>,
    /// The operation.
    #[serde(rename = "do")]
    pub(super) operation: Spanned<String>,
    /// Where the operation is both a step of the bridge's own and a plain call: the plain call is meant.
    pub(super) raw: Option<Spanned<bool>>,
    /// A condition for this step.
    #[serde(rename = "if")]
    pub(super) condition: Option<Spanned<String>>,
    /// A list: the step runs once for each item.
    pub(super) for_each: Option<Spanned<String>>,
    /// The variable that its result becomes.
    pub(super) save_as: Option<Spanned<String>>,
    /// What becomes of the event when it is refused.
    pub(super) on_error: Option<Spanned<String>>,
    /// How long to wait before it.
    pub(super) delay: Option<Spanned<toml::Value>>,
    /// Until when to wait before it.
    pub(super) delay_until: Option<Spanned<toml::Value>>,
    /// A newer event of the same subject begins the wait anew.
    pub(super) restart: Option<Spanned<bool>>,
    /// The operation's parameters.
    #[serde(default)]
    pub(super) with: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
}

fn yes() -> bool {
    true
}
