//! A simulated HighLevel with a client for it.

use std::time::Duration;

use ghl::{
    Client, ContactId, NewContact,
    oauth::{AppCredentials, Scopes, TokenSet, UserType},
};
use sandbox::{Options, Sandbox};
use secrecy::SecretString;
use serde_json::{Value, json};

pub(crate) struct HighLevel {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
    pub(crate) location: String,
}

impl HighLevel {
    pub(crate) async fn start() -> Self {
        let options = Options { strict_rate: false, search_lag: Duration::ZERO, ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        let announcement = sandbox.announcement();
        let text = |key: &str| announcement["ghl"][key].as_str().unwrap().to_owned();
        let client = Client::builder()
            .base_url(text("url"))
            .token(SecretString::from(text("token")))
            .timeout(Duration::from_secs(3))
            .build()
            .unwrap();
        Self { client, location: text("location_id"), sandbox }
    }

    pub(crate) fn person(&self, email: &str) -> NewContact {
        NewContact {
            email: Some(email.into()),
            first_name: Some("Ada".into()),
            ..NewContact::new(self.location.as_str())
        }
    }

    pub(crate) async fn contact(&self, email: &str) -> ContactId {
        self.client.contacts().create(&self.person(email)).await.unwrap().value.id
    }

    pub(crate) async fn act(&self, action: Value) -> Value {
        self.sandbox.ghl().act(action).await.unwrap()
    }

    pub(crate) fn fault(&self, fault: Value) {
        self.sandbox.ghl().fault(serde_json::from_value(fault).unwrap());
    }

    pub(crate) fn announced(&self, key: &str) -> String {
        self.sandbox.announcement()["ghl"][key].as_str().unwrap().to_owned()
    }

    pub(crate) fn app(&self) -> AppCredentials {
        AppCredentials {
            client_id: self.announced("client_id"),
            client_secret: SecretString::from(self.announced("client_secret")),
        }
    }

    /// The first tokens with these scopes, as after somebody let the app in.
    pub(crate) async fn tokens(&self, scopes: &Scopes, user_type: UserType) -> TokenSet {
        let scopes: Vec<&str> = scopes.iter().map(ghl::oauth::Scope::as_str).collect();
        let action =
            json!({ "action": "oauth.authorize", "scopes": scopes, "user_type": user_type.as_str() });
        let code = SecretString::from(self.act(action).await["code"].as_str().unwrap());
        self.client.oauth().exchange_code(&self.app(), &code, Some(user_type), None).await.unwrap().value
    }
}
