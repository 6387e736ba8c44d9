//! The page on which a person lets the app in: `/v2/oauth/chooselocation` (oauth-Authorization.md, section 3).
//! HighLevel has it on its marketplace's host, behind a login; here it stands beside the API, without one.

use std::{collections::BTreeSet, fmt::Write as _};

use bytes::Bytes;
use hyper::{
    Method,
    header::{CONTENT_TYPE, HeaderValue},
};
use reqwest::Url;
use serde_json::Value;

use super::{install, place::Place, state::State};
use crate::{
    control::journal::Effect,
    serve::{
        answer::Answer,
        request::{Body, Request},
    },
};

/// Where it is.
pub(crate) const PATH: &str = "/v2/oauth/chooselocation";

/// What the app asks for.
struct Asked {
    redirect_uri: String,
    scopes: BTreeSet<String>,
    state: Option<String>,
}

/// `GET` shows the page, `POST` takes the decision; None when the request is for something else.
pub(crate) fn answer(state: &mut State, request: &Request, now: i64) -> Option<Answer> {
    if request.path.trim_end_matches('/') != PATH {
        return None;
    }
    let answered = match request.method {
        Method::GET => asked(state, request).map(|asked| page(state, &asked)),
        Method::POST => asked(state, request).and_then(|asked| decided(state, request, asked, now)),
        _ => return None,
    };
    // Nothing is sent to a redirect URI that may be somebody else's: the person is told (RFC 6749, 4.1.2.1).
    Some(answered.unwrap_or_else(|why| {
        let body = format!("<h1>This app cannot be let in</h1>\n<p>{}</p>", escaped(&why));
        html(400, "Not possible", &body)
    }))
}

fn asked(state: &State, request: &Request) -> Result<Asked, String> {
    let parameter = |name: &str| request.parameter(name).filter(|value| !value.is_empty());
    let needed = |name: &str| parameter(name).ok_or_else(|| format!("{name} is missing"));
    if needed("client_id")? != state.client_id {
        return Err(String::from("client_id is not known"));
    }
    let redirect_uri = needed("redirect_uri")?;
    let usable = Url::parse(redirect_uri)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none());
    if !usable {
        return Err(format!("redirect_uri {redirect_uri} is not an absolute http or https URL"));
    }
    match needed("response_type")? {
        "code" => {}
        other => return Err(format!("response_type {other} is not code")),
    }
    let scopes = needed("scope")?;
    if let Some(unknown) = install::unknown_scope(scopes.split_whitespace()) {
        return Err(format!("the app does not have the scope {unknown}"));
    }
    let scopes: BTreeSet<String> = scopes.split_whitespace().map(str::to_owned).collect();
    if scopes.is_empty() {
        return Err(String::from("scope is missing"));
    }
    let state = parameter("state").map(str::to_owned);
    Ok(Asked { redirect_uri: redirect_uri.to_owned(), scopes, state })
}

/// Works without a mouse and without scripts. The form goes to the page's own URL, query included.
fn page(state: &State, asked: &Asked) -> Answer {
    let mut body = String::from("<h1>Choose a location</h1>\n<form method=\"post\">\n<fieldset>");
    body.push_str("\n<legend>Location</legend>\n");
    for (index, location) in state.locations().enumerate() {
        let _ = writeln!(
            body,
            "<p><label><input type=\"radio\" name=\"location_id\" value=\"{}\"{}> {}</label></p>",
            escaped(&location.location_id),
            if index == 0 { " checked" } else { "" },
            escaped(location.location["name"].as_str().unwrap_or_default()),
        );
    }
    body.push_str(
        "</fieldset>\n<p><label>Token for <select name=\"user_type\"><option value=\"Location\">the location\
         </option><option value=\"Company\">the company</option></select></label></p>\n<p>It will be allowed:</p>\n<ul>\n",
    );
    for scope in &asked.scopes {
        let _ = writeln!(body, "<li>{}</li>", escaped(scope));
    }
    let cancel = returning(asked, "error", "access_denied");
    let _ = write!(
        body,
        "</ul>\n<p><button name=\"decision\" value=\"allow\">Authorize</button> <a href=\"{}\">Cancel</a></p>\n</form>",
        escaped(&cancel),
    );
    html(200, "Choose a location", &body)
}

fn decided(state: &mut State, request: &Request, asked: Asked, now: i64) -> Result<Answer, String> {
    let form = match &request.body {
        Body::Form(form) => form,
        _ => &Value::Null,
    };
    let field = |name: &str| form[name].as_str().filter(|value| !value.is_empty());
    match field("decision") {
        Some("allow") => {}
        Some("deny") => return Ok(sent_back(&returning(&asked, "error", "access_denied"))),
        _ => return Err(String::from("decision is neither allow nor deny")),
    }
    let place = match (field("user_type"), field("location_id")) {
        (Some("Company"), _) => Place::Company,
        (None | Some("Location"), None) => Place::Location,
        (None | Some("Location"), Some(id)) => {
            state.place_of(id).ok_or_else(|| format!("location_id {id} is not known"))?
        }
        (Some(other), _) => return Err(format!("user_type {other} is neither Location nor Company")),
    };
    let redirect_uri = Some(asked.redirect_uri.clone());
    let code = install::authorize(state, place, asked.scopes.clone(), redirect_uri, now);
    let effect = Effect::on("code.issued", state.id_of(place));
    Ok(sent_back(&returning(&asked, "code", &code)).with_effect(Some(effect)))
}

/// The redirect URI with the outcome, and with `state` when one was sent.
fn returning(asked: &Asked, name: &str, value: &str) -> String {
    let Ok(mut url) = Url::parse(&asked.redirect_uri) else { return asked.redirect_uri.clone() };
    url.query_pairs_mut().append_pair(name, value);
    if let Some(state) = &asked.state {
        url.query_pairs_mut().append_pair("state", state);
    }
    url.into()
}

fn sent_back(url: &str) -> Answer {
    let mut answer = Answer::empty(302);
    answer.header("location", url);
    answer
}

fn html(status: u16, title: &str, body: &str) -> Answer {
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n{body}\n</body>\n</html>\n"
    );
    let mut answer = Answer::empty(status);
    answer.headers = vec![(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))];
    answer.body = Bytes::from(text);
    answer
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
