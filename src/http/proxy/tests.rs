use super::*;

/// Who asks, over a socket from `peer`, when these networks are trusted and these headers come.
fn told(peer: &str, trusted: &[&str], headers: &[(&'static str, &str)]) -> Client {
    let peer = Peer { address: SocketAddr::new(peer.parse().unwrap(), 50_000), tls: false };
    let trusted: TrustedProxies = trusted.iter().map(|network| network.parse().unwrap()).collect();
    let headers =
        headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
    client(Some(peer), &Uri::from_static("/"), &headers, &trusted)
}

#[track_caller]
fn is_from(client: &Client, address: &str) {
    assert_eq!(client.address.unwrap(), address.parse::<IpAddr>().unwrap(), "{client:?}");
}

const PROXY: &[&str] = &["10.0.0.0/8"];

#[test]
fn who_is_not_trusted_is_not_believed() {
    let headers = [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "bank.example"),
        ("forwarded", "for=203.0.113.7;proto=https"),
        ("host", "bridge.example"),
    ];
    let client = told("198.51.100.1", PROXY, &headers);
    is_from(&client, "198.51.100.1");
    assert_eq!((client.https, client.host.as_deref()), (false, Some("bridge.example")));
}

#[test]
fn a_trusted_proxy_is_believed() {
    let headers = [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "bridge.example"),
    ];
    let client = told("10.0.0.1", PROXY, &headers);
    is_from(&client, "203.0.113.7");
    assert_eq!((client.https, client.host.as_deref()), (true, Some("bridge.example")));
}

#[test]
fn a_chain_is_walked_from_the_right_to_the_first_who_is_not_trusted() {
    let client = told("10.0.0.1", PROXY, &[("x-forwarded-for", "1.1.1.1, 203.0.113.7 ,10.0.0.2, 10.0.0.3")]);
    is_from(&client, "203.0.113.7");
    let only_proxies = told("10.0.0.1", PROXY, &[("x-forwarded-for", "10.0.0.2,10.0.0.3")]);
    is_from(&only_proxies, "10.0.0.2");
}

#[test]
fn the_scheme_is_that_of_the_clients_own_leg() {
    let chain = ("x-forwarded-for", "6.6.6.6, 203.0.113.7, 10.0.0.2");
    let aligned = told("10.0.0.1", PROXY, &[chain, ("x-forwarded-proto", "http, https, http")]);
    assert!(aligned.https, "the client spoke to 10.0.0.2 by https");
    let made_up = told("10.0.0.1", PROXY, &[chain, ("x-forwarded-proto", "https, http, http")]);
    assert!(!made_up.https, "what stands left of the trusted part is the client's own word");
    let one_for_all = told("10.0.0.1", PROXY, &[chain, ("x-forwarded-proto", "HTTPS")]);
    assert!(one_for_all.https);
    assert!(!told("10.0.0.1", PROXY, &[chain]).https, "nobody said so");
}

#[test]
fn the_standard_header_is_read_where_the_usual_ones_are_missing() {
    let value = "for=6.6.6.6;proto=http, for=\"[2001:db8::7]:4711\";Proto=https;host=\"bridge.example:443\", for=10.0.0.2;proto=http";
    let client = told("10.0.0.1", PROXY, &[("forwarded", value)]);
    is_from(&client, "2001:db8::7");
    assert_eq!((client.https, client.host.as_deref()), (true, Some("bridge.example:443")));
    // A proxy that writes X-Forwarded-* passes on what the client made up here.
    let both = told("10.0.0.1", PROXY, &[("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "203.0.113.7")]);
    is_from(&both, "203.0.113.7");
}

#[test]
fn several_lines_are_one_list() {
    let peer = Peer { address: "10.0.0.1:1".parse().unwrap(), tls: false };
    let trusted: TrustedProxies = ["10.0.0.0/8".parse().unwrap()].into_iter().collect();
    for (name, lines) in [
        ("x-forwarded-for", ["6.6.6.6, 203.0.113.7", "10.0.0.2"]),
        ("forwarded", ["for=6.6.6.6,for=203.0.113.7", "for=10.0.0.2"]),
    ] {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_static(line));
        }
        is_from(&client(Some(peer), &Uri::from_static("/"), &headers, &trusted), "203.0.113.7");
    }
}

#[test]
fn ports_and_mapped_addresses_are_understood() {
    for (text, address) in [
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
    ] {
        is_from(&told("::ffff:10.0.0.1", PROXY, &[("x-forwarded-for", text)]), address);
    }
}

#[test]
fn what_cannot_be_read_ends_the_walk_at_the_last_known_address() {
    for garbage in ["", ",", "unknown", "nonsense, ,", "203.0.113.7, <script>", "203.0.113.7, 10.0.0.300"] {
        is_from(&told("10.0.0.1", PROXY, &[("x-forwarded-for", garbage)]), "10.0.0.1");
    }
    for garbage in
        ["", "for", ";;", "for=unknown", "for=_hidden", "for=\"", "for=203.0.113.7,for=x;proto=https"]
    {
        is_from(&told("10.0.0.1", PROXY, &[("forwarded", garbage)]), "10.0.0.1");
    }
    let half = told("10.0.0.1", PROXY, &[("x-forwarded-for", "203.0.113.7, oops, 10.0.0.2")]);
    is_from(&half, "10.0.0.2");
}

#[test]
fn without_a_socket_the_client_is_unknown() {
    let mut headers = HeaderMap::new();
    headers.insert(X_FORWARDED_FOR, HeaderValue::from_static("203.0.113.7"));
    let uri = Uri::from_static("https://bridge.example/healthz");
    let client = client(None, &uri, &headers, &TrustedProxies::default());
    assert_eq!(client, Client { address: None, https: false, host: Some("bridge.example".into()) });
}

#[test]
fn by_default_only_this_machine_is_trusted() {
    let trusted = TrustedProxies::default();
    for address in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
        assert!(trusted.hold(address.parse().unwrap()), "{address}");
    }
    for address in ["10.0.0.1", "192.168.0.1", "::2", "fe80::1", "0.0.0.0"] {
        assert!(!trusted.hold(address.parse().unwrap()), "{address}");
    }
}
