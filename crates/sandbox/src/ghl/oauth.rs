//! OAuth: tokens by code and by refresh token, a location's token from a company's (oauth.json,
//! oauth-Authorization.md).

use serde_json::{Value, json};

use super::{
    call::{Call, Outcome, Reply},
    refusal::Refusal,
    tokens::{Level, Pair},
};
use crate::{clock, control::journal::Effect, serve::request::Body};

/// `POST /oauth/token`: a form; JSON or a missing `grant_type` is 422 (n8n's issue 12689).
pub(crate) fn token(call: &mut Call<'_>) -> Outcome {
    let empty = serde_json::Map::new();
    let form = match &call.request.body {
        Body::Form(Value::Object(form)) => form,
        _ => &empty,
    };
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
    if field("client_id") != Some(&state.client_id) || field("client_secret") != Some(&state.client_secret) {
        return Err(Refusal::oauth(401, "invalid_client", "Invalid client: client credentials are invalid"));
    }
    let (pair, kind) = match grant_type {
        Some("authorization_code") => {
            let code = field("code").unwrap_or_default();
            let pair = state.tokens.redeem(&mut state.ids, call.now, code).ok_or_else(|| {
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
    let subject =
        if pair.level == Level::Location { &call.state.location_id } else { &call.state.company_id };
    Ok(Reply::ok(body).with(Effect::on(kind, subject.as_str())))
}

/// `GetAccessCodeSuccessfulResponseDto`.
fn granted(call: &Call<'_>, pair: &Pair) -> Value {
    let state = &call.state;
    let mut body = json!({
        "access_token": pair.access,
        "token_type": "Bearer",
        "expires_in": state.tokens.lifetime_s,
        "refresh_token": pair.refresh,
        "scope": scope(pair.scopes.iter()),
        "userType": pair.level.name(),
        "companyId": state.company_id,
        "userId": state.users.first().map(|user| user["id"].clone()),
        "isBulkInstallation": false,
    });
    match pair.level {
        Level::Location => body["locationId"] = json!(state.location_id),
        Level::Company => body["approvedLocations"] = json!([state.location_id]),
    }
    body
}

fn scope<'a>(scopes: impl Iterator<Item = &'a String>) -> String {
    scopes.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// `POST /oauth/locationToken`: a form, with a company's token.
pub(crate) fn location_token(call: &mut Call<'_>) -> Outcome {
    let body = call.object()?;
    let field = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut complaints = Vec::new();
    for name in ["companyId", "locationId"] {
        if field(name).is_none() {
            complaints.push(format!("{name} must be a string"));
            complaints.push(format!("{name} should not be empty"));
        }
    }
    if !complaints.is_empty() {
        return Err(Refusal::invalid(complaints));
    }
    if field("companyId") != Some(&call.state.company_id)
        || field("locationId") != Some(&call.state.location_id)
    {
        return Err(Refusal::new(400, "Location not found"));
    }
    let bearer = call.request.header("authorization").and_then(|it| it.strip_prefix("Bearer "));
    let state = &mut *call.state;
    let scopes = bearer
        .and_then(|token| state.tokens.grant(token, call.now))
        .map(|grant| grant.scopes.clone())
        .unwrap_or_default();
    let access = state.tokens.issue_access(&mut state.ids, call.now, Level::Location, scopes.clone());
    let body = json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": state.tokens.lifetime_s,
        "scope": scope(scopes.iter()),
        "userType": "Location",
        "locationId": state.location_id,
        "companyId": state.company_id,
        "userId": state.users.first().map(|user| user["id"].clone()),
        "appId": state.app_id(),
        "versionId": state.version_id,
    });
    Ok(Reply::ok(body).with(Effect::on("token.issued", state.location_id.as_str())))
}

/// `GET /oauth/installedLocations?companyId=&appId=`.
pub(crate) fn installed_locations(call: &mut Call<'_>) -> Outcome {
    let mut complaints = Vec::new();
    for name in ["companyId", "appId"] {
        if call.request.parameter(name).is_none_or(str::is_empty) {
            complaints.push(format!("{name} must be a string"));
            complaints.push(format!("{name} should not be empty"));
        }
    }
    if !complaints.is_empty() {
        return Err(Refusal::invalid(complaints));
    }
    let state = &call.state;
    let known = call.request.parameter("companyId") == Some(&state.company_id)
        && call.request.parameter("appId") == Some(state.app_id())
        && call.request.parameter("locationId").is_none_or(|id| id == state.location_id)
        && call.request.parameter("isInstalled") != Some("false");
    let locations: Vec<Value> = known
        .then(|| {
            json!({
                "_id": state.location_id,
                "name": state.location["name"],
                "address": state.location["address"],
                "isInstalled": true,
                "versionId": state.version_id,
                "installedAt": clock::iso(call.now),
            })
        })
        .into_iter()
        .collect();
    let count = locations.len();
    Ok(Reply::ok(json!({ "locations": locations, "count": count, "installToFutureLocations": false })))
}
