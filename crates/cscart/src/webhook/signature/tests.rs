//! The oracle is Standard Webhooks' own library.

use proptest::prelude::*;
use reqwest::header::HeaderMap;
use secrecy::ExposeSecret;
use standardwebhooks::Webhook;

use super::*;

const NOW: i64 = 1_795_521_600;
const TOLERANCE: Duration = Duration::from_mins(5);

fn secret(seed: u8) -> Secret {
    Secret::from_bytes(&[seed; 24]).unwrap()
}

fn oracle(secret: &Secret) -> Webhook {
    Webhook::new(secret.to_text().expose_secret()).unwrap()
}

/// Verifies at [`NOW`] with one secret.
fn check(id: &str, timestamp: &str, signature: &str, body: &[u8]) -> Result<(), SignatureError> {
    verify(&[secret(1)], Some(id), Some(timestamp), Some(signature), body, NOW, TOLERANCE)
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[test]
fn the_published_example_is_signed_alike() {
    // From the tests of Standard Webhooks' libraries.
    let secret = Secret::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
    let body = br#"{"email":"test@example.com","username":"test_user"}"#;
    assert_eq!(
        sign(&secret, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body),
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
    );
}

#[test]
fn any_secret_and_any_signature_may_be_the_one() {
    let body = b"{}";
    let (old, new, other) = (secret(1), secret(2), secret(3));
    let by = |secret: &Secret| sign(secret, "m", NOW, body);
    let check = |secrets: &[Secret], header: &str| {
        verify(secrets, Some("m"), Some(&NOW.to_string()), Some(header), body, NOW, TOLERANCE)
    };
    for secrets in [&[old.clone(), new.clone()][..], &[new.clone(), old.clone()], std::slice::from_ref(&old)]
    {
        let signed = by(&old);
        for header in [
            signed.clone(),
            format!("{} {signed}", by(&other)),
            format!("{signed} {}", by(&other)),
            format!("v1a,AAAA nonsense v2,x  v1,!!! {signed}"),
        ] {
            assert_eq!(check(secrets, &header), Ok(()), "{header}");
        }
    }
    let signed = by(&old);
    let without_version = signed.strip_prefix("v1,").unwrap();
    for header in [
        by(&other),
        signed.replace("v1,", "v1a,"),
        without_version.to_owned(),
        "v1,".to_owned(),
        " ".to_owned(),
    ] {
        assert_eq!(check(&[old.clone(), new.clone()], &header), Err(SignatureError::NoMatch), "{header}");
    }
    assert_eq!(check(&[], &signed), Err(SignatureError::NoMatch));
}

#[test]
fn what_is_missing_is_named() {
    let timestamp = NOW.to_string();
    let signature = sign(&secret(1), "m", NOW, b"{}");
    let long = "m".repeat(MAX_ID_LENGTH + 1);
    let check = |id: Option<&str>, timestamp: Option<&str>, signature: Option<&str>| {
        verify(&[secret(1)], id, timestamp, signature, b"{}", NOW, TOLERANCE)
    };
    for id in [None, Some(""), Some(long.as_str())] {
        let refused = check(id, Some(&timestamp), Some(&signature));
        assert_eq!(refused, Err(SignatureError::MissingHeader("webhook-id")));
    }
    for none in [None, Some("")] {
        let refused = check(Some("m"), none, Some(&signature));
        assert_eq!(refused, Err(SignatureError::MissingHeader("webhook-timestamp")));
        let refused = check(Some("m"), Some(&timestamp), none);
        assert_eq!(refused, Err(SignatureError::MissingHeader("webhook-signature")));
    }
    let longest = "m".repeat(MAX_ID_LENGTH);
    let signature = sign(&secret(1), &longest, NOW, b"{}");
    assert_eq!(check(Some(&longest), Some(&timestamp), Some(&signature)), Ok(()));
}

#[test]
fn the_time_counts_only_once_it_is_signed() {
    for (distance, outcome) in [
        (-301, Err(SignatureError::TimestampTooOld)),
        (-300, Ok(())),
        (300, Ok(())),
        (301, Err(SignatureError::TimestampTooNew)),
    ] {
        let at = NOW + distance;
        let signed = sign(&secret(1), "m", at, b"{}");
        assert_eq!(check("m", &at.to_string(), &signed, b"{}"), outcome, "{distance}");
        let forged = sign(&secret(2), "m", at, b"{}");
        assert_eq!(check("m", &at.to_string(), &forged, b"{}"), Err(SignatureError::NoMatch), "{distance}");
    }
    let last = i64::MAX.to_string();
    let signed = sign(&secret(1), "m", i64::MAX, b"{}");
    assert_eq!(check("m", &last, &signed, b"{}"), Err(SignatureError::TimestampTooNew));
}

#[test]
fn a_time_is_digits_and_nothing_else() {
    for timestamp in
        ["noon", "-1", "+1795521600", " 1795521600", "1795521600.0", "1e9", "9223372036854775808", "١"]
    {
        let signed = sign(&secret(1), "m", NOW, b"{}");
        let refused = check("m", timestamp, &signed, b"{}");
        assert_eq!(refused, Err(SignatureError::MalformedTimestamp), "{timestamp}");
    }
}

/// One bit of a text turned round, where that leaves it a text.
fn flipped(text: &str, bit: usize) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    String::from_utf8(bytes).ok()
}

