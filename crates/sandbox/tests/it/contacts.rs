//! Contacts: what is refused, what is changed, how duplicates are found.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn a_contact_is_normalised_and_answered_in_the_shapes_of_its_operations() {
    let world = World::start().await;
    let body = json!({
        "locationId": world.location(), "firstName": "Rosan", "lastName": "van Deo", "email": "Rosan@Deos.COM",
        "phone": "+1 888-888-8888", "tags": [" VIP ", "vip", "New Customer"], "dateOfBirth": "09/25/1990",
        "country": "US", "companyName": "DGS VolMAX", "gender": "female",
    });
    let (status, created) = world.ghl(Method::POST, "/contacts", body).await;
    assert_eq!(status, 201, "{created}");
    let contact = &created["contact"];
    assert_eq!(contact["email"], "rosan@deos.com");
    assert_eq!(contact["phone"], "+18888888888");
    assert_eq!(contact["tags"], json!(["vip", "new customer"]));
    assert_eq!(contact["firstNameLowerCase"], "rosan");
    assert_eq!(contact["dateOfBirth"], "1990-09-25T00:00:00.000Z", "CreateContactSchema");
    let path = format!("/contacts/{}", contact["id"].as_str().unwrap());
    let (status, read) = world.ghl(Method::GET, &path, Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!(read["contact"]["dateOfBirth"], "1990-09-25", "GetContectByIdSchema");
    assert_eq!(read["contact"]["name"], "Rosan van Deo");
}

