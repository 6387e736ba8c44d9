//! From a name to an answer: DNS, TLS, and what the answer says about the time.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Client, Url, header};

use super::{Chart, Finding};
use crate::clock::{Clock, in_words};
use crate::reason::Code;

/// How far two clocks may be apart before it is told, in seconds.
const NOTICED: u64 = 120;
/// How far they may be apart before webhooks are refused, in seconds.
const REFUSED: u64 = 300;
/// Shorter than a check, so that the failure is this one's.
const TIMEOUT: Duration = Duration::from_secs(8);

/// One side as it is looked at.
pub(super) struct Side {
    /// As people call it.
    pub(super) who: &'static str,
    /// The key of its URL in the configuration.
    pub(super) key: &'static str,
    /// The code for no connection.
    pub(super) unreachable: Code,
    /// The names of the checks: DNS, TLS, clock.
    pub(super) checks: [&'static str; 3],
    /// Whether its clock matters, because webhooks are signed with its time; otherwise why not.
    pub(super) clock: Result<(), &'static str>,
}

/// Whether a side can be reached at all.
pub(super) async fn reach(chart: &mut Chart<'_>, side: &Side, url: &str, clock: &Clock) -> bool {
    let [dns, tls, time] = side.checks;
    let Ok(url) = Url::parse(url) else {
        let text = format!("`{}` is no address: write it as https://…", side.key);
        chart.note(dns, &Finding::failed(Code::Configuration, text));
        chart.skip(&[tls, time], "there is no address to ask");
        return false;
    };
    let client = Client::builder().timeout(TIMEOUT).redirect(Policy::none()).build();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            let text = format!("no TLS on this machine ({}): install its CA certificates", innermost(&error));
            chart.note(dns, &Finding::failed(Code::Tls, text));
            chart.skip(&[tls, time], "there is nothing to ask with");
            return false;
        }
    };
    if !chart.check(dns, resolve(&client, &url, side.key)).await {
        chart.skip(&[tls, time], "the name has no address");
        return false;
    }
    let mut apart = None;
    if !chart.check(tls, greet(&client, &url, side, clock, &mut apart)).await {
        chart.skip(&[time], "there is no connection");
        return false;
    }
    let found = match side.clock {
        Ok(()) => compare(side.who, apart),
        Err(why) => Finding::Skipped(why.to_owned()),
    };
    chart.note(time, &found);
    true
}

async fn resolve(client: &Client, url: &Url, key: &str) -> Finding {
    let Some(host) = url.domain() else {
        return Finding::Good(format!("{} is an address by itself", url.host_str().unwrap_or_default()));
    };
    let port = url.port_or_known_default().unwrap_or(443);
    match tokio::net::lookup_host((host, port)).await {
        Ok(addresses) => {
            let mut addresses: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
            addresses.dedup();
            Finding::Good(format!("{host} is {}", addresses.join(", ")))
        }
        // A proxy that the environment names looks names up by itself, for the bridge as for this.
        Err(_) if client.get(url.clone()).send().await.is_ok() => {
            Finding::Good(format!("{host} has no address here, and is reached through a proxy"))
        }
        Err(error) => Finding::failed(
            Code::Dns,
            format!(
                "{host} has no address ({error}): check the spelling of `{key}`, and the DNS of this machine"
            ),
        ),
    }
}

/// Makes a connection and asks for the front page; any answer will do. `apart` receives how many seconds our clock is ahead.
async fn greet(client: &Client, url: &Url, side: &Side, clock: &Clock, apart: &mut Option<i64>) -> Finding {
    let before = clock.now().as_millisecond();
    match client.get(url.clone()).send().await {
        Ok(answer) => {
            let ours = before.midpoint(clock.now().as_millisecond());
            let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
            *apart = date.and_then(seconds).map(|theirs| ours / 1000 - theirs);
            if url.scheme() == "https" {
                Finding::Good("encrypted, with a certificate that is valid for this name".to_owned())
            } else {
                Finding::Good("it answers, by plain http without TLS".to_owned())
            }
        }
        Err(error) if is_about_tls(&error) => Finding::failed(
            Code::Tls,
            format!(
                "no encrypted connection to {} can be made ({}): renew or correct the certificate there; if it is good, set this \
                 machine's clock and update its CA certificates",
                side.who,
                innermost(&error)
            ),
        ),
        Err(error) => Finding::failed(
            side.unreachable,
            format!(
                "{} does not answer ({}): is `{}` right, is it up, and does a firewall let this machine out?",
                side.who,
                innermost(&error),
                side.key
            ),
        ),
    }
}

/// Seconds since 1970 of an HTTP date (RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT").
fn seconds(date: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(date).ok().map(|date| Timestamp::from(&date).as_second())
}

/// What it means that our clock is so many seconds ahead.
fn compare(who: &str, apart: Option<i64>) -> Finding {
    let Some(apart) = apart else {
        return Finding::Skipped(format!("{who}'s answer tells no time"));
    };
    let differ = in_words(apart.unsigned_abs());
    let direction = if apart > 0 { "ahead of" } else { "behind" };
    let text = format!(
        "this machine's clock is {differ} {direction} {who}'s, and from 5 minutes on webhooks are refused: set both clocks by NTP \
         (on this machine: `timedatectl set-ntp true`)"
    );
    match apart.unsigned_abs() {
        REFUSED.. => Finding::failed(Code::ClockSkew, text),
        NOTICED.. => Finding::warning(Code::ClockSkew, text),
        _ => Finding::Good(format!("it differs from {who}'s by {differ}")),
    }
}

/// Whether it is TLS that has failed, going by the kinds of the errors.
fn is_about_tls(error: &(dyn Error + 'static)) -> bool {
    // An I/O error leaves out of the chain what it carries, and may carry another.
    let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || carried.is_some_and(|carried| is_about_tls(carried))
        || error.source().is_some_and(is_about_tls)
}

/// The cause at the bottom. The ones above may hold the whole URL.
pub(super) fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ_a_little_and_not_by_what_webhooks_are_refused_for() {
        for (apart, word) in [(0, "ok"), (-119, "ok"), (120, "warning"), (-299, "warning"), (300, "failed")] {
            assert_eq!(compare("HighLevel", Some(apart)).word(), word, "{apart}");
        }
        assert_eq!(compare("HighLevel", None).word(), "skipped");
        assert!(compare("HighLevel", Some(-400)).text().contains("6 minutes behind HighLevel's"));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
    }
}
