//! The store's webhooks: Standard Webhooks' signature, order per customer, repeats until they are taken.

use std::time::Duration;

use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::world::{Received, Receiver, World, until};

async fn listening(receiver: &Receiver) -> World {
    World::with(Options {
        deliver_to: Some(receiver.url.clone()),
        outbox_retry: Duration::from_millis(5),
        connection: String::from("shop-1"),
        ..Options::default()
    })
    .await
}

/// Asks the reference implementation.
fn verified(world: &World, webhook: &Received) -> bool {
    let oracle = Webhook::new(world.cscart["webhook_secret"].as_str().unwrap()).unwrap();
    let mut headers = reqwest::header::HeaderMap::new();
    for (name, value) in &webhook.headers {
        headers.insert(name.parse::<reqwest::header::HeaderName>().unwrap(), value.parse().unwrap());
    }
    oracle.verify(&webhook.raw, &headers).is_ok()
}

async fn act(world: &World, action: Value) -> Value {
    world.sandbox.cscart().act(action).await.unwrap()
}

#[tokio::test]
async fn a_registration_is_told_whole_and_signed_as_the_standard_says() {
    let receiver = Receiver::start(&[202]).await;
    let world = listening(&receiver).await;
    let user = json!({ "email": "Ada@Example.com", "firstname": "Ada", "b_city": "Berlin", "b_country": "DE", "fields": { "40": "XL" } });
    let made = act(&world, json!({ "action": "customer.register", "user": user })).await;
    assert_eq!(made["delivery"]["status"], 202);
    let webhook = &receiver.received()[0];
    assert_eq!(webhook.path, "/webhooks/cscart/shop-1");
    assert!(verified(&world, webhook));
    assert_eq!(webhook.header("webhook-id"), made["delivery"]["webhook_id"].as_str());
    let body = webhook.body();
    assert_eq!(body["type"], "customer.created");
    let user = &body["data"]["user"];
    assert_eq!(
        (&user["user_id"], &user["b_city"], &user["lang_code"]),
        (&json!("2"), &json!("Berlin"), &json!("en"))
    );
    assert_eq!((&user["fields"]["40"], &body["data"]["guest"]), (&json!("XL"), &json!(false)));
    assert_eq!(body["store"]["url"], world.cscart["url"]);
}

