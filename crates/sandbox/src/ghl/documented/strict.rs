//! A request held against the form that the documents give it. The complaints are those of `NestJS`' validation pipe, as in
//! [`validate`](super::super::validate), all in one list.

use catalogue::{Encoding, Field, Kind, Operation};
use serde_json::{Map, Value};

use super::{super::refusal::Refusal, parts};
use crate::serve::request::{Body, Request};

/// Refuses what the documents do not have, and the lack of what they want.
pub(super) fn check<'a>(
    operation: &'static Operation,
    path: impl Iterator<Item = (&'static str, &'a str)>,
    request: &Request,
) -> Result<(), Refusal> {
    let mut complaints = Vec::new();
    for (name, value) in path {
        if let Some(field) = operation.in_path.iter().find(|field| field.name == name) {
            walk(&field.kind, &typed(&field.kind, value), name, &mut complaints);
        }
    }
    fields(&operation.in_query, &texts(&operation.in_query, &request.query), "", &mut complaints);
    body(operation, request, &mut complaints);
    if complaints.is_empty() { Ok(()) } else { Err(Refusal::invalid(complaints)) }
}

fn body(operation: &'static Operation, request: &Request, complaints: &mut Vec<String>) {
    // As behind Express' parsers, a body of another type than the wanted one counts as empty.
    let nothing = Value::Object(Map::new());
    let Some(body) = &operation.body else {
        let given = if let Body::Json(given) | Body::Form(given) = &request.body { given } else { &nothing };
        return walk(&Kind::Fields(Vec::new()), given, "", complaints);
    };
    match (body.encoding, &request.body) {
        (Encoding::Json, Body::Json(given)) => walk(&body.kind, given, "", complaints),
        (Encoding::Form, _) => {
            let given: Vec<(String, String)> = match &request.body {
                Body::Form(_) => form_urlencoded::parse(&request.raw).into_owned().collect(),
                _ => Vec::new(),
            };
            form(&body.kind, &given, complaints);
        }
        (Encoding::Files, _) => form(&body.kind, &parts::read(request), complaints),
        (Encoding::Json, _) => walk(&body.kind, &nothing, "", complaints),
    }
}

fn form(kind: &Kind, given: &[(String, String)], complaints: &mut Vec<String>) {
    if let Kind::Fields(known) = kind {
        fields(known, &texts(known, given), "", complaints);
    }
}

/// Texts of a query or a form as values of the kinds that they are to be; a list is its name several times, with or
/// without brackets.
fn texts(known: &[Field], given: &[(String, String)]) -> Map<String, Value> {
    let mut values = Map::new();
    for (name, text) in given {
        let name = name.strip_suffix("[]").unwrap_or(name);
        let kind = known.iter().find(|field| field.name == name).map_or(&Kind::Any, |field| &field.kind);
        match kind {
            Kind::List(item) => {
                let list = values.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(list) = list {
                    list.push(typed(item, text));
                }
            }
            kind => {
                values.insert(name.to_owned(), typed(kind, text));
            }
        }
    }
    values
}

/// A text as a value of a kind, if it can be one.
fn typed(kind: &Kind, text: &str) -> Value {
    let parsed = || serde_json::from_str::<Value>(text).ok();
    let wanted = |value: &Value| match kind {
        Kind::Number => value.is_number(),
        Kind::Flag => value.is_boolean(),
        Kind::Open | Kind::Map(_) | Kind::Fields(_) => value.is_object(),
        Kind::Choice(choices) => choices.contains(value),
        Kind::OneOf(_) => complains(kind, &Value::from(text)),
        Kind::Text | Kind::File | Kind::Any | Kind::List(_) => false,
    };
    parsed().filter(wanted).unwrap_or_else(|| Value::from(text))
}

fn complains(kind: &Kind, value: &Value) -> bool {
    let mut complaints = Vec::new();
    walk(kind, value, "", &mut complaints);
    !complaints.is_empty()
}

