//! Inputs that an operation takes: always the same ones, for whoever wants to see its form or to try it.

use serde_json::{Map, Value, json};

use crate::{Field, Kind, Operation, Trigger};

impl Operation {
    /// Inputs that [`Operation::check`] takes: all that the documents have, or only the required ones. They have the right
    /// form and mean nothing.
    pub fn example(&self, only_required: bool) -> Value {
        let inputs = self.inputs();
        object(inputs.iter().map(|input| &*input.field), only_required)
    }
}

impl Trigger {
    /// What it carries, with all documented fields. It has the right form and means nothing; HighLevel's own samples are
    /// [`sample`](crate::sample).
    pub fn example(&self) -> Value {
        object(self.fields.iter(), false)
    }
}

fn object<'a>(fields: impl Iterator<Item = &'a Field>, only_required: bool) -> Value {
    let chosen = fields.filter(|field| field.required || !only_required);
    Value::Object(
        chosen.map(|field| (field.name.clone(), value(&field.kind, only_required))).collect::<Map<_, _>>(),
    )
}

fn value(kind: &Kind, only_required: bool) -> Value {
    match kind {
        Kind::Text => json!("text"),
        // "file" in base64.
        Kind::File => json!("ZmlsZQ=="),
        Kind::Number => json!(1),
        Kind::Flag => json!(true),
        Kind::Any | Kind::Open => json!({}),
        Kind::Choice(choices) => choices.first().cloned().unwrap_or_default(),
        Kind::List(item) => json!([value(item, only_required)]),
        Kind::Map(item) => json!({ "name": value(item, only_required) }),
        Kind::Fields(fields) => object(fields.iter(), only_required),
        Kind::OneOf(kinds) => kinds.first().map(|kind| value(kind, only_required)).unwrap_or_default(),
    }
}
