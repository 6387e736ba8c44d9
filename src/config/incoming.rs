//! How requests reach the bridge: whose word on their origin counts, and with which certificate HTTPS is served.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;
use serde::Deserialize;

/// The files of a certificate, as PEM.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate and the chain that leads to its authority, the bridge's own first.
    pub certificate: PathBuf,
    /// Its private key, without a passphrase.
    pub key: PathBuf,
}

/// The addresses whose word on where a request comes from is taken.
///
/// By default those of this machine: a proxy usually runs beside the bridge, and nobody else can connect from there.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Vec<Network>")]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Whether this address is a trusted proxy's.
    pub fn hold(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self::from_iter([IpNet::V4(ipnet::Ipv4Net::new_assert([127, 0, 0, 0].into(), 8)), LOOPBACK_V6.into()])
    }
}

const LOOPBACK_V6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

impl FromIterator<IpNet> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

impl From<Vec<Network>> for TrustedProxies {
    fn from(networks: Vec<Network>) -> Self {
        networks.into_iter().map(|network| network.0).collect()
    }
}

/// One address or network, as a person writes it.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Network(IpNet);

impl TryFrom<String> for Network {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| {
            format!("`{text}` is neither an address nor a network: write it like `10.1.2.3` or `10.0.0.0/8`")
        })
    }
}
