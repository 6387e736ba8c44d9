//! A verification finds every difference, and changes nothing.

use serde_json::json;

use super::{crowd, done, outcome, report, seed, spawn};

#[tokio::test]
async fn both_sides_in_step_are_equal_and_every_difference_is_told_by_its_field() {
    let app = spawn().await;
    let ids = seed(&app, crowd(10)).await;
    done(&app, json!({ "kind": "import" })).await;
    let equal = done(&app, json!({ "kind": "verify" })).await;
    assert_eq!(equal["outcomes"], json!({ "equal": 10 }), "{equal}");
    assert_eq!((equal["customers"].clone(), equal["contacts"].clone()), (json!(10), json!(10)));

    let contact = |n: usize| {
        let email = format!("person{n}@example.com");
        app.ghl("contacts").into_iter().find(|contact| contact["email"] == email.as_str()).unwrap()["id"]
            .clone()
    };
    let edit = json!({ "lastName": "Edited" });
    app.highlevel(
        json!({ "action": "contact.update", "contact_id": contact(0), "contact": edit, "deliver": false }),
    )
    .await;
    app.highlevel(json!({ "action": "contact.delete", "contact_id": contact(1), "deliver": false })).await;
    app.shop(json!({ "action": "customer.delete", "user_id": ids[2], "deliver": false })).await;
    let orphan = contact(2);
    let change = json!({ "action": "customer.update", "user_id": ids[3], "user": { "lastname": "Changed" }, "deliver": false });
    app.shop(change).await;
    let calls = app.calls().len();
    let verify = done(&app, json!({ "kind": "verify" })).await;
    let expected =
        json!({ "equal": 6, "differs": 1, "kept": 1, "missing_contact": 1, "missing_customer": 1 });
    assert_eq!(verify["outcomes"], expected, "{verify}");
    let lines = report(&app, &verify).await;
    for (what, id, fields) in [
        ("differs", ids[3], "last_name: \"Changed\" in the store, \"Example\" in HighLevel"),
        ("kept", ids[0], "last_name: \"Example\" in the store, \"Edited\" in HighLevel"),
    ] {
        let line = lines.iter().find(|line| line["outcome"] == what).unwrap();
        assert_eq!((&line["customer"], &line["fields"]), (&json!(format!("customer:{id}")), &json!(fields)));
    }
    assert_eq!(outcome(&lines, ids[1]).0, "missing_contact");
    let missing = lines.iter().find(|line| line["outcome"] == "missing_customer").unwrap();
    assert_eq!(missing["contact_id"], orphan);
    assert!(app.calls()[calls..].iter().all(|call| call.effect.is_none()), "a verification only reads");
    app.end().await;
}

#[tokio::test]
async fn a_sample_costs_a_call_for_each_of_its_customers() {
    let app = spawn().await;
    seed(&app, crowd(200)).await;
    done(&app, json!({ "kind": "import" })).await;
    let calls = app.calls().len();
    let sample = done(&app, json!({ "kind": "verify", "options": { "sample": 30 } })).await;
    let looked_at = sample["done"].as_u64().unwrap();
    assert!((20..=30).contains(&looked_at), "{sample}");
    assert_eq!(sample["outcomes"], json!({ "equal": looked_at }), "{sample}");
    assert_eq!(sample["customers"], looked_at, "those who were chosen, not all of the store");
    // Beside them the two counts, of the estimate and of the job, and the custom fields.
    assert!(app.calls().len() - calls <= 33, "{} calls", app.calls().len() - calls);
    app.end().await;
}

#[tokio::test]
async fn a_sample_of_a_small_store_is_not_one_customer_alone() {
    let app = spawn().await;
    seed(&app, crowd(4)).await;
    done(&app, json!({ "kind": "import" })).await;
    let sample = done(&app, json!({ "kind": "verify", "options": { "sample": 3 } })).await;
    assert_eq!(sample["outcomes"], json!({ "equal": 2 }), "{sample}");
    app.end().await;
}
