//! Opportunities: pipelines, the way from open to won, lists, and what is told of them.

use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::world::{Receiver, World};

/// The first pipeline.
async fn pipeline(world: &World) -> Value {
    let path = format!("/opportunities/pipelines?locationId={}", world.location());
    let (status, answer) = world.ghl(Method::GET, &path, Value::Null).await;
    assert_eq!((status, answer["pipelines"].as_array().map(Vec::len)), (200, Some(2)));
    answer["pipelines"][0].clone()
}

/// An opportunity of the right form for a contact.
async fn form(world: &World, contact: &str) -> Value {
    json!({
        "pipelineId": pipeline(world).await["id"], "locationId": world.location(), "name": "Order 1001",
        "status": "open", "contactId": contact, "monetaryValue": 49.5,
    })
}

async fn make(world: &World) -> (String, String) {
    let contact = world.create(json!({ "email": "a@deos.com", "name": "Ada Deo" })).await;
    let (status, made) = world.ghl(Method::POST, "/opportunities/", form(world, &contact).await).await;
    assert_eq!(status, 201, "{made}");
    (made["opportunity"]["id"].as_str().unwrap().to_owned(), contact)
}

#[tokio::test]
async fn an_opportunity_begins_in_the_first_stage_and_goes_its_way_until_it_is_deleted() {
    let world = World::start().await;
    let stages = pipeline(&world).await["stages"].clone();
    let (id, contact) = make(&world).await;
    assert_eq!(world.last_effect().as_deref(), Some("opportunity.created"));
    let path = format!("/opportunities/{id}");
    let (_, read) = world.ghl(Method::GET, &path, Value::Null).await;
    let read = &read["opportunity"];
    assert_eq!((&read["pipelineStageId"], &read["monetaryValue"]), (&stages[0]["id"], &json!(49.5)));
    assert_eq!((&read["contact"]["id"], &read["contact"]["name"]), (&json!(contact), &json!("Ada Deo")));
    let paid = json!({ "pipelineStageId": stages[1]["id"] });
    let (status, moved) = world.ghl(Method::PUT, &path, paid.clone()).await;
    assert_eq!((status, &moved["opportunity"]["pipelineStageId"]), (200, &stages[1]["id"]));
    world.ghl(Method::PUT, &path, paid).await;
    assert_eq!(world.last_effect(), None, "the same again changes nothing");
    let won = world.ghl(Method::PUT, &format!("{path}/status"), json!({ "status": "won" })).await;
    assert_eq!(won, (200, json!({ "succeded": true })));
    assert_eq!(world.sandbox.ghl().state()["opportunities"][0]["status"], "won");
    assert_eq!(world.ghl(Method::DELETE, &path, Value::Null).await, (200, json!({ "succeded": true })));
    assert_eq!(world.ghl(Method::GET, &path, Value::Null).await.0, 400);
    assert_eq!(world.sandbox.ghl().state()["opportunities"], json!([]));
}

#[tokio::test]
async fn what_an_opportunity_needs_and_what_it_cannot_be_is_told() {
    let world = World::start().await;
    let contact = world.create(json!({ "email": "a@deos.com" })).await;
    let good = form(&world, &contact).await;
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let mut nameless = good.clone();
    nameless.as_object_mut().unwrap().remove("name");
    for (body, status, message) in [
        (nameless, 422, json!(["name should not be empty", "name must be a string"])),
        (with("stage", json!(1)), 422, json!(["property stage should not exist"])),
        (
            with("monetaryValue", json!("49.50")),
            422,
            json!(["monetaryValue must be a number conforming to the specified constraints"]),
        ),
        (
            with("status", json!("sold")),
            422,
            json!(["status must be one of the following values: open, won, lost, abandoned, all"]),
        ),
        (
            with("locationId", json!("elsewhere")),
            403,
            json!("The token does not have access to this location."),
        ),
        (with("pipelineId", json!("nowhere")), 400, json!("Pipeline with id nowhere not found")),
        (with("pipelineStageId", json!("never")), 400, json!("Pipeline stage with id never not found")),
        (with("contactId", json!("nobody")), 400, json!("Contact with id nobody not found")),
    ] {
        let (found, answer) = world.ghl(Method::POST, "/opportunities/", body).await;
        assert_eq!((found, &answer["message"]), (status, &message));
    }
    assert_eq!(world.sandbox.ghl().state()["opportunities"], json!([]));
    assert_eq!(world.ghl(Method::POST, "/opportunities/", good.clone()).await.0, 201);
    assert_eq!(world.ghl(Method::POST, "/opportunities/", good.clone()).await.0, 400, "one a pipeline");
    world.sandbox.ghl().settings(json!({ "allow_duplicate_opportunities": true })).unwrap();
    assert_eq!(world.ghl(Method::POST, "/opportunities/", good).await.0, 201);
}

