//! What a route can see of an event.

use std::collections::BTreeMap;

use jiff::Timestamp;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::connection::{ConnectionName, Settings};
use crate::sync::Canonical;

/// The trigger of the event with which the rest of a route goes on after a wait. No route asks for it.
pub const CONTINUED: &str = "schedule.continued";

/// What a route can see.
#[derive(Debug)]
pub struct Context<'a> {
    /// The event's name for routes: `cscart.customer.created`.
    pub trigger: &'a str,
    /// The event's id.
    pub event_id: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The connection.
    pub connection: &'a ConnectionName,
    /// The connection's settings.
    pub settings: &'a Settings,
    /// `store` of the event's body.
    pub store: &'a Json,
    /// `data` of the event's body.
    pub data: &'a Json,
    /// The customer in the common form.
    pub contact: &'a Canonical,
    /// The contact's id, where there is a link.
    pub contact_id: Option<&'a str>,
    /// The day on which it happened, where the bridge is.
    pub today: jiff::civil::Date,
    /// The event goes on with a route that has waited.
    pub continued: Option<&'a Continued>,
}

/// Where a route goes on after a wait: `continued` in the body of such an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continued {
    /// The event that set it off.
    pub event: String,
    /// What that was: `cscart.order.created`.
    pub trigger: String,
    /// When that happened.
    pub occurred_at: Timestamp,
    /// The route.
    pub route: String,
    /// The step that waited.
    pub step: String,
    /// What the steps before it have saved.
    #[serde(default)]
    pub saved: BTreeMap<String, Json>,
}

/// The variables of an event, as they stand.
pub(super) struct Variables {
    all: BTreeMap<String, Value>,
    /// The customer, but for his contact's id.
    contact: Value,
}

impl Variables {
    pub(super) fn new(context: &Context<'_>) -> Self {
        let fields: BTreeMap<String, &str> =
            context.contact.iter().map(|(field, value)| (field.to_string(), value)).collect();
        // What has waited still goes back to what happened then.
        let (kind, id, occurred_at) = match context.continued {
            Some(then) => (then.trigger.as_str(), then.event.as_str(), then.occurred_at),
            None => (context.trigger, context.event_id.as_str(), context.occurred_at),
        };
        let event = context! { type => kind, id => id, occurred_at => occurred_at.to_string() };
        let all = [
            ("event", event),
            ("today", Value::from(context.today.to_string())),
            ("connection", context! { name => context.connection.as_str() }),
            ("settings", Value::from(Serde(context.settings))),
            ("store", Value::from(Serde(context.store))),
            ("data", Value::from(Serde(context.data))),
        ];
        let mut variables = Self {
            all: all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            contact: Value::from(Serde(fields)),
        };
        variables.link(context.contact_id);
        variables
    }

    /// The customer's contact is this one now.
    pub(super) fn link(&mut self, contact_id: Option<&str>) {
        let contact = context! { id => contact_id, ..self.contact.clone() };
        self.all.insert("contact".to_owned(), contact);
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.all.insert(name.to_owned(), value);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.all.remove(name);
    }

    /// All of them, for an expression.
    pub(super) fn value(&self) -> Value {
        Value::from(self.all.clone())
    }

    /// The value at a path such as `data.order.total`, as it may be shown: a long text is cut.
    pub(super) fn shown(&self, path: &str) -> Json {
        let mut parts = path.split('.');
        let first = parts.next().and_then(|name| self.all.get(name)).cloned().unwrap_or_default();
        let value = parts.fold(first, |value, part| value.get_attr(part).unwrap_or_default());
        match serde_json::to_value(&value).unwrap_or_default() {
            Json::String(text) if text.chars().count() > SHOWN => {
                Json::String(text.chars().take(SHOWN).chain(['…']).collect())
            }
            Json::Array(items) if items.len() > SHOWN => Json::from(format!("a list of {}", items.len())),
            value => value,
        }
    }
}

/// How much of a value is shown.
const SHOWN: usize = 200;
