//! Errors that people can act on: a code, one sentence everywhere, and a section that explains it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use cartbridge::reason::Code;
use sandbox::Options;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::app::{QUICK, TestApp, ada};
use crate::program::Desk;

/// The page, in sections: heading and text.
fn sections() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    let page = std::fs::read_to_string(page).unwrap();
    let sections = page.split("\n### ").skip(1);
    sections
        .map(|section| {
            let (heading, text) = section.split_once('\n').unwrap();
            (heading.to_owned(), text.split("\n## ").next().unwrap().to_owned())
        })
        .collect()
}

#[test]
fn every_code_has_a_section_and_every_section_a_code() {
    let sections = sections();
    let headings: Vec<&str> = sections.iter().map(|(heading, _)| heading.as_str()).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(headings, codes, "docs/errors.md has them in the order of the code");
    for (heading, text) in &sections {
        for part in ["**Means:**", "**Why:**", "**Do:**"] {
            assert!(text.contains(part), "{heading} lacks {part}");
        }
    }
}

#[test]
fn a_code_reads_back_and_leads_to_its_section() {
    for code in Code::ALL {
        assert_eq!(code.as_str().parse(), Ok(*code));
        assert_eq!(code.page(), format!("docs/errors.md#{code}"));
    }
    assert!("of-tomorrow".parse::<Code>().is_err());
}

/// What is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

// On one thread, so that the log of this test alone is heard.
#[tokio::test(flavor = "current_thread")]
async fn api_command_line_and_log_say_the_same_sentence() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    let _heard = tracing::subscriber::set_default(subscriber);
    let mut app = TestApp::spawn().await;
    app.may_have_dead_letters = true;
    let refusal =
        json!({ "statusCode": 422, "message": ["email must be an email"], "error": "Unprocessable Entity" });
    app.fault(
        json!({ "method": "POST", "path": "/contacts/", "kind": "status", "status": 422, "body": refusal }),
    );
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    let id = made["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    app.until_state(&id, "dead").await;

    let event = app.event(&id).await;
    let sentence = event["state_reason"].as_str().unwrap();
    assert!(
        sentence.starts_with("HighLevel rejects the data (field email): email must be an email. Correct it"),
        "{sentence}"
    );
    assert_eq!(event["state_code"], "validation");
    assert_eq!(event["effects"][0]["result"]["reason"], sentence);

    let desk = Desk::new(&format!("database = \"sqlite://{}\"\n", app.database().display()));
    let shown: Value = serde_json::from_str(&desk.ok(&["events", "show", &id]).await).unwrap();
    assert_eq!(
        (&shown["state_reason"], &shown["state_code"]),
        (&event["state_reason"], &event["state_code"])
    );

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = logged.lines().find(|line| line.contains("is a dead letter")).unwrap();
    assert!(line.contains(sentence) && line.contains("code=validation"), "{line}");
    app.end().await;
}

#[tokio::test]
async fn a_code_stands_where_an_event_waits_for_something_and_nowhere_else() {
    let app = TestApp::spawn().await;
    app.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly"] })).unwrap();
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    let id = made["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    let parked = app.until_state(&id, "parked").await;
    assert_eq!(parked["state_code"], "needs-scope");
    let scopes = json!(["contacts.readonly", "contacts.write", "locations.readonly"]);
    app.sandbox.ghl().settings(json!({ "scopes": scopes })).unwrap();
    let (status, _) = app.api("POST", &format!("/api/events/{id}/replay"), None).await;
    assert_eq!(status, 202);
    let done = app.until_state(&id, "done").await;
    assert_eq!(done["state_code"], Value::Null);
    app.end().await;
}

#[tokio::test]
async fn what_is_given_up_keeps_the_code_of_its_cause_and_says_that_it_waits_for_a_person() {
    let options = Options { strict_rate: false, ..Options::default() };
    let mut app = TestApp::spawn_with(options, &format!("{QUICK}max_tries = 2\n")).await;
    app.may_have_dead_letters = true;
    for _ in 0..2 {
        // Refused before it was carried out (RFC 8470), so that nothing has to be looked into.
        app.fault(json!({ "method": "POST", "path": "/contacts/", "kind": "status", "status": 425 }));
    }
    let made = app.shop(json!({ "action": "customer.register", "user": ada() })).await;
    let id = made["delivery"]["body"]["id"].as_str().unwrap().to_owned();
    let dead = app.until_state(&id, "dead").await;
    assert_eq!(dead["state_code"], "highlevel-unavailable");
    let reason = dead["state_reason"].as_str().unwrap();
    assert!(reason.starts_with("given up after 2 tries") && reason.contains("425"), "{reason}");
    app.end().await;
}

#[tokio::test]
async fn a_webhook_that_is_refused_for_its_time_says_by_how_much_the_clocks_differ() {
    let app = TestApp::spawn().await;
    let announcement = app.sandbox.announcement();
    let secret = announcement["cscart"]["webhook_secret"].as_str().unwrap();
    let secret = cscart::webhook::Secret::parse(secret).unwrap();
    let body = json!({ "type": "ping", "data": {} }).to_string();
    for (apart, code, words) in [
        (-420, "timestamp-stale", "7 minutes behind the bridge's clock"),
        (425, "timestamp-future", "7 minutes ahead of the bridge's clock"),
    ] {
        let at = app.clock.now().as_second() + apart;
        let post = |signature: String| {
            app.http
                .post(format!("{}/webhooks/cscart/my-shop", app.url))
                .header("webhook-id", "msg_1")
                .header("webhook-timestamp", at)
                .header("webhook-signature", signature)
                .body(body.clone())
                .send()
        };
        let signed = post(cscart::webhook::sign(&secret, "msg_1", at, body.as_bytes())).await.unwrap();
        let problem: Value = signed.json().await.unwrap();
        assert_eq!(problem["code"], code);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
        let forged = post("v1,AAAA".to_owned()).await.unwrap();
        let problem: Value = forged.json().await.unwrap();
        assert_eq!(problem["code"], "signature-mismatch", "who cannot sign learns nothing of the clock");
    }
    app.end().await;
}
