//! The request that each operation comes to.

use catalogue::{Encoding, Kind, Part, RequestBody, operation, operations};
use serde_json::{Map, Value, json};

use crate::fresh;

#[test]
fn every_operation_takes_its_example_and_comes_to_a_request() {
    for it in operations() {
        for only_required in [true, false] {
            let inputs = it.example(only_required);
            it.check(&inputs).unwrap_or_else(|mistakes| panic!("{}: {mistakes:?}", it.name));
            let request = it.request(&inputs).unwrap();
            assert_eq!(request.method, it.method);
            assert_eq!(request.path.split('/').count(), it.path.split('/').count(), "{}", it.name);
            assert!(!request.path.contains(['{', '}', ' ', '?']), "{}: {}", it.name, request.path);
            assert_eq!(request.path.ends_with('/'), it.path.ends_with('/'), "{}", it.name);
            let has_body = it
                .body
                .as_ref()
                .is_some_and(|body| !(body.kind == Kind::Open && it.method.as_str() == "DELETE"));
            assert!(request.body.is_some() || !has_body, "{}", it.name);
        }
    }
}

#[test]
fn an_operation_without_a_required_input_is_refused() {
    let mut tried = 0;
    for it in operations() {
        let whole = it.example(false);
        for input in it.inputs().iter().filter(|input| input.field.required) {
            let mut inputs: Map<String, Value> = whole.as_object().unwrap().clone();
            inputs.remove(&input.field.name).unwrap();
            assert!(it.request(&Value::Object(inputs)).is_err(), "{} without {}", it.name, input.field.name);
            tried += 1;
        }
    }
    assert!(tried > operations().len(), "{tried}");
}

#[test]
fn each_body_fits_highlevels_own_schema() {
    let Some(folder) = fresh::folder() else { return };
    let mut held = 0;
    for it in operations() {
        let text = std::fs::read_to_string(folder.join(format!("{}.json", it.document))).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let described = &document["paths"][&it.path][it.method.as_str().to_lowercase()];
        let content = described["requestBody"]["content"].as_object();
        let schema = content.and_then(|content| content.values().next()).map(|content| &content["schema"]);
        let Some(schema) = schema.filter(|schema| schema.is_object()) else { continue };
        let mut schemas = document["components"]["schemas"].clone();
        for schema in schemas.as_object_mut().unwrap().values_mut() {
            mend(schema);
        }
        let root = json!({ "allOf": [schema], "components": { "schemas": schemas } });
        let validator = jsonschema::draft4::new(&root).unwrap();
        for only_required in [true, false] {
            let body = match it.request(&it.example(only_required)).unwrap().body {
                Some(RequestBody::Json(body)) => body,
                // Forms have no types of their own.
                Some(RequestBody::Form(_) | RequestBody::Files(_)) | None => continue,
            };
            let wrong: Vec<String> = validator
                .iter_errors(&body)
                .map(|error| format!("{}: {error}", error.instance_path))
                .collect();
            assert!(wrong.is_empty(), "{}: {wrong:#?}\n{body:#}", it.name);
            held += 1;
        }
    }
    assert!(held > 200, "{held}");
}

/// What is no schema in the documents' schemas: choices inside a list inside the list, with a type that none of them has; and
/// what an example of the right form need not have: a format, a length, a range.
fn mend(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let choices = fields.get("enum").and_then(Value::as_array).map(|choices| {
                choices
                    .iter()
                    .flat_map(|it| it.as_array().cloned().unwrap_or_else(|| vec![it.clone()]))
                    .collect::<Vec<_>>()
            });
            if let Some(choices) = choices {
                if fields.get("type") == Some(&json!("array")) {
                    fields.remove("enum");
                } else {
                    fields.remove("type");
                    fields.insert("enum".to_owned(), choices.into());
                }
            }
            for word in ["format", "pattern", "minLength", "minimum", "maximum"] {
                if fields.get(word).is_some_and(|value| !value.is_object()) {
                    fields.remove(word);
                }
            }
            fields.values_mut().for_each(mend);
        }
        Value::Array(items) => items.iter_mut().for_each(mend),
        _ => {}
    }
}

#[test]
fn each_input_goes_to_its_place() {
    let slots = operation("ghl.calendar.free_slots").unwrap();
    let inputs = json!({ "calendarId": "c 1/..", "startDate": 1, "endDate": 2, "userIds": ["a", "b&c"] });
    let request = slots.request(&inputs).unwrap();
    assert_eq!(request.path, "/calendars/c%201%2F../free-slots");
    let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for expected in ["startDate=1", "endDate=2", "userIds=a", "userIds=b&c"] {
        assert!(query.iter().any(|it| it == expected), "{query:?}");
    }
    assert_eq!(request.version.as_deref(), Some("2021-04-15"));

    let note = operation("ghl.note.create").unwrap();
    let request = note.request(&json!({ "contactId": "c", "body": "Hello" })).unwrap();
    assert_eq!(request.body, Some(RequestBody::Json(json!({ "body": "Hello" }))));

    let notifications = operation("ghl.calendar_notification.create").unwrap();
    let one = notifications.example(true)["body"][0].clone();
    let request = notifications.request(&json!({ "calendarId": "c", "body": [one] })).unwrap();
    assert_eq!(request.body, Some(RequestBody::Json(json!([one]))));

    let upload = operation("ghl.media.upload").unwrap();
    assert_eq!(upload.body.as_ref().unwrap().encoding, Encoding::Files);
    let Some(RequestBody::Files(parts)) =
        upload.request(&json!({ "file": "ZmlsZQ==", "name": "a.txt" })).unwrap().body
    else {
        panic!("no form");
    };
    let expected = [("file", Part::File("ZmlsZQ==".into())), ("name", Part::Text("a.txt".into()))];
    assert_eq!(parts, expected.map(|(name, part)| (name.to_owned(), part)));
}
