//! From a webhook to the right calls.

use cartbridge::link::Customer;
use cartbridge::store::LinkChange;
use sandbox::Options;
use serde_json::json;

use crate::app::{QUICK, TestApp, ada};

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

#[tokio::test]
async fn the_welcome_task_is_made_once_even_when_the_customer_is_announced_again() {
    let app = TestApp::spawn().await;
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    app.settled().await;
    let data =
        json!({ "user": { "user_id": made["user_id"], "email": "ada@example.com", "firstname": "Ada" } });
    app.shop(json!({ "action": "webhook.send", "type": "customer.created", "data": data })).await;
    app.settled().await;
    assert_eq!(app.ghl("tasks").len(), 1);
    assert_eq!(app.ghl("contacts").len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_burst_of_five_updates_costs_one_call_with_the_newest_data() {
    // Longer than the five take on a busy machine.
    let settings = QUICK.replace("fold_window_ms = 150", "fold_window_ms = 3000");
    let app = TestApp::spawn_with(Options::default(), &settings).await;
    let id = app.register(ada()).await;
    let before = app.calls().len();
    for city in ["Oslo", "Paris", "Quito", "Rome", "Seoul"] {
        app.shop(json!({ "action": "customer.update", "user_id": id, "user": { "b_city": city } })).await;
    }
    app.settled().await;
    assert_eq!(&app.call_names()[before..], ["PUT /contacts/*"]);
    assert_eq!(app.ghl("contacts")[0]["city"], "Seoul");
    let updates = app.events("type=customer.updated").await;
    let folded: Vec<_> = updates.iter().filter(|event| event["state"] == "folded").collect();
    assert_eq!((updates.len(), folded.len()), (5, 4));
    let head = updates.iter().find(|event| event["state"] == "done").unwrap();
    assert!(folded.iter().all(|event| event["folded_into"] == head["id"]), "{updates:#?}");
    app.end().await;
}

#[tokio::test]
async fn an_update_that_changes_nothing_costs_no_call() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    let before = app.calls().len();
    app.shop(json!({ "action": "customer.update", "user_id": id, "user": { "b_city": "Washington" } })).await;
    app.settled().await;
    assert_eq!(app.calls().len(), before);
    app.end().await;
}

#[tokio::test]
async fn an_update_carries_only_what_has_changed_and_leaves_tags_alone() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    let contact = app.ghl("contacts")[0]["id"].clone();
    app.highlevel(json!({ "action": "tags.add", "contact_id": contact, "tags": ["vip"] })).await;
    app.shop(json!({ "action": "customer.update", "user_id": id, "user": { "phone": "(202) 555-0199" } }))
        .await;
    app.settled().await;
    let update = app.calls().into_iter().find(|call| call.method == "PUT").unwrap();
    assert_eq!(update.body, json!({ "phone": "+12025550199" }));
    assert_eq!(app.ghl("contacts")[0]["tags"], json!(["cs-cart", "customer", "vip"]));
    app.end().await;
}

#[tokio::test]
async fn an_older_state_that_arrives_late_changes_nothing() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    app.shop(json!({ "action": "customer.update", "user_id": id, "user": { "b_city": "Paris" } })).await;
    app.settled().await;
    let before = app.calls().len();
    let late = json!({ "type": "customer.updated", "timestamp": "2020-01-01T00:00:00Z", "store": {},
        "data": { "user": { "user_id": id, "email": "ada@example.com", "b_city": "Oslo" } } });
    app.deliver("msg_late", &late).await;
    app.settled().await;
    assert_eq!(app.calls().len(), before);
    assert_eq!(app.ghl("contacts")[0]["city"], "Paris");
    app.end().await;
}

#[tokio::test]
async fn a_store_whose_clock_ran_ahead_and_is_right_again_loses_no_change() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    let ahead = "2200-01-01T00:00:00Z".parse().unwrap();
    for (message, clock, city) in [("msg_ahead", Some(ahead), "Paris"), ("msg_right", None, "Oslo")] {
        let timestamp: jiff::Timestamp = clock.unwrap_or_else(|| app.clock.now());
        let changed = json!({ "type": "customer.updated", "timestamp": timestamp, "store": {},
            "data": { "user": { "user_id": id, "email": "ada@example.com", "b_city": city } } });
        app.deliver(message, &changed).await;
        app.settled().await;
        assert_eq!(app.ghl("contacts")[0]["city"], city);
    }
    app.end().await;
}