proptest! {
    #[test]
    fn standard_webhooks_takes_what_is_signed_here(
        key in proptest::collection::vec(any::<u8>(), 16..64),
        id in "[!-~]{1,64}",
        body in ".{0,200}",
    ) {
        let secret = Secret::from_bytes(&key).unwrap();
        let now = now();
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", id.parse().unwrap());
        headers.insert("webhook-timestamp", now.to_string().parse().unwrap());
        headers.insert("webhook-signature", sign(&secret, &id, now, body.as_bytes()).parse().unwrap());
        prop_assert!(oracle(&secret).verify(body.as_bytes(), &headers).is_ok());
    }

    #[test]
    fn what_standard_webhooks_signs_is_taken_here(
        key in proptest::collection::vec(any::<u8>(), 16..64),
        id in "[!-~]{1,64}",
        at in 0..i64::MAX,
        body in ".{0,200}",
    ) {
        let secret = Secret::from_bytes(&key).unwrap();
        let signature = oracle(&secret).sign(&id, at, body.as_bytes()).unwrap();
        prop_assert_eq!(&sign(&secret, &id, at, body.as_bytes()), &signature);
        let outcome = verify(
            &[secret], Some(&id), Some(&at.to_string()), Some(&signature), body.as_bytes(), at, TOLERANCE,
        );
        prop_assert_eq!(outcome, Ok(()));
    }

    #[test]
    fn one_wrong_bit_anywhere_is_refused(
        id in "[!-~]{1,32}",
        at in NOW - 300..NOW + 300,
        body in proptest::collection::vec(any::<u8>(), 1..100),
        bit in any::<usize>(),
    ) {
        let (timestamp, signature) = (at.to_string(), sign(&secret(1), &id, at, &body));
        prop_assert_eq!(check(&id, &timestamp, &signature, &body), Ok(()));

        if let Some(id) = flipped(&id, bit) {
            prop_assert_eq!(check(&id, &timestamp, &signature, &body), Err(SignatureError::NoMatch));
        }
        if let Some(timestamp) = flipped(&timestamp, bit) {
            prop_assert!(check(&id, &timestamp, &signature, &body).is_err());
        }
        if let Some(signature) = flipped(&signature, bit) {
            prop_assert_eq!(check(&id, &timestamp, &signature, &body), Err(SignatureError::NoMatch));
        }
        let mut other = body.clone();
        let bit = bit % (body.len() * 8);
        other[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(check(&id, &timestamp, &signature, &other), Err(SignatureError::NoMatch));
    }
}
