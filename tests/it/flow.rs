//! From a webhook to the right calls.

use serde_json::json;

use crate::app::{TestApp, ada};

#[tokio::test]
async fn a_new_customer_becomes_a_contact_with_tags_and_a_welcome_task_in_two_calls() {
    let app = TestApp::spawn().await;
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    assert_eq!(made["delivery"]["status"], 202, "{made}");
    app.settled().await;

    assert_eq!(app.call_names(), ["POST /contacts/", "POST /contacts/*/tasks"]);
    let contact = &app.ghl("contacts")[0];
    for (field, value) in [
        ("email", "ada@example.com"),
        ("firstName", "Ada"),
        ("lastName", "Lovelace"),
        ("phone", "+12025550143"),
        ("address1", "12 St James's Sq"),
        ("city", "Washington"),
        ("state", "DC"),
        ("postalCode", "20500"),
        ("country", "US"),
    ] {
        assert_eq!(contact[field], value, "{field} of {contact:#}");
    }
    assert_eq!(contact["tags"], json!(["cs-cart", "customer"]));
    let task = &app.ghl("tasks")[0];
    assert_eq!(task["title"], "Welcome Ada");
    assert_eq!(task["contactId"], contact["id"]);

    let event = app.event(made["delivery"]["body"]["id"].as_str().unwrap()).await;
    assert_eq!(event["state"], "done");
    assert_eq!(event["effects"][0]["operation"], "ghl.contact.create");
    assert_eq!(event["effects"][0]["result"]["contact_id"], contact["id"]);
    assert_eq!(event["effects"][1]["operation"], "ghl.task.create");
    app.end().await;
}
