//! The store in other versions and editions, with another clock, without the add-on; and the add-on's signed calls.

use reqwest::Method;
use sandbox::{CscartEdition, CscartVersion, Options};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::world::{World, send};

async fn of(version: CscartVersion, edition: CscartEdition) -> World {
    World::with(Options { cscart_version: version, edition, ..Options::default() }).await
}

async fn act(world: &World, action: Value) -> Value {
    world.sandbox.cscart().act(action).await.unwrap()
}

async fn get(world: &World, path: &str) -> (u16, Value) {
    world.cscart(Method::GET, path, Value::Null).await
}

/// A signed call, `id` and time of one's own.
async fn call(world: &World, id: &str, at: i64, body: &Value) -> (u16, Value) {
    let secret = world.cscart["webhook_secret"].as_str().unwrap();
    let body = body.to_string();
    let signature = Webhook::new(secret).unwrap().sign(id, at, body.as_bytes()).unwrap();
    let url = format!("{}/index.php?dispatch=cartbridge_api.call", world.sandbox.cscart_url());
    let request = world.http.post(url).header("webhook-id", id).header("webhook-timestamp", at);
    send(request.header("webhook-signature", signature).body(body)).await
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[tokio::test]
async fn versions_differ_as_the_trees_do() {
    for (version, needs_type, unknown, by_change) in [
        (CscartVersion::V4_10, 200, 404, false),
        (CscartVersion::V4_13, 200, 404, true),
        (CscartVersion::V4_15, 200, 404, true),
        (CscartVersion::V4_20, 400, 200, true),
    ] {
        let world = of(version, CscartEdition::Ultimate).await;
        act(&world, json!({ "action": "order.place", "email": "a@b.co" })).await;
        assert_eq!(get(&world, "/api/users").await.0, needs_type, "{version}");
        assert_eq!(get(&world, "/api/users/99").await.0, unknown, "{version}");
        let (_, orders) = get(&world, "/api/orders?updated_at_from=4102444800").await;
        assert_eq!(orders["params"]["total_items"] == "0", by_change, "{version}");
        let (_, orders) = get(&world, "/api/orders?get_orders_data=1").await;
        assert_eq!(orders["orders"][0].get("updated_at").is_some(), by_change, "{version}");
        let reviews = get(&world, "/api/product_reviews").await.0;
        assert_eq!(reviews == 200, version == CscartVersion::V4_20, "{version}");
    }
}

#[tokio::test]
async fn each_edition_has_its_companies_and_add_ons_can_be_off() {
    for (edition, has, lacks) in
        [(CscartEdition::Ultimate, "stores", "vendors"), (CscartEdition::Multivendor, "vendors", "stores")]
    {
        let world = of(CscartVersion::V4_20, edition).await;
        let (status, list) = get(&world, &format!("/api/{has}")).await;
        assert_eq!((status, &list["params"]), (200, &json!([0])), "{edition}");
        assert_eq!(get(&world, &format!("/api/{has}/2")).await.1["company_id"], "2");
        assert_eq!(get(&world, &format!("/api/{lacks}")).await.0, 404);
        act(&world, json!({ "action": "call.request", "phone": "+1 202 555 0143", "name": "Ada" })).await;
        assert_eq!(get(&world, "/api/call_requests").await.1["call_requests"][0]["status"], "new");
        world.sandbox.cscart().settings(json!({ "modules": [] })).unwrap();
        assert_eq!(get(&world, "/api/call_requests").await.0, 404);
        assert_eq!(get(&world, "/api/categories/2/products").await.1["params"]["total_items"], "2");
        assert_eq!(world.cscart(Method::DELETE, "/api/products/1", Value::Null).await.0, 405);
    }
}

#[tokio::test]
async fn without_the_add_on_nothing_is_told_and_nothing_answers_signed_calls() {
    let world = World::start().await;
    world.sandbox.cscart().settings(json!({ "addon": false, "deliver_to": "http://127.0.0.1:9" })).unwrap();
    act(&world, json!({ "action": "customer.register", "user": { "email": "a@b.co" } })).await;
    assert!(world.sandbox.cscart().deliveries().is_empty());
    let (status, page) = call(&world, "c1", now(), &json!({ "action": "ping" })).await;
    assert_eq!((status, page.is_string()), (404, true));
    let note = json!({ "action": "note.add", "user_id": 2, "body": "x" });
    assert!(world.sandbox.cscart().act(note).await.is_err(), "notes are the add-on's");
}

#[tokio::test]
async fn the_stores_clock_is_what_it_writes_and_says() {
    let world = World::start().await;
    world.sandbox.cscart().settings(json!({ "clock_offset_s": -7200 })).unwrap();
    act(&world, json!({ "action": "customer.register", "user": { "email": "a@b.co" } })).await;
    let answer = world.cscart_request(Method::GET, "/api/users/2").send().await.unwrap();
    let date = answer.headers()["date"].to_str().unwrap().to_owned();
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(&date).unwrap().as_second();
    let user: Value = answer.json().await.unwrap();
    let registered: i64 = user["timestamp"].as_str().unwrap().parse().unwrap();
    assert!((now() - 7200 - date).abs() < 60 && (now() - 7200 - registered).abs() < 60);
    assert_eq!(call(&world, "c1", now(), &json!({ "action": "ping" })).await.0, 401);
    assert_eq!(call(&world, "c1", now() - 7200, &json!({ "action": "ping" })).await.0, 200);
}

#[tokio::test]
async fn an_address_can_be_two_customers_in_two_storefronts_and_an_import_may_have_none() {
    let world = World::start().await;
    let register = |company: u64| json!({ "action": "customer.register", "user": { "email": "A@b.co", "company_id": company } });
    act(&world, register(1)).await;
    assert!(world.sandbox.cscart().act(register(2)).await.is_err());
    world.sandbox.cscart().reset();
    world.sandbox.cscart().settings(json!({ "shared_users": false })).unwrap();
    act(&world, register(1)).await;
    act(&world, register(2)).await;
    assert!(world.sandbox.cscart().act(register(2)).await.is_err());
    act(&world, json!({ "action": "customer.import", "user": { "firstname": "Nobody" } })).await;
    act(&world, json!({ "action": "customer.import", "user": { "firstname": "Else" } })).await;
    assert_eq!(get(&world, "/api/users?user_type=C").await.1["params"]["total_items"], "4");
}

#[tokio::test]
async fn a_call_is_carried_out_once_for_its_id_and_only_with_the_right_signature() {
    let world = World::start().await;
    let id =
        act(&world, json!({ "action": "customer.register", "user": { "email": "a@b.co" } })).await["user_id"]
            .clone();
    let note = json!({ "action": "note.put", "user_id": id, "body": "Likes tea 🍵", "external_id": "ghl_1" });
    let (status, made) = call(&world, "n1", now(), &note).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(call(&world, "n1", now(), &note).await, (200, made.clone()));
    let other = json!({ "action": "note.put", "user_id": id, "body": "other" });
    assert_eq!(call(&world, "n1", now(), &other).await.0, 409);
    assert_eq!(call(&world, "n2", now() - 301, &note).await.0, 401);
    let again =
        json!({ "action": "note.put", "user_id": id, "body": "Likes coffee", "external_id": "ghl_1" });
    assert_eq!(call(&world, "n3", now(), &again).await, (200, made));
    let (_, notes) = call(&world, "n4", now(), &json!({ "action": "notes.list", "user_id": id })).await;
    assert_eq!(notes["notes"].as_array().unwrap().len(), 1, "{notes}");
    let long = json!({ "action": "note.put", "user_id": id, "body": "x".repeat(70_000) });
    assert_eq!(call(&world, "n5", now(), &long).await.0, 400);
    for (body, status) in [
        (json!({ "action": "customer.get", "user_id": 99 }), 404),
        (json!({ "action": "customer.get", "user_id": 1 }), 404),
        (json!({ "action": "customer.get" }), 400),
        (json!({ "action": "customer.get", "user_id": -1 }), 400),
        (json!({ "action": "everything" }), 400),
        (json!([1]), 400),
        (json!({ "action": "tags.change", "user_id": id, "add": ["a,b"] }), 400),
        (json!({ "action": "usergroups.change", "user_id": id, "add": [2] }), 404),
    ] {
        let call_id = body.to_string();
        let (got, answer) = call(&world, &call_id.replace([' ', '"'], ""), now(), &body).await;
        assert_eq!(got, status, "{body} {answer}");
        assert!(answer["detail"].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn changed_customers_are_listed_by_their_last_change() {
    let world = World::start().await;
    for email in ["a@b.co", "b@b.co", "c@b.co"] {
        act(&world, json!({ "action": "customer.register", "user": { "email": email } })).await;
    }
    act(&world, json!({ "action": "customer.update", "user_id": 2, "user": { "firstname": "Ada" } })).await;
    act(&world, json!({ "action": "customer.delete", "user_id": 3 })).await;
    let (_, first) =
        call(&world, "1", now(), &json!({ "action": "customers.changed", "since": 0, "limit": 2 })).await;
    let ids = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|it| it["user_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&first), &first["more"]), (vec![json!(4), json!(2)], &json!(true)));
    let rest = json!({ "action": "customers.changed", "since": first["next"], "limit": 2 });
    let (_, rest) = call(&world, "2", now(), &rest).await;
    assert_eq!((ids(&rest), &rest["more"]), (vec![json!(3)], &json!(false)));
    assert_eq!((&rest["items"][0]["deleted"], &rest["items"][0]["user"]), (&json!(true), &Value::Null));
}
