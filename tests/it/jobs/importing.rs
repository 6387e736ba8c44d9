//! What an import costs, and what it leaves alone.

use serde_json::json;

use super::{count, crowd, done, outcome, report, seed, spawn};

#[tokio::test]
async fn an_empty_location_costs_one_call_for_each_customer_and_the_second_time_next_to_nothing() {
    const CUSTOMERS: usize = 500;
    let app = spawn().await;
    seed(&app, crowd(CUSTOMERS)).await;

    let first = done(&app, json!({ "kind": "import" })).await;
    assert_eq!(first["outcomes"], json!({ "created": CUSTOMERS }), "{first}");
    assert_eq!(app.ghl("contacts").len(), CUSTOMERS);
    let calls = app.calls().len();
    assert!(calls as f64 <= CUSTOMERS as f64 * 1.02, "{calls} calls");
    assert_eq!(count(&app, "POST", "/contacts/"), CUSTOMERS);
    assert_eq!(app.ghl("tasks").len(), 0, "an import welcomes nobody");
    // One call is that of the estimate, before the job began.
    assert_eq!(first["calls"], calls - 1);

    let second = done(&app, json!({ "kind": "import" })).await;
    assert_eq!(second["outcomes"], json!({ "equal": CUSTOMERS }), "{second}");
    let more = app.calls().len() - calls;
    assert!(more as f64 <= CUSTOMERS as f64 * 0.02, "{more} calls");
    app.end().await;
}

#[tokio::test]
async fn what_has_changed_in_the_store_costs_one_call_and_what_has_not_none() {
    let app = spawn().await;
    let ids = seed(&app, crowd(30)).await;
    done(&app, json!({ "kind": "import" })).await;
    for id in &ids[..3] {
        let change = json!({ "action": "customer.update", "user_id": id, "user": { "lastname": "Changed" }, "deliver": false });
        app.shop(change).await;
    }
    let resync = done(&app, json!({ "kind": "resync" })).await;
    assert_eq!(resync["outcomes"], json!({ "updated": 3, "equal": 27 }), "{resync}");
    assert_eq!(count(&app, "PUT", "/contacts/*"), 3);
    let changed = app.ghl("contacts").iter().filter(|contact| contact["lastName"] == "Changed").count();
    assert_eq!(changed, 3);
    app.end().await;
}

#[tokio::test]
async fn a_contact_that_is_there_is_taken_over_with_one_call_and_nothing_on_it_is_wiped() {
    let app = spawn().await;
    let theirs = json!({
        "email": "person0@example.com", "firstName": "Their own", "tags": ["theirs", "cs-cart", "customer"],
    });
    app.highlevel(json!({ "action": "contact.create", "contact": theirs, "deliver": false })).await;
    let ids = seed(&app, crowd(1)).await;
    let import = done(&app, json!({ "kind": "import" })).await;
    assert_eq!(import["outcomes"], json!({ "adopted": 1 }), "{import}");
    assert_eq!((count(&app, "PUT", "/contacts/*"), count(&app, "GET", "/contacts/*")), (1, 0));
    let contacts = app.ghl("contacts");
    assert_eq!(contacts.len(), 1);
    assert_eq!(
        (&contacts[0]["firstName"], &contacts[0]["lastName"]),
        (&json!("Their own"), &json!("Example"))
    );
    assert_eq!(app.tags_of("person0@example.com"), ["cs-cart", "customer", "theirs"]);
    let lines = report(&app, &import).await;
    assert_eq!(outcome(&lines, ids[0]).0, "adopted");
    assert_eq!(lines[0]["contact_id"], contacts[0]["id"]);
    app.end().await;
}

