//! What belongs to contacts and to the location: tasks, notes, bulk changes, merges, tags, custom fields, users.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn tasks_need_title_due_date_and_completed_and_are_found_in_the_location() {
    let world = World::start().await;
    let id = world.create(json!({ "email": "a@deos.com" })).await;
    let tasks = format!("/contacts/{id}/tasks");
    let (status, body) = world.ghl(Method::POST, &tasks, json!({ "title": "Call", "dueDate": "soon" })).await;
    let expected = [
        "dueDate must be a valid ISO 8601 date string",
        "completed should not be empty",
        "completed must be a boolean value",
    ];
    assert_eq!((status, &body["message"]), (422, &json!(expected)));
    let task = json!({ "title": "Call", "body": "Welcome", "dueDate": "2026-11-25T12:00:00+01:00", "completed": false });
    let (status, made) = world.ghl(Method::POST, &tasks, task).await;
    assert_eq!((status, &made["task"]["dueDate"]), (201, &json!("2026-11-25T11:00:00.000Z")));
    let task_id = made["task"]["id"].as_str().unwrap();
    let (_, done) =
        world.ghl(Method::PUT, &format!("{tasks}/{task_id}/completed"), json!({ "completed": true })).await;
    assert_eq!(done["task"]["completed"], true);
    let search = format!("/locations/{}/tasks/search", world.location());
    let (status, found) =
        world.ghl(Method::POST, &search, json!({ "contactId": [id], "completed": true })).await;
    assert_eq!((status, &found["tasks"][0]["id"]), (200, &json!(task_id)));
    let (_, none) = world.ghl(Method::POST, &search, json!({ "completed": false })).await;
    assert_eq!(none["tasks"], json!([]));
    let (status, _) = world.ghl(Method::GET, &format!("/contacts/nobody/tasks/{task_id}"), Value::Null).await;
    assert_eq!(status, 404);
    let effects: Vec<_> = world.sandbox.ghl().journal().into_iter().filter_map(|it| it.effect).collect();
    assert_eq!(
        (effects[1].kind.as_str(), effects[1].contact_id.as_deref()),
        ("task.created", Some(id.as_str()))
    );
    assert_eq!(effects[2].kind, "task.completed");
}

#[tokio::test]
async fn notes_keep_their_html_and_show_it_as_text_and_go_with_their_contact() {
    let world = World::start().await;
    let id = world.create(json!({ "email": "a@deos.com" })).await;
    let notes = format!("/contacts/{id}/notes");
    assert_eq!(world.ghl(Method::POST, &notes, json!({ "title": "x" })).await.0, 422);
    let (_, made) = world.ghl(Method::POST, &notes, json!({ "body": "<p>Likes <b>mugs</b></p>" })).await;
    assert_eq!(
        (&made["note"]["body"], &made["note"]["bodyText"]),
        (&json!("<p>Likes <b>mugs</b></p>"), &json!("Likes mugs"))
    );
    let (_, listed) = world.ghl(Method::GET, &notes, Value::Null).await;
    assert_eq!(listed["notes"], json!([made["note"]]));
    let (status, gone) = world.ghl(Method::DELETE, &format!("/contacts/{id}"), Value::Null).await;
    assert_eq!((status, gone), (200, json!({ "succeded": true })));
    assert_eq!(world.ghl(Method::GET, &notes, Value::Null).await.0, 404);
    assert_eq!(world.sandbox.ghl().state()["notes"], json!([]));
}

#[tokio::test]
async fn a_merge_leaves_one_contact_with_the_addresses_notes_and_tasks_of_both() {
    let world = World::start().await;
    let from = world.create(json!({ "email": "from@deos.com", "tags": ["a"], "city": "Berlin" })).await;
    let into = world.create(json!({ "email": "into@deos.com", "tags": ["b"] })).await;
    world.ghl(Method::POST, &format!("/contacts/{from}/notes"), json!({ "body": "kept" })).await;
    let act = json!({ "action": "contact.merge", "from": from, "into": into });
    let merged = world.sandbox.ghl().act(act).await.unwrap();
    assert_eq!(merged["contact"]["additionalEmails"], json!(["from@deos.com"]));
    assert_eq!(
        (&merged["contact"]["tags"], &merged["contact"]["city"]),
        (&json!(["b", "a"]), &json!("Berlin"))
    );
    assert_eq!(world.ghl(Method::GET, &format!("/contacts/{from}"), Value::Null).await.0, 400);
    let (_, notes) = world.ghl(Method::GET, &format!("/contacts/{into}/notes"), Value::Null).await;
    assert_eq!((&notes["notes"][0]["body"], &notes["notes"][0]["contactId"]), (&json!("kept"), &json!(into)));
}

