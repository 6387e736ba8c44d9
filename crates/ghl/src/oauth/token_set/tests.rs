use secrecy::ExposeSecret;
use serde_json::json;

use super::*;
use crate::{Error, oauth::Scope};

fn refused(answer: Value) -> (String, String) {
    let Error::Protocol { status: 200, path, source } = TokenSet::read(answer).unwrap_err().into_error(200)
    else {
        panic!("another error")
    };
    (path, source.to_string())
}

#[test]
fn the_documented_answer_is_read_and_never_printed() {
    // oauth.json, the examples of `GetAccessCodeSuccessfulResponseDto`, with its odd boolean.
    let tokens = TokenSet::read(json!({
        "access_token": "ab12dc0ae1234a7898f9ff06d4f69gh", "token_type": "Bearer", "expires_in": 86399,
        "refresh_token": "xy34dc0ae1234a4858f9ff06d4f66ba",
        "scope": "conversations/message.readonly conversations/message.write", "userType": "Location",
        "locationId": "l1C08ntBrFjLS0elLIYU", "companyId": "l1C08ntBrFjLS0elLIYU",
        "approvedLocations": ["l1C08ntBrFjLS0elLIYU"], "userId": "l1C08ntBrFjLS0elLIYU",
        "planId": "l1C08ntBrFjLS0elLIYU", "isBulkInstallation": "Bearer",
        "installToFutureLocations": true, "approveAllLocations": true,
    }))
    .unwrap();
    assert_eq!(tokens.access_token.expose_secret(), "ab12dc0ae1234a7898f9ff06d4f69gh");
    assert_eq!(tokens.expires_in, Duration::from_secs(86_399));
    assert_eq!(tokens.scopes.as_ref().unwrap().len(), 2);
    assert_eq!(tokens.user_type, Some(UserType::Location));
    assert_eq!(tokens.location_id.as_ref().unwrap().as_str(), "l1C08ntBrFjLS0elLIYU");
    assert_eq!(tokens.approved_locations.len(), 1);
    assert_eq!((tokens.is_bulk_installation, tokens.approve_all_locations), (None, Some(true)));
    let debug = format!("{tokens:?}");
    assert!(!debug.contains("ab12dc") && !debug.contains("xy34dc"), "{debug}");
}

#[test]
fn a_pair_is_taken_whole_or_not_at_all() {
    for (answer, missing) in [
        (json!({ "refresh_token": "r" }), "access_token"),
        (json!({ "access_token": "a" }), "refresh_token"),
        (json!({ "access_token": null, "refresh_token": "r" }), "access_token"),
    ] {
        assert_eq!(refused(answer), (missing.to_owned(), "it is missing".to_owned()));
    }
    for odd in [json!(""), json!(" "), json!("a\nb"), json!("ä"), json!(7), json!({ "a": 1 })] {
        let (path, _) = refused(json!({ "access_token": odd, "refresh_token": "r" }));
        assert_eq!(path, "access_token");
        let (path, _) = refused(json!({ "access_token": "a", "refresh_token": odd }));
        assert_eq!(path, "refresh_token");
    }
}

#[test]
fn no_complaint_quotes_a_token() {
    for answer in [
        json!("secret-token"),
        json!(["secret-token"]),
        json!({ "access_token": ["secret-token"], "refresh_token": "secret-token" }),
        json!({ "access_token": "secret-token\n", "refresh_token": "secret-token" }),
        json!({ "access_token": "secret-token" }),
    ] {
        let (path, source) = refused(answer);
        assert!(!source.contains("secret-token"), "{path}: {source}");
    }
}

#[test]
fn what_only_describes_the_pair_is_read_loosely() {
    let tokens = TokenSet::read(json!({
        "access_token": "a", "refresh_token": "r", "scope": 7, "userType": {}, "locationId": "",
        "companyId": [], "approvedLocations": null, "planId": 12,
    }))
    .unwrap();
    assert_eq!((&tokens.scopes, &tokens.user_type, &tokens.location_id), (&None, &None, &None));
    assert_eq!(tokens.plan_id.as_deref(), Some("12"));
    let asked_for = Scopes::from([Scope::CONTACTS_READONLY]);
    assert_eq!(tokens.scopes_or(&asked_for), asked_for);
}

#[test]
fn a_lifetime_that_makes_no_sense_is_the_documented_day() {
    let lifetime = |expires_in: Value| {
        TokenSet::read(json!({ "access_token": "a", "refresh_token": "r", "expires_in": expires_in }))
            .unwrap()
    };
    for nonsense in [json!(null), json!(0), json!(-5), json!("soon"), json!([])] {
        assert_eq!(lifetime(nonsense.clone()).expires_in, a_day(), "{nonsense}");
    }
    assert_eq!(lifetime(json!("3600")).expires_in, Duration::from_hours(1));
    let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    assert_eq!(lifetime(json!(60)).expires_at(now), "2026-11-24T12:01:00Z".parse().unwrap());
    for endless in [json!(1e300), json!(u64::MAX)] {
        assert_eq!(lifetime(endless).expires_at(now), Timestamp::MAX);
    }
}

#[test]
fn a_locations_token_has_no_refresh_token() {
    let token = LocationToken::read(json!({
        "access_token": "ab12", "token_type": "Bearer", "expires_in": 86399, "scope": "contacts.readonly",
        "locationId": "l1C08ntBrFjLS0elLIYU", "userId": "l1C08ntBrFjLS0elLIYU",
        "appId": "6578278e879ad2646715ba9c", "versionId": "6578278e879ad2646715ba9c",
    }))
    .unwrap();
    assert_eq!(token.location_id.unwrap().as_str(), "l1C08ntBrFjLS0elLIYU");
    assert!(LocationToken::read(json!({ "locationId": "l1C08ntBrFjLS0elLIYU" })).is_err());
}