#[tokio::test]
async fn a_note_is_made_changed_and_deleted_on_the_contact() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    let note = app
        .shop(json!({ "action": "note.add", "user_id": id, "body": "Rang twice.\r\nFor Tom &amp; Jerry." }))
        .await;
    app.settled().await;
    assert_eq!(app.ghl("notes")[0]["bodyText"], "Rang twice.\nFor Tom & Jerry.");
    app.shop(json!({ "action": "note.update", "note_id": note["note_id"], "body": "Rang thrice." })).await;
    app.settled().await;
    let notes = app.ghl("notes");
    assert_eq!((notes.len(), &notes[0]["bodyText"]), (1, &json!("Rang thrice.")));
    app.shop(json!({ "action": "note.delete", "note_id": note["note_id"] })).await;
    app.settled().await;
    assert!(app.ghl("notes").is_empty());
    app.end().await;
}

#[tokio::test]
async fn two_notes_that_say_the_same_stay_two() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    for _ in 0..2 {
        app.shop(json!({ "action": "note.add", "user_id": id, "body": "Rang again." })).await;
    }
    app.settled().await;
    assert_eq!(app.ghl("notes").len(), 2);
    app.end().await;
}

#[tokio::test]
async fn tags_of_the_store_are_added_and_removed_and_others_stay() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    let contact = app.ghl("contacts")[0]["id"].clone();
    app.highlevel(json!({ "action": "tags.add", "contact_id": contact, "tags": ["lead", "gold"] })).await;
    for tags in [json!(["VIP", "wholesale"]), json!(["wholesale"])] {
        app.shop(json!({ "action": "customer.tags", "user_id": id, "tags": tags })).await;
        app.settled().await;
    }
    assert_eq!(app.tags_of("ada@example.com"), ["cs-cart", "customer", "gold", "lead", "wholesale"]);
    assert!(!app.calls().iter().any(|call| call.method == "PUT"), "tags never travel in an update");
    app.end().await;
}

#[tokio::test]
async fn an_order_tags_the_buyer_and_a_guest_becomes_a_contact() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    app.shop(json!({ "action": "order.place", "user_id": id })).await;
    app.shop(json!({ "action": "order.place", "email": "gus@example.com", "firstname": "Gus" })).await;
    app.settled().await;
    assert_eq!(app.tags_of("ada@example.com"), ["buyer", "cs-cart", "customer"]);
    assert_eq!(app.tags_of("gus@example.com"), ["buyer", "cs-cart", "customer"]);
    assert_eq!(app.calls().iter().filter(|call| call.path == "/contacts/").count(), 2);
    app.end().await;
}

#[tokio::test]
async fn a_guest_who_registers_keeps_his_contact_and_is_not_welcomed_twice() {
    let app = TestApp::spawn().await;
    app.shop(json!({ "action": "guest.checkout", "email": "Ada@Example.com", "firstname": "Ada" })).await;
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 1);
    app.register(ada()).await;
    let contacts = app.ghl("contacts");
    assert_eq!((contacts.len(), &contacts[0]["city"]), (1, &json!("Washington")));
    assert_eq!(app.ghl("tasks").len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_contact_that_is_there_is_adopted_what_is_empty_is_filled_and_nothing_is_wiped() {
    let app = TestApp::spawn().await;
    let theirs =
        json!({ "email": "ada@example.com", "firstName": "Augusta", "city": "London", "tags": ["lead"] });
    app.highlevel(json!({ "action": "contact.create", "contact": theirs })).await;
    app.register(ada()).await;
    let contacts = app.ghl("contacts");
    assert_eq!(contacts.len(), 1);
    for (field, value) in
        [("firstName", "Augusta"), ("city", "London"), ("lastName", "Lovelace"), ("phone", "+12025550143")]
    {
        assert_eq!(contacts[0][field], value, "{field}");
    }
    assert_eq!(app.tags_of("ada@example.com"), ["cs-cart", "customer", "lead"]);
    assert_eq!(app.ghl("tasks").len(), 1, "an adopted customer is welcomed as well");
    app.end().await;
}

#[tokio::test]
async fn a_phone_shared_with_another_contact_does_not_make_one_person_of_two() {
    let app = TestApp::spawn().await;
    let other = json!({ "email": "byron@example.com", "phone": "+12025550143" });
    app.highlevel(json!({ "action": "contact.create", "contact": other })).await;
    app.register(ada()).await;
    let ada = app.ghl("contacts").into_iter().find(|contact| contact["email"] == "ada@example.com").unwrap();
    assert!(ada["phone"].is_null(), "{ada:#}");
    let created = app.events("type=customer.created").await;
    let event = app.event(created[0]["id"].as_str().unwrap()).await;
    assert!(event["effects"][0]["result"]["left_out"][0].as_str().unwrap().contains("phone"), "{event:#}");
    app.end().await;
}

#[tokio::test]
async fn a_contact_that_is_there_is_filled_but_for_the_phone_that_another_contact_has() {
    let app = TestApp::spawn().await;
    let other = json!({ "phone": "+12025550143" });
    for theirs in [json!({ "email": "ada@example.com" }), other] {
        app.highlevel(json!({ "action": "contact.create", "contact": theirs })).await;
    }
    app.register(ada()).await;
    let contacts = app.ghl("contacts");
    assert_eq!(contacts.len(), 2);
    let adas = contacts.iter().find(|contact| contact["email"] == "ada@example.com").unwrap();
    assert_eq!((&adas["firstName"], &adas["lastName"]), (&json!("Ada"), &json!("Lovelace")));
    assert!(adas["phone"].is_null(), "{adas:#}");
    let created = app.events("type=customer.created").await;
    let event = app.event(created[0]["id"].as_str().unwrap()).await;
    let left_out = event["effects"][0]["result"]["left_out"].as_array().unwrap();
    assert_eq!(left_out.len(), 1, "{event:#}");
    assert!(left_out[0].as_str().unwrap().starts_with("the phone, which contact"), "{event:#}");
    app.end().await;
}

#[tokio::test]
async fn an_update_leaves_out_the_phone_that_another_contact_has_and_the_rest_arrives() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    let other = json!({ "email": "byron@example.com", "phone": "+12025550199" });
    app.highlevel(json!({ "action": "contact.create", "contact": other })).await;
    let change = json!({ "phone": "(202) 555-0199", "lastname": "King" });
    app.shop(json!({ "action": "customer.update", "user_id": id, "user": change })).await;
    app.settled().await;
    let contact = |app: &TestApp| {
        app.ghl("contacts").into_iter().find(|contact| contact["email"] == "ada@example.com").unwrap()
    };
    assert_eq!(contact(&app)["lastName"], "King");
    assert_eq!(contact(&app)["phone"], "+12025550143");
    let updated = app.events("type=customer.updated").await;
    let event = app.event(updated[0]["id"].as_str().unwrap()).await;
    let left_out = event["effects"][0]["result"]["left_out"][0].as_str().unwrap();
    assert!(left_out.starts_with("the phone, which contact"), "{event:#}");

    // A shared phone is nothing unusual: it is not tried again and again.
    let before = app.calls().len();
    app.shop(json!({ "action": "customer.update", "user_id": id, "user": { "b_city": "Paris" } })).await;
    app.settled().await;
    assert_eq!(&app.call_names()[before..], ["PUT /contacts/*"]);
    assert_eq!(contact(&app)["city"], "Paris");
    app.end().await;
}

