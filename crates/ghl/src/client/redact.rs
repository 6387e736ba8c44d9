//! What of an answer may be shown and kept: no secret that was sent, and of a refused call for tokens nothing that may be one.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Stands where a secret was.
pub(super) const MARK: &str = "[redacted]";

/// What a refusal consists of: common-schemas.json, and RFC 6749, section 5.2. Under any other name there
/// may be a token.
const SHOWN: [&str; 9] = [
    "error",
    "error_description",
    "error_uri",
    "message",
    "msg",
    "status",
    "statusCode",
    "success",
    "traceId",
];

/// The body of a refusal without anything that could be a token, and without what was sent, in case the
/// server quotes it.
pub(super) fn refusal<'a>(body: &[u8], secrets: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let secrets: Vec<&str> = secrets.filter(|secret| !secret.is_empty()).collect();
    match serde_json::from_slice(body) {
        Ok(json) => value(json, &secrets).to_string().into_bytes(),
        Err(_) => text(&String::from_utf8_lossy(body), &secrets).into_bytes(),
    }
}

/// A body with [`MARK`] in place of secrets that were sent. What is too short to be one is left alone.
pub(super) fn without<'a>(body: &'a [u8], secrets: impl Iterator<Item = &'a str>) -> Cow<'a, [u8]> {
    let mut shown = Cow::Borrowed(body);
    for secret in secrets.filter(|secret| secret.len() >= 8) {
        let text = String::from_utf8_lossy(&shown);
        if text.contains(secret) {
            shown = Cow::Owned(text.replace(secret, MARK).into_bytes());
        }
    }
    shown
}

fn value(json: Value, secrets: &[&str]) -> Value {
    match json {
        Value::String(string) => Value::String(text(&string, secrets)),
        Value::Array(items) => items.into_iter().map(|item| value(item, secrets)).collect(),
        Value::Object(object) => {
            let shown = object.into_iter().map(|(name, inner)| {
                let inner =
                    if SHOWN.contains(&name.as_str()) { value(inner, secrets) } else { Value::from(MARK) };
                (name, inner)
            });
            Value::Object(shown.collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn text(text: &str, secrets: &[&str]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| {
        // As it was sent in the form, too.
        let encoded = reqwest::Url::parse_with_params("x:", [("", secret)]);
        let encoded = encoded.as_ref().ok().and_then(|url| url.query()).map(|query| &query[1..]);
        let text = text.replace(secret, MARK);
        encoded.map_or(text.clone(), |encoded| text.replace(encoded, MARK))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &str, secrets: &[&str]) -> String {
        String::from_utf8(refusal(body.as_bytes(), secrets.iter().copied())).unwrap()
    }

    #[test]
    fn a_refusal_keeps_its_words_and_loses_what_was_sent_and_whatever_may_be_a_token() {
        let body = r#"{"error":"invalid_grant","error_description":"no: r/1 or r%2F1","message":["x r\/1"],
            "traceId":"t","refresh_token":"other","data":{"access_token":"other"},"statusCode":400}"#;
        let shown = shown(body, &["r/1", ""]);
        assert!(!shown.contains("r/1") && !shown.contains("r%2F1") && !shown.contains("other"), "{shown}");
        for kept in ["invalid_grant", "no: [redacted] or [redacted]", "x [redacted]", "\"t\"", "400"] {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
    }

    #[test]
    fn a_page_that_quotes_the_form_does_not_show_it() {
        assert_eq!(
            shown("<p>client_secret=a+b&amp;c</p>", &["a b"]),
            "<p>client_secret=[redacted]&amp;c</p>"
        );
        assert_eq!(shown("<p>plain</p>", &[]), "<p>plain</p>");
    }
}
