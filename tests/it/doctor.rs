//! `cartbridge doctor`: what is wrong with a connection, and what to do, from the real program.

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use cartbridge::config::TlsFiles;
use cartbridge::tls::Certificate;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::app::{QUICK, TestApp};
use crate::oauth;
use crate::program::{Desk, text};

/// A desk with the configuration of a bridge that runs, changed.
fn desk(app: &TestApp, edit: impl FnOnce(String) -> String) -> Desk {
    let listen = app.url.trim_start_matches("http://");
    Desk::new(&format!("listen = \"{listen}\"\n{}", edit(app.config().to_owned())))
}

/// What the doctor finds, as JSON, and whether nothing has failed.
async fn report(desk: &Desk) -> (Value, bool) {
    let output = desk.run(&["doctor", "my-shop", "--json"]).await;
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", text(&output.stdout), text(&output.stderr)));
    (report, output.status.success())
}

/// The finding of one check.
fn of<'a>(report: &'a Value, check: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|found| found["check"] == check).unwrap_or_else(|| panic!("no {check} in {report:#}"))
}

/// A check has failed with this code, says these words and where to read more; nothing else has.
fn assert_only_failure(found: &(Value, bool), check: &str, code: &str, words: &str) {
    let (report, is_well) = found;
    assert!(!is_well);
    let finding = of(report, check);
    assert_eq!((&finding["outcome"], &finding["code"]), (&json!("failed"), &json!(code)), "{report:#}");
    assert_eq!(finding["page"], format!("docs/errors.md#{code}"));
    assert!(finding["found"].as_str().unwrap().contains(words), "{finding}");
    assert_eq!(report["failed"], 1, "{report:#}");
    assert_eq!(report["ok"], false);
}

/// Another value for a key of the configuration.
fn with(config: String, key: &str, value: &str) -> String {
    let line = config.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    config.replacen(&line, &format!("{key} = {value}"), 1)
}

#[tokio::test]
async fn a_connection_in_good_order_passes_and_nothing_but_a_ping_is_left_behind() {
    let app = TestApp::spawn().await;
    let desk = desk(&app, |config| config);
    let output = desk.run(&["doctor"]).await;
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}{}", text(&output.stderr));
    for line in [
        "✓ ok      HighLevel: token",
        "✓ ok      HighLevel: scopes",
        "✓ ok      HighLevel: location",
        "duplicate contacts: not allowed",
        "✓ ok      store: API",
        "✓ ok      signature",
        "/webhooks/cscart/my-shop",
        "! warning public address",
        "docs/errors.md#public-url",
        "0 failed, 1 warning(s).",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let announced = app.sandbox.announcement();
    for (side, secret) in
        [("ghl", "token"), ("ghl", "client_secret"), ("cscart", "api_key"), ("cscart", "webhook_secret")]
    {
        assert!(!told.contains(announced[side][secret].as_str().unwrap()), "{secret}: {told}");
    }
    let events = app.events("").await;
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!((&events[0]["type"], &events[0]["state"]), (&json!("ping"), &json!("ignored")));
    assert!(app.calls().iter().all(|call| call.method == "GET"), "{:?}", app.call_names());
    app.end().await;
}

#[tokio::test]
async fn a_token_that_is_wrong_lacks_a_scope_or_is_for_another_location_is_told_apart() {
    let app = TestApp::spawn().await;
    let wrong = desk(&app, |config| with(config, "token", "\"pit-00000000-0000-0000-0000-000000000000\""));
    let found = report(&wrong).await;
    assert_only_failure(&found, "HighLevel: token", "token-refused", "make a new Private Integration Token");
    assert_eq!(of(&found.0, "HighLevel: scopes")["outcome"], "skipped");
    assert_eq!(of(&found.0, "configuration")["connection"], Value::Null);
    assert!(!found.0.to_string().contains("pit-0000"), "a wrong token is a secret, too");

    let other = app.sandbox.announcement()["ghl"]["other_location_id"].to_string();
    let found = report(&desk(&app, |config| with(config, "location_id", &other))).await;
    assert_only_failure(&found, "HighLevel: location", "wrong-location", "correct `ghl.location_id`");
    assert_eq!(of(&found.0, "HighLevel: scopes")["outcome"], "skipped");

    app.sandbox.ghl().settings(json!({ "scopes": ["locations.readonly"] })).unwrap();
    let found = report(&desk(&app, |config| config)).await;
    assert_only_failure(&found, "HighLevel: scopes", "needs-scope", "needs scope contacts.readonly");

    app.sandbox.ghl().settings(json!({ "scopes": ["contacts.readonly", "contacts.write"] })).unwrap();
    let (report, is_well) = report(&desk(&app, |config| config)).await;
    assert!(is_well, "{report:#}");
    let location = of(&report, "HighLevel: location")["found"].as_str().unwrap();
    assert!(location.contains("without the scope locations.readonly"), "{location}");
    app.end().await;
}

