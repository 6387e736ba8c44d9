//! Every operation of contacts.json, and its answer held against the official schema.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::World;

/// tests/fixtures/SOURCE.md says where they come from.
const CONTACTS: &str = include_str!("../fixtures/contacts.json");
const COMMON: &str = include_str!("../fixtures/common-schemas.json");

struct Documents {
    paths: Value,
    schemas: Value,
}

impl Documents {
    fn read() -> Self {
        let own = CONTACTS.replace("../common/common-schemas.json#/components", "#/components");
        let mut contacts: Value = serde_json::from_str(&own).unwrap();
        let common: Value = serde_json::from_str(COMMON).unwrap();
        let mut schemas = contacts["components"]["schemas"].take();
        for (name, schema) in common["components"]["schemas"].as_object().unwrap() {
            schemas[name] = schema.clone();
        }
        // The document gives the responses' items as strings and, in its example, as objects: the example counts.
        schemas["UpdateTagsResponseDTO"]["properties"]["responses"]["items"] = json!({ "type": "object" });
        Self { paths: contacts["paths"].take(), schemas }
    }

    fn operations(&self) -> BTreeSet<String> {
        let paths = self.paths.as_object().unwrap();
        let named = paths.iter().flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        });
        named.collect()
    }

    /// Complains unless `body` fits the schema of this status; every property of the envelope must be there.
    fn hold(&self, operation: &str, status: u16, body: &Value) {
        let (method, path) = operation.split_once(' ').unwrap();
        let response = &self.paths[path][method.to_lowercase()]["responses"][status.to_string()];
        assert!(response.is_object(), "{operation}: {status} is not documented: {body}");
        let mut schema = response["content"]["application/json"]["schema"].clone();
        if schema.is_null() {
            return;
        }
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap();
            for property in self.schemas[name]["properties"].as_object().unwrap().keys() {
                assert!(body.get(property).is_some(), "{operation}: {property} is missing in {body}");
            }
        }
        schema["components"] = json!({ "schemas": self.schemas });
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(body).map(|it| format!("{} at {}", it, it.instance_path)).collect();
        assert!(errors.is_empty(), "{operation}: {errors:#?} in {body}");
    }
}

