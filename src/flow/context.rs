//! What a route can see of an event.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use minijinja::value::{Object, Serde};
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::expression::{Needs, tree};
use crate::connection::{ConnectionName, Settings};
use crate::sync::Canonical;

/// The trigger of the event with which the rest of a route goes on after a wait. No route asks for it.
pub const CONTINUED: &str = "schedule.continued";
/// The type of that event, without its source.
pub const CONTINUED_KIND: &str = "continued";

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
    /// The day on which it happened, in the time zone of the connection.
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

/// The variables of an event, as they stand, as far as anything looks at them.
pub(super) struct Variables {
    all: Arc<Scope>,
    /// The customer, but for his contact's id; nothing where nothing looks at him.
    contact: Option<Value>,
}

/// What expressions see: shared by all that are evaluated in between two changes.
#[derive(Debug, Clone, Default)]
struct Scope(BTreeMap<Cow<'static, str>, Value>);

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.get(key).cloned()
    }
}

impl Variables {
    /// Those of an event that are needed.
    pub(super) fn new(context: &Context<'_>, needs: Needs) -> Self {
        let mut all = Scope::default();
        let mut add = |name: &'static str, value: &dyn Fn() -> Value| {
            if needs.has(name) {
                all.0.insert(Cow::Borrowed(name), value());
            }
        };
        add("event", &|| {
            // What has waited still goes back to what happened then.
            let (kind, id, occurred_at) = match context.continued {
                Some(then) => (then.trigger.as_str(), then.event.as_str(), then.occurred_at),
                None => (context.trigger, context.event_id.as_str(), context.occurred_at),
            };
            context! { type => kind, id => id, occurred_at => occurred_at.to_string() }
        });
        add("today", &|| Value::from(context.today.to_string()));
        add("connection", &|| context! { name => context.connection.as_str() });
        add("settings", &|| Value::from(Serde(context.settings)));
        add("store", &|| Value::from(Serde(context.store)));
        add("data", &|| tree(context.data));
        let contact = needs.has("contact").then(|| {
            let fields = context.contact.iter();
            let fields = fields.map(|(field, value)| (Value::from(field.to_string()), Value::from(value)));
            Value::from(fields.collect::<BTreeMap<Value, Value>>())
        });
        let mut variables = Self { all: Arc::new(all), contact };
        variables.link(context.contact_id);
        variables
    }

    /// The customer's contact is this one now.
    pub(super) fn link(&mut self, contact_id: Option<&str>) {
        if let Some(contact) = &self.contact {
            let contact = context! { id => contact_id, ..contact.clone() };
            self.scope().insert(Cow::Borrowed("contact"), contact);
        }
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.scope().insert(Cow::Owned(name.to_owned()), value);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.scope().remove(name);
    }

    /// Copied only while an expression still holds it.
    fn scope(&mut self) -> &mut BTreeMap<Cow<'static, str>, Value> {
        &mut Arc::make_mut(&mut self.all).0
    }

    /// All of them, for an expression.
    pub(super) fn value(&self) -> Value {
        Value::from_dyn_object(Arc::clone(&self.all))
    }

    /// The value at a path such as `data.order.total`, as it may be shown: a long text is cut.
    pub(super) fn shown(&self, path: &str) -> Json {
        let mut parts = path.split('.');
        let first = parts.next().and_then(|name| self.all.0.get(name)).cloned().unwrap_or_default();
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
