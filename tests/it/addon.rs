//! What the store's add-on has of the bridge: the code that connects it, and the answer to who looks at a customer's page.

use base64::Engine as _;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::app::{TestApp, ada};
use crate::openapi::Contract;
use crate::program::{Desk, text};

/// A question, as the add-on signs it.
struct Question<'a> {
    app: &'a TestApp,
    id: &'a str,
    sent: i64,
    body: Value,
}

impl<'a> Question<'a> {
    fn new(app: &'a TestApp, id: &'a str, body: Value) -> Self {
        Self { app, id, sent: app.clock.now().as_second(), body }
    }

    async fn ask(&self) -> (u16, Value) {
        let secret = self.app.sandbox.announcement()["cscart"]["webhook_secret"].clone();
        self.ask_signed_with(secret.as_str().unwrap()).await
    }

    async fn ask_signed_with(&self, secret: &str) -> (u16, Value) {
        let body = self.body.to_string();
        let signature = Webhook::new(secret).unwrap().sign(self.id, self.sent, body.as_bytes()).unwrap();
        let request = self
            .app
            .http
            .post(format!("{}/addon/my-shop/view", self.app.url))
            .header("webhook-id", self.id)
            .header("webhook-timestamp", self.sent)
            .header("webhook-signature", signature)
            .body(body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let body: Value = answer.json().await.unwrap();
        Contract::new().check("POST", "/addon/my-shop/view", status, Some(&kind), &body);
        (status, body)
    }
}

/// Asks until everything that HighLevel was asked for has come.
async fn view_of(app: &TestApp, customer: &Value) -> Value {
    loop {
        let id = format!("ask_{}", uuid::Uuid::now_v7());
        let (status, body) = Question::new(app, &id, json!({ "customer": customer })).ask().await;
        assert_eq!(status, 200, "{body}");
        if body["refreshing"] == false {
            return body;
        }
        app.settled().await;
    }
}

#[tokio::test]
async fn a_store_asks_about_a_customer_and_gets_contact_tasks_notes_and_appointments() {
    let app = TestApp::spawn().await;
    let user_id = app.register(ada()).await;
    app.shop(json!({ "action": "note.add", "user_id": user_id, "body": "Prefers mail", "author": "Rosan" }))
        .await;
    app.settled().await;
    let contact_id = app.ghl("contacts")[0]["id"].clone();
    app.highlevel(json!({ "action": "note.create", "contact_id": contact_id, "body": "Called twice" })).await;
    app.highlevel(json!({ "action": "appointment.create", "contact_id": contact_id, "title": "Fitting",
        "startTime": "2026-12-01 10:00:00", "endTime": "2026-12-01 11:00:00" }))
        .await;

    let (status, first) = Question::new(&app, "ask_0", json!({ "customer": user_id })).ask().await;
    assert_eq!((status, &first["refreshing"]), (200, &json!(true)), "{first}");
    assert_eq!((&first["contact_id"], &first["view"]), (&contact_id, &Value::Null), "nobody was waited for");
    app.settled().await;
    let shown = view_of(&app, &user_id).await;
    let view = &shown["view"];
    assert_eq!(view["contact"]["email"], "ada@example.com");
    assert_eq!(view["tasks"].as_array().unwrap().len(), 1, "the welcome task: {shown}");
    assert_eq!(view["appointments"][0]["title"], "Fitting");
    let note = |body: &str| {
        let notes = view["notes"].as_array().unwrap();
        notes.iter().find(|note| note["body"] == body).unwrap_or_else(|| panic!("{notes:?}")).clone()
    };
    assert!(note("Prefers mail")["storeNoteId"].is_string(), "it came from the store: {view}");
    assert_eq!(note("Called twice")["storeNoteId"], Value::Null);
    assert_eq!(view["missing"], json!({}));
    let location = app.sandbox.announcement()["ghl"]["location_id"].as_str().unwrap().to_owned();
    let url = format!(
        "https://app.gohighlevel.com/v2/location/{location}/contacts/detail/{}",
        contact_id.as_str().unwrap()
    );
    assert_eq!(shown["contact_url"], url);

    let before = app.events("type=customer.viewed").await.len();
    view_of(&app, &user_id).await;
    assert_eq!(app.events("type=customer.viewed").await.len(), before, "what is fresh is not fetched again");
    let (_, stranger) =
        Question::new(&app, "ask_x", json!({ "customer": "guest:x@example.com" })).ask().await;
    assert_eq!((&stranger["contact_id"], &stranger["refreshing"]), (&Value::Null, &json!(false)));
    app.end().await;
}

#[tokio::test]
async fn a_question_is_answered_once_and_only_if_the_store_has_signed_it_now() {
    let app = TestApp::spawn().await;
    let refusal = |(status, body): (u16, Value)| (status, body["code"].as_str().unwrap().to_owned());
    let question = Question::new(&app, "ask_1", json!({ "customer": "42" }));
    assert_eq!(question.ask().await.0, 200);
    assert_eq!(refusal(question.ask().await), (409, "conflict".into()));
    let other_body = Question::new(&app, "ask_1", json!({ "customer": "43" }));
    assert_eq!(refusal(other_body.ask().await), (409, "conflict".into()));

    let of_another = Question::new(&app, "ask_2", json!({ "customer": "42" }));
    let wrong = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    assert_eq!(refusal(of_another.ask_signed_with(wrong).await), (401, "signature-mismatch".into()));
    assert_eq!(of_another.ask().await.0, 200, "a forged one uses no id up");

    let now = app.clock.now().as_second();
    for (id, sent) in [("ask_3", now - 301), ("ask_4", now - 120)] {
        let early = Question { sent, ..Question::new(&app, id, json!({ "customer": "42" })) };
        assert_eq!(
            refusal(early.ask().await),
            (401, "timestamp-stale".into()),
            "{id}: the bridge has just begun"
        );
    }
    for (id, body) in [("ask_5", json!({ "customer": "Ada" })), ("ask_6", json!({})), ("ask_7", json!([]))] {
        assert_eq!(refusal(Question::new(&app, id, body).ask().await), (400, "bad-request".into()), "{id}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_part_that_highlevel_refuses_is_missing_with_the_reason_and_the_rest_is_shown() {
    let app = TestApp::spawn().await;
    let user_id = app.register(ada()).await;
    let refused = json!({ "statusCode": 401, "message": "The token is not authorized for this scope." });
    app.fault(json!({ "kind": "status", "status": 401, "path": "/contacts/*/appointments", "times": 0, "body": refused }));
    let shown = view_of(&app, &user_id).await;
    let view = &shown["view"];
    assert_eq!(
        (&view["contact"]["email"], &view["appointments"]),
        (&json!("ada@example.com"), &Value::Null),
        "{shown}"
    );
    assert!(view["missing"]["appointments"].as_str().is_some_and(|why| why.contains("scope")), "{shown}");
    // What may be read as such is not held up by it.
    let (_, connection) = app.api("GET", "/api/connections/my-shop", None).await;
    assert_eq!(connection["status"], "connected", "{connection}");
    app.end().await;
}

#[tokio::test]
async fn the_connection_code_is_had_from_the_program_and_from_the_api_and_says_why_not() {
    let app = TestApp::spawn().await;
    let secret = app.sandbox.announcement()["cscart"]["webhook_secret"].clone();
    let path = "/api/connections/my-shop/code";
    let (status, none) = app.api("GET", path, None).await;
    assert_eq!((status, &none["code"]), (409, &json!("conflict")), "the bridge is at a loopback address");
    assert!(none["detail"].as_str().unwrap().contains("`public_url`"), "{none}");

    let request = app.http.get(format!("{}{path}?same_machine=true", app.url));
    let answer = request.bearer_auth(crate::app::ADMIN_KEY).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["cache-control"]),
        (200, &"no-store".parse().unwrap())
    );
    let told: Value = answer.json().await.unwrap();
    Contract::new().check("GET", path, 200, Some("application/json"), &told);
    let code = told["code"].as_str().unwrap().to_owned();
    let said = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&code[4..]).unwrap();
    let said: Value = serde_json::from_slice(&said).unwrap();
    assert_eq!(said, json!({ "url": app.url, "connection": "my-shop", "secret": secret }));

