//! How a test or a person steers a simulated system: journal, faults, settings, acts.

pub(crate) mod faults;
pub(crate) mod http;
pub(crate) mod journal;
pub(crate) mod problem;
pub(crate) mod settings;

use std::{pin::Pin, sync::Arc};

use serde_json::{Map, Value};

use self::{
    faults::{Fault, Faults},
    journal::{Entry, Journal},
    problem::ActError,
};
use crate::{
    deliver::{Deliveries, Delivery},
    serve::{answer::Answer, request::Request},
};

/// What both systems have.
pub(crate) struct Core {
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) deliveries: Arc<Deliveries>,
}

/// A pending act: what it made, or why it was refused.
pub(crate) type Acting<'a> = Pin<Box<dyn Future<Output = Result<Value, ActError>> + Send + 'a>>;

/// One simulated system behind the server.
pub(crate) trait System: Send + Sync + 'static {
    fn core(&self) -> &Core;
    /// Carries out an API request.
    fn handle(&self, request: &Request) -> Answer;
    /// What the real system answers with this status when nothing more is known; `request` is None when it was too
    /// large to be read.
    fn bare(&self, status: u16, request: Option<&Request>) -> Answer;
    /// Everything that it holds.
    fn state(&self) -> Value;
    /// Back to the state after the start, with the same ids and keys.
    fn reset(&self);
    /// Changes some settings; all of them or, on an error, none.
    fn settings(&self, settings: Map<String, Value>) -> Result<(), ActError>;
    /// What a person does in the system's own pages.
    fn act(&self, action: Map<String, Value>) -> Acting<'_>;
}

/// The control of one system: each method does what the endpoint of its name does.
#[derive(Clone)]
pub struct Control {
    system: Arc<dyn System>,
}

impl Control {
    pub(crate) fn new(system: Arc<dyn System>) -> Self {
        Self { system }
    }

    pub(crate) fn system(&self) -> &dyn System {
        self.system.as_ref()
    }

    /// All requests since the start or the last reset, oldest first (`GET /_sandbox/journal`).
    pub fn journal(&self) -> Vec<Entry> {
        self.journal_since(0)
    }

    /// The requests with a number above `since` (`GET /_sandbox/journal?since=`).
    pub fn journal_since(&self, since: u64) -> Vec<Entry> {
        self.system.core().journal.since(since)
    }

    /// Everything that the system holds (`GET /_sandbox/state`).
    pub fn state(&self) -> Value {
        self.system.state()
    }

    /// Everything as after the start: same ids and keys; journal, faults and deliveries empty
    /// (`POST /_sandbox/reset`).
    pub fn reset(&self) {
        let core = self.system.core();
        core.deliveries.reset();
        self.system.reset();
        core.faults.clear();
        core.journal.clear();
    }

    /// Adds a fault behind those that wait (`POST /_sandbox/faults`).
    pub fn fault(&self, fault: Fault) {
        self.system.core().faults.add(fault);
    }

    /// Removes all faults (`DELETE /_sandbox/faults`).
    pub fn clear_faults(&self) {
        self.system.core().faults.clear();
    }

    /// Does what a person does in the system's pages, and waits for the first attempt of the webhook that
    /// follows (`POST /_sandbox/act`). Gives what it made and, under `delivery`, how that attempt went.
    pub async fn act(&self, action: Value) -> Result<Value, ActError> {
        match action {
            Value::Object(action) => self.system.act(action).await,
            _ => Err(ActError::new("an action is an object with `action`")),
        }
    }

    /// Changes some settings (`POST /_sandbox/settings`).
    pub fn settings(&self, settings: Value) -> Result<(), ActError> {
        match settings {
            Value::Object(settings) => self.system.settings(settings),
            _ => Err(ActError::new("settings are an object")),
        }
    }

    /// The webhooks that were sent or wait to be (`GET /_sandbox/deliveries`).
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.system.core().deliveries.list()
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Control").finish_non_exhaustive()
    }
}
