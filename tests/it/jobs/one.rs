//! The resync of one customer by the command line: what it tells, and what it would do.

use serde_json::json;

use super::program::{cartbridge, told};
use super::{crowd, seed, spawn};

#[tokio::test]
async fn the_resync_of_a_customer_tells_what_was_done_with_a_bridge_and_without() {
    let mut app = spawn().await;
    app.may_have_dead_letters = true;
    let ids = seed(&app, crowd(2)).await;
    let (first, second) = (ids[0].to_string(), ids[1].to_string());
    for (id, customer, without_bridge) in [(ids[0], &first, false), (ids[1], &second, true)] {
        if without_bridge {
            app.close().await;
        }
        let resync = async || cartbridge(&app, &["resync", "my-shop", "--customer", customer]).await;
        let before = app.ghl("contacts").len();
        let made = resync().await;
        assert_eq!(made.status.code(), Some(0), "{}", told(&made));
        let contact = app.ghl("contacts")[before]["id"].as_str().unwrap().to_owned();
        assert!(told(&made).contains(&format!("contact {contact} was made")), "{}", told(&made));

        let equal = resync().await;
        assert_eq!(equal.status.code(), Some(0), "{}", told(&equal));
        assert!(told(&equal).contains("nothing had to be sent: nothing has changed"), "{}", told(&equal));

        let change = json!({ "action": "customer.update", "user_id": id, "user": { "lastname": "King" }, "deliver": false });
        app.shop(change).await;
        let changed = resync().await;
        assert_eq!(changed.status.code(), Some(0), "{}", told(&changed));
        assert!(told(&changed).contains(&format!("contact {contact} was changed: ")), "{}", told(&changed));

        for (nobody, words) in
            [("987654", "the store"), ("guest:nobody@example.com", "a guest has no account")]
        {
            let dead = cartbridge(&app, &["resync", "my-shop", "--customer", nobody]).await;
            assert_eq!(dead.status.code(), Some(1), "{}", told(&dead));
            for part in [words, "is not resynced", "cartbridge events replay"] {
                assert!(told(&dead).contains(part), "{part} in {}", told(&dead));
            }
        }
    }
    let filed = cartbridge(&app, &["resync", "my-shop", "--customer", &first, "--no-wait"]).await;
    assert!(
        filed.status.success() && told(&filed).contains("as soon as the bridge does"),
        "{}",
        told(&filed)
    );
    let unknown = cartbridge(&app, &["resync", "no-shop", "--customer", &first]).await;
    assert!(!unknown.status.success() && told(&unknown).contains("`no-shop`"), "{}", told(&unknown));
    app.sandbox.shutdown().await;
}

#[tokio::test]
async fn a_resync_that_has_to_wait_for_a_person_says_so_and_is_not_taken_for_done() {
    let mut app = spawn().await;
    let ids = seed(&app, crowd(1)).await;
    app.close().await;
    app.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly"] })).unwrap();
    let parked = cartbridge(&app, &["resync", "my-shop", "--customer", &ids[0].to_string()]).await;
    assert_eq!(parked.status.code(), Some(2), "{}", told(&parked));
    assert!(told(&parked).contains("needs scope contacts.write"), "{}", told(&parked));
    app.sandbox.shutdown().await;
}

#[tokio::test]
async fn a_dry_run_of_a_resync_prints_what_would_be_sent_and_sends_nothing() {
    let app = spawn().await;
    let ids = seed(&app, crowd(2)).await;
    let first = ids[0].to_string();
    let dry = cartbridge(&app, &["resync", "my-shop", "--customer", &first, "--dry-run"]).await;
    assert_eq!(dry.status.code(), Some(0), "{}", told(&dry));
    for part in ["POST /contacts/", "person0@example.com", "Nothing was sent or written"] {
        assert!(told(&dry).contains(part), "{part} in {}", told(&dry));
    }
    let asked = json!({ "customer": ids[0], "dry_run": true });
    let (status, report) = app.api("POST", "/api/connections/my-shop/resync", Some(asked)).await;
    assert_eq!(status, 200, "{report}");
    let call = &report["phases"][0]["steps"][0]["calls"][0];
    assert_eq!((&call["method"], &call["path"]), (&json!("POST"), &json!("/contacts/")), "{report:#}");
    assert_eq!(call["body"]["email"], "person0@example.com");
    assert_eq!(report["event"]["subject"], format!("customer:{first}"));

    assert_eq!(app.calls().len(), 0, "HighLevel was not called");
    assert!(app.sandbox.cscart().journal().iter().all(|call| call.method == "GET"));
    assert_eq!(app.events("limit=10").await.len(), 0, "nothing was filed");

    let nobody = cartbridge(&app, &["resync", "my-shop", "--customer", "987654", "--dry-run"]).await;
    assert_eq!(nobody.status.code(), Some(1), "{}", told(&nobody));
    app.end().await;
}
