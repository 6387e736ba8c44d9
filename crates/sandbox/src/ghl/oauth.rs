//! OAuth: tokens by code and by refresh token, a location's token from a company's (oauth.json,
//! oauth-Authorization.md).

use serde_json::{Value, json};

use super::{
    call::{Call, Outcome, Reply},
    place::Place,
    refusal::Refusal,
    tokens::{Consent, Pair},
};
use crate::{clock, control::journal::Effect};

/// `POST /oauth/token`: a form; JSON or a missing `grant_type` is 422 (n8n's issue 12689).
pub(crate) fn token(call: &mut Call<'_>) -> Outcome {
    let form = call.form();
    let field = |name: &str| form.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let grant_type = field("grant_type");
    let mut complaints = Vec::new();
    if !matches!(grant_type, Some("authorization_code" | "refresh_token" | "client_credentials")) {
        complaints.push(String::from("grant_type must be a valid enum value"));
    }
    if grant_type.is_none() {
        complaints.push(String::from("grant_type should not be empty"));
    }
    for name in ["client_id", "client_secret"] {
        if field(name).is_none() {
            complaints.push(format!("{name} must be a string"));
            complaints.push(format!("{name} should not be empty"));
        }
    }
    if field("user_type").is_some_and(|it| it != "Company" && it != "Location") {
        complaints.push(String::from("user_type must be a valid enum value"));
    }
    for name in form.keys() {
        const KNOWN: [&str; 7] = [
            "client_id",
            "client_secret",
            "grant_type",
            "code",
            "refresh_token",
            "user_type",
            "redirect_uri",
        ];
        if !KNOWN.contains(&name.as_str()) {
            complaints.push(format!("property {name} should not exist"));
        }
    }
    if !complaints.is_empty() {
        return Err(Refusal::invalid(complaints));
    }
    let state = &mut *call.state;
    let known = field("client_secret").is_some_and(|secret| state.knows_secret(secret, call.now));
    if field("client_id") != Some(&state.client_id) || !known {
        return Err(Refusal::oauth(401, "invalid_client", "Invalid client: client credentials are invalid"));
    }
    let (pair, kind) = match grant_type {
        Some("authorization_code") => {
            let code = field("code").unwrap_or_default();
            let redirect_uri = field("redirect_uri");
            let pair =
                state.tokens.redeem(&mut state.ids, call.now, code, redirect_uri).ok_or_else(|| {
                    Refusal::oauth(400, "invalid_grant", "Invalid grant: authorization code is invalid")
                })?;
            (pair, "token.issued")
        }
        Some("refresh_token") => {
            let token = field("refresh_token").unwrap_or_default();
            let pair = state.tokens.refresh(&mut state.ids, call.now, token).ok_or_else(|| {
                Refusal::oauth(400, "invalid_grant", "Invalid grant: refresh token is invalid")
            })?;
            (pair, "token.refreshed")
        }
        _ => {
            let description = "Unauthorized client: grant type is invalid";
            return Err(Refusal::oauth(400, "unauthorized_client", description));
        }
    };
    let body = granted(call, &pair);
    let effect = Effect::on(kind, call.state.id_of(pair.consent.place));
    Ok(Reply::ok(body).with(effect))
}

/// `GetAccessCodeSuccessfulResponseDto`.
fn granted(call: &Call<'_>, pair: &Pair) -> Value {
    let state = &call.state;
    let place = pair.consent.place;
    let mut body = json!({
        "access_token": pair.access,
        "token_type": "Bearer",
        "expires_in": state.tokens.lifetimes.access.as_secs(),
        "refresh_token": pair.refresh,
        "scope": scope(&pair.consent),
        "userType": place.user_type(),
        "companyId": state.company_id,
        "userId": state.users.first().map(|user| user["id"].clone()),
        "isBulkInstallation": false,
    });
    if place == Place::Company {
        let locations: Vec<&str> = state.locations().map(|it| it.location_id.as_str()).collect();
        body["approvedLocations"] = json!(locations);
    } else {
        body["locationId"] = json!(state.id_of(place));
    }
    body
}