#[tokio::test]
async fn what_a_person_has_changed_in_highlevel_stays_and_is_told_of() {
    let app = spawn().await;
    let ids = seed(&app, crowd(1)).await;
    done(&app, json!({ "kind": "import" })).await;
    let id = app.ghl("contacts")[0]["id"].clone();
    let edit = json!({ "lastName": "Edited" });
    app.highlevel(json!({ "action": "contact.update", "contact_id": id, "contact": edit, "deliver": false }))
        .await;
    let resync = done(&app, json!({ "kind": "resync" })).await;
    assert_eq!(resync["outcomes"], json!({ "equal": 1 }), "{resync}");
    assert_eq!(app.ghl("contacts")[0]["lastName"], "Edited");
    let told = "last_name: \"Example\" in the store, \"Edited\" in HighLevel";
    let (_, why) = outcome(&report(&app, &resync).await, ids[0]);
    assert_eq!(why, format!("kept HighLevel's {told}"));
    // Both sides are not the same, and nothing is to be done about it.
    let verify = done(&app, json!({ "kind": "verify" })).await;
    assert_eq!(verify["outcomes"], json!({ "kept": 1 }), "{verify}");
    assert_eq!(report(&app, &verify).await[0]["fields"], told);
    app.end().await;
}

#[tokio::test]
async fn a_contact_that_was_deleted_in_highlevel_is_made_again() {
    let app = spawn().await;
    let ids = seed(&app, crowd(3)).await;
    done(&app, json!({ "kind": "import" })).await;
    let gone =
        app.ghl("contacts").into_iter().find(|contact| contact["email"] == "person1@example.com").unwrap();
    app.highlevel(json!({ "action": "contact.delete", "contact_id": gone["id"], "deliver": false })).await;
    let resync = done(&app, json!({ "kind": "resync" })).await;
    assert_eq!(resync["outcomes"], json!({ "created": 1, "equal": 2 }), "{resync}");
    assert_eq!(outcome(&report(&app, &resync).await, ids[1]).0, "created");
    assert_eq!(app.ghl("contacts").len(), 3);
    app.end().await;
}

#[tokio::test]
async fn a_guest_who_has_registered_keeps_his_contact() {
    let app = spawn().await;
    app.shop(json!({ "action": "guest.checkout", "email": "person0@example.com", "firstname": "Person0" }))
        .await;
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 1);
    seed(&app, crowd(1)).await;
    let import = done(&app, json!({ "kind": "import" })).await;
    assert_eq!(import["outcomes"], json!({ "updated": 1 }), "{import}");
    assert_eq!(app.ghl("contacts").len(), 1);
    let again = done(&app, json!({ "kind": "import" })).await;
    assert_eq!(again["outcomes"], json!({ "equal": 1 }), "{again}");
    app.end().await;
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be_done_and_does_nothing() {
    let app = spawn().await;
    let there = json!({ "email": "person0@example.com" });
    app.highlevel(json!({ "action": "contact.create", "contact": there, "deliver": false })).await;
    seed(&app, crowd(5)).await;
    let dry = done(&app, json!({ "kind": "import", "dry_run": true })).await;
    assert_eq!(dry["outcomes"], json!({ "adopted": 1, "created": 4 }), "{dry}");
    assert_eq!(app.ghl("contacts").len(), 1);
    let reads = |path: &str| path == "/contacts/search" || path.ends_with("/customFields");
    assert!(app.calls().iter().all(|call| reads(&call.path) && call.effect.is_none()));
    assert!(app.events("").await.is_empty());
    app.end().await;
}

#[tokio::test]
async fn only_customers_of_late_are_looked_at_when_that_is_asked_for() {
    let app = spawn().await;
    let mut users = crowd(20);
    // Registered in 2020, but for the last one.
    users[..19].iter_mut().for_each(|user| user["timestamp"] = json!(1_577_836_800));
    let ids = seed(&app, users).await;
    let order = json!({ "action": "order.place", "user_id": 7, "products": [], "deliver": false });
    app.shop(order).await;
    let since = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(5);
    let resync = done(&app, json!({ "kind": "resync", "options": { "since": since.to_string() } })).await;
    assert_eq!(resync["outcomes"], json!({ "created": 2 }), "{resync}");
    assert_eq!(
        (&resync["customers"], &resync["examined"], &resync["calls_left"]),
        (&json!(2), &json!(2), &json!(0))
    );
    assert_eq!(app.ghl("contacts").len(), 2);
    let report = report(&app, &resync).await;
    for id in [7, ids[19]] {
        assert_eq!(outcome(&report, id).0, "created");
    }
    app.end().await;
}
