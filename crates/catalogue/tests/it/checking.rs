//! What is told of inputs that are wrong.

use catalogue::operation;
use serde_json::{Value, json};

/// What is wrong with the inputs of an operation, in words.
fn told(name: &str, inputs: &Value) -> Vec<String> {
    let told = operation(name).unwrap().check(inputs).err().unwrap_or_default();
    told.iter().map(ToString::to_string).collect()
}

#[test]
fn all_mistakes_are_told_at_once_with_place_and_mend() {
    let inputs = json!({
        "contactId": "..", "title": 7, "due_date": "2026-11-24T12:00:00Z", "completed": "yes", "colour": "red",
    });
    let mut told = told("ghl.task.create", &inputs);
    told.sort();
    assert_eq!(
        told,
        [
            "`colour` is not known",
            "`completed` must be true or false, and is text",
            "`contactId` is part of the address and may be neither empty nor `.` nor `..`",
            "`dueDate` is missing and must be text",
            "`due_date` is not known; did you mean `dueDate`?",
            "`title` must be text, and is a number",
        ]
    );
}

#[test]
fn a_mistake_deep_inside_is_told_with_its_path() {
    let inputs = json!({
        "locationId": "l", "dndSettings": { "SMS": { "status": "off" }, "Sms": {} }, "tags": ["a", 1],
        "customFields": [{ "id": "f", "field_value": "x" }, { "id": 9 }, { "id": "f", "fieldvalue": "x" }],
    });
    let told = told("ghl.contact.create", &inputs);
    for expected in [
        "`dndSettings.SMS.status` must be one of `active`, `inactive`, `permanent`, and is `off`",
        "`dndSettings.Sms` is not known; did you mean `SMS`?",
        "`tags[1]` must be text, and is a number",
        "`customFields[1].id` must be text, and is a number",
        "`customFields[2].fieldvalue` is not known; did you mean `field_value`?",
    ] {
        assert!(told.iter().any(|it| it == expected), "{expected}\n{told:#?}");
    }
    assert_eq!(told.len(), 5, "{told:#?}");
}

#[test]
fn null_is_taken_only_where_the_documents_take_it() {
    assert_eq!(told("ghl.contact.create", &json!({ "locationId": "l", "email": null })), [] as [String; 0]);
    assert_eq!(
        told("ghl.contact.create", &json!({ "locationId": "l", "country": null })),
        ["`country` must be text, and is null: leave it out instead"]
    );
}

#[test]
fn inputs_that_are_no_object_are_told() {
    assert_eq!(
        told("ghl.contact.create", &json!([1])),
        ["the inputs must be an object with a name for each, and are a list"]
    );
}

#[test]
fn a_body_that_the_documents_leave_open_takes_any_object() {
    let search = |body: Value| told("ghl.contact.search", &json!({ "body": body }));
    assert_eq!(search(json!({ "locationId": "l", "pageLimit": 20 })), [] as [String; 0]);
    assert_eq!(search(json!("text")), ["`body` must be an object, and is text"]);
}
