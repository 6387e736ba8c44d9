//! `cartbridge health`: asks the bridge on this machine whether it can store events. For supervisors and containers.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::redirect::Policy;

use crate::config::reachable;
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