#[tokio::test]
async fn an_e_mail_that_another_contact_has_waits_for_a_person_and_the_rest_of_an_update_arrives() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    let other = json!({ "email": "countess@example.com" });
    let other = app.highlevel(json!({ "action": "contact.create", "contact": other })).await;
    let contact = |app: &TestApp, email: &str| {
        app.ghl("contacts").into_iter().find(|contact| contact["email"] == email).unwrap()
    };
    for (change, field, value) in [
        (json!({ "email": "countess@example.com", "lastname": "King" }), "lastName", "King"),
        (json!({ "b_city": "Paris" }), "city", "Paris"),
    ] {
        app.shop(json!({ "action": "customer.update", "user_id": id, "user": change })).await;
        app.settled().await;
        assert_eq!(contact(&app, "ada@example.com")[field], value);
        let dead = &app.events("state=dead").await[0];
        assert_eq!(dead["state_code"], "duplicate-contact");
        let why = dead["state_reason"].as_str().unwrap();
        assert!(why.starts_with("the e-mail belongs to another contact"), "{why}");
        assert!(why.contains("merge the two contacts in HighLevel"), "{why}");
    }
    let into = contact(&app, "ada@example.com")["id"].clone();
    let from = other["contact"]["id"].clone();
    app.highlevel(json!({ "action": "contact.merge", "from": from, "into": into })).await;
    for dead in app.events("state=dead").await {
        let again = app.replay(&dead).await;
        app.until_state(&again, "done").await;
    }
    assert_eq!(app.ghl("contacts").len(), 1);
    assert_eq!(contact(&app, "countess@example.com")["id"], into);
    app.end().await;
}

#[tokio::test]
async fn a_contact_that_was_deleted_in_highlevel_is_made_again_with_the_next_change() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    let contact = app.ghl("contacts")[0]["id"].clone();
    app.highlevel(json!({ "action": "contact.delete", "contact_id": contact })).await;
    app.shop(json!({ "action": "customer.update", "user_id": id, "user": { "b_city": "Paris" } })).await;
    app.settled().await;
    let contacts = app.ghl("contacts");
    assert_eq!((contacts.len(), &contacts[0]["city"]), (1, &json!("Paris")));
    assert_ne!(contacts[0]["id"], contact);
    app.end().await;
}

