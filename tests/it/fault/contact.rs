//! Contacts that were there before, and creates of unknown outcome: ours is told from theirs.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox::Options;
use serde_json::{Value, json};

use super::{faults, on, person};
use crate::app::{QUICK, TestApp, ada};

async fn where_duplicates_are_allowed() -> TestApp {
    let options = Options {
        strict_rate: false,
        allow_duplicate_contacts: true,
        search_lag: Duration::from_millis(800),
        ..Options::default()
    };
    TestApp::spawn_with(options, QUICK).await
}

/// Somebody makes a contact in HighLevel; answers its id.
async fn somebody_makes(app: &TestApp, contact: Value) -> String {
    let made = app.highlevel(json!({ "action": "contact.create", "contact": contact })).await;
    made["contact"]["id"].as_str().unwrap().to_owned()
}

/// The contact that a customer is linked with.
async fn linked(app: &TestApp, customer: &str) -> String {
    let link = app.store.link(&"my-shop".parse().unwrap(), &customer.parse().unwrap()).await.unwrap();
    link.unwrap().contact_id.to_string()
}

/// The ids of the contacts that our calls have made, by first name.
fn created(app: &TestApp) -> BTreeMap<String, Vec<String>> {
    let mut created = BTreeMap::<String, Vec<String>>::new();
    for call in app.calls() {
        if let Some(effect) = call.effect.filter(|effect| effect.kind == "contact.created") {
            created.entry(call.body["firstName"].as_str().unwrap().to_owned()).or_default().push(effect.id);
        }
    }
    created
}

/// A fault that strikes the create of one person only.
fn on_create_of(n: usize, mut fault: Value) -> Value {
    fault["body_contains"] = json!(format!("\"Person{n}\""));
    on("/contacts/", fault)
}

