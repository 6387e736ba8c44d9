//! The connection code: all that a store's add-on needs to know of a bridge, in one text to copy.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::connection::{Connection, ConnectionName, is_this_machine};

/// What a code begins with: its form may change one day, and is then told apart.
const PREFIX: &str = "cb1_";

/// A code. Whoever has it can send events in the store's name, so it is shown only to whoever may change connections.
#[derive(Debug, Clone)]
pub struct ConnectionCode(SecretString);

/// Why there is no code that would work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCode {
    /// Nothing to sign with.
    #[error("connection `{0}` has no webhook secret: give it one in `cscart.webhook_secrets` (`whsec_…`)")]
    NoSecret(ConnectionName),
    /// The store could not reach the bridge.
    #[error(
        "the bridge is known as {0}, and only programs on its own machine reach it there: set `public_url` to the address that \
         the store can call, such as https://bridge.example.com; or ask for the code of a store on the same machine \
         (`--same-machine`, `?same_machine=true`)"
    )]
    OwnMachineOnly(String),
    /// `public_url` is no address.
    #[error("`public_url` is `{0}`, which is no address: write it as https://bridge.example.com")]
    NoAddress(String),
}

/// Where the store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreIs {
    /// On a machine of its own.
    Elsewhere,
    /// On the bridge's machine, which it may call at the loopback address.
    OnThisMachine,
}

impl ConnectionCode {
    /// `cb1_` and the base64url of `{"url", "connection", "secret"}`, with the newest of the connection's secrets.
    pub fn new(connection: &Connection, public_url: &str, store: StoreIs) -> Result<Self, NoCode> {
        let Some(secret) = connection.cscart.webhook_secrets.first() else {
            return Err(NoCode::NoSecret(connection.name.clone()));
        };
        let url = reqwest::Url::parse(public_url).map_err(|_| NoCode::NoAddress(public_url.to_owned()))?;
        let nowhere = matches!(url.host_str(), Some("0.0.0.0" | "[::]"));
        if nowhere || (store == StoreIs::Elsewhere && is_this_machine(&url)) {
            return Err(NoCode::OwnMachineOnly(public_url.to_owned()));
        }
        let known = json!({
            "url": public_url.trim_end_matches('/'),
            "connection": connection.name,
            "secret": secret.expose_secret(),
        });
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(known.to_string())).into()))
    }

    /// The code itself, to be shown to whoever has asked for it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(secrets: &[&str]) -> Connection {
        serde_json::from_value(json!({
            "name": "my-shop", "ghl": { "location_id": "loc", "token": "pit-x" },
            "cscart": { "url": "https://shop.example.com", "webhook_secrets": secrets },
        }))
        .unwrap()
    }

    #[test]
    fn a_code_says_address_name_and_the_newest_secret_and_is_never_printed_by_chance() {
        let connection = connection(&["whsec_bmV3", "whsec_b2xk"]);
        let code = ConnectionCode::new(&connection, "https://b.example.com/", StoreIs::Elsewhere).unwrap();
        let said = URL_SAFE_NO_PAD.decode(code.expose().strip_prefix("cb1_").unwrap()).unwrap();
        let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
        assert_eq!(
            said,
            json!({ "url": "https://b.example.com", "connection": "my-shop", "secret": "whsec_bmV3" })
        );
        assert!(!format!("{code:?}").contains(code.expose()));
    }

    #[test]
    fn there_is_no_code_that_could_not_work() {
        let make = |secrets: &[&str], url: &str, store| {
            ConnectionCode::new(&connection(secrets), url, store).map(|code| code.expose().len())
        };
        let secret = ["whsec_bmV3"].as_slice();
        assert!(matches!(make(&[], "https://b.example.com", StoreIs::Elsewhere), Err(NoCode::NoSecret(_))));
        for url in ["http://127.0.0.1:8080", "http://localhost", "https://[::1]:8443"] {
            assert_eq!(make(secret, url, StoreIs::Elsewhere), Err(NoCode::OwnMachineOnly(url.into())));
            assert!(make(secret, url, StoreIs::OnThisMachine).is_ok(), "{url}");
        }
        let everywhere = "http://0.0.0.0:8080";
        assert_eq!(
            make(secret, everywhere, StoreIs::OnThisMachine),
            Err(NoCode::OwnMachineOnly(everywhere.into()))
        );
        assert_eq!(make(secret, "bridge", StoreIs::Elsewhere), Err(NoCode::NoAddress("bridge".into())));
    }
}