#[tokio::test]
async fn what_the_documents_do_not_name_is_refused_with_every_complaint_at_once() {
    let world = World::start().await;
    let (status, body) =
        world.ghl(Method::POST, "/contacts/", json!({ "email": "x", "bogus": 1, "tags": "a" })).await;
    assert_eq!(status, 422);
    assert_eq!(body["error"], "Unprocessable Entity");
    let messages: Vec<&str> = body["message"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for expected in [
        "property bogus should not exist",
        "locationId should not be empty",
        "email must be an email",
        "tags must be an array",
    ] {
        assert!(messages.contains(&expected), "{expected} in {messages:?}");
    }
    let id = world.create(json!({ "email": "a@deos.com" })).await;
    for field in ["locationId", "gender", "companyName", "additionalEmails"] {
        let value = if field == "locationId" { json!(world.location()) } else { json!("x") };
        let (status, body) =
            world.ghl(Method::PUT, &format!("/contacts/{id}"), json!({ field: value })).await;
        assert_eq!(
            (status, &body["message"][0]),
            (422, &json!(format!("property {field} should not exist")))
        );
    }
    let (status, _) =
        world.ghl(Method::PUT, &format!("/contacts/{id}"), json!({ "country": "Germany" })).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn a_second_contact_with_the_same_address_or_number_is_refused_with_the_first_ones_id() {
    let world = World::start().await;
    let first = world
        .create(json!({ "name": "Rosan Deo", "email": "rosan@deos.com", "phone": "+18888888888" }))
        .await;
    for (field, body) in [
        ("email", json!({ "email": "ROSAN@deos.com", "phone": "+18888888877" })),
        ("phone", json!({ "email": "other@deos.com", "phone": "(888) 888-8888" })),
        ("email", json!({ "email": "rosan@deos.com", "phone": "+18888888888" })),
    ] {
        let mut body = body;
        body["locationId"] = json!(world.location());
        let (status, answer) = world.ghl(Method::POST, "/contacts/", body).await;
        assert_eq!(status, 400);
        assert_eq!(answer["message"], "This location does not allow duplicated contacts.");
        assert_eq!(
            answer["meta"],
            json!({ "contactName": "Rosan Deo", "contactId": first, "matchingField": field })
        );
    }
    let other = world.create(json!({ "email": "other@deos.com" })).await;
    let taken = json!({ "email": "rosan@deos.com" });
    let (status, answer) = world.ghl(Method::PUT, &format!("/contacts/{other}"), taken.clone()).await;
    assert_eq!((status, &answer["meta"]["contactId"]), (400, &json!(first)));
    world.sandbox.ghl().settings(json!({ "allow_duplicate_contacts": true })).unwrap();
    let (status, _) = world.ghl(Method::PUT, &format!("/contacts/{other}"), taken).await;
    assert_eq!(status, 200);
    let path = format!("/locations/{}", world.location());
    let (_, location) = world.ghl(Method::GET, &path, Value::Null).await;
    assert_eq!(location["location"]["settings"]["allowDuplicateContact"], true);
}

#[tokio::test]
async fn a_location_may_look_for_the_number_before_the_address() {
    let world = World::start().await;
    let by_address = world.create(json!({ "email": "rosan@deos.com" })).await;
    let by_number = world.create(json!({ "phone": "+18888888888" })).await;
    let body = json!({ "locationId": world.location(), "email": "rosan@deos.com", "phone": "+18888888888" });
    for (phone_first, first) in [(false, by_address), (true, by_number)] {
        world.sandbox.ghl().settings(json!({ "match_phone_first": phone_first })).unwrap();
        let (status, answer) = world.ghl(Method::POST, "/contacts/", body.clone()).await;
        assert_eq!((status, &answer["meta"]["contactId"]), (400, &json!(first)));
    }
}

#[tokio::test]
async fn tags_of_an_update_replace_the_list_and_the_tag_paths_add_and_remove() {
    let world = World::start().await;
    let id = world.create(json!({ "email": "a@deos.com", "tags": ["one", "two"] })).await;
    let (_, updated) = world.ghl(Method::PUT, &format!("/contacts/{id}"), json!({ "tags": ["Three"] })).await;
    assert_eq!(updated["succeded"], true);
    assert_eq!(updated["contact"]["tags"], json!(["three"]));
    let tags = format!("/contacts/{id}/tags");
    let (status, added) = world.ghl(Method::POST, &tags, json!({ "tags": ["THREE", " Four "] })).await;
    assert_eq!((status, &added), (201, &json!({ "tags": ["three", "four"], "tagsAdded": ["four"] })));
    let (status, removed) = world.ghl(Method::DELETE, &tags, json!({ "tags": ["Three", "five"] })).await;
    assert_eq!((status, &removed), (200, &json!({ "tags": ["four"], "tagsRemoved": ["three"] })));
    let (_, known) =
        world.ghl(Method::GET, &format!("/locations/{}/tags", world.location()), Value::Null).await;
    let names: Vec<&str> =
        known["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["one", "two", "three", "four"]);
}

#[tokio::test]
async fn a_custom_field_with_options_takes_no_other_value() {
    let world = World::start().await;
    let path = format!("/locations/{}/customFields", world.location());
    for (name, kind) in [
        ("Level", "SINGLE_OPTIONS"),
        ("Tick", "RADIO"),
        ("Colours", "MULTIPLE_OPTIONS"),
        ("Boxes", "CHECKBOX"),
    ] {
        let field = json!({ "name": name, "dataType": kind, "options": ["A", "B"] });
        assert_eq!(world.ghl(Method::POST, &path, field).await.0, 201);
    }
    let id = world.create(json!({ "email": "a@deos.com" })).await;
    let put = async |key: &str, value: Value| {
        let body = json!({ "customFields": [{ "key": key, "field_value": value }] });
        let (status, answer) = world.ghl(Method::PUT, &format!("/contacts/{id}"), body).await;
        (status, answer["message"][0].as_str().unwrap_or_default().to_owned())
    };
    for (key, value) in [
        ("level", json!("A")),
        ("tick", json!("B")),
        ("colours", json!(["B", "A"])),
        ("boxes", json!([])),
        ("level", json!("")),
    ] {
        assert_eq!(put(key, value.clone()).await.0, 200, "{key} {value}");
    }
    for (key, value, why) in [
        ("level", json!("C"), "customFields.0.field_value must be one of the following values: A, B"),
        ("tick", json!("a"), "customFields.0.field_value must be one of the following values: A, B"),
        ("tick", json!(true), "customFields.0.field_value must be a string"),
        (
            "colours",
            json!(["A", "C"]),
            "each value in customFields.0.field_value must be one of the following values: A, B",
        ),
        ("boxes", json!("A"), "customFields.0.field_value must be an array"),
    ] {
        assert_eq!(put(key, value.clone()).await, (422, why.to_owned()), "{key} {value}");
    }
}
