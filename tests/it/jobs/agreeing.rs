//! Whatever carries a customer over, an import, a resync, a live event: it is the same contact, and the same is sent. And a
//! verification finds nothing that they would leave as it is.

use cartbridge::link::Customer;
use cartbridge::store::LinkChange;
use serde_json::{Value, json};

use super::{count, crowd, done, outcome, report, seed, spawn};
use crate::app::TestApp;

/// The ways in which a customer of the store's is carried over.
const WAYS: [&str; 3] = ["an import", "a resync of him", "a live event"];

/// Carries a customer over; answers his event, where there is one.
async fn carry_over(app: &TestApp, way: &str, id: u64) -> Value {
    let event = match way {
        "an import" => {
            done(app, json!({ "kind": "import" })).await;
            app.events(&format!("type=import&subject=customer:{id}")).await[0]["id"].clone()
        }
        "a resync of him" => {
            let body = Some(json!({ "customer": id }));
            let (status, accepted) = app.api("POST", "/api/connections/my-shop/resync", body).await;
            assert_eq!(status, 202, "{accepted}");
            accepted["id"].clone()
        }
        _ => {
            let users = app.sandbox.cscart().state()["users"].clone();
            let id = id.to_string();
            let user = users.as_array().unwrap().iter().find(|user| user["user_id"] == id.as_str()).unwrap();
            let body = json!({ "type": "customer.updated", "store": {}, "data": { "user": user } });
            let (status, answer) = app.deliver(&format!("msg_{id}"), &body).await;
            assert_eq!(status, 202, "{answer}");
            answer["id"].clone()
        }
    };
    app.settled().await;
    app.event(event.as_str().unwrap()).await
}

/// A contact that was there before; answers its id.
async fn there(app: &TestApp, contact: Value) -> Value {
    let made =
        app.highlevel(json!({ "action": "contact.create", "contact": contact, "deliver": false })).await;
    made["contact"]["id"].clone()
}

/// The contact that a customer is linked with.
async fn linked(app: &TestApp, id: u64) -> Value {
    let link = app.store.link(&"my-shop".parse().unwrap(), &Customer::User(id)).await.unwrap();
    json!(link.map(|link| link.contact_id))
}

/// The custom fields that the bridge fills without being told to; answers their ids.
async fn make_fields(app: &TestApp) -> [String; 2] {
    let mut ids = Vec::new();
    for name in ["cscart_customer_id", "cscart_status"] {
        let made = json!({ "action": "custom_field.create", "name": name, "dataType": "TEXT" });
        ids.push(app.highlevel(made).await["customField"]["id"].as_str().unwrap().to_owned());
    }
    ids.try_into().unwrap()
}

/// How many contacts show this in a custom field.
fn showing(app: &TestApp, field: &str, value: &str) -> usize {
    let shows = |contact: &Value| {
        let fields = contact["customFields"].as_array().unwrap();
        fields.iter().any(|it| it["id"] == field && it["value"] == value)
    };
    app.ghl("contacts").iter().filter(|contact| shows(contact)).count()
}

#[tokio::test]
async fn who_has_nothing_but_a_name_becomes_a_contact_once_however_he_comes() {
    for way in WAYS {
        let app = spawn().await;
        let id = seed(&app, vec![json!({ "firstname": "Only", "lastname": "Name" })]).await[0];
        carry_over(&app, way, id).await;
        let contacts = app.ghl("contacts");
        assert_eq!((contacts.len(), &contacts[0]["firstName"]), (1, &json!("Only")), "{way}");
        for (kind, expected) in [("import", "equal"), ("resync", "equal"), ("verify", "equal")] {
            let job = done(&app, json!({ "kind": kind })).await;
            assert_eq!(job["outcomes"], json!({ expected: 1 }), "{kind} after {way}: {job}");
        }
        assert_eq!(app.ghl("contacts").len(), 1, "{way}");
        app.end().await;
    }
}

