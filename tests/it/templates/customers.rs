//! Templates for customers.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Template;
use crate::app::ada;

#[tokio::test]
async fn who_is_disabled_has_a_tag_as_long_as_he_is() {
    let mut it = Template::spawn(&["customer-disabled"], "").await;
    it.tell("customer.updated", json!({ "user": with_status(&it, "D") })).await;
    assert_eq!(it.tags(), ["disabled"]);
    it.names();
    it.tell("customer.updated", json!({ "user": with_status(&it, "D") })).await;
    assert_eq!(it.names(), [] as [&str; 0]);
    it.tell("customer.updated", json!({ "user": with_status(&it, "A") })).await;
    assert!(it.names().contains(&"DELETE /contacts/*/tags".to_owned()));
    assert_eq!(it.tags(), [] as [&str; 0]);
    it.app.end().await;
}

/// The customer, as the store tells of her with a status.
fn with_status(it: &Template, status: &str) -> serde_json::Value {
    let mut user = ada();
    user["user_id"] = it.user.clone();
    user["user_type"] = "C".into();
    user["status"] = status.into();
    user
}

#[tokio::test]
async fn customers_of_a_company_belong_to_one_business_that_is_made_once() {
    let mut it = Template::spawn(&["company-to-business"], "").await;
    let of_company = |name: &str| {
        let email = format!("{name}@example.com");
        let user = json!({ "email": email, "firstname": name, "company": "Engines & Sons" });
        json!({ "action": "customer.register", "user": user })
    };
    it.shop(of_company("bob")).await;
    let calls = it.calls();
    let names: Vec<&str> = calls.iter().map(|(name, _)| name.as_str()).collect();
    let belongs = "POST /contacts/bulk/business";
    assert_eq!(names[..4], ["POST /contacts/", "GET /businesses/", "POST /businesses/", belongs]);
    assert_eq!(calls[2].1["name"], "Engines & Sons");
    let business = calls[3].1["businessId"].clone();
    it.shop(of_company("cleo")).await;
    let calls = it.calls();
    let names: Vec<&str> = calls.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..3], ["POST /contacts/", "GET /businesses/", belongs]);
    assert_eq!(calls[2].1["businessId"], business);
    it.app.end().await;
}

#[tokio::test]
async fn on_his_birthday_a_customer_has_a_tag_for_a_day() {
    let mut it = Template::spawn(&["birthday"], "").await;
    let timer = it
        .app
        .until("the timer is armed", async || {
            it.app.store.timers_named("schedule.customer/birthday").await.unwrap().pop()
        })
        .await;
    let born = format!("2000{}T00:00:00Z", &timer.due_at.to_string()[4..10]).parse::<Timestamp>();
    // The 29th of February is in 2000, too.
    let born = born.unwrap().as_second().to_string();
    it.shop(
        json!({ "action": "customer.register", "user": { "email": "bob@example.com", "birthday": born } }),
    )
    .await;
    it.names();
    let wait = timer.due_at.duration_since(it.app.clock.now()) + SignedDuration::from_secs(1);
    it.app.clock.advance(Duration::try_from(wait).unwrap());
    it.app
        .until("he has the tag", async || {
            it.app.tags_of("bob@example.com").contains(&"birthday".to_owned()).then_some(())
        })
        .await;
    it.app.settled().await;
    it.app.clock.advance(Duration::from_hours(25));
    it.app
        .until("it is gone", async || {
            (!it.app.tags_of("bob@example.com").contains(&"birthday".to_owned())).then_some(())
        })
        .await;
    it.app.settled().await;
    assert_eq!(it.names(), ["POST /contacts/*/tags", "DELETE /contacts/*/tags"]);
    it.app.end().await;
}
