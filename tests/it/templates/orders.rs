//! Templates for orders.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Template;

#[tokio::test]
async fn an_order_is_one_note_with_its_products_also_when_it_is_told_twice_or_changed() {
    let mut it = Template::spawn(&["order-to-note"], "").await;
    let placed = it.order("19.00").await;
    let number = placed.as_u64().unwrap();
    let calls = it.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0].0, "POST /contacts/*/notes");
    let body = calls[0].1["body"].as_str().unwrap();
    assert_eq!(body, format!("Order #{number}: 19.00 USD\n2 × Blue chair"));

    let again = |total: &str| {
        json!({ "order": {
            "order_id": number, "user_id": it.user, "email": "ada@example.com", "total": total, "currency": "USD", "status": "O",
            "products": [{ "product": "Blue chair", "amount": 2 }],
        } })
    };
    let (same, changed) = (again("19.00"), again("18.00"));
    it.tell("order.created", same).await;
    assert_eq!(it.names(), [] as [&str; 0]);
    it.tell("order.updated", changed).await;
    assert_eq!(it.names(), ["PUT /contacts/*/notes/*"]);
    it.app.end().await;
}

/// The name of the stage in which the only opportunity is, and its status.
fn stage(it: &Template) -> (String, String) {
    let state = it.app.sandbox.ghl().state();
    let opportunities = state["opportunities"].as_array().unwrap();
    assert_eq!(opportunities.len(), 1, "{opportunities:#?}");
    let id = &opportunities[0]["pipelineStageId"];
    let pipelines = state["pipelines"].as_array().unwrap();
    let mut stages = pipelines.iter().flat_map(|pipeline| pipeline["stages"].as_array().unwrap());
    let stage = stages.find(|stage| stage["id"] == *id).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&stage["name"]), text(&opportunities[0]["status"]))
}

#[tokio::test]
async fn an_order_is_an_opportunity_once_and_goes_through_the_stages_with_its_status() {
    let templates = ["order-to-opportunity", "order-status-to-stage"];
    let values = "order_stages = { O = \"Placed\", P = \"Paid\", B = \"Shiped\", C = \"Complete\" }";
    let mut it = Template::spawn(&templates, values).await;
    let order = it.order("19.00").await;
    let search = ["GET /opportunities/pipelines", "GET /opportunities/search"];
    let calls = it.calls();
    let names: Vec<&str> = calls.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [search[0], search[1], "POST /opportunities/"]);
    let body = &calls[2].1;
    assert_eq!((&body["name"], &body["status"]), (&json!(format!("Order #{order}")), &json!("open")));
    assert_eq!(body["monetaryValue"].as_f64(), Some(19.0));
    assert_eq!(stage(&it), ("Placed".into(), "open".into()));

    let again = json!({ "order": {
        "order_id": order, "user_id": it.user, "email": "ada@example.com", "total": "19.00", "currency": "USD", "status": "O",
    } });
    it.tell("order.created", again).await;
    assert_eq!(it.names(), search, "it is there already");

    it.status(&order, "P").await;
    assert_eq!(it.names(), [search[0], search[1], "PUT /opportunities/*"]);
    assert_eq!(stage(&it), ("Paid".into(), "open".into()));
    it.status(&order, "C").await;
    assert_eq!(stage(&it), ("Complete".into(), "won".into()));
    it.status(&order, "I").await;
    assert_eq!(stage(&it), ("Complete".into(), "lost".into()));
    it.names();
    it.status(&order, "Y").await;
    assert_eq!(it.names(), [] as [&str; 0], "this status means nothing");

    // The pipeline has no such stage: that is told by its name.
    it.status(&order, "B").await;
    let dead = it.app.events("state=dead").await.pop().unwrap();
    assert!(dead["state_reason"].as_str().unwrap().contains("Shiped"), "{dead}");
    it.app.may_have_dead_letters = true;
    it.app.end().await;
}

