//! Where a request really comes from: the socket's peer, or whom trusted proxies name.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::Response;

use super::Shared;
use super::listener::Peer;
use crate::config::TrustedProxies;

/// A year, which is what browsers ask of hosts that are to be known as safe. Other hosts of the domain are not ours to bind.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Who asks, as far as the peer and trusted proxies tell. Every request has one in its extensions; handlers extract it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The client's address, or that of the last proxy before the trusted ones. None: the router is called without a
    /// socket.
    pub address: Option<IpAddr>,
    /// Whether the client is known to have asked by HTTPS.
    pub https: bool,
    /// The host that it asked for, with the port where it named one.
    pub host: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// Adds the [`Client`] to a request, and `Strict-Transport-Security` to the answer where others are told an `https://`
/// address. Not to one that goes out over plain HTTP, which must not carry it (RFC 6797, 7.2).
pub(super) async fn know_client(State(state): State<Shared>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0);
    let client = client(peer, request.uri(), request.headers(), &state.trusted_proxies);
    let is_strict = client.https && state.public_url.starts_with("https://");
    request.extensions_mut().insert(client);
    let mut answer = next.run(request).await;
    if is_strict {
        answer.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    answer
}

fn client(peer: Option<Peer>, uri: &Uri, headers: &HeaderMap, trusted: &TrustedProxies) -> Client {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(axum::http::uri::Authority::as_str)).map(str::to_owned);
    let Some(peer) = peer else { return Client { host, ..Client::default() } };
    let mut address = peer.address.ip().to_canonical();
    let mut client = Client { address: Some(address), https: peer.tls, host };
    if !trusted.hold(address) {
        return client;
    }
    for hop in hops(headers) {
        // The one at `address` is trusted, and this is what it says about who spoke to it.
        client.https = hop.https.unwrap_or(false);
        client.host = hop.host.or(client.host);
        let Some(before) = hop.address else { break };
        address = before.to_canonical();
        client.address = Some(address);
        if !trusted.hold(address) {
            break;
        }
    }
    client
}

/// What one proxy says about whoever spoke to it.
#[derive(Debug, Default)]
struct Hop {
    /// None: it does not tell, or not so that it can be read.
    address: Option<IpAddr>,
    https: Option<bool>,
    host: Option<String>,
}

/// The proxies' words, the nearest proxy's first.
///
/// Usual proxies (nginx, Caddy) write one kind of header and pass the other on as the client sent it. Most write
/// `X-Forwarded-*`, so `Forwarded` counts only where there is none of these.
fn hops(headers: &HeaderMap) -> Vec<Hop> {
    let addresses = list(headers, &X_FORWARDED_FOR);
    let schemes = list(headers, &X_FORWARDED_PROTO);
    let hosts = list(headers, &X_FORWARDED_HOST);
    let told = addresses.len().max(usize::from(!schemes.is_empty() || !hosts.is_empty()));
    if told == 0 {
        return forwarded(headers);
    }
    // These two are lists like the addresses, or one value for the whole way.
    let nth = |list: &[String], hop: usize| list.get(hop.min(list.len().saturating_sub(1))).cloned();
    (0..told)
        .map(|hop| Hop {
            address: addresses.get(hop).and_then(|text| address(text)),
            https: nth(&schemes, hop).map(|scheme| is_https(&scheme)),
            host: nth(&hosts, hop),
        })
        .collect()
}

/// The values of a list that may go over several lines, the last first.
fn list(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines: Vec<_> =
        headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    lines.iter().rev().flat_map(|line| line.rsplit(',')).map(|value| value.trim().to_owned()).collect()
}

/// An address as proxies write it: bare, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// RFC 7239. A part that cannot be read says nothing, and ends what can be followed.
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let lines: Vec<_> = headers
        .get_all(header::FORWARDED)
        .iter()
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    let parts = lines.iter().rev().flat_map(|line| rfc7239::parse(line).rev());
    parts
        .map(|part| {
            let Ok(part) = part else { return Hop::default() };
            // The crate leaves the quotes around these two.
            let bare = |value: &str| value.trim().trim_matches('"').to_owned();
            Hop {
                address: part.forwarded_for.and_then(|node| node.ip().copied()),
                https: part.protocol.map(|scheme| is_https(&bare(scheme))),
                host: part.host.map(bare),
            }
        })
        .collect()
}

fn is_https(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("https")
}

#[cfg(test)]
mod tests;
