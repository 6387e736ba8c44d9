//! Customers of whom nobody but a person can tell which contact they are.

use serde_json::json;

use super::{count, done, outcome, report, seed, spawn};

#[tokio::test]
async fn two_customers_with_one_e_mail_are_told_and_only_the_first_becomes_the_contact() {
    let app = spawn().await;
    let twin = json!({ "email": "twin@example.com", "firstname": "Twin" });
    let mut users = vec![twin.clone(), twin.clone()];
    // The third one is on another page of the store's.
    users.extend(super::crowd(120));
    users.push(twin);
    let ids = seed(&app, users).await;
    let import = done(&app, json!({ "kind": "import" })).await;
    assert_eq!(import["outcomes"], json!({ "created": 121, "conflict": 2 }), "{import}");
    let lines = report(&app, &import).await;
    for id in [ids[1], ids[122]] {
        let (conflict, why) = outcome(&lines, id);
        assert_eq!(conflict, "conflict");
        assert!(why.contains("two customers of the store cannot be one contact"), "{why}");
        assert!(why.contains(&format!("is going to be made for customer:{}", ids[0])), "{why}");
        assert!(!why.contains("new:"), "{why}");
    }
    assert_eq!(count(&app, "POST", "/contacts/"), 121, "nothing was sent for the others");
    // The next time the first one is linked.
    let again = done(&app, json!({ "kind": "import" })).await;
    assert_eq!(again["outcomes"], json!({ "equal": 121, "conflict": 2 }), "{again}");
    app.end().await;
}

#[tokio::test]
async fn an_e_mail_of_two_contacts_is_a_conflict() {
    let app = spawn().await;
    app.sandbox.ghl().settings(json!({ "allow_duplicate_contacts": true })).unwrap();
    for city in ["Paris", "Rome"] {
        let contact = json!({ "email": "ada@example.com", "city": city });
        app.highlevel(json!({ "action": "contact.create", "contact": contact, "deliver": false })).await;
    }
    let ids = seed(&app, vec![json!({ "email": "ada@example.com" })]).await;
    for kind in ["import", "verify"] {
        let job = done(&app, json!({ "kind": kind })).await;
        let (conflict, why) = outcome(&report(&app, &job).await, ids[0]);
        assert_eq!(conflict, "conflict");
        assert!(why.starts_with("several contacts have the e-mail"), "{why}");
    }
    assert_eq!(count(&app, "PUT", "/contacts/*"), 0);
    app.end().await;
}
