use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rsa::KeySize,
    signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use ed25519_dalek::{Signer, SigningKey, pkcs8::EncodePublicKey, pkcs8::spki::der::pem::LineEnding};

use super::*;

const BODY: &[u8] = br#"{"type":"ContactCreate","locationId":"l"}"#;

fn ed25519(seed: u8) -> (SigningKey, String) {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let pem = key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
    (key, pem)
}

fn sign(key: &SigningKey, body: &[u8]) -> String {
    STANDARD.encode(key.sign(body).to_bytes())
}

fn rsa() -> (RsaKeyPair, String) {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der.as_ref()));
    (key, pem)
}

fn sign_rsa(key: &RsaKeyPair, body: &[u8]) -> String {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &aws_lc_rs::rand::SystemRandom::new(), body, &mut signature).unwrap();
    STANDARD.encode(signature)
}

#[test]
fn highlevels_own_keys_are_keys() {
    let verifier = Verifier::default().with_legacy_rsa();
    assert_eq!(verifier.verify(None, None, BODY), Err(SignatureError::Missing));
    let (other, _) = ed25519(1);
    assert_eq!(verifier.verify(Some(&sign(&other, BODY)), None, BODY), Err(SignatureError::Mismatch));
}

#[test]
fn any_of_the_keys_may_have_signed_exactly_these_bytes() {
    let ((old, old_pem), (new, new_pem)) = (ed25519(1), ed25519(2));
    let verifier = Verifier::from_pem([&old_pem, &new_pem]).unwrap();
    for key in [&old, &new] {
        assert_eq!(verifier.verify(Some(&sign(key, BODY)), None, BODY), Ok(()));
        assert_eq!(verifier.verify(Some(&format!(" {} ", sign(key, BODY))), None, BODY), Ok(()));
    }
    let respaced = br#"{"type": "ContactCreate", "locationId": "l"}"#;
    assert_eq!(verifier.verify(Some(&sign(&old, BODY)), None, respaced), Err(SignatureError::Mismatch));
    let only_new = Verifier::from_pem([&new_pem]).unwrap();
    assert_eq!(only_new.verify(Some(&sign(&old, BODY)), None, BODY), Err(SignatureError::Mismatch));
}

#[test]
fn what_is_no_signature_is_told_apart() {
    let verifier = Verifier::default();
    for header in [None, Some(""), Some("N/A"), Some(" N/A ")] {
        assert_eq!(verifier.verify(header, None, BODY), Err(SignatureError::Missing), "{header:?}");
    }
    for header in ["not base64!", "c2hvcnQ=", &STANDARD.encode([0; 65]), "n/a"] {
        assert_eq!(verifier.verify(Some(header), None, BODY), Err(SignatureError::Malformed), "{header}");
    }
}

#[test]
fn the_older_signature_counts_only_when_switched_on_and_alone() {
    let ((key, pem), (rsa_key, rsa_pem)) = (ed25519(1), rsa());
    let off = Verifier::from_pem([&pem]).unwrap();
    let on = off.clone().with_legacy_rsa_pem([&rsa_pem]).unwrap();
    let rsa = sign_rsa(&rsa_key, BODY);
    assert_eq!(off.verify(None, Some(&rsa), BODY), Err(SignatureError::Missing));
    assert_eq!(on.verify(None, Some(&rsa), BODY), Ok(()));
    assert_eq!(on.verify(None, Some(&rsa), b"{}"), Err(SignatureError::Mismatch));
    // With both there, only Ed25519 counts.
    assert_eq!(on.verify(Some(&sign(&key, BODY)), Some("nonsense"), BODY), Ok(()));
    assert_eq!(on.verify(Some(&sign(&key, b"{}")), Some(&rsa), BODY), Err(SignatureError::Mismatch));
    assert_eq!(on.verify(Some("N/A"), Some(&rsa), BODY), Err(SignatureError::Missing));
}

#[test]
fn what_is_no_key_is_refused() {
    let (_, rsa_pem) = rsa();
    assert_eq!(Verifier::from_pem([""; 0]).unwrap_err(), KeyError::None);
    assert_eq!(Verifier::from_pem(["nonsense"]).unwrap_err(), KeyError::Ed25519);
    assert_eq!(Verifier::from_pem([&rsa_pem]).unwrap_err(), KeyError::Ed25519);
    for key in ["nonsense", ED25519_PUBLIC_KEY] {
        assert_eq!(Verifier::default().with_legacy_rsa_pem([key]).unwrap_err(), KeyError::Rsa);
    }
}