#[tokio::test]
async fn the_customers_page_shows_contact_tasks_and_the_welcome_task_and_never_waits() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    app.shop(json!({ "action": "customer.view", "user_id": id })).await;
    app.settled().await;
    let before = app.calls().len();
    let (status, page) = app.api("GET", &format!("/api/connections/my-shop/customers/{id}"), None).await;
    assert_eq!(status, 200);
    assert_eq!(page["view"]["contact"]["email"], "ada@example.com");
    assert_eq!(page["view"]["tasks"].as_array().unwrap().len(), 1);
    assert_eq!(page["view"]["welcome_task"]["title"], "Welcome Ada");
    assert_eq!(app.calls().len(), before, "it was fetched before, and is not fetched again");
    app.end().await;
}

#[tokio::test]
async fn a_link_made_by_hand_overwrites_nothing() {
    let app = TestApp::spawn().await;
    let theirs = json!({ "email": "countess@example.com", "city": "London" });
    let made = app.highlevel(json!({ "action": "contact.create", "contact": theirs })).await;
    let link = json!({ "contact_id": made["contact"]["id"] });
    let (status, answer) = app.api("PUT", "/api/connections/my-shop/customers/77", Some(link)).await;
    assert_eq!(status, 202, "{answer}");
    let user = json!({ "user_id": 77, "email": "ada@example.com", "firstname": "Ada", "b_city": "Paris" });
    app.shop(json!({ "action": "webhook.send", "type": "customer.updated", "data": { "user": user } })).await;
    app.settled().await;
    let contacts = app.ghl("contacts");
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0]["email"], "countess@example.com");
    assert_eq!(contacts[0]["city"], "London");
    assert_eq!(contacts[0]["firstName"], "Ada");
    app.end().await;
}

#[tokio::test]
async fn a_resync_asks_the_store_repairs_and_welcomes_nobody() {
    let app = TestApp::spawn().await;
    // The store has a customer of whom the bridge was never told.
    app.sandbox.cscart().settings(json!({ "deliver_to": null })).unwrap();
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    let body = json!({ "customer": made["user_id"] });
    let (status, accepted) = app.api("POST", "/api/connections/my-shop/resync", Some(body)).await;
    assert_eq!(status, 202, "{accepted}");
    app.until_state(accepted["id"].as_str().unwrap(), "done").await;
    assert_eq!(app.ghl("contacts")[0]["email"], "ada@example.com");
    assert!(app.ghl("tasks").is_empty());
    app.end().await;
}

#[tokio::test]
async fn a_resync_wins_over_a_state_that_is_dated_later_than_now() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    // The bridge's own clock was ahead when the customer was last carried over.
    let customer = Customer::User(id.as_u64().unwrap());
    let connection = "my-shop".parse().unwrap();
    let mut link = app.store.link(&connection, &customer).await.unwrap().unwrap();
    link.state_at = "2200-01-01T00:00:00Z".parse().unwrap();
    app.store.put_links(vec![LinkChange::Put(link)]).await.unwrap();
    let change = json!({ "action": "customer.update", "user_id": id, "user": { "lastname": "King" }, "deliver": false });
    app.shop(change).await;
    let (status, accepted) =
        app.api("POST", "/api/connections/my-shop/resync", Some(json!({ "customer": id }))).await;
    assert_eq!(status, 202, "{accepted}");
    app.until_state(accepted["id"].as_str().unwrap(), "done").await;
    assert_eq!(app.ghl("contacts")[0]["lastName"], "King");
    let link = app.store.link(&connection, &customer).await.unwrap().unwrap();
    assert!(link.state_at <= app.clock.now(), "it is dated right again");
    app.end().await;
}

#[tokio::test]
async fn a_note_before_its_customer_finds_the_customer_in_the_store() {
    let app = TestApp::spawn().await;
    app.sandbox.cscart().settings(json!({ "deliver_to": null })).unwrap();
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    let note = json!({ "note": { "note_id": 5, "user_id": made["user_id"], "body": "Hello" } });
    app.deliver("msg_note", &json!({ "type": "note.created", "timestamp": null, "store": {}, "data": note }))
        .await;
    app.settled().await;
    assert_eq!(app.ghl("contacts")[0]["email"], "ada@example.com");
    assert_eq!(app.ghl("notes").len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_customer_without_an_e_mail_is_a_contact_by_his_phone() {
    let app = TestApp::spawn().await;
    let user = json!({ "user_id": "9", "email": "", "firstname": "Nemo", "phone": "+44 20 7946 0958" });
    app.deliver("msg_9", &json!({ "type": "customer.created", "store": {}, "data": { "user": user } })).await;
    app.settled().await;
    assert_eq!(app.ghl("contacts")[0]["phone"], "+442079460958");
    app.end().await;
}