#[tokio::test]
async fn who_has_nothing_but_a_name_is_found_by_his_number_when_his_link_is_lost() {
    let app = spawn().await;
    make_fields(&app).await;
    let ids = seed(&app, vec![json!({ "firstname": "Only" }), json!({ "firstname": "Only" })]).await;
    done(&app, json!({ "kind": "import" })).await;
    let before = [linked(&app, ids[0]).await, linked(&app, ids[1]).await];
    let lost = ids.iter().map(|id| LinkChange::Drop("my-shop".parse().unwrap(), Customer::User(*id)));
    app.store.put_links(lost.collect()).await.unwrap();
    let import = done(&app, json!({ "kind": "import" })).await;
    assert_eq!(import["outcomes"], json!({ "adopted": 2 }), "{import}");
    assert_eq!([linked(&app, ids[0]).await, linked(&app, ids[1]).await], before);
    assert_eq!(app.ghl("contacts").len(), 2);
    app.end().await;
}

#[tokio::test]
async fn of_whom_nothing_says_who_he_is_no_contact_is_made_and_the_words_are_the_same() {
    const WHY: &str = "neither a name nor an e-mail address nor a phone number";
    let mut app = spawn().await;
    app.may_have_dead_letters = true;
    let id = seed(&app, vec![json!({ "phone": "ask me" })]).await[0];
    for way in &WAYS[1..] {
        let event = carry_over(&app, way, id).await;
        assert_eq!((&event["state"], &event["state_code"]), (&json!("dead"), &json!("no-customer")), "{way}");
        assert!(event["state_reason"].as_str().unwrap().contains(WHY), "{way}: {event:#}");
    }
    for kind in ["import", "verify"] {
        let job = done(&app, json!({ "kind": kind })).await;
        let (rejected, why) = outcome(&report(&app, &job).await, id);
        assert_eq!(rejected, "rejected");
        assert!(why.starts_with(WHY), "{why}");
    }
    assert!(app.ghl("contacts").is_empty());
    app.end().await;
}

#[tokio::test]
async fn the_e_mail_decides_and_the_phone_of_another_contact_is_left_out() {
    for phone_first in [false, true] {
        // The other one may be somebody, or only a number so far.
        for other in [json!({ "email": "bea@example.com" }), json!({})] {
            for way in WAYS {
                let app = spawn().await;
                app.sandbox.ghl().settings(json!({ "match_phone_first": phone_first })).unwrap();
                let ada = there(&app, json!({ "email": "ada@example.com" })).await;
                let mut other = other.clone();
                other["phone"] = json!("+12025550143");
                there(&app, other.clone()).await;
                let user = json!({ "email": "ada@example.com", "firstname": "Ada", "phone": "+12025550143" });
                let id = seed(&app, vec![user]).await[0];
                let event = carry_over(&app, way, id).await;
                let case = format!("{way}, phone first: {phone_first}, other: {other}: {event:#}");
                assert_eq!(linked(&app, id).await, ada, "{case}");
                let contacts = app.ghl("contacts");
                assert_eq!(contacts.len(), 2, "{case}");
                let contact = contacts.iter().find(|contact| contact["id"] == ada).unwrap();
                assert_eq!(
                    (&contact["firstName"], &contact["phone"]),
                    (&json!("Ada"), &Value::Null),
                    "{case}"
                );
                let left_out = event["effects"][0]["result"]["left_out"].as_array().unwrap();
                assert!(
                    left_out.len() == 1 && left_out[0].as_str().unwrap().starts_with("the phone, which"),
                    "{case}"
                );
                let verify = done(&app, json!({ "kind": "verify" })).await;
                assert_eq!(verify["outcomes"], json!({ "kept": 1 }), "{case}: {verify}");
                app.end().await;
            }
        }
    }
}

