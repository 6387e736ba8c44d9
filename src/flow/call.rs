//! Plain calls in routes: their inputs, held against the catalogue where they stand in the file, and rendered.

use std::collections::BTreeMap;

use catalogue::{Kind, Operation as Call, mistakes_in};
use minijinja::Value;
use serde_json::{Map, Value as Json};

use super::expression::{is_dynamic, json_of};
use super::operation::Operation;

/// Where an input comes from that a step does not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usual {
    /// The connection's location.
    Location,
    /// The word for a location, beside its id.
    LocationWord,
    /// The customer's linked contact.
    Contact,
}

/// What is put in for inputs that a step does not give. An optional contact is left out: a search is for all of them.
pub fn usual(operation: &Call) -> Vec<(String, Usual)> {
    let usual = |name: &str, kind: &Kind, required: bool| match (name, kind) {
        ("locationId" | "location_id" | "altId", Kind::Text) => Some(Usual::Location),
        ("altType", Kind::Text) => Some(Usual::LocationWord),
        ("altType", Kind::Choice(choices)) if choices.iter().any(|choice| choice == "location") => {
            Some(Usual::LocationWord)
        }
        ("contactId", Kind::Text) if required => Some(Usual::Contact),
        _ => None,
    };
    let inputs = operation.inputs();
    let found = inputs.iter().filter_map(|input| {
        let field = &input.field;
        Some((field.name.clone(), usual(&field.name, &field.kind, field.required)?))
    });
    found.collect()
}

/// The names of its inputs.
pub(super) fn names(operation: &'static Call) -> Vec<&'static str> {
    let place = operation.in_path.iter().chain(&operation.in_query).map(|field| field.name.as_str());
    let body: Vec<&str> = match operation.body.as_ref().map(|body| &body.kind) {
        None => Vec::new(),
        Some(Kind::Fields(fields)) => fields.iter().map(|field| field.name.as_str()).collect(),
        Some(_) => vec!["body"],
    };
    place.chain(body).collect()
}

/// The inputs that a step must give, and what each may be.
pub(super) fn required(operation: &'static Call) -> Vec<(String, String)> {
    let usual = usual(operation);
    let given = |name: &str| usual.iter().any(|(usual, _)| usual == name);
    let inputs = operation.inputs();
    let needed = inputs.iter().filter(|input| input.field.required && !given(&input.field.name));
    needed.map(|input| (input.field.name.clone(), input.field.kind.words())).collect()
}

/// What is wrong with an input as it stands in the file.
pub(super) fn misfits(operation: &Call, name: &str, value: &toml::Value) -> Vec<String> {
    let inputs = operation.inputs();
    let Some(input) = inputs.iter().find(|input| input.field.name == name) else { return Vec::new() };
    let mut expressions = Vec::new();
    places_of_expressions(value, name, &mut expressions);
    let mistakes = mistakes_in(&input.field.kind, &json_of(value), name);
    mistakes
        .into_iter()
        .filter(|mistake| !expressions.iter().any(|place| place == place_of(mistake)))
        .map(|mistake| mistake.to_string())
        .collect()
}

fn place_of(mistake: &catalogue::Mistake) -> &str {
    use catalogue::Mistake::{Missing, NoSegment, Unknown, WrongKind};
    match mistake {
        Unknown { at, .. } | Missing { at, .. } | WrongKind { at, .. } | NoSegment { at } => at,
        _ => "",
    }
}

/// Where expressions stand in a value, in the words of [`mistakes_in`].
fn places_of_expressions(value: &toml::Value, at: &str, found: &mut Vec<String>) {
    match value {
        toml::Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                places_of_expressions(item, &format!("{at}[{number}]"), found);
            }
        }
        toml::Value::Table(table) => {
            for (name, value) in table {
                places_of_expressions(value, &format!("{at}.{name}"), found);
            }
        }
        value if is_dynamic(value) => found.push(at.to_owned()),
        _ => {}
    }
}

