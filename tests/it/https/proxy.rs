//! Behind a proxy.

use cartbridge::config::Config;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Bridge, Program};

/// Asks for a path with these headers.
async fn ask(port: u16, path: &str, headers: &[(&'static str, &str)]) -> reqwest::Response {
    let mut lines = HeaderMap::new();
    for (name, value) in headers {
        lines.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    http.get(format!("http://127.0.0.1:{port}{path}")).headers(lines).send().await.unwrap()
}

async fn is_strict(port: u16, headers: &[(&'static str, &str)]) -> bool {
    ask(port, "/healthz", headers).await.headers().contains_key("strict-transport-security")
}

#[tokio::test]
async fn hsts_goes_to_who_asked_by_https_as_a_trusted_proxy_tells() {
    let bridge = Bridge::spawn("public_url = \"https://bridge.example.com\"\n").await;
    let port = bridge.port;
    for by_https in [
        &[("x-forwarded-proto", "https")][..],
        &[("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "https")],
        &[("forwarded", "for=203.0.113.7;proto=https")],
    ] {
        assert!(is_strict(port, by_https).await, "{by_https:?}");
    }
    for in_clear in [
        &[][..],
        &[("x-forwarded-proto", "http")],
        &[("x-forwarded-for", "203.0.113.7")],
        &[("forwarded", "for=203.0.113.7;proto=http")],
        &[("forwarded", "for=203.0.113.7;proto=https"), ("x-forwarded-proto", "http")],
    ] {
        assert!(!is_strict(port, in_clear).await, "{in_clear:?}");
    }
    let refused = ask(port, "/nowhere", &[("x-forwarded-proto", "https")]).await;
    assert_eq!(refused.status(), 404);
    assert_eq!(refused.headers()["strict-transport-security"], "max-age=31536000");
    bridge.end().await;
}

#[tokio::test]
async fn there_is_no_hsts_where_others_are_told_a_plain_address() {
    let bridge = Bridge::spawn("public_url = \"http://bridge.example.com\"\n").await;
    assert!(!is_strict(bridge.port, &[("x-forwarded-proto", "https")]).await);
    bridge.end().await;
}

#[tokio::test]
async fn who_is_not_trusted_is_not_believed() {
    let bridge =
        Bridge::spawn("public_url = \"https://bridge.example.com\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n")
            .await;
    let made_up = [("x-forwarded-for", "10.0.0.1"), ("x-forwarded-proto", "https")];
    assert!(!is_strict(bridge.port, &made_up).await);
    assert!(!is_strict(bridge.port, &[("forwarded", "for=10.0.0.1;proto=https")]).await);
    bridge.end().await;
}

#[tokio::test]
async fn the_log_names_the_client_behind_the_trusted_proxies() {
    let headers = [("x-forwarded-for", "6.6.6.6, 203.0.113.7, 127.0.0.9"), ("x-forwarded-proto", "https")];
    for (settings, client, others) in [
        ("", "203.0.113.7", ["6.6.6.6", "127.0.0.9"]),
        ("trusted_proxies = []\n", "127.0.0.1", ["203.0.113.7", "6.6.6.6"]),
    ] {
        let program = Program::start(tempfile::tempdir().unwrap(), settings, "debug").await;
        ask(program.port, "/healthz", &headers).await;
        let said = program.says("path=\"/healthz\"").await;
        assert!(said.contains(&format!("client={client}")), "{said}");
        assert!(others.iter().all(|other| !said.contains(other)), "{said}");
    }
}

#[tokio::test]
async fn headers_that_cannot_be_read_are_no_reason_to_refuse() {
    let bridge = Bridge::spawn("").await;
    for (name, value) in [
        ("x-forwarded-for", ", ,, unknown \" ä"),
        ("x-forwarded-for", ""),
        ("x-forwarded-proto", "gopher,,"),
        ("x-forwarded-host", "ä\""),
        ("forwarded", "for=\"[::1;;proto==,=,"),
        ("forwarded", "ä"),
    ] {
        assert_eq!(ask(bridge.port, "/healthz", &[(name, value)]).await.status(), 200, "{name}: {value}");
    }
    bridge.end().await;
}

#[test]
fn a_proxy_that_is_no_address_is_refused_with_its_place() {
    let mistakes =
        Config::parse("x.toml", "trusted_proxies = [\"::1\",\n  \"10.0.0/8\"]\n", &[]).unwrap_err();
    let told = mistakes[0].to_string();
    assert!(told.starts_with("x.toml:2:3: ") && told.contains("`10.0.0.0/8`"), "{told}");
    let variable = ("CARTBRIDGE__TRUSTED_PROXIES".to_owned(), "10.1.2.3, 192.168.0.0/16".to_owned());
    let config = Config::parse("x.toml", "", &[variable]).unwrap();
    for (address, is_trusted) in
        [("10.1.2.3", true), ("192.168.7.7", true), ("10.1.2.4", false), ("::1", false)]
    {
        assert_eq!(config.trusted_proxies.hold(address.parse().unwrap()), is_trusted, "{address}");
    }
}
