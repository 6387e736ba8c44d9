//! Upsert and its quirks.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::World;

async fn upsert(world: &World, mut body: Value) -> (u16, Value) {
    body["locationId"] = json!(world.location());
    world.ghl(Method::POST, "/contacts/upsert", body).await
}

#[tokio::test]
async fn it_creates_or_updates_and_replaces_tags() {
    let world = World::start().await;
    let (status, made) = upsert(&world, json!({ "email": "a@deos.com", "tags": ["one"] })).await;
    assert_eq!((status, &made["new"]), (201, &json!(true)));
    assert!(made["traceId"].is_string());
    let (status, again) =
        upsert(&world, json!({ "email": "A@deos.com", "tags": ["two"], "gender": "male" })).await;
    assert_eq!(
        (status, &again["new"], &again["contact"]["id"]),
        (200, &json!(false), &made["contact"]["id"])
    );
    assert_eq!(again["contact"]["tags"], json!(["two"]));
    assert!(
        again["contact"].get("gender").is_none(),
        "HighLevel's issue 313: ignored for an existing contact"
    );
}

#[tokio::test]
async fn an_address_and_a_number_of_two_contacts_take_the_addresses_and_drop_the_number() {
    let world = World::start().await;
    let by_email = world.create(json!({ "email": "a@deos.com", "phone": "+18888888811" })).await;
    let by_phone = world.create(json!({ "email": "b@deos.com", "phone": "+18888888822" })).await;
    let (status, body) =
        upsert(&world, json!({ "email": "a@deos.com", "phone": "+18888888822", "city": "Berlin" })).await;
    assert_eq!((status, &body["contact"]["id"]), (200, &json!(by_email)));
    assert_eq!(
        (&body["contact"]["phone"], &body["contact"]["city"]),
        (&json!("+18888888811"), &json!("Berlin")),
        "HighLevel's issue 37"
    );
    let (_, other) = world.ghl(Method::GET, &format!("/contacts/{by_phone}"), Value::Null).await;
    assert_eq!(other["contact"]["phone"], "+18888888822");
}

#[tokio::test]
async fn without_address_and_number_there_is_nothing_to_match() {
    let world = World::start().await;
    let (status, body) = upsert(&world, json!({ "firstName": "Ada" })).await;
    assert_eq!(
        (status, &body["message"]),
        (400, &json!("Pass at least one of number, email query parameter"))
    );
    let path = format!("/contacts/search/duplicate?locationId={}", world.location());
    assert_eq!(world.ghl(Method::GET, &path, Value::Null).await.0, 400);
}

#[tokio::test]
async fn an_additional_address_overwrites_the_primary_one() {
    let world = World::start().await;
    let contact = json!({ "email": "main@deos.com", "additionalEmails": ["side@deos.com"] });
    let made =
        world.sandbox.ghl().act(json!({ "action": "contact.create", "contact": contact })).await.unwrap();
    let (_, body) = upsert(&world, json!({ "email": "side@deos.com" })).await;
    assert_eq!((&body["new"], &body["contact"]["id"]), (&json!(false), &made["contact"]["id"]));
    assert_eq!(body["contact"]["email"], "side@deos.com", "HighLevel's issue 337");
    world.create(json!({ "email": "main@deos.com" })).await;
}

#[tokio::test]
async fn it_makes_a_second_one_only_where_duplicates_are_allowed_and_asked_for() {
    let world = World::start().await;
    let body = json!({ "email": "a@deos.com", "createNewIfDuplicateAllowed": true });
    let (_, first) = upsert(&world, body.clone()).await;
    assert_eq!(upsert(&world, body.clone()).await.1["contact"]["id"], first["contact"]["id"]);
    world.sandbox.ghl().settings(json!({ "allow_duplicate_contacts": true })).unwrap();
    let (status, second) = upsert(&world, body).await;
    assert_eq!((status, &second["new"]), (201, &json!(true)));
    assert_ne!(second["contact"]["id"], first["contact"]["id"]);
}
