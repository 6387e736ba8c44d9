//! Templates for what is neither an order nor a change of a customer: carts, newsletter, reviews, calls, vendors.

use serde_json::{Value, json};

use super::Template;

#[tokio::test]
async fn a_cart_that_is_left_behind_is_a_tag_and_a_task_until_the_next_order() {
    let mut it = Template::spawn(&["cart-to-task"], "cart_task_days = 3").await;
    let cart = json!({
        "user_id": it.user, "email": "ada@example.com", "total": 19, "currency": "USD",
        "products": [{ "product": "Blue chair", "amount": 2, "price": "9.50" }],
    });
    it.tell("cart.abandoned", json!({ "cart": cart })).await;
    let calls = it.calls();
    assert_eq!(calls[0], ("POST /contacts/*/tags".to_owned(), json!({ "tags": ["abandoned cart"] })));
    assert_eq!(calls[1].0, "POST /contacts/*/tasks");
    assert_eq!(calls[1].1["title"], "Cart left behind: 19.00 USD");
    assert_eq!(calls[1].1["body"], "2 × Blue chair");
    assert_eq!(calls.len(), 2);
    it.order("19.00").await;
    assert_eq!(it.names(), ["DELETE /contacts/*/tags"]);
    assert_eq!(it.tags(), [] as [&str; 0]);
    it.app.end().await;
}

#[tokio::test]
async fn the_newsletter_is_a_tag_and_who_leaves_it_gets_no_more_mail() {
    let mut it = Template::spawn(&["newsletter"], "").await;
    let who = json!({ "newsletter": { "user_id": it.user, "email": "ada@example.com", "list_ids": [1] } });
    let dnd = |status: &str| json!({ "dndSettings": { "Email": { "status": status } } });
    it.tell("newsletter.subscribed", who.clone()).await;
    let tags = json!({ "tags": ["newsletter"] });
    let calls = it.calls();
    let named = |name: &str, body: &Value| (name.to_owned(), body.clone());
    assert_eq!(calls, [named("POST /contacts/*/tags", &tags), named("PUT /contacts/*", &dnd("inactive"))]);
    it.tell("newsletter.unsubscribed", who).await;
    let calls = it.calls();
    assert_eq!(calls, [named("DELETE /contacts/*/tags", &tags), named("PUT /contacts/*", &dnd("active"))]);
    it.app.end().await;
}

#[tokio::test]
async fn somebody_new_who_subscribes_is_a_contact_and_somebody_unknown_who_leaves_is_none() {
    let mut it = Template::spawn(&["newsletter"], "newsletter_dnd = false").await;
    let who = |email: &str| json!({ "newsletter": { "user_id": 0, "email": email } });
    it.tell("newsletter.unsubscribed", who("bob@example.com")).await;
    assert_eq!(it.names(), [] as [&str; 0]);
    it.tell("newsletter.subscribed", who("Cleo@example.com")).await;
    assert_eq!(it.names(), ["POST /contacts/", "POST /contacts/*/tags"]);
    assert_eq!(it.app.tags_of("cleo@example.com"), ["newsletter"]);
    it.app.end().await;
}

#[tokio::test]
async fn a_bad_review_by_a_customer_is_a_task_and_a_good_one_or_a_guests_is_none() {
    let mut it = Template::spawn(&["low-review-to-task"], "").await;
    let review = |user: &Value, stars: Value| json!({ "review": { "user_id": user, "rating_value": stars, "message": "It broke." } });
    for quiet in [review(&it.user, json!(3)), review(&it.user, json!("")), review(&json!(0), json!(1))] {
        it.tell("review.created", quiet).await;
    }
    assert_eq!(it.names(), [] as [&str; 0]);
    it.tell("review.created", review(&it.user, json!("2"))).await;
    let calls = it.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].0, "POST /contacts/*/tasks");
    assert_eq!(
        (&calls[0].1["title"], &calls[0].1["body"]),
        (&json!("Review with 2 of 5 stars"), &json!("It broke."))
    );
    it.app.end().await;
}

#[tokio::test]
async fn who_asks_to_be_called_is_a_task_with_the_number_and_the_name_that_the_link_knows() {
    let mut it = Template::spawn(&["call-request-to-task"], "").await;
    let request = |user: &Value| json!({ "call_request": { "user_id": user, "phone": "555-0143", "name": "", "email": "" } });
    it.tell("call_request.created", request(&json!(0))).await;
    assert_eq!(it.names(), [] as [&str; 0]);
    it.tell("call_request.created", request(&it.user)).await;
    let calls = it.calls();
    assert_eq!(calls[0].0, "POST /contacts/*/tags");
    assert_eq!(calls[1].0, "POST /contacts/*/tasks");
    assert_eq!(calls[1].1["title"], "Call Ada: 555-0143");
    it.app.end().await;
}

#[tokio::test]
async fn a_vendor_is_a_business_and_a_contact_that_belongs_to_it() {
    let mut it = Template::spawn(&["vendor-to-business"], "").await;
    let vendor = |id: u64, email: &str| json!({ "vendor": { "company_id": id, "company": "Tom &amp; Jerry", "email": email } });
    it.tell("vendor.created", vendor(3, "shop@example.com")).await;
    let look = "GET /contacts/search/duplicate";
    let belongs = "POST /contacts/bulk/business";
    assert_eq!(it.names(), ["GET /businesses/", "POST /businesses/", look, "POST /contacts/", belongs]);
    assert_eq!(it.app.tags_of("shop@example.com"), ["vendor"]);
    // The customer sells, too, under the same name.
    it.tell("vendor.created", vendor(4, "ada@example.com")).await;
    assert_eq!(it.names(), ["GET /businesses/", look, "POST /contacts/*/tags", belongs]);
    assert_eq!(it.tags(), ["vendor"]);
    it.app.end().await;
}