#[tokio::test]
async fn opportunities_need_their_scopes() {
    let world = World::start().await;
    let path = format!("/opportunities/pipelines?locationId={}", world.location());
    world.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly"] })).unwrap();
    let (status, answer) = world.ghl(Method::GET, &path, Value::Null).await;
    assert_eq!((status, &answer["message"]), (401, &json!("The token is not authorized for this scope.")));
    world.sandbox.ghl().settings(json!({ "scopes": ["opportunities.readonly"] })).unwrap();
    assert_eq!(world.ghl(Method::GET, &path, Value::Null).await.0, 200);
    assert_eq!(world.ghl(Method::POST, "/opportunities/", json!({})).await.0, 401);
}

#[tokio::test]
async fn an_upsert_changes_what_its_id_names_and_makes_one_without() {
    let world = World::start().await;
    let (id, _) = make(&world).await;
    let mut body = json!({
        "pipelineId": pipeline(&world).await["id"], "locationId": world.location(), "name": "Renamed",
        "followers": ["u1", "u1"], "isRemoveAllFollowers": false, "followersActionType": "add", "id": id,
    });
    let (status, answer) = world.ghl(Method::POST, "/opportunities/upsert", body.clone()).await;
    assert_eq!((status, &answer["new"]), (200, &json!(false)));
    assert_eq!(
        (&answer["opportunity"]["name"], &answer["opportunity"]["followers"]),
        (&json!("Renamed"), &json!(["u1"]))
    );
    body.as_object_mut().unwrap().remove("id");
    let (_, answer) = world.ghl(Method::POST, "/opportunities/upsert", body.clone()).await;
    assert_eq!(answer["new"], json!(true));
    body["id"] = json!("unknown");
    assert_eq!(world.ghl(Method::POST, "/opportunities/upsert", body).await.0, 400);
}

#[tokio::test]
async fn followers_come_and_go() {
    let world = World::start().await;
    let (id, _) = make(&world).await;
    let path = format!("/opportunities/{id}/followers");
    let (status, added) = world.ghl(Method::POST, &path, json!({ "followers": ["a", "b"] })).await;
    assert_eq!((status, added), (201, json!({ "followers": ["a", "b"], "followersAdded": ["a", "b"] })));
    let (status, left) = world.ghl(Method::DELETE, &path, json!({ "followers": ["a"] })).await;
    assert_eq!((status, left), (200, json!({ "followers": ["b"], "followersRemoved": ["a"] })));
}

