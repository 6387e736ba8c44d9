use super::*;

fn refused(status: u16, body: &str) -> Error {
    classify(&Refusal { status, body: body.as_bytes(), location: None, retry_after: None })
}

const PAGE: &str = "<!DOCTYPE html>\n<html><body>no</body></html>";

#[test]
fn the_stores_words_are_taken_where_they_are_plainest() {
    // The error body of `app/Tygh/Api/Response.php` in CS-Cart 4.13.3, 4.15.2 and 4.20.1.
    let error = refused(
        400,
        r#"{"message":"Bad Request: The required field email is empty. Try again","errors":["The required field email is empty","Try again"],"status":400}"#,
    );
    let Error::Invalid { status: 400, messages } = &error else { panic!("{error:?}") };
    assert_eq!(messages, &["The required field email is empty", "Try again"]);
    assert!(!error.maybe_processed());

    let error = refused(400, r#"{"message":"Bad Request","status":400}"#);
    assert!(matches!(&error, Error::Invalid { messages, .. } if messages == &["Bad Request"]), "{error:?}");
    assert!(matches!(refused(400, PAGE), Error::Invalid { messages, .. } if messages == ["status 400"]));
}

#[test]
fn the_kinds_of_refusal_are_told_apart_by_status() {
    let body = r#"{"message":"Forbidden: Access denied","status":403}"#;
    assert!(
        matches!(refused(401, body), Error::Unauthorized { message } if message.starts_with("Forbidden"))
    );
    assert!(matches!(refused(401, ""), Error::Unauthorized { .. }));
    assert!(matches!(refused(403, body), Error::Forbidden { .. }));
    assert!(matches!(refused(404, body), Error::NotFound { .. }));
    for status in [405, 406, 413, 415] {
        assert!(matches!(refused(status, body), Error::Refused { .. }), "{status}");
    }
}

#[test]
fn a_page_in_place_of_json_is_not_the_api() {
    for status in [403, 404, 405] {
        for body in [PAGE, "", "Not Found"] {
            let error = refused(status, body);
            assert!(matches!(error, Error::NotAnApi { .. }), "{status} {body}");
            assert!(!error.maybe_processed());
        }
    }
    let error = page_instead(200, b"\xEF\xBB\xBF\n<br />\n<b>Warning</b>: x {\"user_id\":1}").unwrap();
    assert!(error.maybe_processed(), "it may be a warning before the answer");
    assert!(page_instead(200, b"{}").is_none());
    assert!(page_instead(204, b"").is_none());
}

#[test]
fn a_redirect_says_where_to_without_the_query() {
    let location = Some("https://www.example.com/api/users?email=ada%40example.com");
    let error = classify(&Refusal { status: 301, body: b"", location, retry_after: None });
    let Error::NotAnApi { status: 301, advice, .. } = error else { panic!("{error:?}") };
    assert!(advice.contains("https://www.example.com/api/users:"), "{advice}");
    assert!(!advice.contains("ada"), "{advice}");
    assert!(matches!(refused(302, ""), Error::NotAnApi { .. }));
}

#[test]
fn limits_and_outages_carry_how_long_to_wait() {
    let retry_after = Some(Duration::from_secs(7));
    for status in [408, 425, 429, 500, 502, 503, 509] {
        let error = classify(&Refusal { status, body: PAGE.as_bytes(), location: None, retry_after });
        assert!(matches!(error, Error::Unavailable { .. }), "{status}");
        assert_eq!(error.retry_after(), retry_after);
        assert_eq!(error.maybe_processed(), !matches!(status, 425 | 429), "{status}");
    }
}
