//! The bridge's own doors: whether its public address leads to it, and whether a signed webhook gets in.

use std::time::Duration;

use cscart::webhook::{Secret, sign, verify};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::net::innermost;
use super::{Chart, Examination, Finding};
use crate::config::{Config, reachable};
use crate::lock::is_held;
use crate::reason::{Code, Reason};
use crate::registry::Live;
use crate::tls::trust_only;

const TIMEOUT: Duration = Duration::from_secs(8);
/// As the door allows it.
const TOLERANCE: Duration = crate::http::webhooks::TOLERANCE;

pub(super) async fn examine(chart: &mut Chart<'_>, examination: &Examination<'_>, live: &Live) {
    let (config, name) = (&examination.house.config, &examination.patient.name);
    let public = config.public_url();
    let polled_alone = examination.news.polled && live.webhook_secrets.is_empty();
    let told = if polled_alone {
        format!("HighLevel sends to {public}/webhooks/ghl; the store is polled and sends nothing")
    } else {
        format!("the store sends to {public}/webhooks/cscart/{name}, HighLevel to {public}/webhooks/ghl")
    };
    chart.note("webhook addresses", &Finding::Good(told));
    chart.check("public address", public_address(&public)).await;
    if polled_alone {
        chart.note("signature", &without_secret(config));
        return;
    }
    chart.check("signature", signature(examination, live)).await;
}

/// Whether the public address leads to a bridge, seen from here. Another network may see it otherwise, so it is never more
/// than a warning.
async fn public_address(public: &str) -> Finding {
    let warn = |text: String| Finding::warning(Code::PublicUrl, text);
    let host = Url::parse(public).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let is_here = host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(is_only_here);
    if is_here {
        return warn(format!(
            "{public} is an address of this machine alone: set `public_url` to the one under which HighLevel reaches the bridge"
        ));
    }
    let client = match Client::builder().timeout(TIMEOUT).redirect(Policy::none()).build() {
        Ok(client) => client,
        Err(error) => return warn(format!("no TLS on this machine ({})", innermost(&error))),
    };
    let mend = "if it is the same from outside, check the proxy in front and `public_url`";
    match client.get(format!("{public}/healthz")).send().await {
        Ok(answer) => {
            let status = answer.status();
            if status.is_success() && answer.text().await.is_ok_and(|text| text.trim() == "ok") {
                return Finding::Good(format!("{public} leads to the bridge"));
            }
            warn(format!(
                "{public}/healthz is answered by something else (status {}): {mend}",
                status.as_u16()
            ))
        }
        Err(error) => warn(format!("{public} does not answer ({}): {mend}", innermost(&error))),
    }
}

fn is_only_here(address: std::net::IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}

/// Without a webhook secret nothing can be sent to the bridge; whether one runs is seen all the same.
fn without_secret(config: &Config) -> Finding {
    if is_held(&config.sqlite_path().unwrap_or_default()) {
        let why = "there is no webhook secret: the store is polled, without the add-on";
        return Finding::Skipped(why.to_owned());
    }
    let text = "no bridge runs on this database, so the store is not polled: start `cartbridge serve`";
    Finding::warning(Code::BridgeNotRunning, text)
}

/// A signed `ping` on its way through the running bridge's own door; without a bridge, through the same checks here.
async fn signature(examination: &Examination<'_>, live: &Live) -> Finding {
    let Some(secret) = live.webhook_secrets.first() else {
        let text = "the connection has no webhook secret: copy it from the store's add-on into `cscart.webhook_secrets`";
        return Finding::failed(Code::Configuration, text);
    };
    let ping = Ping::new(examination, live, secret);
    let config = &examination.house.config;
    let client = match client(config) {
        Ok(client) => client,
        Err(reason) => return Finding::Failed(reason),
    };
    let url = format!(
        "{}://{}/webhooks/cscart/{}",
        config.scheme(),
        reachable(config.listen),
        examination.patient.name
    );
    let request = client
        .post(url)
        .header("webhook-id", &ping.id)
        .header("webhook-timestamp", ping.at)
        .header("webhook-signature", &ping.signature)
        .body(ping.body.clone());
    let Ok(answer) = request.send().await else { return without_bridge(examination, live, &ping) };
    let status = answer.status();
    let told: Told = answer.json().await.unwrap_or_default();
    if status.is_success() && !told.id.is_empty() {
        return Finding::Good(format!(
            "the running bridge took a signed ping (event {}, which no route carries out)",
            told.id
        ));
    }
    refused(status.as_u16(), &told)
}

/// A webhook as the store's add-on would send it.
struct Ping {
    id: String,
    at: i64,
    body: String,
    signature: String,
}

impl Ping {
    fn new(examination: &Examination<'_>, live: &Live, secret: &Secret) -> Self {
        let now = examination.clock.now();
        let id = format!("doctor_{}", Uuid::now_v7().simple());
        let body = json!({
            "type": "ping",
            "timestamp": now,
            "store": { "url": live.connection.cscart.url },
            "data": { "sender": "cartbridge doctor" },
        })
        .to_string();
        let at = now.as_second();
        let signature = sign(secret, &id, at, body.as_bytes());
        Self { id, at, body, signature }
    }
}

/// What the door says; which of it depends on the status.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    id: String,
    code: String,
    detail: String,
}

fn refused(status: u16, told: &Told) -> Finding {
    let code = told.code.parse().unwrap_or(Code::Internal);
    match code {
        Code::UnknownConnection => Finding::failed(
            code,
            "the running bridge does not know this connection: is it the bridge of this configuration? Restart `cartbridge serve`",
        ),
        Code::SignatureMismatch | Code::NoWebhookSecret => Finding::failed(
            code,
            "the running bridge works with other webhook secrets than these: restart `cartbridge serve`",
        ),
        Code::Internal if told.code.is_empty() => Finding::failed(
            Code::BridgeNotRunning,
            format!(
                "something else than this bridge answers at `listen` (status {status}): stop it, or choose another `listen`"
            ),
        ),
        code => Finding::Failed(Reason::new(code, told.detail.clone())),
    }
}

fn without_bridge(examination: &Examination<'_>, live: &Live, ping: &Ping) -> Finding {
    let (at, now) = (ping.at.to_string(), examination.clock.now().as_second());
    let secrets = &live.webhook_secrets;
    let signature = Some(ping.signature.as_str());
    match verify(secrets, Some(&ping.id), Some(&at), signature, ping.body.as_bytes(), now, TOLERANCE) {
        Ok(()) => Finding::warning(
            Code::BridgeNotRunning,
            format!(
                "no bridge answers at {}: start `cartbridge serve`. A signature made with the webhook secret was checked here, and \
                 is good",
                reachable(examination.house.config.listen)
            ),
        ),
        Err(error) => Finding::failed(
            Code::SignatureMismatch,
            format!(
                "a signature made here is not taken here: {error}. Give the connection another webhook secret"
            ),
        ),
    }
}

/// For the door on this machine, whose certificate may be for another name.
fn client(config: &Config) -> Result<Client, Reason> {
    let mut builder = Client::builder().timeout(TIMEOUT).no_proxy().redirect(Policy::none());
    if let Some(tls) = &config.tls {
        let trust = trust_only(&tls.certificate)
            .map_err(|mistake| Reason::new(Code::Configuration, mistake.to_string()))?;
        builder = builder.tls_backend_preconfigured(trust);
    }
    builder.build().map_err(|error| {
        Reason::new(
            Code::Tls,
            format!("no TLS on this machine ({}): install its CA certificates", innermost(&error)),
        )
    })
}
