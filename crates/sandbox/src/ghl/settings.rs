//! `POST /_sandbox/settings` on the simulated GHL.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Ghl, rate::Limits, tokens::SCOPES};
use crate::control::{
    problem::{ActError, only_known},
    settings::Fields,
};

const KNOWN: &[&str] = &[
    "deliver_to",
    "connection",
    "strict_rate",
    "rate",
    "allow_duplicate_contacts",
    "match_phone_first",
    "allow_duplicate_opportunities",
    "search_lag_ms",
    "scopes",
    "retry_429_ms",
    "access_token_s",
    "refresh_token_s",
    "code_s",
];
const RATE: &[&str] = &["max", "interval_ms", "daily"];

/// Reads everything before anything is changed.
pub(super) fn change(ghl: &Ghl, settings: &Map<String, Value>) -> Result<(), ActError> {
    only_known("setting", settings, KNOWN)?;
    let fields = Fields(settings);
    let deliver_to = fields.target()?;
    let connection = fields.text("connection")?;
    let strict = fields.bool("strict_rate")?;
    let allow_duplicates = fields.bool("allow_duplicate_contacts")?;
    let match_phone_first = fields.bool("match_phone_first")?;
    let allow_opportunities = fields.bool("allow_duplicate_opportunities")?;
    let search_lag = fields.milliseconds("search_lag_ms")?;
    let retry = fields.milliseconds("retry_429_ms")?;
    let mut lifetimes = ghl.locked().tokens.lifetimes;
    for (name, lifetime) in [
        ("access_token_s", &mut lifetimes.access),
        ("refresh_token_s", &mut lifetimes.refresh),
        ("code_s", &mut lifetimes.code),
    ] {
        *lifetime = fields.number(name)?.map_or(*lifetime, Duration::from_secs);
    }
    let scopes = fields.texts("scopes")?;
    if let Some(unknown) = scopes.iter().flatten().find(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(ActError::unknown("scope", unknown, &SCOPES));
    }
    let rate = fields.object("rate")?;
    let mut limits: Limits = ghl.locked().limits;
    if let Some(rate) = rate {
        only_known("key of `rate`", rate, RATE)?;
        let rate = Fields(rate);
        limits.max = rate.number("max")?.unwrap_or(limits.max);
        limits.interval_ms = rate.number("interval_ms")?.unwrap_or(limits.interval_ms);
        limits.daily = rate.number("daily")?.unwrap_or(limits.daily);
    }
    limits.strict = strict.unwrap_or(limits.strict);

    let mut state = ghl.locked();
    state.limits = limits;
    state.allow_duplicates = allow_duplicates.unwrap_or(state.allow_duplicates);
    state.match_phone_first = match_phone_first.unwrap_or(state.match_phone_first);
    state.allow_duplicate_opportunities = allow_opportunities.unwrap_or(state.allow_duplicate_opportunities);
    state.search_lag = search_lag.unwrap_or(state.search_lag);
    state.tokens.lifetimes = lifetimes;
    if let Some(scopes) = scopes {
        state.tokens.set_pit_scopes(scopes.into_iter().collect());
    }
    drop(state);
    if let Some(retry) = retry {
        ghl.webhooks.set_retry(retry);
    }
    ghl.core.deliveries.retarget(|target| {
        if let Some(deliver_to) = deliver_to {
            target.deliver_to = deliver_to.as_str().map(str::to_owned);
        }
        if let Some(connection) = connection {
            connection.clone_into(&mut target.connection);
        }
    });
    Ok(())
}