#[tokio::test]
async fn who_has_bought_for_much_gets_a_tag_with_the_order_that_does_it() {
    let mut it = Template::spawn(&["high-value-customer"], "high_value_total = 500").await;
    it.order("300.00").await;
    assert_eq!(it.names(), [] as [&str; 0]);
    it.order("200.00").await;
    let calls = it.calls();
    assert_eq!(calls, [("POST /contacts/*/tags".to_owned(), json!({ "tags": ["high value"] }))]);
    it.order("900.00").await;
    assert_eq!(it.names(), [] as [&str; 0], "he has it already");
    it.app.end().await;
}

#[tokio::test]
async fn who_orders_again_is_no_more_one_who_orders_for_the_first_time() {
    let mut it = Template::spawn(&["first-or-returning"], "").await;
    it.order("9.00").await;
    assert_eq!(it.names(), ["POST /contacts/*/tags"]);
    assert_eq!(it.tags(), ["first order"]);
    it.order("9.00").await;
    assert_eq!(it.names(), ["POST /contacts/*/tags", "DELETE /contacts/*/tags"]);
    assert_eq!(it.tags(), ["returning customer"]);
    it.app.end().await;
}

/// The customer orders, by the bridge's clock, which may be far ahead of the store's.
async fn order_now(it: &Template, number: u64) {
    let now = it.app.clock.now();
    let order = json!({
        "order_id": number, "user_id": it.user, "email": "ada@example.com", "firstname": "Ada", "total": "9.00", "status": "O",
    });
    let body = json!({ "type": "order.created", "timestamp": now.to_string(), "data": { "order": order } });
    let (status, receipt) = it.app.deliver(&format!("msg_order_{number}"), &body).await;
    assert_eq!(status, 202, "{receipt}");
    it.app.settled().await;
}

#[tokio::test]
async fn who_has_not_ordered_for_ninety_days_gets_a_tag_that_goes_with_the_next_order() {
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);
    let mut it = Template::spawn(&["inactive-customer"], "").await;
    order_now(&it, 1).await;
    let first = it.app.store.timers(None, 10).await.unwrap();
    it.app.clock.advance(days(60));
    order_now(&it, 2).await;
    let waits = it.app.store.timers(None, 10).await.unwrap();
    assert_eq!((first.len(), waits.len()), (1, 1));
    let later = waits[0].due_at.duration_since(first[0].due_at);
    assert!(later >= SignedDuration::from_hours(60 * 24), "the wait begins anew: {later}");
    assert_eq!(it.names(), [] as [&str; 0]);
    it.app.clock.advance(days(91));
    it.app.until("he has the tag", async || (it.tags() == ["inactive"]).then_some(())).await;
    it.app.settled().await;
    assert_eq!(it.names(), ["POST /contacts/*/tags"]);
    order_now(&it, 3).await;
    assert_eq!(it.names(), ["DELETE /contacts/*/tags"]);
    it.app.end().await;
}

#[tokio::test]
async fn a_refund_is_a_note_and_a_task_for_the_statuses_that_the_owner_names() {
    let mut it = Template::spawn(&["refund-to-task"], "refund_statuses = [\"D\"]").await;
    let order = it.order("19.00").await;
    it.status(&order, "I").await;
    assert_eq!(it.names(), [] as [&str; 0]);
    it.status(&order, "D").await;
    let calls = it.calls();
    assert_eq!(calls[0].0, "POST /contacts/*/notes");
    assert!(
        calls[0].1["body"].as_str().unwrap().ends_with("was refunded: 19.00 USD\n2 × Blue chair"),
        "{calls:?}"
    );
    assert_eq!(calls[1].0, "POST /contacts/*/tasks");
    assert_eq!(calls[1].1["title"], format!("Refund of order #{order}: ask what was wrong"));
    assert_eq!(calls.len(), 2);
    it.app.end().await;
}
