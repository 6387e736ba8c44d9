//! The catalogue, as it is shown: HighLevel's operations beside the bridge's own, and all triggers.

mod markdown;
mod text;

use std::collections::BTreeMap;

use catalogue::{Body, Encoding, Field, Input, Operation, Place, Trigger};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::flow::{Offer, offers};

pub use markdown::markdown;
pub use text::{action_text, trigger_text};

/// Actions and triggers, by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Catalogue {
    /// What can be done.
    pub actions: Vec<ActionSummary>,
    /// What can set off a route.
    pub triggers: Vec<TriggerSummary>,
}

/// An action in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ActionSummary {
    /// Its name.
    pub name: String,
    /// What it does, in a few words.
    pub title: String,
    /// Whether it is the bridge's own, or the bridge has its own form of it. Of one that is also a call of HighLevel's a step
    /// means the bridge's form, unless it has `raw = true`.
    pub own: bool,
    /// The method of HighLevel's call; null: it is the bridge's own and makes the calls that it needs.
    pub method: Option<&'static str>,
    /// The path of HighLevel's call.
    pub path: Option<String>,
    /// What a token must allow; empty where HighLevel does not document it.
    pub scopes: Vec<String>,
}

/// A trigger in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TriggerSummary {
    /// Its name.
    pub name: String,
    /// When it happens.
    pub title: String,
    /// `cscart`, `ghl` or `manual`.
    #[schema(value_type = String)]
    pub source: catalogue::Source,
    /// The event's `type`, as its sender writes it.
    #[serde(rename = "type")]
    pub kind: String,
}

/// One name of the catalogue, with everything that is known of it. A name is an action or a trigger, never both.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entry {
    /// The action of this name.
    pub action: Option<ActionDetail>,
    /// The trigger of this name.
    pub trigger: Option<TriggerDetail>,
}

/// An action with its inputs.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionDetail {
    #[serde(flatten)]
    pub summary: ActionSummary,
    /// HighLevel's call; null: it is the bridge's own.
    pub call: Option<CallDetail>,
    /// What a step gives the bridge's own form of it, which works on the customer that the event is about. Null: there is none, and a
    /// step gives it the call's inputs.
    pub step: Option<Vec<StepParameter>>,
}

/// A call of HighLevel's API.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallDetail {
    /// What HighLevel says about it beyond the title.
    pub about: String,
    /// The version of the API that it wants.
    pub version: Option<String>,
    /// Only an agency's token can do it.
    pub agency: bool,
    /// HighLevel advises against it.
    pub deprecated: bool,
    /// What happens when it is sent twice: `read`, `idempotent`, `create` or `action`.
    pub repeat: &'static str,
    /// How its body is written: `json`, `form` or `files`; null: it has none.
    #[schema(value_type = Option<String>)]
    pub encoding: Option<Encoding>,
    /// Its inputs.
    pub inputs: Vec<InputDetail>,
    /// Inputs of the right form that mean nothing: the required ones.
    pub example: Value,
}

/// An input of a call.
#[derive(Debug, Serialize, ToSchema)]
pub struct InputDetail {
    /// `path`, `query`, `body` (a field of it) or `whole_body`.
    #[schema(value_type = String)]
    pub place: Place,
    #[serde(flatten)]
    pub field: FieldDetail,
}

/// An input, or a field of an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldDetail {
    /// Its name.
    pub name: String,
    /// What it may be, in words.
    pub kind: String,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it may be null.
    pub nullable: bool,
    /// What the documents say about it.
    pub about: String,
    /// The same as `kind`, for programs: `text`, `number`, `flag`, `file`, `any`, `open` (an object of unknown fields), or an
    /// object with one of `choice`, `list`, `map`, `fields`, `one_of`.
    #[schema(value_type = Value)]
    pub schema: catalogue::Kind,
}

/// A parameter of a step.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepParameter {
    /// Its name.
    pub name: &'static str,
    /// What it may be, in words.
    pub kind: String,
    /// Whether it must be there.
    pub required: bool,
}

/// A trigger with what it carries.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriggerDetail {
    #[serde(flatten)]
    pub summary: TriggerSummary,
    /// What an app needs to be sent it, as far as HighLevel documents it.
    pub scopes: Vec<String>,
    /// What it carries, as far as it is documented.
    pub fields: Vec<FieldDetail>,
    /// Cases that a route may want to tell apart.
    pub cases: Vec<CaseDetail>,
    /// A sample of HighLevel's.
    #[schema(value_type = Option<Object>)]
    pub sample: Option<Value>,
}

