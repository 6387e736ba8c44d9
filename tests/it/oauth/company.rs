//! A company (agency) connects for its locations.

use serde_json::json;

use super::{Browser, connect, refreshes, register, spawn, stand};
use crate::app::ada;

const COMPANY: &str = "user_type = \"Company\"";

fn location_tokens(app: &crate::app::TestApp) -> usize {
    app.calls().iter().filter(|call| call.path == "/oauth/locationToken").count()
}

async fn connect_company(app: &crate::app::TestApp) {
    let mut browser = Browser::default();
    let chooser = browser.begin(app, "scopes=needed").await;
    assert!(
        chooser.query_pairs().any(|(name, value)| name == "scope" && value.contains("oauth.write")),
        "{chooser}"
    );
    let back = browser.decide(&chooser, &[("decision", "allow"), ("user_type", "Company")]).await;
    let page = browser.get(&back).await;
    assert_eq!(page.status, 200, "{}", page.text);
}

#[tokio::test]
async fn a_companys_token_is_exchanged_for_one_of_the_location() {
    let app = spawn(COMPANY).await;
    connect_company(&app).await;
    assert_eq!(location_tokens(&app), 1, "whether it reaches the location is seen when it connects");
    for n in 0..20 {
        app.shop(json!({ "action": "customer.register", "user": { "email": format!("p{n}@example.com") } }))
            .await;
    }
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 20, "{}", app.story().await);
    assert_eq!(location_tokens(&app), 2, "one token for all");
    assert_eq!(stand(&app).await["status"], "connected");
    app.end().await;
}

#[tokio::test]
async fn an_expired_companys_token_is_renewed_once_and_the_locations_fetched_anew() {
    let app = spawn(COMPANY).await;
    connect_company(&app).await;
    app.register(ada()).await;
    super::expire(&app).await;
    for n in 0..20 {
        app.shop(json!({ "action": "customer.register", "user": { "email": format!("p{n}@example.com") } }))
            .await;
    }
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 21, "{}", app.story().await);
    assert_eq!((refreshes(&app).len(), location_tokens(&app)), (1, 3));
    app.end().await;
}

#[tokio::test]
async fn tokens_that_are_refused_are_replaced_once_and_the_call_made_again() {
    let app = spawn(COMPANY).await;
    connect_company(&app).await;
    app.register(ada()).await;
    app.highlevel(json!({ "action": "oauth.expire" })).await;
    for n in 0..20 {
        app.shop(json!({ "action": "customer.register", "user": { "email": format!("p{n}@example.com") } }))
            .await;
    }
    app.settled().await;
    assert_eq!(app.ghl("contacts").len(), 21, "{}", app.story().await);
    assert_eq!(refreshes(&app).len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_company_that_does_not_reach_the_location_is_not_taken() {
    let app = spawn(COMPANY).await;
    let refused = json!({ "statusCode": 400, "message": "Location not found", "error": "Bad Request" });
    app.fault(json!({ "kind": "status", "status": 400, "path": "/oauth/locationToken", "body": refused }));
    let mut browser = Browser::default();
    let chooser = browser.begin(&app, "").await;
    let back = browser.decide(&chooser, &[("decision", "allow"), ("user_type", "Company")]).await;
    let page = browser.get(&back).await;
    assert_eq!(page.status, 409, "{}", page.text);
    assert!(page.text.contains("install the app in that location"), "{}", page.text);
    assert!(app.store.grant_heads().await.unwrap().is_empty(), "nothing was stored");
    app.end().await;
}

#[tokio::test]
async fn an_uninstall_in_the_location_or_of_the_company_disconnects() {
    let app = spawn(COMPANY).await;
    for body in ["location", "company"] {
        connect_company(&app).await;
        assert_eq!(stand(&app).await["status"], "connected");
        let announced = app.sandbox.announcement();
        let ghl = &announced["ghl"];
        let app_id = ghl["client_id"].as_str().unwrap().split('-').next().unwrap().to_owned();
        let body = match body {
            "location" => json!({ "appId": app_id, "locationId": ghl["location_id"] }),
            _ => json!({ "appId": app_id, "companyId": ghl["company_id"], "locationId": null }),
        };
        let sent =
            app.highlevel(json!({ "action": "webhook.send", "type": "UNINSTALL", "body": body })).await;
        assert!(sent["delivery"]["status"].as_u64().unwrap() < 300, "{sent}");
        assert_eq!(stand(&app).await["status"], "disconnected", "{body}");
    }
    let id = register(&app).await;
    app.until_state(&id, "parked").await;
    connect(&app, "").await;
    app.until_state(&id, "done").await;
    app.end().await;
}
