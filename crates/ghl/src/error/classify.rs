//! From an answer that is not 2xx to an [`Error`].
//!
//! The status decides first and the message second, and only where HighLevel gives one status to different
//! things. Its error bodies are `{statusCode, message, error?, meta?, traceId?}` with `message` a string or a
//! list of strings (common-schemas.json: `BadRequestDTO`, `UnauthorizedDTO`, `UnprocessableDTO`).

use serde_json::Value;

use super::{Error, MatchingField, validation};
use crate::{ContactId, RateLimit};

/// An answer that is not 2xx, as far as it matters here.
pub(crate) struct Refusal<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
    pub(crate) rate_limit: RateLimit,
    /// Whether this was a call for tokens, where `invalid_grant` and `invalid_client` have their meaning.
    pub(crate) token_call: bool,
}

pub(crate) fn classify(refusal: &Refusal<'_>) -> Error {
    let Refusal { status, body, rate_limit, token_call } = *refusal;
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let messages = messages(json.as_ref(), body);
    let message = || if messages.is_empty() { format!("status {status}") } else { messages.join("; ") };

    if token_call && matches!(status, 400 | 401 | 403 | 422) {
        match oauth_code(json.as_ref(), &messages) {
            Some(OAuthCode::InvalidGrant) => return Error::InvalidGrant { message: message() },
            Some(OAuthCode::InvalidClient) => return Error::InvalidClient { message: message() },
            None => {}
        }
    }
    match status {
        401 | 403 => {
            let text = message();
            let lower = text.to_ascii_lowercase();
            if lower.contains("scope") {
                Error::MissingScope { message: text }
            } else if lower.contains("access to this location") {
                Error::WrongLocation { message: text }
            } else if lower.contains("user does not exist") {
                // `GET /users/{id}` of a deleted user: 401 (HighLevel's issue 205). The token is fine.
                Error::NotFound { message: text }
            } else if status == 401 {
                Error::Unauthorized { message: text }
            } else {
                Error::Refused { status, message: text }
            }
        }
        404 => Error::NotFound { message: message() },
        400 | 409 | 422 if let Some(duplicate) = duplicate(json.as_ref()) => duplicate,
        400 | 422 if messages.len() == 1 && says_not_found(&messages[0]) => {
            Error::NotFound { message: message() }
        }
        400 | 422 => {
            let fields = validation::fields(&messages);
            let messages = if messages.is_empty() { vec![message()] } else { messages };
            Error::Invalid { status, messages, fields }
        }
        429 => Error::RateLimited {
            retry_after: rate_limit.retry_after,
            daily: rate_limit.daily_remaining == Some(0),
        },
        408 | 425 | 500.. => Error::Unavailable { status, retry_after: rate_limit.retry_after },
        _ => Error::Refused { status, message: message() },
    }
}

/// HighLevel's words: `message` as a string or a list, `error_description` and `error` as OAuth has them,
/// and for a body that is not JSON (a proxy's page) its beginning.
fn messages(json: Option<&Value>, body: &[u8]) -> Vec<String> {
    let Some(json) = json else {
        let text = String::from_utf8_lossy(&body[..body.len().min(1024)]);
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        return if text.is_empty() { Vec::new() } else { vec![text.chars().take(200).collect()] };
    };
    for key in ["message", "error_description", "msg", "error"] {
        let found = strings(json.get(key));
        if !found.is_empty() {
            return found;
        }
    }
    strings(Some(json))
}

fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) if !text.trim().is_empty() => vec![text.trim().to_owned()],
        Some(Value::Array(items)) => items.iter().flat_map(|item| strings(Some(item))).collect(),
        Some(Value::Object(object)) => strings(object.get("message")),
        _ => Vec::new(),
    }
}

/// 400 `{"message": "This location does not allow duplicated contacts.", "meta": {"contactId",
/// "contactName", "matchingField"}}`. Without the id nothing can be done with it: then it is `Invalid`.
fn duplicate(json: Option<&Value>) -> Option<Error> {
    let meta = json?.get("meta")?;
    let text = |key: &str| meta.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    Some(Error::DuplicateContact {
        contact_id: ContactId::new(text("contactId")?),
        contact_name: text("contactName").map(str::to_owned),
        matching_field: MatchingField::from(text("matchingField").unwrap_or_default()),
    })
}

/// Whether a message says that the thing the path names is not there, and nothing else: "Contact not found",
/// "Contact with id X not found", "Task does not exist". "Custom field with id X not found" or "assignedTo
/// user not found" are about a value in the body, and must not look as if the contact were gone.
fn says_not_found(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    let text = lower.trim().trim_end_matches('.');
    let text = text.strip_prefix("the ").unwrap_or(text);
    if let Some(rest) = text.strip_prefix("no ") {
        return THINGS
            .iter()
            .any(|thing| rest.strip_prefix(thing).is_some_and(|rest| rest.starts_with(" found")));
    }
    let Some(rest) = THINGS.iter().find_map(|thing| text.strip_prefix(thing)) else { return false };
    let Some(between) =
        ["not found", "does not exist", "doesn't exist"].iter().find_map(|end| rest.strip_suffix(end))
    else {
        return false;
    };
    // What may stand between: nothing, "was", or "with [the] id X".
    let mut words = between.split_whitespace().filter(|word| !matches!(*word, "was" | "is" | "the"));
    match words.next() {
        None => true,
        Some("with" | "for" | "by") => {
            words.next().is_some_and(|word| word.trim_end_matches(':').ends_with("id")) && words.count() <= 1
        }
        Some("id" | "id:") => words.count() <= 1,
        Some(_) => false,
    }
}

const THINGS: [&str; 5] = ["contact", "task", "note", "appointment", "business"];

enum OAuthCode {
    InvalidGrant,
    InvalidClient,
}

/// What a call for tokens was refused for: by OAuth's own code (RFC 6749, section 5.2), and only where that
/// says neither by the words, because HighLevel's usual form has "Unauthorized" in `error`. A list of
/// complaints about the fields is neither, and no more is "Location is not active" (HighLevel's issue 249).
fn oauth_code(json: Option<&Value>, messages: &[String]) -> Option<OAuthCode> {
    let known = |text: &str| {
        let text = text.to_ascii_lowercase().replace('_', " ");
        if text.contains("invalid grant") && !text.contains("invalid grant type") {
            Some(OAuthCode::InvalidGrant)
        } else if text.contains("invalid client") {
            Some(OAuthCode::InvalidClient)
        } else {
            None
        }
    };
    let code = json.and_then(|json| json.get("error")).and_then(Value::as_str).unwrap_or_default();
    known(code).or_else(|| messages.iter().find_map(|message| known(message)))
}

#[cfg(test)]
mod tests;
