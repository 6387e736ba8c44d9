//! Customers of whom nobody but a person can tell which contact they are.

use serde_json::json;

use super::{count, done, outcome, report, seed, spawn};

#[tokio::test]
async fn without_an_e_mail_the_phone_decides_and_without_both_nothing_can() {
    let app = spawn().await;
    let there = json!({ "firstName": "There", "phone": "+12025550199" });
    app.highlevel(json!({ "action": "contact.create", "contact": there, "deliver": false })).await;
    let ids = seed(
        &app,
        vec![
            json!({ "firstname": "New", "phone": "+12025550100" }),
            json!({ "firstname": "There", "phone": "+12025550199" }),
            json!({ "firstname": "Nobody" }),
        ],
    )
    .await;
    let import = done(&app, json!({ "kind": "import" })).await;
    let lines = report(&app, &import).await;
    assert_eq!(outcome(&lines, ids[0]).0, "created");
    assert_eq!(outcome(&lines, ids[1]).0, "adopted");
    let (rejected, why) = outcome(&lines, ids[2]);
    assert_eq!(rejected, "rejected");
    assert!(why.starts_with("neither an e-mail address nor a phone number"), "{why}");
    assert_eq!(app.ghl("contacts").len(), 2);
    app.end().await;
}

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
async fn an_e_mail_of_one_contact_and_the_phone_of_another_are_a_conflict() {
    let app = spawn().await;
    for contact in [
        json!({ "email": "ada@example.com" }),
        json!({ "email": "bea@example.com", "phone": "+12025550143" }),
    ] {
        app.highlevel(json!({ "action": "contact.create", "contact": contact, "deliver": false })).await;
    }
    let ids = seed(&app, vec![json!({ "email": "ada@example.com", "phone": "+12025550143" })]).await;
    let import = done(&app, json!({ "kind": "import" })).await;
    let (conflict, why) = outcome(&report(&app, &import).await, ids[0]);
    assert_eq!(conflict, "conflict");
    assert!(why.contains("has the e-mail and contact"), "{why}");
    assert_eq!(count(&app, "PUT", "/contacts/*"), 0);
    app.end().await;
}
