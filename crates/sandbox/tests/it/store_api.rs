//! The store's REST API.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, send};

async fn register(world: &World, email: &str) -> u64 {
    let action = json!({ "action": "customer.register", "user": { "email": email, "lastname": email, "b_city": "Berlin" } });
    world.sandbox.cscart().act(action).await.unwrap()["user_id"].as_u64().unwrap()
}

#[tokio::test]
async fn only_the_administrator_with_his_key_gets_in() {
    let world = World::start().await;
    let url = format!("{}/api/users?user_type=C", world.sandbox.cscart_url());
    for (email, key) in [
        ("admin@shop.example.com", "wrong"),
        ("nobody@example.com", world.cscart["api_key"].as_str().unwrap()),
    ] {
        let response = world.http.get(&url).basic_auth(email, Some(key)).send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], "Basic realm=\"User email/API key\"");
        assert_eq!(response.json::<Value>().await.unwrap()["status"], 401);
    }
    assert_eq!(world.cscart(Method::GET, "/api/users?user_type=C", Value::Null).await.0, 200);
}

#[tokio::test]
async fn all_url_forms_lead_to_the_same_and_wrong_ones_nowhere() {
    let world = World::start().await;
    let id = register(&world, "a@b.co").await;
    for path in [
        format!("/api/users/{id}"),
        format!("/api/2.1/users/{id}"),
        format!("/api/2.0/users/{id}/"),
        format!("/api.php?_d=users/{id}&ajax_custom=1"),
        format!("/api/stores/1/users/{id}"),
    ] {
        let (status, body) = world.cscart(Method::GET, &path, Value::Null).await;
        assert_eq!((status, &body["email"]), (200, &json!("a@b.co")), "{path}");
    }
    assert_eq!(world.cscart(Method::GET, "/api/version", Value::Null).await.1, json!({ "Version": "2.1" }));
    assert_eq!(world.cscart(Method::GET, "/api/2/users", Value::Null).await.0, 404);
    assert_eq!(world.cscart(Method::GET, "/api/tasks", Value::Null).await.0, 404);
    assert_eq!(world.cscart(Method::POST, &format!("/api/users/{id}"), json!({})).await.0, 405);
    assert_eq!(world.cscart(Method::PATCH, &format!("/api/users/{id}"), json!({})).await.0, 405);
    let put = format!("/api/users/{id}?_METHOD=PUT");
    assert_eq!(world.cscart(Method::POST, &put, json!({ "firstname": "Ada" })).await.0, 200);
    let xml = world
        .cscart_request(Method::POST, "/api/users")
        .header("content-type", "application/xml")
        .body("<a/>");
    assert_eq!(send(xml).await.0, 415);
    let broken =
        world.cscart_request(Method::POST, "/api/users").header("content-type", "application/json").body("{");
    assert_eq!(send(broken).await.0, 400);
    let odd = world.cscart_request(Method::GET, "/api/version").header("accept", "image/png");
    assert_eq!(send(odd).await.0, 406);
    let (status, page) = world.cscart(Method::GET, "/index.php", Value::Null).await;
    assert_eq!((status, page.is_string()), (404, true));
}

#[tokio::test]
async fn the_list_needs_a_user_type_shows_short_columns_as_strings_and_repeats_its_last_page() {
    let world = World::start().await;
    for number in 0..5 {
        register(&world, &format!("n{number}@b.co")).await;
    }
    assert_eq!(world.cscart(Method::GET, "/api/users", Value::Null).await.0, 400);
    let path = "/api/users?user_type=C&items_per_page=2&page=9&sort_by=id&sort_order=asc";
    let (_, body) = world.cscart(Method::GET, path, Value::Null).await;
    assert_eq!((&body["params"]["page"], &body["params"]["total_items"]), (&json!(3), &json!("5")));
    assert_eq!(body["params"]["items_per_page"], "2");
    let user = &body["users"][0];
    assert_eq!(
        (&user["user_id"], &user["email"], &user["user_login"]),
        (&json!("6"), &json!("n4@b.co"), &json!("user_6"))
    );
    assert!(user.get("b_city").is_none() && user.get("fields").is_none() && user.get("lang_code").is_none());
    let (_, one) = world.cscart(Method::GET, "/api/users/6", Value::Null).await;
    assert_eq!(&one, user, "the single user has the same short columns");
    let (status, none) = world.cscart(Method::GET, "/api/users/999", Value::Null).await;
    assert_eq!((status, &none["users"]), (200, &json!([])));
}

