//! Every action is called: all of them at a server made of the data, and those that it serves at the sandbox.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use catalogue::{Operation, Part, Request, RequestBody, operation, operations};
use ghl::{RawBody, RawCall, RawPart};
use sandbox::{Options, Sandbox};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::server;

/// Sends a request as the bridge's client does.
async fn send(client: &ghl::Client, request: Request) -> Result<Value, String> {
    let body = match request.body {
        None => RawBody::None,
        Some(RequestBody::Json(body)) => RawBody::Json(body),
        Some(RequestBody::Form(fields)) => RawBody::Form(fields),
        Some(RequestBody::Files(parts)) => RawBody::Files(
            parts
                .into_iter()
                .map(|(name, part)| {
                    let part = match part {
                        Part::Text(text) => RawPart::Text(text),
                        Part::File(base64) => RawPart::File {
                            name: "file.png".to_owned(),
                            bytes: STANDARD.decode(base64).unwrap(),
                        },
                    };
                    (name, part)
                })
                .collect(),
        ),
    };
    let call = RawCall {
        query: request.query,
        body,
        version: request.version,
        ..RawCall::new(request.method.as_str().parse().unwrap(), request.path)
    };
    let answer = client.call(call).await;
    answer.map(|answer| answer.value).map_err(|failure| format!("{:?}", failure.error))
}

fn client(url: &str, token: &str) -> ghl::Client {
    ghl::Client::builder().base_url(url).token(SecretString::from(token)).build().unwrap()
}

#[tokio::test]
async fn every_action_reaches_its_operation_with_all_inputs_and_with_the_required_ones() {
    let url = server::start().await;
    let client = client(&url, "pit-x");
    for it in operations() {
        for only_required in [true, false] {
            let request = it.request(&it.example(only_required)).unwrap();
            let answer = send(&client, request).await;
            let reached = answer.unwrap_or_else(|error| panic!("{}: {error}", it.name));
            assert_eq!(reached["operation"], it.name);
        }
    }
}

#[tokio::test]
async fn the_server_that_judges_refuses_what_is_not_as_documented() {
    let url = server::start().await;
    let client = client(&url, "pit-x");
    let create = operation("ghl.task.create").unwrap();
    let good = create.request(&create.example(true)).unwrap();
    let with = |change: &dyn Fn(&mut Request)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    let body =
        |body: Value| move |request: &mut Request| request.body = Some(RequestBody::Json(body.clone()));
    for (what, request) in [
        ("another path", with(&|request| request.path += "/more")),
        ("an unknown query", with(&|request| request.query.push(("x".into(), "1".into())))),
        ("another version", with(&|request| request.version = Some("2020-01-01".into()))),
        ("nothing required", with(&body(json!({})))),
        ("a wrong kind", with(&body(json!({ "title": 1, "dueDate": "x", "completed": true })))),
        ("an unknown field", with(&body(json!({ "title": "x", "dueDate": "x", "completed": true, "y": 1 })))),
    ] {
        assert!(send(&client, request).await.is_err(), "{what}");
    }
    assert!(send(&client, good).await.is_ok());
}

/// A location with somebody in it, and the ids that inputs can name.
struct Place {
    sandbox: Sandbox,
    client: ghl::Client,
    ids: Map<String, Value>,
    called: BTreeSet<String>,
}

