//! A customer as the store's page shows him, and what people ask for by hand.

use serde_json::json;

use super::Caller;
use crate::app::{TestApp, ada};

#[tokio::test]
async fn a_customer_is_shown_with_contact_and_tasks() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    let user_id = app.register(ada()).await;
    let path = format!("/api/connections/my-shop/customers/{user_id}");
    let shown = caller.get(&path).await;
    assert_eq!(shown.body["customer"], format!("customer:{user_id}"));
    assert_eq!(shown.body["contact_id"], app.ghl("contacts")[0]["id"]);
    assert_eq!(shown.body["tags"], json!(["cs-cart", "customer"]));

    app.shop(json!({ "action": "customer.view", "user_id": user_id })).await;
    app.settled().await;
    let shown = caller.get(&path).await.body;
    assert_eq!(shown["view"]["contact"]["email"], "ada@example.com", "{shown}");
    assert!(shown["fetched_at"].is_string());
    assert_eq!(
        caller.get(&format!("/api/connections/my-shop/customers/customer:{user_id}")).await.body,
        shown
    );

    let stranger = caller.get("/api/connections/my-shop/customers/guest:nobody@example.com").await.body;
    let nothing = json!({ "customer": "guest:nobody@example.com", "contact_id": null, "contact_url": null, "tags": [], "view": null, "fetched_at": null });
    assert_eq!(stranger, nothing);
    app.end().await;
}

#[tokio::test]
async fn a_customer_is_linked_by_hand() {
    let app = TestApp::spawn().await;
    let caller = Caller::admin(&app);
    let made = app.highlevel(json!({ "action": "contact.create", "contact": { "email": "ada@home.example", "firstName": "Ada" } })).await;
    let contact_id =
        made["contact"]["id"].as_str().or(made["id"].as_str()).unwrap_or_else(|| panic!("{made}")).to_owned();
    let link = json!({ "contact_id": contact_id });
    let accepted = caller.call("PUT", "/api/connections/my-shop/customers/42", Some(link.clone())).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    app.until_state(accepted.body["id"].as_str().unwrap(), "done").await;
    let shown = caller.get("/api/connections/my-shop/customers/42").await.body;
    assert_eq!(
        (&shown["contact_id"], &shown["view"]["contact"]["email"]),
        (&json!(contact_id), &json!("ada@home.example"))
    );

    let taken = caller.call("PUT", "/api/connections/my-shop/customers/43", Some(link)).await;
    assert_eq!((taken.status, taken.code()), (409, "conflict"));
    assert!(taken.detail().contains("customer:42"), "{taken:?}");
    app.end().await;
}

#[tokio::test]
async fn customers_are_written_in_any_of_their_ways_and_nothing_else_is_one() {
    let mut app = TestApp::spawn().await;
    // The store knows none of them.
    app.may_have_dead_letters = true;
    let caller = Caller::admin(&app);
    for (customer, subject) in [
        (json!(42), "customer:42"),
        (json!("42"), "customer:42"),
        (json!("customer:42"), "customer:42"),
        (json!("guest: Ada@Example.com"), "guest:ada@example.com"),
    ] {
        let resync = caller
            .call("POST", "/api/connections/my-shop/resync", Some(json!({ "customer": customer })))
            .await;
        assert_eq!(resync.status, 202, "{customer}: {resync:?}");
        let event = app.event(resync.body["id"].as_str().unwrap()).await;
        assert_eq!((&event["type"], &event["subject"]), (&json!("resync"), &json!(subject)));
        assert_eq!(event["source"], "manual");
    }
    for customer in
        [json!(0), json!(-1), json!("Ada"), json!(""), json!("guest:ada"), json!(null), json!([42])]
    {
        let answer = caller
            .call("POST", "/api/connections/my-shop/resync", Some(json!({ "customer": customer })))
            .await;
        assert_eq!((answer.status, answer.code()), (400, "bad-request"), "{customer}");
    }
    for (method, path, body) in [
        ("GET", "/api/connections/my-shop/customers/Ada", None),
        ("PUT", "/api/connections/my-shop/customers/42", Some(json!({ "contact_id": " " }))),
        ("PUT", "/api/connections/my-shop/customers/42", Some(json!({ "contact": "c1" }))),
        ("POST", "/api/connections/my-shop/resync", Some(json!({ "customers": [1] }))),
    ] {
        let answer = caller.call(method, path, body).await;
        assert_eq!((answer.status, answer.code()), (400, "bad-request"), "{method} {path}");
    }
    let nowhere = caller.get("/api/connections/nobody/customers/42").await;
    assert_eq!((nowhere.status, nowhere.code()), (404, "not-found"));
    app.end().await;
}
