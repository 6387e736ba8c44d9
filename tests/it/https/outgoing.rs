//! What goes out.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use cartbridge::config::Config;
use cartbridge::connection::Connection;
use cartbridge::store::Origin;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::Identity;
use crate::app::TestApp;
use crate::program::{Desk, text};

const SHOP: &str = "[[connection]]\nname = \"my-shop\"\n[connection.ghl]\nlocation_id = \"loc\"\ntoken = \"pit-1\"\n\
    api_url = \"https://ghl.example.com\"\n[connection.cscart]\nurl = \"https://shop.example.com\"\n\
    webhook_secrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]\n";

/// Both sides: where the plain address goes, its line, and what allows it.
const SIDES: [(&str, &str, &str, &str); 2] = [
    ("https://ghl.", "http://ghl.", "cartbridge.toml:6:1: ", "ghl.allow_plain_http = true"),
    ("https://shop.", "http://shop.", "cartbridge.toml:8:1: ", "cscart.allow_plain_http = true"),
];

#[tokio::test]
async fn a_file_with_plain_http_to_another_machine_is_refused_with_its_line_and_what_to_do() {
    for (by_https, in_clear, place, mend) in SIDES {
        let desk = Desk::new(&SHOP.replace(by_https, in_clear));
        let checked = desk.run(&["check"]).await;
        let served = desk.run(&["serve"]).await;
        for (output, told) in [(&checked, text(&checked.stdout)), (&served, text(&served.stderr))] {
            assert!(!output.status.success());
            for words in [place, in_clear, "unencrypted", "https://", mend] {
                assert!(told.contains(words), "{words}: {told}");
            }
        }
    }
}

#[test]
fn plain_http_is_allowed_to_this_machine_and_where_it_is_asked_for_by_name() {
    for url in ["http://127.0.0.1:9000", "http://127.1.2.3", "http://[::1]:9000", "http://localhost:9000"] {
        let text = SHOP.replace("https://ghl.example.com", url).replace("https://shop.example.com", url);
        Config::parse("x.toml", &text, &[]).unwrap();
    }
    let both = SHOP.replace("https://", "http://");
    let allowed = both.replace("api_url", "allow_plain_http = true\napi_url");
    let mistakes = Config::parse("x.toml", &allowed, &[]).unwrap_err();
    assert_eq!(mistakes.len(), 1, "one side's word does not count for the other: {mistakes:?}");
    let allowed = allowed.replace("url = \"http://shop", "allow_plain_http = true\nurl = \"http://shop");
    Config::parse("x.toml", &allowed, &[]).unwrap();
}

