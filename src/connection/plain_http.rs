//! Calls carry tokens and customers' data: without TLS they go to this machine only, unless the connection asks for more.

use std::net::IpAddr;

use super::{CscartSide, GhlSide};

impl GhlSide {
    /// Whether its calls would cross a network in clear without the connection having asked for it.
    pub fn forbids_its_url(&self) -> bool {
        !self.allow_plain_http && leaves_in_clear(&self.api_url)
    }
}

impl CscartSide {
    /// Whether its calls would cross a network in clear without the connection having asked for it.
    pub fn forbids_its_url(&self) -> bool {
        !self.allow_plain_http && leaves_in_clear(&self.url)
    }
}

/// Whether what is sent there is not encrypted and leaves this machine. `localhost` counts as this machine (RFC 6761,
/// 6.3). A text that is no URL leads nowhere.
fn leaves_in_clear(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    url.scheme() == "http" && !is_this_machine(&url)
}

/// Whether an address leads to the machine that it is used on.
pub(crate) fn is_this_machine(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::leaves_in_clear;

    #[test]
    fn only_plain_http_to_another_machine_leaves_in_clear() {
        for url in [
            "http://shop.example.com",
            "HTTP://10.0.0.1:8080/x",
            "http://[2001:db8::1]/",
            "http://127.example.com",
            "http://localhost.example.com",
            "http://0.0.0.0",
            "http://127.0.0.1@shop.example.com",
        ] {
            assert!(leaves_in_clear(url), "{url}");
        }
        for url in [
            "https://shop.example.com",
            "http://127.0.0.1:9000",
            "http://127.255.0.7",
            "http://[::1]:9000/",
            "http://[::ffff:127.0.0.1]",
            "http://LOCALHOST:9000",
            "no url",
        ] {
            assert!(!leaves_in_clear(url), "{url}");
        }
    }
}
