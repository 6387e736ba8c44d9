//! What cannot work, however well it is written.

use std::collections::HashSet;

use ghl::oauth::Scope;
use secrecy::ExposeSecret as _;

use super::locate::{self, Segment};
use super::{Config, RetryConfig};
use crate::connection::{Connection, OauthClient, PollingMode};
use crate::flow::{FieldMap, mistakes_in_welcome};
use crate::mistake::Mistake;
use crate::store::LEASE;

/// What keeps a connection from working.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The key, such as `ghl.api_url`.
    pub key: &'static str,
    /// What is wrong. Never a secret.
    pub what: String,
    /// What to do.
    pub mend: &'static str,
}

/// Everything in the configuration that cannot work, with its place in the text as far as it stands there.
pub(super) fn find(config: &Config, place: &str, text: &str) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut note = |path: &[Segment<'_>], what: String, mend: String| {
        found.push(Mistake { place: place.to_owned(), position: locate::place_of(text, path), what, mend });
    };
    if config.sqlite_path().is_none_or(|path| path.as_os_str().is_empty()) {
        note(
            &[Segment::Key("database")],
            format!("`database` is `{}`", without_password(&config.database)),
            "use `sqlite://path/to/file.db`; this version keeps its data in SQLite only".into(),
        );
    }
    let longest_ms = LEASE.as_millis() as u64 / 2;
    if config.engine.call_timeout_ms > longest_ms {
        note(
            &[Segment::Key("engine"), Segment::Key("call_timeout_ms")],
            format!("`engine.call_timeout_ms` is {}", config.engine.call_timeout_ms),
            format!("at most {longest_ms}: a call must end before its lease does"),
        );
    }
    let engine = &config.engine;
    if engine.workers_per_connection == 0 {
        note(
            &[Segment::Key("engine"), Segment::Key("workers_per_connection")],
            "`engine.workers_per_connection` is 0".into(),
            "at least 1, or nothing is ever done".into(),
        );
    }
    if engine.loop_limit == 0 {
        note(
            &[Segment::Key("engine"), Segment::Key("loop_limit")],
            "`engine.loop_limit` is 0".into(),
            "at least 1, or no event of HighLevel's is ever carried out".into(),
        );
    }
    if engine.retry_base_ms > engine.retry_max_ms {
        note(
            &[Segment::Key("engine"), Segment::Key("retry_base_ms")],
            format!(
                "`engine.retry_base_ms` is {} and `engine.retry_max_ms` is {}",
                engine.retry_base_ms, engine.retry_max_ms
            ),
            "the shortest delay cannot be longer than the longest".into(),
        );
    }
    let mut names = HashSet::new();
    for (index, connection) in config.connection.iter().enumerate() {
        let name = &connection.name;
        let here = [Segment::Key("connection"), Segment::Index(index)];
        if !names.insert(name) {
            let path = [here.as_slice(), &[Segment::Key("name")]].concat();
            note(&path, format!("two connections are called `{name}`"), "give each a name of its own".into());
        }
        let retry = RetryConfig::of(engine, &connection.retry);
        let mixed = connection.retry.base_ms.is_some() != connection.retry.max_ms.is_some();
        if mixed && retry.base_ms > retry.max_ms {
            let path = [here.as_slice(), &[Segment::Key("retry")]].concat();
            let (base, max) = (retry.base_ms, retry.max_ms);
            note(
                &path,
                format!(
                    "connection `{name}`: with `[engine]`, the delays begin at {base} ms and end at {max} ms"
                ),
                "give both `retry.base_ms` and `retry.max_ms`, the second not below the first".into(),
            );
        }
        for flaw in flaws_of(connection) {
            let keys: Vec<Segment<'_>> = flaw.key.split('.').map(Segment::Key).collect();
            let path = [here.as_slice(), &keys].concat();
            note(&path, format!("connection `{name}`: {}", flaw.what), flaw.mend.into());
        }
    }
    found
}