#[tokio::test]
async fn a_changed_e_mail_that_another_contact_has_waits_for_a_person_and_the_rest_arrives() {
    for way in WAYS {
        let mut app = spawn().await;
        app.may_have_dead_letters = true;
        let id = seed(&app, crowd(1)).await[0];
        carry_over(&app, "a resync of him", id).await;
        let contact = linked(&app, id).await;
        there(&app, json!({ "email": "new@example.com" })).await;
        let change = json!({ "email": "new@example.com", "lastname": "Changed" });
        let change = json!({ "action": "customer.update", "user_id": id, "user": change, "deliver": false });
        app.shop(change).await;
        let event = carry_over(&app, way, id).await;
        assert_eq!(event["state_code"], "duplicate-contact", "{way}: {event:#}");
        assert_eq!(linked(&app, id).await, contact, "{way}");
        let contacts = app.ghl("contacts");
        let contact = contacts.iter().find(|it| it["id"] == contact).unwrap();
        let shown = (&contact["lastName"], &contact["email"]);
        assert_eq!(shown, (&json!("Changed"), &json!("person0@example.com")), "{way}");
        for (kind, expected) in [("import", "conflict"), ("verify", "differs")] {
            let job = done(&app, json!({ "kind": kind })).await;
            assert_eq!(outcome(&report(&app, &job).await, id).0, expected, "{way}");
        }
        app.end().await;
    }
}

#[tokio::test]
async fn a_phone_alone_makes_him_a_contact_that_is_nobodys_and_none_that_is_another_customers() {
    for way in WAYS {
        let app = spawn().await;
        let free = there(&app, json!({ "firstName": "Free", "phone": "+12025550111" })).await;
        let users = vec![json!({ "firstname": "First", "phone": "+12025550143" })];
        let first = seed(&app, users).await[0];
        carry_over(&app, way, first).await;
        let users = vec![
            json!({ "email": "second@example.com", "firstname": "Second", "phone": "+12025550143" }),
            json!({ "email": "third@example.com", "firstname": "Third", "phone": "+12025550111" }),
        ];
        let ids = seed(&app, users).await;
        for id in &ids {
            // An import takes both at once.
            if linked(&app, *id).await.is_null() {
                carry_over(&app, way, *id).await;
            }
        }
        assert_eq!(linked(&app, ids[1]).await, free, "{way}");
        let contacts = app.ghl("contacts");
        assert_eq!(contacts.len(), 3, "{way}: {contacts:#?}");
        let second = contacts.iter().find(|contact| contact["email"] == "second@example.com").unwrap();
        assert!(second["phone"].is_null(), "{way}: {second:#}");
        app.end().await;
    }
}

#[tokio::test]
async fn fields_that_were_made_after_the_contacts_are_filled_by_a_resync_with_one_call_each_and_once() {
    let app = spawn().await;
    let ids = seed(&app, crowd(5)).await;
    done(&app, json!({ "kind": "import" })).await;
    let [number, status] = make_fields(&app).await;
    let verify = done(&app, json!({ "kind": "verify" })).await;
    assert_eq!(verify["outcomes"], json!({ "differs": 5 }), "{verify}");

    carry_over(&app, "a resync of him", ids[0]).await;
    assert_eq!((count(&app, "PUT", "/contacts/*"), showing(&app, &number, &ids[0].to_string())), (1, 1));
    let resync = done(&app, json!({ "kind": "resync" })).await;
    assert_eq!(resync["outcomes"], json!({ "updated": 4, "equal": 1 }), "{resync}");
    assert_eq!((count(&app, "PUT", "/contacts/*"), showing(&app, &status, "active")), (5, 5));
    for id in &ids {
        assert_eq!(showing(&app, &number, &id.to_string()), 1);
    }

    let events = app.events("limit=100").await.len();
    for kind in ["resync", "import", "verify"] {
        let again = done(&app, json!({ "kind": kind })).await;
        assert_eq!(again["outcomes"], json!({ "equal": 5 }), "{again}");
        // A count and a page.
        assert_eq!(again["calls"], 2, "{again}");
    }
    carry_over(&app, "a resync of him", ids[0]).await;
    assert_eq!(app.events("limit=100").await.len(), events + 1);
    assert_eq!(count(&app, "PUT", "/contacts/*"), 5);
    app.end().await;
}