/// The call with its rendered inputs. What is missing is left out; whether the rest is right is told when it is made,
/// with what is put in for it.
pub(super) fn make(operation: &'static Call, values: BTreeMap<String, Value>) -> Result<Operation, String> {
    let known = operation.inputs();
    let mut inputs = Map::new();
    for (name, value) in values {
        let value = serde_json::to_value(&value)
            .map_err(|error| format!("`{name}` cannot be sent as JSON: {error}"))?;
        let Some(input) = known.iter().find(|input| input.field.name == name) else { continue };
        if !value.is_null() || input.field.nullable {
            inputs.insert(name, fit(&input.field.kind, value));
        }
    }
    Ok(Operation::Call { operation, inputs: Json::Object(inputs) })
}

/// A value in the form that is wanted, where it says the same: the store has numbers as text, and ids as numbers.
fn fit(kind: &Kind, value: Json) -> Json {
    match (kind, value) {
        (Kind::Text, Json::Number(number)) => Json::String(number.to_string()),
        (Kind::Number, Json::String(text)) => {
            let whole = text.trim().parse::<i64>().ok().map(Json::from);
            let number = whole.or_else(|| text.trim().parse::<f64>().ok().map(Json::from));
            number.filter(Json::is_number).unwrap_or(Json::String(text))
        }
        (Kind::Flag, Json::String(text)) => match text.trim() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            _ => Json::String(text),
        },
        (Kind::List(item), Json::Array(values)) => values.into_iter().map(|value| fit(item, value)).collect(),
        (Kind::Map(item), Json::Object(values)) => {
            Json::Object(values.into_iter().map(|(name, value)| (name, fit(item, value))).collect())
        }
        (Kind::Fields(fields), Json::Object(values)) => {
            let of_field = |(name, value): (String, Json)| {
                let field = fields.iter().find(|field| field.name == name);
                let value = match field {
                    Some(field) => fit(&field.kind, value),
                    None => value,
                };
                (name, value)
            };
            Json::Object(values.into_iter().map(of_field).collect())
        }
        (Kind::OneOf(kinds), value) if !mistakes_in(kind, &value, "").is_empty() => {
            let mut fitted = kinds.iter().map(|kind| (kind, fit(kind, value.clone())));
            let fitting = fitted.find(|(kind, value)| mistakes_in(kind, value, "").is_empty());
            fitting.map_or(value, |(_, fitted)| fitted)
        }
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(name: &str) -> &'static Call {
        catalogue::operation(name).unwrap()
    }

    #[test]
    fn location_and_contact_are_put_in_where_a_step_does_not_say() {
        let of = |name| usual(call(name)).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(of("ghl.opportunity.create"), ["contactId", "locationId"]);
        assert_eq!(of("ghl.contact.get"), ["contactId"]);
        assert_eq!(of("ghl.opportunity.list"), ["location_id"], "its contact is a choice of the search");
        let needed: Vec<String> =
            required(call("ghl.opportunity.create")).into_iter().map(|(name, _)| name).collect();
        assert!(
            !needed.contains(&"contactId".to_owned()) && needed.contains(&"name".to_owned()),
            "{needed:?}"
        );
    }

    #[test]
    fn what_says_the_same_takes_the_wanted_form() {
        assert_eq!(fit(&Kind::Text, json!(42)), "42");
        assert_eq!(fit(&Kind::Number, json!("19.90")), json!(19.9));
        assert_eq!(fit(&Kind::Number, json!("19")), json!(19));
        assert_eq!(fit(&Kind::Number, json!("a lot")), "a lot");
        assert_eq!(fit(&Kind::List(Box::new(Kind::Text)), json!([1, "b"])), json!(["1", "b"]));
        assert_eq!(fit(&Kind::OneOf(vec![Kind::Flag, Kind::Number]), json!("7")), json!(7));
    }
}