#[tokio::test]
async fn a_refused_webhook_is_repeated_with_its_id_and_holds_back_the_same_customers_next_ones() {
    let receiver = Receiver::start(&[202, 202, 503, 500, 202]).await;
    let world = listening(&receiver).await;
    let id =
        act(&world, json!({ "action": "customer.register", "user": { "email": "a@b.co" } })).await["user_id"]
            .clone();
    let other =
        act(&world, json!({ "action": "customer.register", "user": { "email": "c@d.co" } })).await["user_id"]
            .clone();
    let first =
        act(&world, json!({ "action": "customer.update", "user_id": id, "user": { "firstname": "A" } }))
            .await;
    assert_eq!(first["delivery"]["status"], 503);
    act(&world, json!({ "action": "customer.update", "user_id": id, "user": { "firstname": "B" } })).await;
    act(&world, json!({ "action": "customer.view", "user_id": other })).await;
    until(|| world.sandbox.cscart().deliveries().iter().all(|it| it.delivered).then_some(())).await;
    let updates: Vec<Received> =
        receiver.received().into_iter().filter(|it| it.body()["type"] == "customer.updated").collect();
    let names: Vec<String> = updates
        .iter()
        .map(|it| it.body()["data"]["user"]["firstname"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.last().map(String::as_str), Some("B"));
    assert!(names.iter().filter(|it| *it == "A").count() >= 2, "{names:?}");
    assert!(names.is_sorted(), "A is sent until it is taken, then B: {names:?}");
    let ids: std::collections::HashSet<_> = updates.iter().filter_map(|it| it.header("webhook-id")).collect();
    assert_eq!(ids.len(), 2);
    assert!(updates.iter().all(|it| verified(&world, it)), "each attempt is signed anew");
}

#[tokio::test]
async fn rows_wait_until_there_is_a_target() {
    let receiver = Receiver::start(&[200]).await;
    let world = World::start().await;
    let made = act(&world, json!({ "action": "customer.register", "user": { "email": "a@b.co" } })).await;
    assert_eq!(made["delivery"], Value::Null);
    let state = world.sandbox.cscart().state();
    assert_eq!(
        (&state["outbox"][0]["type"], &state["outbox"][0]["delivered"]),
        (&json!("customer.created"), &json!(false))
    );
    world.sandbox.cscart().settings(json!({ "deliver_to": receiver.url })).unwrap();
    receiver.wait_for("customer.created").await;
}

#[tokio::test]
async fn forged_stale_and_unsigned_webhooks_do_not_verify() {
    let receiver = Receiver::start(&[401, 401, 401, 200]).await;
    let world = listening(&receiver).await;
    for sign in ["forged", "stale", "none"] {
        let action =
            json!({ "action": "webhook.send", "type": "ping", "data": {}, "sign": sign, "webhook_id": sign });
        let sent = act(&world, action).await;
        assert_eq!(sent["delivery"]["webhook_id"], sign);
        let webhook =
            until(|| receiver.received().into_iter().find(|it| it.header("webhook-id") == Some(sign))).await;
        assert!(!verified(&world, &webhook), "{sign}");
        world.sandbox.cscart().reset();
        world.sandbox.cscart().settings(json!({ "deliver_to": receiver.url })).unwrap();
    }
}

#[tokio::test]
async fn a_guests_checkout_is_a_guest_and_then_an_order() {
    let receiver = Receiver::start(&[202]).await;
    let world = listening(&receiver).await;
    let action = json!({ "action": "guest.checkout", "email": "guest@example.com", "firstname": "Gus", "products": [{ "product": "Mug", "amount": 2, "price": 4.5 }] });
    let made = act(&world, action).await;
    assert_eq!(made["deliveries"].as_array().unwrap().len(), 2);
    let told: Vec<Value> = receiver.received().iter().map(Received::body).collect();
    assert_eq!(
        (&told[0]["type"], &told[0]["data"]["user"]["user_id"]),
        (&json!("customer.created"), &json!("0"))
    );
    assert_eq!(told[0]["data"]["guest"], true);
    let order = &told[1]["data"]["order"];
    assert_eq!(
        (&told[1]["type"], &order["total"], &order["user_id"]),
        (&json!("order.created"), &json!("9.00"), &json!("0"))
    );
    assert_eq!(order["products"][0]["product"], "Mug");
    let changed =
        act(&world, json!({ "action": "order.status", "order_id": made["order_id"], "status": "C" })).await;
    assert_eq!(changed["order"]["status"], "C");
    let told = receiver.wait_for("order.status_changed").await.body();
    assert_eq!(told["data"]["order"]["previous_status"], "O");
}

#[tokio::test]
async fn what_the_api_changes_is_told_too() {
    let receiver = Receiver::start(&[202]).await;
    let world = listening(&receiver).await;
    let body = json!({ "email": "a@b.co", "user_type": "C", "company_id": 1 });
    let (status, made) = world.cscart(Method::POST, "/api/users", body).await;
    assert_eq!((status, &made), (201, &json!({ "user_id": 2, "profile_id": 2 })));
    receiver.wait_for("customer.created").await;
    world.cscart(Method::PUT, "/api/2.1/users/2", json!({ "b_city": "Berlin" })).await;
    assert_eq!(receiver.wait_for("customer.updated").await.body()["data"]["user"]["b_city"], "Berlin");
    world.cscart(Method::DELETE, "/api/users/2", Value::Null).await;
    let gone = receiver.wait_for("customer.deleted").await.body();
    assert_eq!(gone["data"], json!({ "user": { "user_id": "2", "email": "a@b.co" } }));
}