    let desk = Desk::new(app.config());
    let printed = desk.run(&["connection", "code", "my-shop", "--same-machine"]).await;
    assert_eq!(text(&printed.stdout).trim(), code, "the code alone: {}", text(&printed.stderr));
    assert!(text(&printed.stderr).contains("Treat it as a password"));
    let refused = desk.run(&["connection", "code", "my-shop"]).await;
    assert!(!refused.status.success() && refused.stdout.is_empty());
    assert!(text(&refused.stderr).contains("`public_url`"), "{}", text(&refused.stderr));
    app.end().await;
}

/// What the add-on's own tests have recorded of its sender (`addon/tests/signature_test.php` sees that it would send the very
/// same today), held against the library of the Standard Webhooks project.
#[test]
fn the_add_ons_requests_are_signed_as_the_library_of_standard_webhooks_signs() {
    let recorded = include_str!("../fixtures/addon/requests.jsonl");
    let mut count = 0;
    for line in recorded.lines() {
        let request: Value = serde_json::from_str(line).unwrap();
        let header = |name: &str| request["headers"][name].as_str().unwrap();
        let library = Webhook::new(request["secret"].as_str().unwrap()).unwrap();
        let (body, sent) = (request["body"].as_str().unwrap(), header("webhook-timestamp").parse().unwrap());
        let signed = library.sign(header("webhook-id"), sent, body.as_bytes()).unwrap();
        assert_eq!(signed, header("webhook-signature"), "{line}");
        let told: Value = serde_json::from_str(body).unwrap();
        assert!(told["data"].is_object() || told["customer"].is_string(), "{told}");
        count += 1;
    }
    assert!(count >= 4, "{count} requests are recorded");
}
