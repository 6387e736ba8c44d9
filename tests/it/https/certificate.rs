//! HTTPS without a proxy.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use reqwest::Version;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Bridge, Identity, Program, tls, until};
use crate::app::ADMIN_KEY;
use crate::program::{Desk, text};

/// A bare connection whose handshake is done.
async fn connect(identity: &Identity, port: u16) -> TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap()
}

/// Reads until these words have come; answers everything read.
async fn read_until(stream: &mut TlsStream<TcpStream>, words: &str) -> String {
    let mut read = Vec::new();
    loop {
        if text(&read).contains(words) {
            return text(&read);
        }
        let mut some = [0; 1024];
        let count = stream.read(&mut some).await.unwrap();
        assert!(count > 0, "it hung up before `{words}`: {}", text(&read));
        read.extend_from_slice(&some[..count]);
    }
}

#[tokio::test]
async fn a_certificate_is_all_that_https_needs() {
    let identity = Identity::new();
    let bridge = Bridge::spawn_with(&identity, "").await;
    let url = format!("https://localhost:{}/readyz", bridge.port);
    let answer = identity.trusting().build().unwrap().get(&url).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    let old = identity.trusting().http1_only().build().unwrap().get(&url).send().await.unwrap();
    assert_eq!((old.status().as_u16(), old.version()), (200, Version::HTTP_11));
    assert!(!Identity::new().is_served_at(bridge.port).await, "another certificate is not trusted");
    let plain = reqwest::get(format!("http://127.0.0.1:{}/readyz", bridge.port)).await;
    assert!(plain.is_err(), "nothing is served in clear: {plain:?}");
    bridge.end().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart_and_open_connections_go_on() {
    let (old, new) = (Identity::new(), Identity::new());
    let bridge = Bridge::spawn_with(&old, "").await;
    let mut open = connect(&old, bridge.port).await;
    new.write(bridge.folder.path());
    until("the new certificate is served", async || new.is_served_at(bridge.port).await.then_some(())).await;
    assert!(!old.is_served_at(bridge.port).await);
    open.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    read_until(&mut open, "ok\n").await;
    drop(open);
    bridge.end().await;
}

#[tokio::test]
async fn a_broken_renewal_keeps_the_old_certificate_and_says_what_to_mend() {
    let (old, new) = (Identity::new(), Identity::new());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    old.write(&path);
    std::fs::set_permissions(path.join("key.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let program = Program::start(folder, &tls(&path), "info").await;
    program.says("can read the private key").await;

    std::fs::write(path.join("cert.pem"), "half a certif").unwrap();
    let said = program.says("there is no certificate in it").await;
    assert!(said.contains("cert.pem") && said.contains("fullchain.pem"), "{said}");
    assert!(said.contains("ERROR") && said.contains("in use stays"), "{said}");
    assert!(old.is_served_at(program.port).await);

    std::fs::write(path.join("cert.pem"), &new.certificate).unwrap();
    let said = program.says("does not belong to the certificate").await;
    assert!(said.contains("key.pem"), "{said}");
    assert!(old.is_served_at(program.port).await);

    new.write(&path);
    program.signal("-HUP").await;
    program.says("new connections get").await;
    assert!(new.is_served_at(program.port).await);
    assert!(!old.is_served_at(program.port).await);
}

#[tokio::test]
async fn a_hangup_has_the_files_read_at_once() {
    let identity = Identity::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    identity.write(&path);
    let program = Program::start(folder, &tls(&path), "info").await;
    program.signal("-HUP").await;
    // Nothing has changed: only the signal can be the reason.
    program.says("new connections get").await;
    assert!(identity.is_served_at(program.port).await);
}

#[tokio::test]
async fn a_handshake_that_is_slow_or_fails_keeps_nobody_waiting_and_is_given_up() {
    let identity = Identity::new();
    let bridge = Bridge::spawn_with(&identity, "").await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(("127.0.0.1", bridge.port)).await.unwrap());
    }
    for stream in &mut silent[..10] {
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    }
    assert!(identity.is_served_at(bridge.port).await);
    for mut stream in silent {
        let mut rest = Vec::new();
        // An error is an end, too.
        let ended = tokio::time::timeout(super::PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "it was never given up");
    }
    bridge.end().await;
}

#[tokio::test]
async fn stopping_finishes_what_is_in_flight() {
    let identity = Identity::new();
    let folder = tempfile::tempdir().unwrap();
    identity.write(folder.path());
    let settings = tls(folder.path());
    let mut program = Program::start(folder, &settings, "info").await;
    let mut stream = connect(&identity, program.port).await;
    let head = format!(
        "POST /api/connections HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN_KEY}\r\n\
         Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut stream, "100 Continue").await;
    program.signal("-TERM").await;
    until("nothing new is taken", async || {
        TcpStream::connect(("127.0.0.1", program.port)).await.is_err().then_some(())
    })
    .await;
    stream.write_all(b"{}").await.unwrap();
    let answer = read_until(&mut stream, "}").await;
    assert!(answer.contains("400 Bad Request") && answer.contains("missing field `name`"), "{answer}");
    assert!(program.child.wait().await.unwrap().success());
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_refused_with_the_file_and_what_to_do() {
    let identity = Identity::new();
    for (file, content, words) in [
        ("cert.pem", None, "it cannot be read: No such file"),
        ("cert.pem", Some(identity.key.clone()), "there is no certificate in it — "),
        ("key.pem", None, "give `tls.key` the path of a PEM file"),
        ("key.pem", Some(Identity::new().key), "this key does not belong to the certificate in "),
        ("key.pem", Some(identity.certificate.clone()), "without a passphrase"),
        (
            "key.pem",
            Some("-----BEGIN PRIVATE KEY-----\nMTIz\n-----END PRIVATE KEY-----\n".into()),
            "give a key for RSA",
        ),
    ] {
        let desk = Desk::new(
            "database = \"sqlite://test.db\"\n[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n",
        );
        identity.write(desk.folder.path());
        let path = desk.folder.path().join(file);
        match content {
            Some(content) => std::fs::write(path, content).unwrap(),
            None => std::fs::remove_file(path).unwrap(),
        }
        let checked = desk.run(&["check"]).await;
        let served = desk.run(&["serve", "--listen", "127.0.0.1:0"]).await;
        for (output, told) in [(&checked, text(&checked.stdout)), (&served, text(&served.stderr))] {
            assert!(!output.status.success());
            assert!(told.contains(&format!("{file}: ")) && told.contains(words), "{told}");
        }
    }
    let half = Desk::new("[tls]\ncertificate = \"cert.pem\"\n").run(&["check"]).await;
    assert!(
        text(&half.stdout).contains("cartbridge.toml:1:2: ") && text(&half.stdout).contains("add `key`"),
        "{half:?}"
    );
}

#[tokio::test]
async fn health_asks_a_bridge_with_a_certificate() {
    let identity = Identity::new();
    let bridge = Bridge::spawn_with(&identity, "").await;
    let folder = bridge.folder.path();
    let desk = Desk::new(&format!("listen = \"127.0.0.1:{}\"\n{}", bridge.port, tls(folder)));
    assert_eq!(desk.ok(&["health"]).await.trim(), "ready");

    let other = tempfile::tempdir().unwrap();
    Identity::new().write(other.path());
    let desk = Desk::new(&format!("listen = \"127.0.0.1:{}\"\n{}", bridge.port, tls(other.path())));
    assert!(!desk.run(&["health"]).await.status.success(), "somebody else answers");
    bridge.end().await;
}
