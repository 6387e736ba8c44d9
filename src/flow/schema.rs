//! The JSON Schema of route files, for editors: made of the grammar and the catalogue.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::action::Action;
use super::operation::{ALL, Spec};
use super::route::OnError;

/// The schema. Values may be expressions, so it names parameters and leaves their values to `cartbridge check`.
pub fn schema() -> Value {
    let operations =
        by_name().into_iter().map(|(name, both)| json!({ "const": name, "description": both.does() }));
    let triggers = catalogue::triggers()
        .iter()
        .map(|trigger| json!({ "const": trigger.name, "description": trigger.title }));
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A route of Cartbridge",
        "description": "On these triggers, when this holds, do these steps. routes/README.md explains each field.",
        "type": "object",
        "additionalProperties": false,
        "required": ["on"],
        "properties": {
            "description": text("What it does, for people."),
            "enabled": flag("Whether it runs; false switches a built-in route off.", true),
            "on": {
                "description": "The triggers.",
                "type": "array",
                "minItems": 1,
                "items": { "$ref": "#/definitions/trigger" },
            },
            "every": text("How often it runs by itself, with the trigger `schedule` or `schedule.customer`: \"1d\", \"30m\"."),
            "at": text("At which time of the day: \"09:00\"."),
            "when": text("A condition for the whole route."),
            "step": {
                "description": "The steps, in order.",
                "type": "array",
                "items": { "$ref": "#/definitions/step" },
            },
        },
        "definitions": {
            "trigger": { "oneOf": triggers.collect::<Vec<_>>() },
            "operation": { "oneOf": operations.collect::<Vec<_>>() },
            "step": step(),
        },
    })
}

fn step() -> Value {
    let words: Vec<&str> = OnError::ALL.into_iter().map(|(word, _)| word).collect();
    let id = json!({ "description": "Names the step in the record of each event.", "type": "string", "pattern": "^[a-z0-9-]{1,64}$" });
    let name = json!({
        "description": "The result becomes a variable of this name in the steps after it.",
        "type": "string",
        "pattern": "^[a-z_][a-z0-9_]{0,63}$",
    });
    let parameters = by_name().into_iter().filter_map(|(name, both)| {
        let with = both.with()?;
        Some(json!({ "if": { "properties": { "do": { "const": name } } }, "then": with }))
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "do"],
        "properties": {
            "id": id,
            "do": { "description": "The operation.", "$ref": "#/definitions/operation" },
            "raw": flag("The plain call is meant where a name is both that and an operation of the bridge's own.", false),
            "if": text("A condition for this step."),
            "for_each": text("An expression that gives a list: the step runs once for each item."),
            "save_as": name,
            "on_error": { "description": "What a refusal does.", "enum": words, "default": words.first() },
            "delay": text("How long to wait before it: \"3d\", \"90 minutes\", or an expression."),
            "delay_until": {
                "description": "Until when to wait before it: \"2026-12-24T09:00:00Z\", or an expression.",
                // A time that is none in quotes is one of TOML's.
                "type": ["string", "object"],
            },
            "restart": flag("A newer event of the same subject begins the wait anew.", false),
            "with": { "description": "The operation's parameters.", "type": "object" },
        },
        "allOf": parameters.collect::<Vec<_>>(),
    })
}

fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string" })
}

fn flag(description: &str, usual: bool) -> Value {
    json!({ "description": description, "type": "boolean", "default": usual })
}

/// The operations of one name.
#[derive(Default)]
struct Both {
    own: Option<&'static Spec>,
    call: Option<&'static catalogue::Operation>,
}

fn by_name() -> BTreeMap<&'static str, Both> {
    let mut all: BTreeMap<&'static str, Both> = BTreeMap::new();
    for spec in ALL {
        all.entry(spec.name).or_default().own = Some(spec);
    }
    for operation in catalogue::operations() {
        all.entry(&operation.name).or_default().call = Some(operation);
    }
    all
}

impl Both {
    /// What it does. The bridge's own is meant unless the route says otherwise.
    fn does(&self) -> &'static str {
        let call = || self.call.map(|operation| operation.title.as_str());
        self.own.map(|spec| spec.does).or_else(call).unwrap_or_default()
    }

    /// What `with` may and must have. Of a name that is both, it may have the parameters of either.
    fn with(&self) -> Option<Value> {
        let mut properties = Map::new();
        if let Some(operation) = self.call {
            for input in operation.inputs() {
                properties
                    .insert(input.field.name.clone(), json!({ "description": input.field.kind.words() }));
            }
        }
        for parameter in self.own.iter().flat_map(|spec| spec.parameters) {
            let words = parameter.kind.to_string();
            properties.insert(parameter.name.to_owned(), json!({ "description": words }));
        }
        let mut with = json!({ "properties": properties, "additionalProperties": false });
        let mut then = Map::new();
        let action = match (self.own, self.call) {
            (Some(spec), None) => Some(Action::Own(spec)),
            (None, Some(operation)) => Some(Action::Call(operation)),
            // What must be there depends on which is meant.
            _ => None,
        };
        let needed: Vec<String> =
            action.iter().flat_map(|action| action.required()).map(|(name, _)| name).collect();
        if !needed.is_empty() {
            with["required"] = json!(needed);
            then.insert("required".to_owned(), json!(["with"]));
        }
        then.insert("properties".to_owned(), json!({ "with": with }));
        Some(Value::Object(then))
    }
}
