//! From the responses that a document describes to an example of one.

use catalogue::Answer;
use serde_json::{Map, Value, json};

/// Deeper than any schema of the documents that does not go in circles.
const DEEPEST: usize = 12;

/// The first successful answer of an operation.
pub(crate) fn answer(name: &str, described: &Value, document: &Value) -> Result<Answer, String> {
    let responses = described["responses"].as_object().into_iter().flatten();
    let (status, response) = responses
        .filter_map(|(status, response)| Some((status.parse::<u16>().ok()?, response)))
        .find(|(status, _)| (200..300).contains(status))
        .ok_or("no successful answer")?;
    let content = &response["content"]["application/json"];
    let example = if content["schema"].is_null() {
        Value::Null
    } else {
        example(&content["schema"], &document["components"]["schemas"], 0)
    };
    let kinds = described["security"].as_array().into_iter().flatten().filter_map(Value::as_object);
    let kinds: Vec<&String> = kinds.flat_map(Map::keys).collect();
    let either = kinds.iter().any(|kind| kind.starts_with("Agency"))
        && kinds.iter().any(|kind| !kind.starts_with("Agency"));
    Ok(Answer { name: name.to_owned(), status, either, example })
}

/// A value of a schema: its example where that is of the schema's type, otherwise one of its parts.
fn example(schema: &Value, named: &Value, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return example(&named[reference.rsplit('/').next().unwrap_or_default()], named, depth + 1);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let mut whole = Map::new();
        for part in parts {
            match example(part, named, depth + 1) {
                Value::Object(part) => whole.extend(part),
                other if parts.len() == 1 => return other,
                _ => {}
            }
        }
        return Value::Object(whole);
    }
    let alternatives = ["oneOf", "anyOf"].iter().find_map(|word| schema[*word].as_array()?.first());
    if let Some(first) = alternatives {
        return example(first, named, depth + 1);
    }
    let given = &schema["example"];
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        _ if schema["properties"].as_object().is_some_and(|properties| !properties.is_empty()) => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            properties.map(|(name, schema)| (name.clone(), example(schema, named, depth + 1))).collect()
        }
        Some("array") if given.is_array() => given.clone(),
        Some("array") => match &schema["items"] {
            Value::Null => json!([]),
            // A list of lists of nothing is how the documents write a list of anything.
            items if items["type"] == "array" && items["items"].is_null() => json!([]),
            items => json!([example(items, named, depth + 1)]),
        },
        Some("string") if given.is_string() => given.clone(),
        Some("string") => match schema["enum"].get(0) {
            Some(Value::Array(choices)) => choices.first().cloned().unwrap_or_default(),
            Some(choice) => choice.clone(),
            None => json!("string"),
        },
        Some("number" | "integer") => match given {
            Value::Number(_) => given.clone(),
            _ => json!(given.as_str().and_then(|text| text.parse::<i64>().ok()).unwrap_or(1)),
        },
        Some("boolean") => json!(given.as_bool().unwrap_or(given != "false")),
        Some("object") if given.is_object() => given.clone(),
        Some("object") if given.is_null() => json!({}),
        _ => given.clone(),
    }
}