#[tokio::test]
async fn a_store_that_refuses_the_key_or_has_no_address_is_told_apart() {
    let app = TestApp::spawn().await;
    let found = report(&desk(&app, |config| with(config, "api_key", "\"another-key\""))).await;
    assert_only_failure(
        &found,
        "store: API",
        "store-key-refused",
        "check `cscart.email` and `cscart.api_key`",
    );
    assert!(!found.0.to_string().contains("another-key"));

    // A domain that never has an address (RFC 2606).
    let found = report(&desk(&app, |config| with(config, "url", "\"https://store.invalid\""))).await;
    assert_only_failure(&found, "store: DNS", "dns", "check the spelling of `cscart.url`");
    for check in ["store: TLS", "store: clock", "store: API"] {
        assert_eq!(of(&found.0, check)["outcome"], "skipped");
    }
    app.end().await;
}

#[tokio::test]
async fn a_connection_by_oauth_is_told_to_connect_and_its_tokens_are_left_alone_while_they_are_good() {
    let app = oauth::spawn("").await;
    let found = report(&desk(&app, |config| config)).await;
    assert_only_failure(&found, "HighLevel: token", "not-connected", "/connect/ghl/my-shop");
    app.end().await;

    let app = oauth::connected().await;
    let (report, is_well) = report(&desk(&app, |config| config)).await;
    assert!(is_well, "{report:#}");
    assert!(of(&report, "HighLevel: token")["found"].as_str().unwrap().starts_with("connected by OAuth"));
    let scopes = of(&report, "HighLevel: scopes")["found"].as_str().unwrap();
    assert!(scopes.contains("contacts.readonly contacts.write"), "{scopes}");
    assert!(oauth::refreshes(&app).is_empty());
    app.end().await;
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_told_from_a_store_that_is_down() {
    let app = TestApp::spawn().await;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let served = Certificate::load(&TlsFiles { certificate, key }).unwrap().current();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("\"https://localhost:{}\"", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(served);
        loop {
            // A handshake that the other side breaks off is what is asked for.
            drop(acceptor.accept(listener.accept().await.unwrap().0).await);
        }
    });
    let found = report(&desk(&app, |config| with(config, "url", &url))).await;
    assert_only_failure(&found, "store: TLS", "tls", "renew or correct the certificate");

    let found = report(&desk(&app, |config| with(config, "url", "\"http://127.0.0.1:9\""))).await;
    assert_only_failure(&found, "store: TLS", "store-unreachable", "the store does not answer");
    app.end().await;
}