#[tokio::test]
async fn where_duplicates_are_allowed_somebody_elses_contact_is_never_taken_for_ours() {
    let app = where_duplicates_are_allowed().await;
    let mut made = Vec::new();
    for (n, (what, fault)) in faults().into_iter().enumerate() {
        let other = json!({ "email": format!("person{n}@example.com"), "firstName": format!("Person{n}") });
        let theirs = somebody_makes(&app, other).await;
        app.fault(on_create_of(n, fault));
        let id =
            app.shop(json!({ "action": "customer.register", "user": person(n) })).await["user_id"].clone();
        made.push((what, theirs, id));
    }
    app.settled().await;
    for (n, (what, theirs, id)) in made.into_iter().enumerate() {
        let ours = created(&app).remove(&format!("Person{n}")).unwrap_or_default();
        assert_eq!(ours.len(), 1, "{what}\n{}", app.story().await);
        assert_eq!(linked(&app, &format!("customer:{id}")).await, ours[0], "{what}");
        assert_ne!(ours[0], theirs, "{what}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_token_that_may_not_read_the_location_costs_patience_and_nothing_else() {
    let app = where_duplicates_are_allowed().await;
    app.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly", "contacts.write"] })).unwrap();
    for (n, allowed) in [(0, true), (1, false)] {
        app.sandbox.ghl().settings(json!({ "allow_duplicate_contacts": true })).unwrap();
        somebody_makes(&app, json!({ "email": format!("person{n}@example.com") })).await;
        app.sandbox.ghl().settings(json!({ "allow_duplicate_contacts": allowed })).unwrap();
        app.fault(on("/contacts/", json!({ "kind": "reset_before" })));
        app.register(person(n)).await;
        let with = app.ghl("contacts");
        let with = with.iter().filter(|contact| contact["email"] == format!("person{n}@example.com"));
        assert_eq!(with.count(), if allowed { 2 } else { 1 }, "{}", app.story().await);
    }
    app.end().await;
}

#[tokio::test]
async fn where_duplicates_are_refused_the_contact_that_is_there_is_adopted_whatever_goes_wrong() {
    let app = TestApp::spawn().await;
    for (n, (what, fault)) in faults().into_iter().enumerate() {
        let other = json!({ "email": format!("person{n}@example.com"), "city": "Paris" });
        let theirs = somebody_makes(&app, other).await;
        app.fault(on("/contacts/", fault));
        let id = app.register(person(n)).await;
        assert_eq!(created(&app), BTreeMap::new(), "{what}");
        assert_eq!(linked(&app, &format!("customer:{id}")).await, theirs, "{what}");
    }
    for contact in app.ghl("contacts") {
        assert_eq!((&contact["city"], &contact["country"]), (&json!("Paris"), &json!("US")), "{contact:#}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_contact_without_email_and_phone_is_found_again_by_its_name() {
    for allowed in [false, true] {
        let app = where_duplicates_are_allowed().await;
        app.sandbox.ghl().settings(json!({ "allow_duplicate_contacts": allowed })).unwrap();
        for (n, (_, fault)) in faults().into_iter().enumerate() {
            let name = format!("Person{n}");
            somebody_makes(&app, json!({ "firstName": name, "lastName": "Lovelace" })).await;
            app.fault(on_create_of(n, fault));
            let user =
                json!({ "user_id": 1000 + n, "user_type": "C", "firstname": name, "lastname": "Lovelace" });
            let body =
                json!({ "type": "customer.created", "timestamp": app.clock.now(), "data": { "user": user } });
            let (status, answer) = app.deliver(&format!("evt-{n}"), &body).await;
            assert_eq!(status, 202, "{answer}");
        }
        app.settled().await;
        for (n, (what, _)) in faults().into_iter().enumerate() {
            let ours = created(&app).remove(&format!("Person{n}")).unwrap_or_default();
            assert_eq!(ours.len(), 1, "{what}\n{}", app.story().await);
            assert_eq!(linked(&app, &format!("customer:{}", 1000 + n)).await, ours[0], "{what}");
        }
        app.end().await;
    }
}

#[tokio::test]
async fn two_customers_with_one_email_keep_two_contacts_where_duplicates_are_allowed() {
    let app = where_duplicates_are_allowed().await;
    for (n, (_, fault)) in faults().into_iter().enumerate() {
        for (m, (_, other)) in faults().into_iter().enumerate() {
            let email = format!("pair{n}-{m}@example.com");
            for (id, fault) in [(1000 + 100 * n + m, &fault), (2000 + 100 * n + m, &other)] {
                let mut fault = on("/contacts/", fault.clone());
                fault["body_contains"] = json!(format!("\"{id}\""));
                app.fault(fault);
                let user = json!({ "user_id": id, "user_type": "C", "firstname": "Pair", "email": email });
                let body = json!({ "type": "customer.created", "timestamp": app.clock.now(), "data": { "user": user } });
                app.deliver(&format!("evt-{id}"), &body).await;
            }
        }
    }
    app.settled().await;
    let struck = app.calls().iter().filter(|call| call.fault.is_some()).count();
    assert_eq!(struck, 2 * faults().len() * faults().len());
    let contacts = app.ghl("contacts");
    for n in 0..faults().len() {
        for m in 0..faults().len() {
            let email = format!("pair{n}-{m}@example.com");
            let what = format!("{} and {}", faults()[n].0, faults()[m].0);
            let made = contacts.iter().filter(|contact| contact["email"] == email).count();
            assert_eq!(made, 2, "{what}");
            let [one, two] = [1000, 2000].map(|base| format!("customer:{}", base + 100 * n + m));
            assert_ne!(linked(&app, &one).await, linked(&app, &two).await, "{what}");
        }
    }
    app.end().await;
}

#[tokio::test]
async fn who_has_an_account_and_checks_out_as_a_guest_is_one_contact() {
    let app = TestApp::spawn().await;
    let id = app.register(ada()).await;
    app.shop(json!({ "action": "guest.checkout", "email": "ada@example.com", "firstname": "Ada" })).await;
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 1);
    assert_eq!(linked(&app, "guest:ada@example.com").await, linked(&app, &format!("customer:{id}")).await);
    assert_eq!(app.tags_of("ada@example.com"), ["buyer", "cs-cart", "customer"]);
    app.end().await;
}