#[tokio::test]
async fn the_api_refuses_plain_http_unless_it_is_asked_for_by_name() {
    let app = TestApp::spawn().await;
    for (side, key) in [("ghl", "api_url"), ("cscart", "url")] {
        let mut definition = json!({
            "name": format!("{side}-shop"),
            "ghl": { "location_id": "loc", "token": "pit-1" },
            "cscart": { "url": "https://shop.example.com", "webhook_secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] },
        });
        let path = format!("/api/connections/{side}-shop");
        let (status, _) = app.api("POST", "/api/connections", Some(definition.clone())).await;
        assert_eq!(status, 201);
        definition[side][key] = json!("http://elsewhere.example.com");
        let (status, problem) = app.api("PUT", &path, Some(definition.clone())).await;
        assert_eq!(status, 400, "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("{side}.{key}")) && detail.contains("unencrypted"), "{detail}");
        assert!(detail.contains(&format!("{side}.allow_plain_http = true")), "{detail}");
        assert_eq!(app.api("DELETE", &path, None).await.0, 204);
        assert_eq!(app.api("POST", "/api/connections", Some(definition.clone())).await, (400, problem));

        definition[side]["allow_plain_http"] = json!(true);
        let (status, made) = app.api("POST", "/api/connections", Some(definition)).await;
        assert_eq!((status, &made[side]["allow_plain_http"]), (201, &json!(true)), "{made}");
        // What is shown can be sent back: the permission is kept with the rest.
        let (status, put) = app.api("PUT", &path, Some(made.clone())).await;
        assert_eq!((status, &put), (200, &made));
    }
    app.end().await;
}

#[tokio::test]
async fn a_connection_stored_before_the_check_is_not_called_and_its_events_wait() {
    let app = TestApp::spawn().await;
    let made = json!({
        "name": "old-shop",
        "ghl": { "location_id": "loc", "token": "pit-1", "api_url": "http://ghl.invalid" },
        "cscart": { "url": "https://shop.example.com", "webhook_secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] },
    });
    let connection: Connection = serde_json::from_value(made).unwrap();
    app.store.put_connection(&connection, Origin::Api, app.clock.now()).await.unwrap();
    let resync = json!({ "customer": 42 });
    let accepted = app
        .until("the connection is in use", async || {
            let path = "/api/connections/old-shop/resync";
            let (status, accepted) = app.api("POST", path, Some(resync.clone())).await;
            (status == 202).then_some(accepted)
        })
        .await;
    let event = app.until_state(accepted["id"].as_str().unwrap(), "parked").await;
    let reason = event["state_reason"].as_str().unwrap();
    assert!(reason.contains("`ghl.api_url`") && reason.contains("`ghl.allow_plain_http = true`"), "{reason}");
    app.end().await;
}

#[tokio::test]
async fn the_command_line_refuses_plain_http_unless_it_is_asked_for_by_name() {
    let desk = Desk::new("database = \"sqlite://test.db\"\n");
    std::fs::write(desk.folder.path().join("token"), "pit-1\n").unwrap();
    std::fs::write(desk.folder.path().join("secrets"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    let add = "connection add my-shop --location-id loc --token-file token --webhook-secrets-file secrets";
    for (urls, permission) in [
        ("--store-url http://shop.example.com", "--store-allow-plain-http"),
        (
            "--store-url https://shop.example.com --ghl-api-url http://ghl.example.com",
            "--ghl-allow-plain-http",
        ),
    ] {
        let command = format!("{add} {urls}");
        let mut arguments: Vec<&str> = command.split(' ').collect();
        let refused = desk.run(&arguments).await;
        let told = text(&refused.stderr);
        assert!(!refused.status.success());
        assert!(told.contains("unencrypted") && told.contains(permission), "{told}");
        arguments.push(permission);
        desk.ok(&arguments).await;
    }
}

#[tokio::test]
async fn a_server_that_cannot_prove_who_it_is_gets_no_request() {
    let identity = Identity::new();
    let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let ghl = ghl::Client::builder().base_url(&url).token("pit-1".into()).build().unwrap();
    let cscart = cscart::Client::builder(&url, "a@x.test", "key".into()).build().unwrap();
    // A handshake that the client breaks off has carried no request.
    let shake = async || acceptor.accept(listener.accept().await.unwrap().0).await.map(drop);
    let contact = ghl::ContactId::new("c1");
    let contacts = ghl.contacts();
    let (refused, handshake) = tokio::join!(contacts.get(&contact), shake());
    assert!(matches!(refused.unwrap_err().error, ghl::Error::NotSent(_)));
    handshake.unwrap_err();
    let users = cscart.users();
    let (refused, handshake) = tokio::join!(users.get(cscart::UserId(1)), shake());
    assert!(matches!(refused.unwrap_err().error, cscart::Error::NotSent(_)));
    handshake.unwrap_err();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let target = serve(Router::new().fallback(move || {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::ready(StatusCode::OK)
    }))
    .await;
    let url = serve(Router::new().fallback(move || std::future::ready(Redirect::temporary(&target)))).await;
    let ghl = ghl::Client::builder().base_url(&url).token("pit-1".into()).build().unwrap();
    ghl.contacts().get(&ghl::ContactId::new("c1")).await.unwrap_err();
    let cscart = cscart::Client::builder(&url, "a@x.test", "key".into()).build().unwrap();
    cscart.users().get(cscart::UserId(1)).await.unwrap_err();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

/// Serves on a port of its own for as long as the test runs; answers the address.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

#[test]
fn tls_is_rustls_everywhere_and_nothing_turns_its_verification_off() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table = std::fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let reqwest = &manifest["workspace"]["dependencies"]["reqwest"];
    assert_eq!(reqwest["default-features"].as_bool(), Some(false));
    let features: Vec<_> =
        reqwest["features"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
    assert!(features.contains(&"rustls") && !features.iter().any(|feature| feature.contains("native")));
    let lock = std::fs::read_to_string(root.join("Cargo.lock")).unwrap();
    for other in ["openssl-sys", "native-tls"] {
        assert!(!lock.contains(&format!("name = \"{other}\"")), "{other}");
    }
    for folder in ["src", "crates/ghl/src", "crates/cscart/src"] {
        for file in crate::boundaries::sources(&root.join(folder)) {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(!text.contains("danger_accept"), "{}", file.display());
        }
    }
}