fn scope(consent: &Consent) -> String {
    consent.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// `POST /oauth/locationToken`: a form, with a company's token.
pub(crate) fn location_token(call: &mut Call<'_>) -> Outcome {
    let form = call.form();
    let field = |name: &str| form.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut complaints = Vec::new();
    for name in ["companyId", "locationId"] {
        if field(name).is_none() {
            complaints.push(format!("{name} must be a string"));
            complaints.push(format!("{name} should not be empty"));
        }
    }
    let unknown = form.keys().filter(|name| !["companyId", "locationId"].contains(&name.as_str()));
    complaints.extend(unknown.map(|name| format!("property {name} should not exist")));
    if !complaints.is_empty() {
        return Err(Refusal::invalid(complaints));
    }
    let place = field("locationId").and_then(|id| call.state.place_of(id));
    let place = place.filter(|_| field("companyId") == Some(&call.state.company_id));
    let place = place.ok_or_else(|| Refusal::new(400, "Location not found"))?;
    let state = &mut *call.state;
    let scopes = call
        .request
        .bearer()
        .and_then(|token| state.tokens.grant(token, call.now))
        .map(|grant| grant.scopes.clone())
        .unwrap_or_default();
    let consent = Consent { place, scopes };
    let scope = scope(&consent);
    let access = state.tokens.issue_access(&mut state.ids, call.now, consent);
    let body = json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": state.tokens.lifetimes.access.as_secs(),
        "scope": scope,
        "locationId": state.id_of(place),
        "userId": state.users.first().map(|user| user["id"].clone()),
        "appId": state.app_id(),
        "versionId": state.version_id,
    });
    let effect = Effect::on("token.issued", state.id_of(place));
    Ok(Reply::ok(body).with(effect))
}

/// `GET /oauth/installedLocations?companyId=&appId=`: pages by `skip` and `limit` (20 unless given).
pub(crate) fn installed_locations(call: &mut Call<'_>) -> Outcome {
    const KNOWN: &[&str] = &[
        "skip",
        "limit",
        "query",
        "isInstalled",
        "companyId",
        "appId",
        "versionId",
        "onTrial",
        "planId",
        "locationId",
    ];
    call.only_parameters(KNOWN)?;
    let parameter = |name: &str| call.request.parameter(name).filter(|value| !value.is_empty());
    let mut complaints = Vec::new();
    for name in ["companyId", "appId"] {
        if parameter(name).is_none() {
            complaints.push(format!("{name} must be a string"));
            complaints.push(format!("{name} should not be empty"));
        }
    }
    if !complaints.is_empty() {
        return Err(Refusal::invalid(complaints));
    }
    let state = &call.state;
    if parameter("companyId") != Some(&state.company_id) {
        return Err(Refusal::other_company());
    }
    let (skip, limit) = (call.number("skip")?.unwrap_or(0), call.number("limit")?.unwrap_or(20));
    let query = parameter("query").unwrap_or_default().to_lowercase();
    let version = parameter("versionId").is_none_or(|version| version == state.version_id);
    let locations = state.locations().filter(|location| {
        parameter("appId") == Some(state.app_id())
            && version
            && parameter("locationId").is_none_or(|id| id == location.location_id)
            && parameter("isInstalled")
                .is_none_or(|wanted| (wanted == "true") == location.installed_at.is_some())
            && location.location["name"].as_str().unwrap_or_default().to_lowercase().contains(&query)
    });
    let locations: Vec<Value> = locations
        .map(|location| {
            let mut shown = json!({
                "_id": location.location_id,
                "name": location.location["name"],
                "address": location.location["address"],
                "isInstalled": location.installed_at.is_some(),
            });
            if let Some(at) = location.installed_at {
                shown["versionId"] = json!(state.version_id);
                shown["installedAt"] = json!(clock::iso(at));
            }
            shown
        })
        .collect();
    let count = locations.len();
    let page: Vec<Value> = locations.into_iter().skip(skip as usize).take(limit as usize).collect();
    Ok(Reply::ok(json!({ "locations": page, "count": count, "installToFutureLocations": false })))
}
