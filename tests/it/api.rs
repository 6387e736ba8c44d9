//! The API, as programs use it. Every answer seen here is held against `openapi.yaml`.

mod access;
mod connections;
mod customers;
mod events;
mod replay;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::app::{ADMIN_KEY, TestApp};
use crate::openapi::Contract;

/// An answer of the API.
#[derive(Debug)]
struct Answer {
    status: u16,
    /// Its body as JSON; null where there is none.
    body: Value,
}

impl Answer {
    /// The code of the problem.
    #[track_caller]
    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_else(|| panic!("no problem: {self:?}"))
    }

    /// What is wrong, in a sentence.
    #[track_caller]
    fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_else(|| panic!("no problem: {self:?}"))
    }
}

/// Somebody with a key, who believes in the description of the API.
struct Caller<'a> {
    app: &'a TestApp,
    key: Option<String>,
    contract: Contract,
}

impl<'a> Caller<'a> {
    /// With the admin key.
    fn admin(app: &'a TestApp) -> Self {
        Self::with(app, Some(ADMIN_KEY.into()))
    }

    /// With another key, or none.
    fn with(app: &'a TestApp, key: Option<String>) -> Self {
        Self { app, key, contract: Contract::new() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(method, path, request).await
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let request = self.app.http.request(method.parse().unwrap(), format!("{}{path}", self.app.url));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Sends a request and holds the answer against the description.
    async fn send(&self, method: &str, path: &str, request: RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        if status >= 400 {
            assert_eq!(kind.as_deref(), Some("application/problem+json"), "{method} {path}");
        }
        let text = answer.text().await.unwrap();
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{method} {path}: {error}: {text}"))
        };
        self.contract.check(method, path, status, kind.as_deref(), &body);
        Answer { status, body }
    }
}

/// A connection as a person defines one; it leads nowhere.
fn definition(name: &str) -> Value {
    json!({
        "name": name,
        "ghl": { "location_id": format!("loc-{name}"), "token": "pit-secret", "api_url": "http://127.0.0.1:9",
                 "oauth": { "client_id": "client", "client_secret": "oauth-secret" } },
        "cscart": { "url": "http://127.0.0.1:9", "email": "admin@example.com", "api_key": "key-secret", "polling": false,
                    "webhook_secrets": ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] },
    })
}