#[tokio::test]
async fn an_address_filter_is_a_like_with_wildcards() {
    let world = World::start().await;
    for email in ["a_b@c.de", "axb@c.de", "za_b@c.de", "other@c.de"] {
        register(&world, email).await;
    }
    let (_, body) =
        world.cscart(Method::GET, "/api/users?user_type=C&email=a_b%40c.de&sort_by=email", Value::Null).await;
    let found: Vec<&str> =
        body["users"].as_array().unwrap().iter().map(|it| it["email"].as_str().unwrap()).collect();
    assert_eq!(found, ["a_b@c.de", "axb@c.de", "za_b@c.de"]);
    let (_, none) = world.cscart(Method::GET, "/api/users?user_type=V", Value::Null).await;
    assert_eq!(none["users"], json!([]));
}

#[tokio::test]
async fn users_are_created_changed_in_part_and_removed() {
    let world = World::start().await;
    let (status, body) =
        world.cscart(Method::POST, "/api/users", json!({ "user_type": "C", "company_id": 1 })).await;
    assert_eq!((status, body["message"].as_str().unwrap().contains("email")), (400, true));
    let user = json!({ "email": "a@b.co", "user_type": "C", "company_id": 0, "b_firstname": "Ada", "fields": { "36": "x", "37": "y" } });
    assert_eq!(world.cscart(Method::POST, "/api/users", user.clone()).await.0, 201);
    assert_eq!(world.cscart(Method::POST, "/api/users", user).await.0, 400, "the address is taken");
    let change = json!({ "phone": 12345, "fields": { "36": "z" }, "password": "secret", "bogus": 1 });
    let (status, changed) = world.cscart(Method::PUT, "/api/users/2", change).await;
    assert_eq!((status, changed), (200, json!({ "user_id": "2", "profile_id": "2" })));
    let user = &world.sandbox.cscart().state()["users"][1];
    assert_eq!((&user["firstname"], &user["phone"]), (&json!("Ada"), &json!("12345")));
    assert_eq!(user["fields"], json!({ "36": "z" }), "a partial write of fields drops the others");
    assert!(user.get("password").is_none() && user.get("bogus").is_none());
    assert_eq!(world.cscart(Method::PUT, "/api/users/99", json!({ "phone": "1" })).await.0, 400);
    let (status, body) = world.cscart(Method::DELETE, "/api/users/2", Value::Null).await;
    assert_eq!((status, body), (204, json!("")));
    assert_eq!(world.cscart(Method::DELETE, "/api/users/2", Value::Null).await.0, 404);
    assert_eq!(
        world.cscart(Method::DELETE, "/api/users/1", Value::Null).await.0,
        400,
        "the root administrator"
    );
    let kinds: Vec<String> =
        world.sandbox.cscart().journal().into_iter().filter_map(|it| it.effect).map(|it| it.kind).collect();
    assert_eq!(kinds, ["user.created", "user.updated", "user.deleted"]);
}

#[tokio::test]
async fn a_user_joins_and_leaves_groups_of_his_type() {
    let world = World::start().await;
    let id = register(&world, "a@b.co").await;
    let groups = format!("/api/users/{id}/usergroups");
    assert_eq!(world.cscart(Method::GET, &groups, Value::Null).await.1, json!([]));
    assert_eq!(world.cscart(Method::PUT, &format!("{groups}/3"), json!({ "status": "A" })).await.0, 200);
    assert_eq!(world.cscart(Method::PUT, &format!("{groups}/99"), json!({ "status": "A" })).await.0, 400);
    assert_eq!(world.cscart(Method::PUT, "/api/users/1/usergroups/3", json!({ "status": "A" })).await.0, 400);
    let (_, map) = world.cscart(Method::GET, &groups, Value::Null).await;
    assert_eq!((&map["3"]["usergroup_id"], &map["3"]["status"]), (&json!("3"), &json!("A")));
    let (_, members) = world.cscart(Method::GET, "/api/users?user_type=C&usergroup_id=3", Value::Null).await;
    assert_eq!(members["params"]["total_items"], "1");
    assert_eq!(world.cscart(Method::DELETE, &format!("{groups}/3"), Value::Null).await.0, 204);
    assert_eq!(world.cscart(Method::GET, &groups, Value::Null).await.1, json!([]));
    assert_eq!(
        world.cscart(Method::GET, &format!("{groups}?all=1"), Value::Null).await.1["3"]["status"],
        "F"
    );
    let (status, made) = world
        .cscart(Method::POST, "/api/usergroups", json!({ "type": "C", "status": "A", "usergroup": "Gold" }))
        .await;
    assert_eq!((status, made), (201, json!({ "usergroup_id": 5 })));
    assert_eq!(
        world.cscart(Method::GET, "/api/usergroups?type=C", Value::Null).await.1["params"]["total_items"],
        "3"
    );
}