#[tokio::test]
async fn every_documented_operation_answers_in_its_documented_shape() {
    let world = World::start().await;
    world.sandbox.ghl().settings(json!({ "strict_rate": false })).unwrap();
    let documents = Documents::read();
    let location = world.location().to_owned();
    let act = |action: Value| world.sandbox.ghl().act(action);
    let field = act(json!({ "action": "custom_field.create", "name": "Size" })).await.unwrap();
    let business = act(json!({ "action": "business.create", "name": "Dentist" })).await.unwrap();
    let business = business["business"]["id"].as_str().unwrap().to_owned();
    let contact = json!({
        "locationId": location, "name": "Rosan Deo", "email": "rosan@deos.com", "phone": "+18888888888",
        "dateOfBirth": "1990-09-25", "dndSettings": { "SMS": { "status": "active" } },
        "customFields": [{ "id": field["customField"]["id"], "field_value": "L" }],
    });
    let id = world.create(contact).await;
    act(json!({ "action": "appointment.create", "contact_id": id, "title": "Fitting", "startTime": "2026-11-24T12:00:00Z", "endTime": "2026-11-24T12:30:00Z" })).await.unwrap();
    let task = json!({ "title": "Call", "dueDate": "2026-11-24T12:00:00Z", "completed": false });
    let (_, made) = world.ghl(Method::POST, &format!("/contacts/{id}/tasks"), task.clone()).await;
    let task_id = made["task"]["id"].as_str().unwrap().to_owned();
    let (_, made) =
        world.ghl(Method::POST, &format!("/contacts/{id}/notes"), json!({ "body": "first" })).await;
    let note_id = made["note"]["id"].as_str().unwrap().to_owned();
    let doomed = world.create(json!({ "email": "doomed@deos.com" })).await;

    let followers = json!({ "followers": ["tTUcmRxWrjqzJS8EjkxN"] });
    let tags = json!({ "tags": ["vip"] });
    let steps: Vec<(&str, String, Value)> = vec![
        ("POST /contacts/", String::new(), json!({ "locationId": location, "email": "new@deos.com" })),
        ("GET /contacts/", format!("?locationId={location}&limit=1"), Value::Null),
        (
            "POST /contacts/upsert",
            String::new(),
            json!({ "locationId": location, "email": "rosan@deos.com", "city": "X" }),
        ),
        ("POST /contacts/search", String::new(), json!({ "locationId": location, "pageLimit": 10 })),
        (
            "GET /contacts/search/duplicate",
            format!("?locationId={location}&email=rosan%40deos.com"),
            Value::Null,
        ),
        (
            "POST /contacts/bulk/business",
            String::new(),
            json!({ "locationId": location, "ids": [id], "businessId": business }),
        ),
        ("GET /contacts/business/{businessId}", format!("?locationId={location}"), Value::Null),
        (
            "POST /contacts/bulk/tags/update/{type}",
            String::new(),
            json!({ "contacts": [id, "abcdef"], "tags": ["a"], "locationId": location }),
        ),
        ("GET /contacts/{contactId}", String::new(), Value::Null),
        ("PUT /contacts/{contactId}", String::new(), json!({ "city": "Dolomite" })),
        ("GET /contacts/{contactId}/tasks", String::new(), Value::Null),
        ("POST /contacts/{contactId}/tasks", String::new(), task),
        ("GET /contacts/{contactId}/tasks/{taskId}", String::new(), Value::Null),
        ("PUT /contacts/{contactId}/tasks/{taskId}", String::new(), json!({ "title": "Call back" })),
        ("PUT /contacts/{contactId}/tasks/{taskId}/completed", String::new(), json!({ "completed": true })),
        ("DELETE /contacts/{contactId}/tasks/{taskId}", String::new(), Value::Null),
        ("GET /contacts/{contactId}/notes", String::new(), Value::Null),
        ("POST /contacts/{contactId}/notes", String::new(), json!({ "body": "<p>hi</p>" })),
        ("GET /contacts/{contactId}/notes/{id}", String::new(), Value::Null),
        ("PUT /contacts/{contactId}/notes/{id}", String::new(), json!({ "body": "second", "pinned": true })),
        ("DELETE /contacts/{contactId}/notes/{id}", String::new(), Value::Null),
        ("POST /contacts/{contactId}/tags", String::new(), tags.clone()),
        ("DELETE /contacts/{contactId}/tags", String::new(), tags),
        ("GET /contacts/{contactId}/appointments", String::new(), Value::Null),
        ("POST /contacts/{contactId}/followers", String::new(), followers.clone()),
        ("DELETE /contacts/{contactId}/followers", String::new(), followers),
        ("POST /contacts/{contactId}/campaigns/{campaignId}", String::new(), json!({})),
        ("DELETE /contacts/{contactId}/campaigns/{campaignId}", String::new(), Value::Null),
        ("DELETE /contacts/{contactId}/campaigns/removeAll", String::new(), Value::Null),
        (
            "POST /contacts/{contactId}/workflow/{workflowId}",
            String::new(),
            json!({ "eventStartTime": "2021-06-23T03:30:00+01:00" }),
        ),
        ("DELETE /contacts/{contactId}/workflow/{workflowId}", String::new(), json!({})),
        ("DELETE /contacts/{contactId}", String::new(), Value::Null),
    ];
    let walked: BTreeSet<String> = steps.iter().map(|(operation, ..)| (*operation).to_owned()).collect();
    assert_eq!(walked, documents.operations(), "every operation, and no other");
    for (operation, query, body) in steps {
        let (method, path) = operation.split_once(' ').unwrap();
        let contact = if operation == "DELETE /contacts/{contactId}" { &doomed } else { &id };
        let path = path
            .replace("{contactId}", contact)
            .replace("{taskId}", &task_id)
            .replace("{id}", &note_id)
            .replace("{businessId}", &business)
            .replace("{type}", "add")
            .replace("{campaignId}", "Y2I9XM7aO1hncuSOlc9L")
            .replace("{workflowId}", "Y2I9XM7aO1hncuSOlc9L");
        for slash in ["", "/"] {
            let with_slash = format!("{}{slash}", path.trim_end_matches('/'));
            // Only what can be asked twice is asked in both forms.
            if slash == "/" && method != "GET" {
                continue;
            }
            let url = format!("{with_slash}{query}");
            let (status, answer) = world.ghl(method.parse().unwrap(), &url, body.clone()).await;
            assert!((200..300).contains(&status), "{operation}: {status} {answer}");
            documents.hold(operation, status, &answer);
        }
    }
    let state = world.sandbox.ghl().state();
    assert_eq!(state["contacts"].as_array().unwrap().len(), 2, "{state}");
}

#[tokio::test]
async fn refusals_have_the_documented_shape() {
    let world = World::start().await;
    let documents = Documents::read();
    let (status, body) = world.ghl(Method::POST, "/contacts/", json!({ "bogus": 1 })).await;
    documents.hold("POST /contacts/", status, &body);
    let (status, body) = world.ghl(Method::GET, "/contacts/lookup", Value::Null).await;
    assert_eq!((status, &body["message"]), (400, &json!("Contact with id lookup not found")));
    documents.hold("GET /contacts/{contactId}", status, &body);
    let url = format!("{}/contacts/lookup", world.sandbox.ghl_url());
    let (status, body) = crate::world::send(world.http.get(url)).await;
    assert_eq!(status, 401);
    documents.hold("GET /contacts/{contactId}", status, &body);
    assert!(body["traceId"].is_string());
}