#[tokio::test]
async fn a_resync_of_one_customer_notices_that_his_contact_is_gone() {
    let app = spawn().await;
    let id = seed(&app, crowd(1)).await[0];
    carry_over(&app, "a resync of him", id).await;
    let gone = linked(&app, id).await;
    app.highlevel(json!({ "action": "contact.delete", "contact_id": gone, "deliver": false })).await;
    carry_over(&app, "a resync of him", id).await;
    let contacts = app.ghl("contacts");
    assert_eq!((contacts.len(), &contacts[0]["email"]), (1, &json!("person0@example.com")));
    assert_eq!(linked(&app, id).await, contacts[0]["id"]);
    app.end().await;
}

#[tokio::test]
async fn after_a_resync_of_all_kinds_of_customers_a_verification_finds_nothing_to_be_done() {
    let app = spawn().await;
    make_fields(&app).await;
    for contact in [
        json!({ "email": "theirs@example.com", "firstName": "Their own", "phone": "+12025550122" }),
        json!({ "email": "two@example.com" }),
        json!({ "phone": "+12025550133" }),
    ] {
        there(&app, contact).await;
    }
    let guest = json!({ "action": "guest.checkout", "email": "guest@example.com", "firstname": "Gus" });
    app.shop(guest).await;
    app.settled().await;
    let users = json!([
        { "email": " Upper.Case@Example.COM ", "firstname": "Upper", "lastname": "CASE" },
        { "firstname": "Only", "lastname": "Name" },
        { "firstname": "Only", "lastname": "Name" },
        { "email": "noname@example.com" },
        {},
        { "email": "corp@example.com", "firstname": "Corp", "company": "Tom &amp; Jerry Ltd" },
        { "email": "first@example.com", "phone": "+12025550100" },
        { "email": "second@example.com", "phone": "+1 (202) 555-0100" },
        { "firstname": "Third", "phone": "+12025550100" },
        { "email": "twin@example.com", "firstname": "Twin", "company_id": "1" },
        { "email": "twin@example.com", "firstname": "Twin", "company_id": "2" },
        { "email": "entity@example.com", "firstname": "J&ouml;rg &amp; Co", "lastname": "O&#039;Brien  &lt;b&gt;" },
        { "email": "odd1@example.com", "phone": "ask me" },
        { "email": "odd2@example.com", "phone": "(202) 555-0188" },
        { "email": "odd3@example.com", "phone": "0044 20 7946 0958" },
        { "phone": "0049 30 901820" },
        { "email": "guest@example.com", "firstname": "Gus" },
        { "email": "theirs@example.com", "firstname": "Ours", "lastname": "Too", "phone": "+12025550177" },
        { "email": "two@example.com", "phone": "+12025550133" },
    ]);
    seed(&app, users.as_array().unwrap().clone()).await;

    let first = done(&app, json!({ "kind": "resync" })).await;
    let sent = |app: &TestApp| app.calls().iter().filter(|call| call.effect.is_some()).count();
    let calls = sent(&app);
    let second = done(&app, json!({ "kind": "resync" })).await;
    assert_eq!(sent(&app), calls, "the second one changes nothing: {first} {second}");
    assert_eq!(second["outcomes"], json!({ "equal": 17, "conflict": 1, "rejected": 1 }), "{second}");

    let verify = done(&app, json!({ "kind": "verify" })).await;
    let lines = report(&app, &verify).await;
    // Two phones of others, the second twin, and what a contact had before it was a customer's.
    assert_eq!(verify["outcomes"], json!({ "equal": 13, "kept": 5, "rejected": 1 }), "{lines:#?}");
    app.end().await;
}
