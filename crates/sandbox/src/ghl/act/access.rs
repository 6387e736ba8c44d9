//! What people do about the app and its access: letting it in, throwing it out, its secret, its limits.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{
    install,
    place::Place,
    rate::{App, Budget},
    state::State,
    tokens::SCOPES,
};
use crate::control::{
    problem::ActError,
    settings::{Fields, needed},
};

/// Carries out an action about access.
pub(super) fn perform(
    state: &mut State,
    name: &str,
    fields: &Fields<'_>,
    now: i64,
) -> Result<Value, ActError> {
    match name {
        "oauth.authorize" => authorize(state, fields, now),
        "oauth.expire" => {
            state.tokens.expire(now);
            Ok(json!({}))
        }
        "oauth.uninstall" => {
            install::uninstall(state);
            Ok(json!({}))
        }
        "oauth.rotate_secret" => {
            let secret = fields.text("secret")?.filter(|secret| !secret.is_empty()).map(str::to_owned);
            let keep = i64::try_from(fields.number("keep_old_ms")?.unwrap_or(0)).unwrap_or(i64::MAX);
            let secret = secret.unwrap_or_else(|| state.ids.uuid());
            let old = std::mem::replace(&mut state.client_secret, secret);
            state.old_secrets.push((old, now.saturating_add(keep)));
            Ok(json!({ "client_secret": state.client_secret }))
        }
        _ => consume(state, fields, now),
    }
}

fn authorize(state: &mut State, fields: &Fields<'_>, now: i64) -> Result<Value, ActError> {
    let scopes: BTreeSet<String> = match fields.texts("scopes")? {
        Some(scopes) => scopes.into_iter().collect(),
        None => SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
    };
    if let Some(unknown) = install::unknown_scope(scopes.iter().map(String::as_str)) {
        return Err(ActError::unknown("scope", unknown, &SCOPES));
    }
    let location = location(state, fields)?;
    let place = match fields.text("user_type")? {
        None | Some("Location") => location,
        Some("Company") => Place::Company,
        Some(other) => {
            return Err(ActError::unknown("value of `user_type`", other, &["Location", "Company"]));
        }
    };
    let redirect_uri = fields.text("redirect_uri")?.map(str::to_owned);
    Ok(json!({ "code": install::authorize(state, place, scopes, redirect_uri, now) }))
}

/// As if another program used the same token.
fn consume(state: &mut State, fields: &Fields<'_>, now: i64) -> Result<Value, ActError> {
    let app = match needed("app", fields.text("app")?)? {
        "pit" => App::Pit,
        "app" => App::OAuth,
        other => return Err(ActError::unknown("value of `app`", other, &["pit", "app"])),
    };
    let budget = Budget { app, place: location(state, fields)? };
    let (requests, daily) = (fields.number("requests")?, fields.number("daily")?);
    if requests.is_none() && daily.is_none() {
        return Err(ActError::new("`requests` is missing, and so is `daily`: give one of them"));
    }
    let limits = state.limits;
    state.rate.consume(budget, requests.unwrap_or(0), daily.unwrap_or(0), now, &limits);
    let (left, left_today) = state.rate.left(budget, now, &limits);
    Ok(json!({ "remaining": left, "daily_remaining": left_today }))
}

/// The announced location unless another one is named.
fn location(state: &State, fields: &Fields<'_>) -> Result<Place, ActError> {
    let Some(id) = fields.text("location_id")? else { return Ok(Place::Location) };
    state.place_of(id).ok_or_else(|| {
        let known: Vec<&str> = state.locations().map(|it| it.location_id.as_str()).collect();
        ActError::unknown("location", id, &known)
    })
}