#[tokio::test]
async fn orders_are_listed_short_read_whole_and_change_their_status() {
    let world = World::start().await;
    let id = register(&world, "a@b.co").await;
    for (price, at) in [("5.00", 1_700_000_000), ("7.50", 1_800_000_000)] {
        let action = json!({ "action": "order.place", "user_id": id, "timestamp": at, "notes": "gift", "products": [{ "product": "Mug", "amount": 2, "price": price }] });
        world.sandbox.cscart().act(action).await.unwrap();
    }
    let (_, body) = world.cscart(Method::GET, "/api/orders", Value::Null).await;
    assert_eq!((&body["orders"][0]["order_id"], &body["orders"][0]["total"]), (&json!("2"), &json!("15.00")));
    assert!(body["orders"][0].get("updated_at").is_none() && body["orders"][0].get("notes").is_none());
    let listed = |query: &'static str| {
        let world = &world;
        async move {
            let (_, body) = world
                .cscart(
                    Method::GET,
                    &format!("/api/orders?sort_by=order_id&sort_order=asc&{query}"),
                    Value::Null,
                )
                .await;
            body["orders"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["order_id"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(listed("time_from=1750000000").await, ["1", "2"], "without a period the times do not count");
    assert_eq!(listed("period=C&time_from=1750000000").await, ["2"]);
    assert_eq!(listed("total_to=10").await, ["1"]);
    assert_eq!(listed("order_id=2,7").await, ["2"]);
    assert_eq!(listed("status[]=P&status[]=C").await, Vec::<String>::new());
    let (_, whole) = world.cscart(Method::GET, "/api/orders/1", Value::Null).await;
    assert_eq!((&whole["notes"], &whole["b_city"]), (&json!("gift"), &json!("Berlin")));
    assert_eq!(whole["products"]["1000"]["amount"], "2");
    assert!(whole["updated_at"].is_string());
    let (status, body) =
        world.cscart(Method::PUT, "/api/orders/1", json!({ "status": "C", "notify_user": false })).await;
    assert_eq!((status, body), (200, json!({ "order_id": "1" })));
    assert_eq!(listed("status=C").await, ["1"]);
    world.cscart(Method::PUT, "/api/orders/1", json!({ "notes": "changed" })).await;
    let kinds: Vec<String> =
        world.sandbox.cscart().journal().into_iter().filter_map(|it| it.effect).map(|it| it.kind).collect();
    assert_eq!(kinds, ["order.status_changed", "order.rewritten"], "any other key rewrites the whole order");
    assert_eq!(world.cscart(Method::GET, "/api/orders/99", Value::Null).await.0, 404);
    let (_, statuses) =
        world.cscart(Method::GET, "/api/statuses?type=O&items_per_page=50", Value::Null).await;
    assert_eq!(statuses["params"]["total_items"], "8");
}

#[tokio::test]
async fn faults_strike_the_store_too_with_its_own_words() {
    let world = World::start().await;
    let fault = json!({ "kind": "status", "status": 503, "path": "/api/users*" });
    let url = format!("{}/_sandbox/faults", world.sandbox.cscart_url());
    assert_eq!(send(world.http.post(url).body(fault.to_string())).await.0, 204);
    let (status, body) = world.cscart(Method::GET, "/api/users?user_type=C", Value::Null).await;
    assert_eq!((status, body), (503, json!({ "message": "Service Unavailable", "status": 503 })));
    assert_eq!(world.sandbox.cscart().journal()[0].fault.as_deref(), Some("status"));
}