/// What keeps a connection from working, wherever it is defined.
pub fn flaws_of(connection: &Connection) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut flaw = |key, what: String, mend| flaws.push(Flaw { key, what, mend });
    let (ghl, cscart) = (&connection.ghl, &connection.cscart);
    if ghl.location_id.as_str().trim().is_empty() {
        let mend = "copy it from the location's settings in HighLevel";
        flaw("ghl.location_id", "`ghl.location_id` is empty".into(), mend);
    }
    if ghl.token.as_ref().is_some_and(|token| token.expose_secret().trim().is_empty()) {
        let mend = "copy the Private Integration Token from the location's settings (`pit-…`)";
        flaw("ghl.token", "`ghl.token` is empty".into(), mend);
    }
    if ghl.token.is_none() && ghl.oauth.is_none() {
        let mend = "make a Private Integration Token in the location's settings and give it as `ghl.token`";
        flaw("ghl", "it has neither `ghl.token` nor `ghl.oauth`".into(), mend);
    }
    if let Some(oauth) = &ghl.oauth {
        flaws_of_oauth(oauth, &mut flaw);
    }
    for what in FieldMap::compile(&connection.settings).mistakes() {
        flaw("settings", what.clone(), "see docs/mapping.md");
    }
    for (key, what) in mistakes_in_welcome(&connection.settings.welcome_task) {
        flaw(key, what, "see routes/README.md for what may stand between `{{` and `}}`");
    }
    if let Some(what) = connection.settings.mistake_in_country() {
        flaw("settings.default_country", what, "give a two-letter code of ISO 3166, such as `US`");
    }
    // Only where that is said: elsewhere an empty list locks the add-on out.
    let polled = cscart.polling == PollingMode::On;
    if cscart.webhook_secrets.is_empty() && !polled {
        let mend = "give the secret that the sender of the store's webhooks signs with (`whsec_…`); a store without the add-on \
                    needs `cscart.polling = true` (`connection add --polling`)";
        flaw("cscart.webhook_secrets", "`cscart.webhook_secrets` is empty".into(), mend);
    }
    for (index, secret) in cscart.webhook_secrets.iter().enumerate() {
        if let Err(error) = cscart::webhook::Secret::parse(secret.expose_secret()) {
            let what = format!("`cscart.webhook_secrets[{index}]` is not a webhook secret: {error}");
            flaw(
                "cscart.webhook_secrets",
                what,
                "it is `whsec_` followed by the base64 of at least 16 bytes",
            );
        }
    }
    for (key, url) in
        [("ghl.api_url", &ghl.api_url), ("ghl.app_url", &ghl.app_url), ("cscart.url", &cscart.url)]
    {
        if reqwest::Url::parse(url).ok().is_none_or(|url| !matches!(url.scheme(), "http" | "https")) {
            flaw(key, format!("`{key}` is `{url}`"), "give an address that begins with https://");
        }
    }
    let in_clear = |key: &str, url: &str| {
        format!(
            "`{key}` is `{}`: secrets and customers' data would cross the network unencrypted",
            without_password(url)
        )
    };
    if ghl.forbids_its_url() {
        let mend = "begin it with https://; if nobody can listen on the way, allow it by name: \
                    `ghl.allow_plain_http = true` (`connection add --ghl-allow-plain-http`)";
        flaw("ghl.api_url", in_clear("ghl.api_url", &ghl.api_url), mend);
    }
    if cscart.forbids_its_url() {
        let mend = "begin it with https://; if nobody can listen on the way, allow it by name: \
                    `cscart.allow_plain_http = true` (`connection add --store-allow-plain-http`)";
        flaw("cscart.url", in_clear("cscart.url", &cscart.url), mend);
    }
    for (key, number) in [
        ("cscart.concurrency", cscart.concurrency),
        ("cscart.requests_per_second", cscart.requests_per_second),
        ("cscart.poll_min_seconds", cscart.poll_min_seconds),
    ] {
        if number == 0 {
            flaw(key, format!("`{key}` is 0"), "give at least 1, or leave it out");
        }
    }
    if cscart.poll_min_seconds > cscart.poll_max_seconds {
        let (min, max) = (cscart.poll_min_seconds, cscart.poll_max_seconds);
        let what = format!("`cscart.poll_min_seconds` is {min} and `cscart.poll_max_seconds` is {max}");
        flaw(
            "cscart.poll_min_seconds",
            what,
            "the shortest time between two polls cannot be longer than the longest",
        );
    }
    if cscart.polling == PollingMode::On && !cscart.has_api() {
        let mend = "give `cscart.email` and `cscart.api_key`: an administrator's, from the tab \"API access\" of his profile";
        flaw("cscart.polling", "`cscart.polling` is true, and there is no API key to poll with".into(), mend);
    }
    if let (Some(base), Some(max)) = (connection.retry.base_ms, connection.retry.max_ms)
        && base > max
    {
        let what = format!("`retry.base_ms` is {base} and `retry.max_ms` is {max}");
        flaw("retry.base_ms", what, "the shortest delay cannot be longer than the longest");
    }
    if !ghl.webhook_public_keys.is_empty()
        && let Err(error) = ghl::webhook::Verifier::from_pem(&ghl.webhook_public_keys)
    {
        let what = format!("`ghl.webhook_public_keys` cannot be used: {error}");
        let mend = "give PEM public keys (Ed25519), or leave it empty for HighLevel's own";
        flaw("ghl.webhook_public_keys", what, mend);
    }
    flaws
}

fn flaws_of_oauth(oauth: &OauthClient, flaw: &mut impl FnMut(&'static str, String, &'static str)) {
    if oauth.client_id.trim().is_empty() {
        let mend = "copy it from the app's settings in HighLevel's marketplace";
        flaw("ghl.oauth.client_id", "`ghl.oauth.client_id` is empty".into(), mend);
    }
    if oauth.client_secret.expose_secret().trim().is_empty() {
        let mend = "copy it from the app's settings in HighLevel's marketplace";
        flaw("ghl.oauth.client_secret", "`ghl.oauth.client_secret` is empty".into(), mend);
    }
    if oauth.scopes.is_empty() || oauth.scopes.iter().any(|scope| scope.parse::<Scope>().is_err()) {
        let mend = "list scopes such as \"contacts.readonly\", one in each text";
        flaw("ghl.oauth.scopes", "`ghl.oauth.scopes` is not a list of scopes".into(), mend);
    }
    if let Some(url) = &oauth.chooser_url
        && reqwest::Url::parse(url).ok().is_none_or(|url| !matches!(url.scheme(), "http" | "https"))
    {
        let mend = "leave it out for HighLevel's own, or give an address that begins with https://";
        flaw("ghl.oauth.chooser_url", format!("`ghl.oauth.chooser_url` is `{url}`"), mend);
    }
}

fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://…{}", &url[..scheme], &url[at..]),
        _ => url.to_owned(),
    }
}
