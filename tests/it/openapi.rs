//! The description of the API: committed, complete, and true.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::TestApp;

/// The description, to hold answers against.
pub struct Contract {
    description: Value,
}

impl Contract {
    /// What the program says of itself.
    pub fn new() -> Self {
        Self { description: serde_json::to_value(cartbridge::http::openapi::description()).unwrap() }
    }

    /// All endpoints, as `GET /api/events/{id}`, with their descriptions.
    fn endpoints(&self) -> Vec<(String, &str, &Value)> {
        let paths = self.description["paths"].as_object().unwrap();
        paths
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap();
                methods.iter().map(move |(method, endpoint)| (method.to_uppercase(), path.as_str(), endpoint))
            })
            .collect()
    }

    /// The endpoints that need a key.
    pub fn with_a_key(&self) -> Vec<String> {
        let endpoints = self.endpoints();
        let needs = |endpoint: &Value| endpoint["security"].as_array().is_some_and(|any| !any.is_empty());
        endpoints
            .into_iter()
            .filter(|(.., of)| needs(of))
            .map(|(method, path, _)| format!("{method} {path}"))
            .collect()
    }

    /// That an answer is one that the description promises.
    #[track_caller]
    pub fn check(&self, method: &str, path: &str, status: u16, kind: Option<&str>, body: &Value) {
        let path = path.split('?').next().unwrap();
        let endpoint = self
            .endpoints()
            .into_iter()
            // An endpoint without a parameter goes before one with.
            .filter(|(known, template, _)| known == method && fits(template, path))
            .min_by_key(|(_, template, _)| template.matches('{').count());
        let Some((_, template, endpoint)) = endpoint else { panic!("{method} {path} is not documented") };
        let what = format!("{method} {template}, {status}");
        let documented = endpoint["responses"]
            .get(status.to_string())
            .unwrap_or_else(|| panic!("{what} is not documented: {body}"));
        let Some(contents) = documented["content"].as_object() else {
            assert!(body.is_null(), "{what} is documented without a body: {body}");
            return;
        };
        let kind = kind.unwrap_or_else(|| panic!("{what} has no content type"));
        let content = contents.get(kind).unwrap_or_else(|| panic!("{what} is not documented as {kind}"));
        let schema = json!({ "components": self.description["components"], "allOf": [content["schema"]] });
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path)).collect();
        assert!(wrong.is_empty(), "{what} is not as documented: {wrong:#?}\n{body:#}");
    }
}

/// Whether a path is one of a template's: `/api/events/{id}`.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(template, path)| template.starts_with('{') || template == path)
}

#[test]
fn the_committed_description_is_the_programs_own() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.yaml");
    let now = cartbridge::http::openapi::yaml();
    assert!(now.len() > 1000, "there is something to compare");
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == now,
        "openapi.yaml is not what the handlers say any more: refresh it with\n    cargo run -q -- openapi > openapi.yaml\nand read the difference before you commit it"
    );
}

#[tokio::test]
async fn everything_described_is_served() {
    let app = TestApp::spawn().await;
    let contract = Contract::new();
    let endpoints = contract.endpoints();
    assert!(endpoints.len() >= 20, "{}", endpoints.len());
    for (method, template, _) in endpoints {
        let path: Vec<&str> =
            template.split('/').map(|part| if part.starts_with('{') { "nobody" } else { part }).collect();
        let answer = app
            .http
            .request(method.parse().unwrap(), format!("{}{}", app.url, path.join("/")))
            .send()
            .await
            .unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        let code = serde_json::from_str::<Value>(&text).unwrap_or_default()["code"].clone();
        let nobody_there = json!("unknown-connection");
        assert_ne!(status, 405, "{method} {template}");
        assert!(status != 404 || code == nobody_there, "{method} {template}: {text}");
    }
    app.end().await;
}

#[test]
fn every_endpoint_says_what_it_does_and_how_it_refuses() {
    let contract = Contract::new();
    for (method, path, endpoint) in contract.endpoints() {
        assert!(endpoint["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{method} {path}");
        let needs_a_key = path.starts_with("/api/");
        assert_eq!(endpoint["security"].is_array(), needs_a_key, "{method} {path}");
        if needs_a_key {
            assert!(endpoint["responses"].get("401").is_some(), "{method} {path}");
        }
        for (status, response) in endpoint["responses"].as_object().unwrap() {
            let is_problem = response["content"]["application/problem+json"].is_object();
            assert_eq!(is_problem, status.as_str() >= "400", "{method} {path}, {status}");
        }
    }
}