#[tokio::test]
async fn lists_filter_page_and_show_what_is_asked_for() {
    let world = World::start().await;
    world
        .sandbox
        .ghl()
        .settings(json!({ "allow_duplicate_opportunities": true, "strict_rate": false }))
        .unwrap();
    let (_, contact) = make(&world).await;
    let body = form(&world, &contact).await;
    for _ in 0..4 {
        world.ghl(Method::POST, "/opportunities/", body.clone()).await;
    }
    world.ghl(Method::POST, &format!("/contacts/{contact}/notes"), json!({ "body": "first" })).await;
    let list = format!("/opportunities/search?location_id={}", world.location());
    let get = async |query: &str| world.ghl(Method::GET, &format!("{list}{query}"), Value::Null).await;
    let (status, page) = get("&limit=2&page=1&getNotes=true").await;
    assert_eq!((status, page["opportunities"].as_array().map(Vec::len)), (200, Some(2)));
    assert_eq!((&page["meta"]["total"], &page["meta"]["nextPage"]), (&json!(5), &json!(2)));
    assert_eq!(page["opportunities"][0]["notes"][0]["body"], "first");
    let after = format!("&limit=100&startAfterId={}", page["meta"]["startAfterId"].as_str().unwrap());
    let (_, rest) = get(&after).await;
    assert_eq!(rest["opportunities"].as_array().map(Vec::len), Some(3));
    assert_eq!(get("&status=won").await.1["meta"]["total"], 0);
    assert_eq!(get(&format!("&contact_id={contact}&q=ada")).await.1["meta"]["total"], 5);
    assert_eq!(get("&limit=101").await.0, 422);
    assert_eq!(get("&page=one").await.0, 422);
    assert_eq!(world.ghl(Method::GET, "/opportunities/search", Value::Null).await.0, 422);
    let search = json!({
        "locationId": world.location(), "query": "", "limit": 3, "page": 2, "searchAfter": [],
        "additionalDetails": { "notes": false, "tasks": true, "calendarEvents": false, "unReadConversations": false },
    });
    let (status, found) = world.ghl(Method::POST, "/opportunities/search", search).await;
    assert_eq!(
        (status, &found["total"], found["opportunities"].as_array().map(Vec::len)),
        (200, &json!(5), Some(2))
    );
}

#[tokio::test]
async fn people_and_the_api_move_opportunities_and_each_change_is_told() {
    let receiver = Receiver::start(&[200]).await;
    let world = World::with(Options { deliver_to: Some(receiver.url.clone()), ..Options::default() }).await;
    let contact = world.create(json!({ "email": "a@deos.com", "name": "Ada Deo" })).await;
    let act = async |action: Value| world.sandbox.ghl().act(action).await;
    let made = act(json!({ "action": "opportunity.create", "opportunity": { "contactId": contact } })).await;
    let id = made.unwrap()["opportunity"]["id"].as_str().unwrap().to_owned();
    let created = receiver.wait_for("OpportunityCreate").await.body();
    assert_eq!(
        (&created["id"], &created["name"], &created["status"]),
        (&json!(id), &json!("Ada Deo"), &json!("open"))
    );
    assert_eq!(created["locationId"], world.ghl["location_id"]);
    let moved =
        json!({ "action": "opportunity.move", "opportunity_id": id, "stage": "Paid", "status": "won" });
    let told = act(moved).await.unwrap();
    assert_eq!(told["deliveries"].as_array().map(Vec::len), Some(3), "{told}");
    for kind in ["OpportunityUpdate", "OpportunityStageUpdate", "OpportunityStatusUpdate"] {
        assert_eq!(receiver.wait_for(kind).await.body()["status"], "won");
    }
    world
        .ghl(Method::PUT, &format!("/opportunities/{id}"), json!({ "monetaryValue": 5, "assignedTo": "u" }))
        .await;
    assert_eq!(receiver.wait_for("OpportunityMonetaryValueUpdate").await.body()["monetaryValue"], 5);
    assert_eq!(receiver.wait_for("OpportunityAssignedToUpdate").await.body()["assignedTo"], "u");
    act(json!({ "action": "opportunity.delete", "opportunity_id": id })).await.unwrap();
    assert_eq!(receiver.wait_for("OpportunityDelete").await.body()["id"], json!(id));

    for (action, detail) in [
        (json!({ "action": "opportunity.move", "opportunity_id": id, "status": "won" }), "not found"),
        (json!({ "action": "opportunity.create", "opportunity": { "status": "all" } }), "status"),
        (json!({ "action": "opportunity.create", "opportunity": { "stage": "Paid" } }), "stage"),
    ] {
        let error = act(action).await.unwrap_err().to_string();
        assert!(error.contains(detail), "{error}");
    }
}
