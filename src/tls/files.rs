//! A certificate and its key: read from PEM files, and made into what rustls serves with.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{Error, ServerConfig};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::{Digest as _, Sha256};

use crate::config::TlsFiles;
use crate::mistake::Mistake;

/// The cryptography of the outgoing side, too. Named, because rustls chooses by itself only where a program holds one.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Tells whether files have changed.
pub(super) type Fingerprint = [u8; 32];

/// What stands in both files.
pub(super) struct Pair {
    certificate: Vec<u8>,
    key: SecretSlice<u8>,
}

impl Pair {
    /// Reads both files, whatever they hold.
    pub(super) fn read(files: &TlsFiles) -> Result<Self, Mistake> {
        let certificate = read(&files.certificate, "tls.certificate")?;
        let key = read(&files.key, "tls.key")?.into();
        Ok(Self { certificate, key })
    }

    /// Differs where either file does.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let length = (self.certificate.len() as u64).to_be_bytes();
        let hash = Sha256::new().chain_update(length).chain_update(&self.certificate);
        hash.chain_update(self.key.expose_secret()).finalize().into()
    }

    /// TLS 1.2 and 1.3 with this certificate, for HTTP/2 and HTTP/1.1.
    pub(super) fn server_config(&self, files: &TlsFiles) -> Result<Arc<ServerConfig>, Mistake> {
        let chain = chain(&self.certificate, &files.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.expose_secret()).map_err(|error| {
            let what = match error {
                PemError::NoItemsFound => "there is no private key in it that can be read".to_owned(),
                // Not with the error's own words: they quote the file.
                _ => "it is not PEM".to_owned(),
            };
            mistake(&files.key, what, "it must hold the private key in PEM, without a passphrase")
        })?;
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| unusable(&files.certificate, &error))?;
        let mut config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(|error| match error {
            Error::InconsistentKeys(_) => mistake(
                &files.key,
                format!("this key does not belong to the certificate in {}", files.certificate.display()),
                "give the key that the certificate was made for, and the chain with the bridge's own certificate first",
            ),
            // What rustls says of a key that it cannot take.
            Error::General(what) => mistake(&files.key, what, "give a key for RSA, ECDSA (P-256, P-384, P-521) or Ed25519"),
            error => unusable(&files.certificate, &error),
        })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// The certificates in a file.
pub(super) fn chain(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, Mistake> {
    const MEND: &str = "it must hold the chain in PEM, the bridge's own certificate first (`fullchain.pem`)";
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    // Not with the error's own words: a key that was put here by mistake is not for the log.
    let chain = chain.map_err(|_| mistake(path, "it is not PEM".into(), MEND))?;
    if chain.is_empty() {
        Err(mistake(path, "there is no certificate in it".into(), MEND))
    } else {
        Ok(chain)
    }
}

pub(super) fn read(path: &Path, key: &str) -> Result<Vec<u8>, Mistake> {
    std::fs::read(path).map_err(|error| Mistake {
        place: path.display().to_string(),
        position: None,
        what: format!("it cannot be read: {error}"),
        mend: format!("give `{key}` the path of a PEM file that Cartbridge may read"),
    })
}

fn unusable(path: &Path, error: &Error) -> Mistake {
    mistake(path, format!("it cannot be used: {error}"), "have the certificate made anew")
}

fn mistake(path: &Path, what: String, mend: &str) -> Mistake {
    Mistake { place: path.display().to_string(), position: None, what, mend: mend.to_owned() }
}

/// Says so where everybody on the machine may read the key. A group may: certificates often belong to one.
pub(super) fn warn_of_open_key(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let open = std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o007 != 0);
    if open {
        let path = path.display();
        tracing::warn!("everybody on this machine can read the private key {path}: `chmod o= {path}`");
    }
}
