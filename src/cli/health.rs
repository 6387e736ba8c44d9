//! `cartbridge health`: asks the bridge on this machine whether it can store events. For supervisors and containers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::redirect::Policy;

use crate::tls::trust_only;

/// Longer than a healthy bridge takes by far.
const TIMEOUT: Duration = Duration::from_secs(3);

pub(super) async fn run(file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let config = super::database::config(file)?;
    let url = format!("{}://{}/readyz", config.scheme(), reachable(config.listen));
    let mut client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().redirect(Policy::none());
    if let Some(tls) = &config.tls {
        let trust = trust_only(&tls.certificate).map_err(|mistake| anyhow::anyhow!("{mistake}"))?;
        client = client.tls_backend_preconfigured(trust);
    }
    let answer = client.build()?.get(&url).send().await;
    let answer = answer.with_context(|| format!("{url} does not answer: is `cartbridge serve` running?"))?;
    let status = answer.status();
    println!("{}", answer.text().await.unwrap_or_default().trim());
    Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Who listens on all addresses is reached at the loopback one.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn all_addresses_are_reached_at_the_loopback_one() {
        for (listen, asked) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.1:80", "10.0.0.1:80")]
        {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
