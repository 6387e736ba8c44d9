use std::time::Duration;

use super::*;

fn refused(status: u16, body: &str) -> Error {
    classify(&Refusal { status, body: body.as_bytes(), rate_limit: RateLimit::default(), token_call: false })
}

fn refused_token(status: u16, body: &str) -> Error {
    classify(&Refusal { status, body: body.as_bytes(), rate_limit: RateLimit::default(), token_call: true })
}

#[test]
fn a_message_is_a_string_or_a_list() {
    // common-schemas.json, `UnprocessableDTO`, and HighLevel's issue 313.
    let error = refused(
        422,
        r#"{"statusCode":422,"message":["property gender should not exist","email must be an email"],"error":"Unprocessable Entity"}"#,
    );
    let Error::Invalid { status: 422, messages, fields } = &error else { panic!("{error:?}") };
    assert_eq!(messages.len(), 2);
    assert_eq!(fields, &["gender", "email"]);
    assert!(error.maybe_processed(), "a 422 may have created the contact");

    let error = refused(400, r#"{"statusCode":400,"message":"Bad Request"}"#);
    let Error::Invalid { status: 400, messages, fields } = &error else { panic!("{error:?}") };
    assert_eq!(messages, &["Bad Request"]);
    assert!(fields.is_empty());
    assert!(!error.maybe_processed());
}

#[test]
fn a_duplicate_brings_the_contact_that_is_there() {
    let error = refused(
        400,
        r#"{"statusCode":400,"message":"This location does not allow duplicated contacts.","meta":{"contactName":"Rosan Deo","contactId":"seD4PfOuKoVMLkEZqohJ","matchingField":"email"}}"#,
    );
    let Error::DuplicateContact { contact_id, contact_name, matching_field } = error else {
        panic!("{error:?}")
    };
    assert_eq!(contact_id.as_str(), "seD4PfOuKoVMLkEZqohJ");
    assert_eq!(contact_name.as_deref(), Some("Rosan Deo"));
    assert_eq!(matching_field, MatchingField::Email);
    assert!(matches!(
        refused(400, r#"{"message":"This location does not allow duplicated contacts."}"#),
        Error::Invalid { .. }
    ));
}

#[test]
fn not_found_is_told_from_a_complaint_about_a_field() {
    for message in [
        "Contact not found",
        "Contact with id seD4PfOuKoVMLkEZqohJ not found",
        "Contact with id: seD4PfOuKoVMLkEZqohJ not found.",
        "The contact with the id seD4PfOuKoVMLkEZqohJ does not exist",
        "Contact not found for id x not found",
        "No contact found",
        "Task not found",
        "Note was not found",
        "contact with contactId x not found",
    ] {
        // One of them is odd on purpose: two sentences in one are not taken for sure.
        let odd = message.contains("for id x not");
        for status in [400, 422] {
            let body = format!(r#"{{"statusCode":{status},"message":"{message}"}}"#);
            assert_eq!(matches!(refused(status, &body), Error::NotFound { .. }), !odd, "{message}");
        }
    }
    for message in [
        "Custom field with id x not found",
        "assignedTo user not found",
        "contact owner not found",
        "contact email does not exist",
        "Contact country x not found",
        "contacts must be found",
    ] {
        let body = format!(r#"{{"message":"{message}"}}"#);
        assert!(matches!(refused(400, &body), Error::Invalid { .. }), "{message}");
    }
    assert!(matches!(refused(404, ""), Error::NotFound { .. }));
}

#[test]
fn the_kinds_of_401_and_403_are_told_apart() {
    // common-schemas.json, `UnauthorizedDTO`.
    let body =
        r#"{"statusCode":401,"message":"Invalid token: access token is invalid","error":"Unauthorized"}"#;
    assert!(matches!(refused(401, body), Error::Unauthorized { message } if message.starts_with("Invalid")));
    for status in [401, 403] {
        let body = r#"{"message":"The token is not authorized for this scope."}"#;
        assert!(matches!(refused(status, body), Error::MissingScope { .. }));
        let body = r#"{"message":"The token does not have access to this location."}"#;
        assert!(matches!(refused(status, body), Error::WrongLocation { .. }));
    }
    assert!(matches!(refused(403, "<html>no</html>"), Error::Refused { status: 403, .. }));
    let body = r#"{"message":"The user does not exist.","error":"Unauthorized","statusCode":401}"#;
    assert!(matches!(refused(401, body), Error::NotFound { .. }));
}

#[test]
fn a_refused_grant_is_known_on_token_calls_only() {
    for body in [
        r#"{"error":"invalid_grant","error_description":"Invalid grant: refresh token is invalid"}"#,
        r#"{"statusCode":401,"message":"Invalid grant: refresh token is invalid","error":"Unauthorized"}"#,
        r#"{"statusCode":400,"message":["invalid_grant: refresh token is invalid"],"error":"Bad Request"}"#,
    ] {
        for status in [400, 401] {
            let error = refused_token(status, body);
            assert!(
                matches!(&error, Error::InvalidGrant { message } if message.contains("refresh token")),
                "{error:?}"
            );
            assert!(!error.maybe_processed());
            assert!(!matches!(refused(status, body), Error::InvalidGrant { .. }));
        }
    }
    for (status, body) in [
        // n8n issue 12689
        (422, r#"{"statusCode":422,"message":["grant_type must be a valid enum value"]}"#),
        (422, r#"{"statusCode":422,"message":["refresh_token must be a string"]}"#),
        (400, r#"{"statusCode":400,"message":"Invalid grant_type"}"#),
        // HighLevel's issue 249: the tokens are good again when the location is.
        (400, r#"{"statusCode":400,"message":"Location is not active","error":"Bad Request"}"#),
    ] {
        let error = refused_token(status, body);
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    }
}

#[test]
fn refused_credentials_of_the_app_are_told_from_a_refused_grant() {
    for body in [
        r#"{"error":"invalid_client","error_description":"Invalid client: client is invalid"}"#,
        r#"{"statusCode":401,"message":"Invalid client: client is invalid","error":"Unauthorized"}"#,
        r#"{"error":"invalid_client","error_description":"invalid grant or client"}"#,
        r#"{"error":"invalid_client"}"#,
    ] {
        for status in [400, 401] {
            let error = refused_token(status, body);
            assert!(matches!(error, Error::InvalidClient { .. }), "{error:?}");
            assert_eq!((error.code(), error.maybe_processed()), ("invalid_client", false));
            assert!(error.to_string().starts_with("the client id or secret is not accepted: "));
        }
    }
    assert!(matches!(refused(401, r#"{"error":"invalid_client"}"#), Error::Unauthorized { .. }));
    assert!(matches!(refused_token(503, r#"{"error":"invalid_client"}"#), Error::Unavailable { .. }));
}

#[test]
fn limits_and_outages_carry_how_long_to_wait() {
    let rate_limit = RateLimit {
        retry_after: Some(Duration::from_secs(7)),
        daily_remaining: Some(0),
        ..RateLimit::default()
    };
    let classified = |status| classify(&Refusal { status, body: b"", rate_limit, token_call: false });
    assert!(matches!(classified(429), Error::RateLimited { daily: true, .. }));
    assert_eq!(classified(429).retry_after(), Some(Duration::from_secs(7)));
    for status in [408, 425, 500, 502, 503, 504, 522] {
        let error = classified(status);
        assert!(matches!(error, Error::Unavailable { .. }), "{status}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(error.maybe_processed(), status != 425);
    }
    assert!(matches!(refused(429, ""), Error::RateLimited { daily: false, retry_after: None }));
    for status in [302, 405, 413, 415] {
        assert!(matches!(classified(status), Error::Refused { .. }), "{status}");
    }
}

#[test]
fn a_page_of_html_gives_its_beginning() {
    let error = refused(405, &format!("<html>\n  <b>no</b>{}", "x".repeat(5000)));
    let Error::Refused { message, .. } = error else { panic!("{error:?}") };
    assert!(message.starts_with("<html> <b>no</b>"));
    assert_eq!(message.chars().count(), 200);
}