/// A HighLevel that tells this time and nothing else.
async fn highlevel_at(date: jiff::Timestamp) -> String {
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let answer = move || {
        let date = date.clone();
        async move { (StatusCode::NOT_FOUND, [("date", date)]).into_response() }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}

#[tokio::test]
async fn a_clock_that_is_minutes_off_is_told_before_webhooks_are_refused_for_it() {
    let app = TestApp::spawn().await;
    for (minutes, outcome, words) in [
        (0, "ok", "differs from HighLevel's by"),
        (-3, "warning", "minutes ahead of HighLevel's"),
        (7, "failed", "minutes behind HighLevel's"),
    ] {
        let url = highlevel_at(app.clock.now() + jiff::SignedDuration::from_mins(minutes)).await;
        let (report, _) = report(&desk(&app, |config| with(config, "api_url", &format!("\"{url}\"")))).await;
        let clock = of(&report, "HighLevel: clock");
        assert_eq!(clock["outcome"], outcome, "{clock}");
        assert!(clock["found"].as_str().unwrap().contains(words), "{clock}");
    }
    app.end().await;
}

#[tokio::test]
async fn without_a_bridge_and_without_a_database_the_rest_is_looked_at_all_the_same() {
    let app = TestApp::spawn().await;
    let fresh = desk(&app, |config| with(config, "database", "\"sqlite://fresh.db\""));
    let config = std::fs::read_to_string(fresh.folder.path().join("cartbridge.toml")).unwrap();
    // Nobody listens at port 9 of this machine.
    let config = with(config, "listen", "\"127.0.0.1:9\"");
    std::fs::write(fresh.folder.path().join("cartbridge.toml"), config).unwrap();
    let (report, is_well) = report(&fresh).await;
    assert!(is_well, "{report:#}");
    assert_eq!(of(&report, "database")["code"], "database");
    let signature = of(&report, "signature");
    assert_eq!(
        (&signature["outcome"], &signature["code"]),
        (&json!("warning"), &json!("bridge-not-running"))
    );
    assert_eq!(of(&report, "HighLevel: token")["outcome"], "ok");
    let left: Vec<_> = std::fs::read_dir(fresh.folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is made: {left:?}");
    app.end().await;
}

#[tokio::test]
async fn a_bridge_with_another_secret_than_the_file_is_noticed_at_its_door() {
    let app = TestApp::spawn().await;
    let other = "[\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]";
    let desk = desk(&app, |config| with(config, "webhook_secrets", other));
    let found = report(&desk).await;
    assert_only_failure(&found, "signature", "signature-mismatch", "restart `cartbridge serve`");
    assert!(app.events("").await.is_empty());
    app.end().await;
}

#[tokio::test]
async fn a_store_that_is_polled_needs_no_webhook_secret() {
    let app = TestApp::spawn().await;
    let desk = desk(&app, |config| with(with(config, "webhook_secrets", "[]"), "polling", "true"));
    let (report, is_well) = report(&desk).await;
    assert!(is_well, "{report:#}");
    let signature = of(&report, "signature");
    assert_eq!(signature["outcome"], "skipped", "{signature}");
    assert!(signature["found"].as_str().unwrap().contains("polled"), "{signature}");
    app.end().await;
}

#[tokio::test]
async fn of_a_polled_store_it_is_told_what_polling_sees_and_when_it_last_read_and_its_clock_may_differ() {
    let options = sandbox::Options { strict_rate: false, ..sandbox::Options::default() };
    let app = TestApp::spawn_edited(options, QUICK, |config, _| {
        with(with(config, "webhook_secrets", "[]"), "polling", "true\npoll_min_seconds = 1")
    })
    .await;
    app.sandbox.cscart().settings(json!({ "addon": false, "clock_offset_s": 7200 })).unwrap();
    let shop = "my-shop".parse().unwrap();
    app.until("the store was read", async || app.store.last_read(&shop).await.unwrap()).await;
    let (report, is_well) = report(&desk(&app, |config| config)).await;
    assert!(is_well, "{report:#}");
    assert_eq!(of(&report, "store: clock")["outcome"], "skipped", "{report:#}");
    let news = of(&report, "store: news");
    assert_eq!(news["outcome"], "ok", "{news}");
    for part in
        ["as `cscart.polling` says", "last read", "sees new customers and orders", "cannot see: ", "notes"]
    {
        assert!(news["found"].as_str().unwrap().contains(part), "{part}: {news}");
    }
    assert!(!report.to_string().contains("never heard"), "{report:#}");
    let addresses = of(&report, "webhook addresses")["found"].as_str().unwrap().to_owned();
    assert!(!addresses.contains("/webhooks/cscart/"), "{addresses}");
    assert_eq!(of(&report, "signature")["outcome"], "skipped", "{report:#}");

    // A store that is polled only until its add-on is heard: a clock may be why that never was.
    let secret = app.sandbox.announcement()["cscart"]["webhook_secret"].clone();
    let awaited = desk(&app, |config| {
        with(with(config, "webhook_secrets", &format!("[{secret}]")), "polling", "\"auto\"")
    });
    let output = awaited.run(&["doctor", "my-shop", "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(of(&report, "store: clock")["code"], "clock-skew", "{report:#}");
    assert!(of(&report, "store: news")["found"].as_str().unwrap().contains("was never heard"), "{report:#}");
    app.end().await;
}

#[tokio::test]
async fn a_mistake_in_the_file_and_a_name_that_is_none_are_told() {
    let desk = Desk::new("listn = \"127.0.0.1:1\"\n");
    let output = desk.run(&["doctor"]).await;
    let told = text(&output.stdout);
    assert!(!output.status.success() && told.contains("did you mean `listen`?"), "{told}");
    assert!(told.contains("✗ failed  configuration") && told.contains("- skipped connections"), "{told}");

    let output = Desk::new("").run(&["doctor", "nobody"]).await;
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("there is no connection `nobody`"), "{output:?}");
}