impl Place {
    async fn start() -> Self {
        let options =
            Options { strict_rate: false, search_lag: std::time::Duration::ZERO, ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        let announced = sandbox.announcement()["ghl"].clone();
        let client = client(announced["url"].as_str().unwrap(), announced["token"].as_str().unwrap());
        let business =
            sandbox.ghl().act(json!({ "action": "business.create", "name": "Dentist" })).await.unwrap();
        let ids = json!({
            "locationId": announced["location_id"], "companyId": announced["company_id"],
            "businessId": business["business"]["id"], "campaignId": "Y2I9XM7aO1hncuSOlc9L",
            "workflowId": "Y2I9XM7aO1hncuSOlc9L", "type": "add", "eventStartTime": "2021-06-23T03:30:00+01:00",
            "dueDate": "2026-11-24T12:00:00Z", "email": "ada@example.com",
        });
        Self { sandbox, client, ids: ids.as_object().unwrap().clone(), called: BTreeSet::new() }
    }

    /// Calls an operation with its required inputs, those ids that it knows, and what is given beside.
    async fn call(&mut self, name: &str, given: Value) -> Value {
        let it: &Operation = operation(name).unwrap_or_else(|| panic!("no {name}"));
        let mut inputs = it.example(true).as_object().unwrap().clone();
        for (input, value) in &mut inputs {
            if let Some(id) = self.ids.get(input) {
                *value = id.clone();
            }
        }
        inputs.extend(given.as_object().unwrap().clone());
        let request =
            it.request(&Value::Object(inputs)).unwrap_or_else(|mistakes| panic!("{name}: {mistakes:?}"));
        let answer = send(&self.client, request).await;
        self.called.insert(name.to_owned());
        answer.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Remembers the id of what was made.
    fn know(&mut self, input: &str, id: &Value) {
        assert!(id.is_string(), "{input}: {id}");
        self.ids.insert(input.to_owned(), id.clone());
    }
}

#[tokio::test]
async fn what_the_sandbox_serves_it_takes_as_the_catalogue_writes_it() {
    let mut at = Place::start().await;
    let location = at.ids["locationId"].clone();
    let made = at.call("ghl.contact.create", json!({ "email": "ada@example.com" })).await;
    at.know("contactId", &made["contact"]["id"]);
    let contact = made["contact"]["id"].clone();
    let made = at.call("ghl.task.create", json!({ "title": "Call" })).await;
    at.know("taskId", &made["task"]["id"]);
    let made = at.call("ghl.note.create", json!({ "body": "first" })).await;
    at.know("id", &made["note"]["id"]);
    for (name, given) in [
        ("ghl.contact.upsert", json!({ "email": "ada@example.com", "city": "London" })),
        ("ghl.contact.search", json!({ "body": { "locationId": location, "pageLimit": 10 } })),
        ("ghl.contact.list", json!({ "limit": 1 })),
        ("ghl.contact.find_duplicate", json!({ "email": "ada@example.com" })),
        ("ghl.contact.get", json!({})),
        ("ghl.contact.update", json!({ "city": "Paris" })),
        ("ghl.contact.set_business", json!({ "ids": [contact] })),
        ("ghl.contact.list_of_business", json!({ "locationId": location })),
        ("ghl.contact.bulk_tags", json!({ "contacts": [contact], "tags": ["a"] })),
        ("ghl.contact.add_followers", json!({ "followers": ["tTUcmRxWrjqzJS8EjkxN"] })),
        ("ghl.contact.remove_followers", json!({ "followers": ["tTUcmRxWrjqzJS8EjkxN"] })),
        ("ghl.contact.add_to_campaign", json!({})),
        ("ghl.contact.remove_from_campaign", json!({})),
        ("ghl.contact.remove_from_all_campaigns", json!({})),
        ("ghl.contact.add_to_workflow", json!({})),
        ("ghl.contact.remove_from_workflow", json!({})),
        ("ghl.appointment.list", json!({})),
        ("ghl.tags.add", json!({ "tags": ["vip"] })),
        ("ghl.tags.remove", json!({ "tags": ["vip"] })),
        ("ghl.task.list", json!({})),
        ("ghl.task.get", json!({})),
        ("ghl.task.update", json!({ "title": "Call back" })),
        ("ghl.task.set_completed", json!({})),
        ("ghl.task.search", json!({})),
        ("ghl.task.delete", json!({})),
        ("ghl.note.list", json!({})),
        ("ghl.note.get", json!({})),
        ("ghl.note.update", json!({ "body": "second" })),
        ("ghl.note.delete", json!({})),
        ("ghl.location.get", json!({})),
        ("ghl.tag.list", json!({})),
        ("ghl.custom_field.list", json!({})),
        ("ghl.user.list", json!({})),
        ("ghl.user.search", json!({})),
    ] {
        at.call(name, given).await;
    }
    let made = at.call("ghl.tag.create", json!({ "name": "gold" })).await;
    at.know("tagId", &made["tag"]["id"]);
    at.call("ghl.tag.get", json!({})).await;
    at.call("ghl.tag.update", json!({ "name": "silver" })).await;
    at.call("ghl.tag.delete", json!({})).await;
    let made = at.call("ghl.custom_field.create", json!({ "name": "Size", "dataType": "TEXT" })).await;
    at.know("id", &made["customField"]["id"]);
    at.call("ghl.custom_field.get", json!({})).await;
    at.call("ghl.custom_field.update", json!({ "name": "Width" })).await;
    at.call("ghl.custom_field.delete", json!({})).await;
    let users = at.call("ghl.user.list", json!({})).await;
    at.know("userId", &users["users"][0]["id"]);
    at.call("ghl.user.get", json!({})).await;
    at.call("ghl.contact.delete", json!({})).await;

    let of_contacts = operations().iter().filter(|it| it.document == "contacts");
    let left_out: Vec<&str> =
        of_contacts.map(|it| it.name.as_str()).filter(|name| !at.called.contains(*name)).collect();
    assert_eq!(left_out, [] as [&str; 0], "every operation on contacts is called");
    assert!(at.sandbox.ghl().state()["contacts"].as_array().unwrap().is_empty());
    at.sandbox.shutdown().await;
}