#[tokio::test]
async fn bulk_tags_answer_for_each_contact() {
    let world = World::start().await;
    let id = world.create(json!({ "email": "a@deos.com", "tags": ["old"] })).await;
    let gone = world.create(json!({ "email": "b@deos.com" })).await;
    world.ghl(Method::DELETE, &format!("/contacts/{gone}"), Value::Null).await;
    let body = json!({ "contacts": [id, gone, "abcdef", "3ualbhnV7j3n3a9r2moD"], "tags": ["New"], "locationId": world.location() });
    let (status, answer) = world.ghl(Method::POST, "/contacts/bulk/tags/update/add", body).await;
    assert_eq!((status, &answer["errorCount"], &answer["succeded"]), (201, &json!(3), &json!(false)));
    let messages: Vec<&str> =
        answer["responses"].as_array().unwrap().iter().map(|it| it["message"].as_str().unwrap()).collect();
    assert_eq!(
        messages,
        [
            "Tags updated",
            "contact is deleted",
            "contact id is not a valid firebase id",
            "contact does not belong to location"
        ]
    );
    assert_eq!(
        (&answer["responses"][0]["oldTags"], &answer["responses"][0]["tagsAdded"]),
        (&json!(["old"]), &json!(["new"]))
    );
}

#[tokio::test]
async fn custom_fields_are_defined_written_by_id_or_key_and_read_as_id_and_value() {
    let world = World::start().await;
    let fields = format!("/locations/{}/customFields", world.location());
    let (status, made) =
        world.ghl(Method::POST, &fields, json!({ "name": "Shoe Size", "dataType": "TEXT" })).await;
    assert_eq!((status, &made["customField"]["fieldKey"]), (201, &json!("contact.shoe_size")));
    let field = made["customField"]["id"].as_str().unwrap();
    assert_eq!(world.ghl(Method::POST, &fields, json!({ "name": "X", "dataType": "SHOE" })).await.0, 422);
    let id = world.create(json!({ "customFields": [{ "key": "shoe_size", "field_value": "42" }, { "id": "unknown", "field_value": "x" }] })).await;
    let path = format!("/contacts/{id}");
    let (_, read) = world.ghl(Method::GET, &path, Value::Null).await;
    assert_eq!(read["contact"]["customFields"], json!([{ "id": field, "value": "42" }]));
    let (_, put) =
        world.ghl(Method::PUT, &path, json!({ "customFields": [{ "id": field, "fieldValue": "43" }] })).await;
    assert_eq!(put["contact"]["customFields"], json!([{ "id": field, "value": "43" }]));
    let nested = json!({ "customFields": [{ "fieldId": { "id": field }, "field_value": "44" }] });
    assert_eq!(world.ghl(Method::PUT, &path, nested).await.0, 422, "n8n's issue 20474");
    assert_eq!(world.ghl(Method::DELETE, &format!("{fields}/{field}"), Value::Null).await.0, 200);
    assert_eq!(world.ghl(Method::GET, &fields, Value::Null).await.1["customFields"], json!([]));
}

#[tokio::test]
async fn the_locations_tags_and_users_can_be_read_and_tags_renamed() {
    let world = World::start().await;
    let tags = format!("/locations/{}/tags", world.location());
    let (status, made) = world.ghl(Method::POST, &tags, json!({ "name": " VIP " })).await;
    assert_eq!((status, &made["tag"]["name"]), (200, &json!("vip")));
    assert_eq!(world.ghl(Method::POST, &tags, json!({ "name": "vip" })).await.0, 400);
    let tag = format!("{tags}/{}", made["tag"]["id"].as_str().unwrap());
    assert_eq!(world.ghl(Method::PUT, &tag, json!({ "name": "Gold" })).await.1["tag"]["name"], "gold");
    assert_eq!(world.ghl(Method::DELETE, &tag, Value::Null).await.1, json!({ "succeded": true }));
    assert_eq!(world.ghl(Method::GET, &tag, Value::Null).await.0, 404);
    let (_, users) =
        world.ghl(Method::GET, &format!("/users/?locationId={}", world.location()), Value::Null).await;
    let first = &users["users"][0];
    let (_, user) =
        world.ghl(Method::GET, &format!("/users/{}", first["id"].as_str().unwrap()), Value::Null).await;
    assert_eq!(user["email"], first["email"]);
    let search = format!("/users/search?companyId={}&query=anna", world.ghl["company_id"].as_str().unwrap());
    assert_eq!(world.ghl(Method::GET, &search, Value::Null).await.1["count"], 1);
}
