//! From an answer that is not 2xx to an [`Error`].
//!
//! The status decides, and whether there is JSON at all; never the message, which is in the store's
//! language. CS-Cart's error bodies are `{message, messages?, errors?, status}` (`app/Tygh/Api/Response.php`
//! in 4.13.3, 4.15.2 and 4.20.1).

use std::time::Duration;

use serde_json::Value;

use super::{Error, PageKind, WebPage};
use crate::decode;

/// An answer that is not 2xx, as far as it matters here.
pub(crate) struct Refusal<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
    /// The header `Location`.
    pub(crate) location: Option<&'a str>,
    pub(crate) retry_after: Option<Duration>,
}

pub(crate) fn classify(refusal: &Refusal<'_>) -> Error {
    let Refusal { status, body, location, retry_after } = *refusal;
    let json = decode::json(body).ok().filter(|json| json.is_object() || json.is_array());
    let message = || message(status, json.as_ref());
    match status {
        408 | 425 | 429 | 500.. => Error::Unavailable { status, retry_after },
        401 => Error::Unauthorized { message: message() },
        300..400 => Error::NotAnApi { status, advice: redirect(location), page: None },
        // Only CS-Cart's own 403 and 404 say something about the user and the thing that was asked for.
        403..=405 if json.is_none() => not_an_api(status, WebPage::of(body)),
        403 => Error::Forbidden { message: message() },
        404 => Error::NotFound { message: message() },
        400 | 409 | 422 => {
            let messages = messages(json.as_ref());
            Error::Invalid { status, messages: if messages.is_empty() { vec![message()] } else { messages } }
        }
        _ => Error::Refused { status, message: message() },
    }
}

/// The error for a 2xx answer whose body is a web page, and so cannot be CS-Cart's.
pub(crate) fn page_instead(status: u16, body: &[u8]) -> Option<Error> {
    WebPage::of(body).map(|page| not_an_api(status, Some(page)))
}

fn not_an_api(status: u16, page: Option<WebPage>) -> Error {
    let advice = match &page {
        Some(page) => format!("{page} came instead of JSON: {}", advice(status, page.kind)),
        None => advice(status, PageKind::Other).to_owned(),
    };
    Error::NotAnApi { status, advice, page }
}

fn redirect(location: Option<&str>) -> String {
    match location {
        // Without the query, which may hold what was asked for.
        Some(to) => format!(
            "it redirects to {}: use the address that it leads to as the store's URL",
            to.split(['?', '#']).next().unwrap_or_default()
        ),
        None => "it redirects: check that the URL is the store's own address".to_owned(),
    }
}

fn advice(status: u16, kind: PageKind) -> &'static str {
    match (kind, status) {
        (PageKind::Maintenance, _) => "the store is closed for a while; open it, or wait",
        (PageKind::Login, _) => {
            "something in front of the store asks for a password: let requests to /api/ and api.php through"
        }
        (PageKind::Php, _) => {
            "PHP prints errors or warnings into its answers: switch `display_errors` off and look at the store's error log"
        }
        (PageKind::Firewall, _) | (PageKind::Other, 403 | 405) => {
            "a firewall, a CDN or a password for the whole site seems to stand in front of the store: let requests to /api/ \
             and api.php through"
        }
        (PageKind::Other, 404) => {
            "check that the URL is the store's own address, with its folder if it is in one, and that the web server passes \
             /api/ on to api.php"
        }
        (PageKind::Other, _) => {
            "check that the URL is the store's own address, and that nothing stands in front of it"
        }
    }
}

fn message(status: u16, json: Option<&Value>) -> String {
    let messages = messages(json);
    if messages.is_empty() { format!("status {status}") } else { messages.join("; ") }
}

/// The store's words: `errors`, or `messages`, or what stands in `message`.
fn messages(json: Option<&Value>) -> Vec<String> {
    let Some(json) = json else { return Vec::new() };
    // `detail` is that of a problem document, in which the add-on answers (RFC 9457).
    for key in ["errors", "messages", "message", "error", "detail"] {
        let found = texts(json.get(key));
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) if !text.trim().is_empty() => vec![text.trim().to_owned()],
        Some(Value::Array(items)) => items.iter().flat_map(|item| texts(Some(item))).collect(),
        Some(Value::Object(items)) => items.values().flat_map(|item| texts(Some(item))).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