/// Holds a value that stands at `at` against its kind.
fn walk(kind: &Kind, value: &Value, at: &str, complaints: &mut Vec<String>) {
    let mut complain = |what: &str| {
        let at = if at.is_empty() { "body" } else { at };
        complaints.push(format!("{at} {what}"));
    };
    match (kind, value) {
        (Kind::Any, _)
        | (Kind::Text | Kind::File, Value::String(_))
        | (Kind::Number, Value::Number(_))
        | (Kind::Flag, Value::Bool(_))
        | (Kind::Open, Value::Object(_)) => {}
        (Kind::Text | Kind::File, _) => complain("must be a string"),
        (Kind::Number, _) => complain("must be a number conforming to the specified constraints"),
        (Kind::Flag, _) => complain("must be a boolean value"),
        (Kind::Choice(choices), value) => {
            let number = |value: &Value| value.as_f64();
            let known = |choice: &Value| {
                choice == value || (number(choice).is_some() && number(choice) == number(value))
            };
            if !choices.iter().any(known) {
                let choices: Vec<String> = choices
                    .iter()
                    .map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned))
                    .collect();
                complain(&format!("must be one of the following values: {}", choices.join(", ")));
            }
        }
        (Kind::List(item), Value::Array(values)) => {
            for (number, value) in values.iter().enumerate() {
                walk(item, value, &below(at, &number.to_string()), complaints);
            }
        }
        (Kind::List(_), _) => complain("must be an array"),
        (Kind::Map(item), Value::Object(values)) => {
            for (name, value) in values {
                walk(item, value, &below(at, name), complaints);
            }
        }
        (Kind::Fields(known), Value::Object(given)) => fields(known, given, at, complaints),
        (Kind::Open | Kind::Map(_) | Kind::Fields(_), _) => complain("must be an object"),
        (Kind::OneOf(kinds), value) => {
            let each = kinds.iter().map(|kind| {
                let mut complaints = Vec::new();
                walk(kind, value, at, &mut complaints);
                complaints
            });
            complaints.extend(each.min_by_key(Vec::len).unwrap_or_default());
        }
    }
}

fn fields(known: &[Field], given: &Map<String, Value>, at: &str, complaints: &mut Vec<String>) {
    let unknown = given.keys().filter(|name| known.iter().all(|field| field.name != **name));
    complaints.extend(unknown.map(|name| {
        let at = if at.is_empty() { String::new() } else { format!("{at}.") };
        format!("{at}property {name} should not exist")
    }));
    for field in known {
        let name = below(at, &field.name);
        let value = given.get(&field.name);
        let empty = value.is_none_or(|value| value.is_null() || value == "");
        match value {
            None if !field.required => {}
            Some(Value::Null) if field.nullable => {}
            value => {
                if field.required && empty {
                    complaints.push(format!("{name} should not be empty"));
                }
                if field.required || !empty || value.is_some() {
                    walk(&field.kind, value.unwrap_or(&Value::Null), &name, complaints);
                }
            }
        }
    }
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn complaints(operation: &str, value: &Value) -> Vec<String> {
        let body = catalogue::operation(operation).unwrap().body.as_ref().unwrap();
        let mut complaints = Vec::new();
        walk(&body.kind, value, "", &mut complaints);
        complaints
    }

    #[test]
    fn all_complaints_come_in_one_list_and_in_the_pipes_words() {
        let body = json!({ "bogus": 1, "status": "sold", "monetaryValue": "2", "pipelineId": "", "locationId": "l", "contactId": "c" });
        assert_eq!(
            complaints("ghl.opportunity.create", &body),
            [
                "property bogus should not exist",
                "monetaryValue must be a number conforming to the specified constraints",
                "name should not be empty",
                "name must be a string",
                "pipelineId should not be empty",
                "status must be one of the following values: open, won, lost, abandoned, all",
            ]
        );
    }

    #[test]
    fn what_is_nested_is_named_by_its_place() {
        let body = json!({ "customFields": [{ "key": 1, "nope": 1 }] });
        let found = complaints("ghl.opportunity.update", &body);
        assert!(found.contains(&"customFields.0.property nope should not exist".to_owned()), "{found:?}");
    }

    #[test]
    fn a_query_is_text_and_its_lists_are_names_several_times() {
        let field = |name: &str, kind: Kind| Field {
            name: name.to_owned(),
            kind,
            required: false,
            nullable: false,
            about: String::new(),
        };
        let known = [
            field("limit", Kind::Number),
            field("ids", Kind::List(Box::new(Kind::Text))),
            field("q", Kind::Text),
        ];
        let given = [("limit", "10"), ("ids", "1"), ("ids[]", "b"), ("q", "5")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let values = Value::Object(texts(&known, &given));
        assert_eq!(values, json!({ "limit": 10, "ids": ["1", "b"], "q": "5" }));
    }
}
