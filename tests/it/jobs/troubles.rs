//! A store that does not answer as it should.

use serde_json::{Value, json};

use super::{crowd, done, seed, spawn, start, until};
use crate::app::TestApp;

fn store_fault(app: &TestApp, fault: Value) {
    app.sandbox.cscart().fault(serde_json::from_value(fault).unwrap());
}

#[tokio::test]
async fn a_web_page_in_place_of_customers_is_tried_again() {
    let app = spawn().await;
    seed(&app, crowd(120)).await;
    let page = json!({
        "path": "/api/users*", "kind": "status", "status": 200, "body": "<html>Back soon</html>", "skip": 2, "times": 3,
    });
    store_fault(&app, page);
    let import = done(&app, json!({ "kind": "import" })).await;
    assert_eq!(import["outcomes"], json!({ "created": 120 }), "{import}");
    assert_eq!(import["reason"], Value::Null, "what is over is not told any more");
    app.end().await;
}

#[tokio::test]
async fn a_store_that_shows_a_web_page_for_good_fails_the_job_which_can_be_resumed() {
    let app = spawn().await;
    seed(&app, crowd(120)).await;
    // The estimate and the count pass, and the first page.
    let page = json!({
        "path": "/api/users*", "kind": "status", "status": 200, "body": "<html>Moved</html>", "skip": 3, "times": 0,
    });
    store_fault(&app, page);
    let id = start(&app, json!({ "kind": "import" })).await;
    let failed = until(&app, &id, "failed").await;
    assert!(failed["reason"].as_str().unwrap().contains("a web page came instead of JSON"), "{failed}");
    app.sandbox.cscart().clear_faults();
    let (status, _) = app.api("POST", &format!("/api/jobs/{id}/resume"), None).await;
    assert_eq!(status, 200);
    let done = until(&app, &id, "done").await;
    assert_eq!(done["outcomes"], json!({ "created": 120 }), "{done}");
    app.end().await;
}

#[tokio::test]
async fn a_store_that_repeats_its_last_page_is_read_once() {
    let app = spawn().await;
    let users = json!([{ "user_id": "7", "email": "ada@example.com" }, { "user_id": "9", "email": "bea@example.com" }]);
    for params in [json!({ "page": "1", "items_per_page": "100" }), json!({ "page": 1 })] {
        app.sandbox.cscart().clear_faults();
        let body = json!({ "users": users, "params": params });
        store_fault(
            &app,
            json!({ "path": "/api/users*", "kind": "status", "status": 200, "body": body, "times": 0 }),
        );
        let import = done(&app, json!({ "kind": "import" })).await;
        assert_eq!(import["done"], 2, "{import}");
    }
    assert_eq!(app.ghl("contacts").len(), 2);
    app.end().await;
}

#[tokio::test]
async fn who_moves_forward_because_others_were_deleted_is_not_missed() {
    let app = spawn().await;
    let ids = seed(&app, crowd(250)).await;
    // The second page is late, and by then customers of the first one are gone.
    let slow = json!({ "path": "/api/users*", "kind": "delay", "ms": 1500, "processed": false, "skip": 3 });
    store_fault(&app, slow);
    let id = start(&app, json!({ "kind": "import" })).await;
    app.until("the first page is carried out", async || (app.ghl("contacts").len() == 100).then_some(()))
        .await;
    for gone in &ids[..5] {
        app.shop(json!({ "action": "customer.delete", "user_id": gone, "deliver": false })).await;
    }
    let done = until(&app, &id, "done").await;
    assert_eq!(done["done"], 250, "{done}");
    assert_eq!(app.ghl("contacts").len(), 250);
    app.end().await;
}

#[tokio::test]
async fn a_location_that_stumbles_while_it_is_read_is_read_to_the_end() {
    let app = spawn().await;
    seed(&app, crowd(250)).await;
    done(&app, json!({ "kind": "import" })).await;
    for kind in [
        json!({ "kind": "status", "status": 503 }),
        json!({ "kind": "malformed" }),
        json!({ "kind": "reset_after" }),
    ] {
        let mut fault = json!({ "path": "/contacts/search", "skip": 3, "times": 2 });
        fault.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
        app.fault(fault);
        let again = done(&app, json!({ "kind": "import" })).await;
        assert_eq!(again["outcomes"], json!({ "equal": 250 }), "{again}");
        app.sandbox.ghl().clear_faults();
    }
    app.end().await;
}