/// A case of a trigger.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseDetail {
    /// What it is.
    pub title: String,
    /// The `when` of a route for it.
    pub when: String,
}

/// The bridge's own operations, by name.
fn own() -> BTreeMap<&'static str, Offer> {
    offers().into_iter().map(|offer| (offer.name, offer)).collect()
}

/// The actions and triggers in which every word is found; all of them for an empty text.
pub fn search(text: &str) -> Catalogue {
    let mut own = own();
    let (operations, triggers) = catalogue::search(text);
    let mut actions: Vec<ActionSummary> =
        operations.into_iter().map(|it| of_operation(it, own.contains_key(it.name.as_str()))).collect();
    own.retain(|name, _| catalogue::operation(name).is_none());
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let fits = |offer: &&Offer| {
        let all = format!("{} {}", offer.name, offer.does).to_lowercase();
        words.iter().all(|word| all.contains(word.as_str()))
    };
    actions.extend(own.values().filter(fits).map(of_offer));
    actions.sort_by(|a, b| a.name.cmp(&b.name));
    Catalogue { actions, triggers: triggers.into_iter().map(TriggerSummary::from).collect() }
}

/// Everything about one name.
pub fn entry(name: &str) -> Option<Entry> {
    let trigger = catalogue::trigger(name).map(TriggerDetail::from);
    let operation = catalogue::operation(name);
    let offer = own().remove(name);
    let summary = match (operation, &offer) {
        (Some(operation), offer) => Some(of_operation(operation, offer.is_some())),
        (None, Some(offer)) => Some(of_offer(offer)),
        (None, None) => None,
    };
    let action = summary.map(|summary| ActionDetail {
        summary,
        call: operation.map(CallDetail::from),
        step: offer.map(|offer| {
            let parameters = offer.parameters.into_iter();
            parameters.map(|(name, kind, required)| StepParameter { name, kind, required }).collect()
        }),
    });
    (action.is_some() || trigger.is_some()).then_some(Entry { action, trigger })
}

fn of_operation(operation: &Operation, own: bool) -> ActionSummary {
    ActionSummary {
        name: operation.name.clone(),
        title: operation.title.clone(),
        own,
        method: Some(operation.method.as_str()),
        path: Some(operation.path.clone()),
        scopes: operation.scopes.clone(),
    }
}

fn of_offer(offer: &Offer) -> ActionSummary {
    ActionSummary {
        name: offer.name.to_owned(),
        title: offer.does.to_owned(),
        own: true,
        method: None,
        path: None,
        scopes: offer.scopes.iter().map(ToString::to_string).collect(),
    }
}

impl From<&Operation> for CallDetail {
    fn from(operation: &Operation) -> Self {
        Self {
            about: operation.about.clone(),
            version: operation.version.clone(),
            agency: operation.agency,
            deprecated: operation.deprecated,
            repeat: operation.repeat.as_str(),
            encoding: operation.body.as_ref().map(|Body { encoding, .. }| *encoding),
            inputs: operation.inputs().iter().map(InputDetail::from).collect(),
            example: operation.example(true),
        }
    }
}

impl From<&Input<'_>> for InputDetail {
    fn from(input: &Input<'_>) -> Self {
        Self { place: input.place, field: FieldDetail::from(&*input.field) }
    }
}

impl From<&Field> for FieldDetail {
    fn from(field: &Field) -> Self {
        Self {
            name: field.name.clone(),
            kind: field.kind.words(),
            required: field.required,
            nullable: field.nullable,
            about: field.about.clone(),
            schema: field.kind.clone(),
        }
    }
}

impl From<&Trigger> for TriggerSummary {
    fn from(trigger: &Trigger) -> Self {
        Self {
            name: trigger.name.clone(),
            title: trigger.title.clone(),
            source: trigger.source,
            kind: trigger.kind.clone(),
        }
    }
}

impl From<&Trigger> for TriggerDetail {
    fn from(trigger: &Trigger) -> Self {
        let case = |it: &catalogue::Case| CaseDetail { title: it.title.clone(), when: it.when.clone() };
        Self {
            summary: TriggerSummary::from(trigger),
            scopes: trigger.scopes.clone(),
            fields: trigger.fields.iter().map(FieldDetail::from).collect(),
            cases: trigger.cases.iter().map(case).collect(),
            sample: catalogue::sample(&trigger.name).and_then(|sample| serde_json::from_str(sample).ok()),
        }
    }
}
