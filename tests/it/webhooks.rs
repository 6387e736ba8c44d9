//! The doors for webhooks, over HTTP: what is taken, what is refused, and what the sender is told.

mod cscart;
mod ghl;
mod unstorable;

use axum::body::Bytes;
use axum::http::HeaderMap;
use http_body_util::{BodyExt as _, Full};
use reqwest::Body;
use serde_json::Value;

use crate::app::TestApp;

/// How a webhook was answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    /// The body as JSON.
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The id in the receipt; that it is a whole receipt.
    #[track_caller]
    fn id(&self) -> String {
        let receipt = self.json();
        let id = receipt["id"].as_str().unwrap_or_else(|| panic!("no receipt: {self:?}"));
        let url = receipt["status_url"].as_str().unwrap();
        assert!(url.ends_with(&format!("/api/events/{id}")), "{url}");
        id.to_owned()
    }

    /// The code of the problem; that it is a whole problem.
    #[track_caller]
    fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
        problem["code"].as_str().unwrap().to_owned()
    }

    /// The seconds after which to come again.
    fn retry_after(&self) -> Option<u64> {
        self.headers.get("retry-after")?.to_str().ok()?.parse().ok()
    }

    /// Status and code, for those who compare many.
    #[track_caller]
    fn refusal(&self) -> (u16, String) {
        (self.status, self.code())
    }
}

/// Delivers a body with headers.
async fn post(app: &TestApp, path: &str, headers: &[(&str, String)], body: impl Into<Body>) -> Answer {
    let mut request = app.http.post(format!("{}{path}", app.url)).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let answer = request.body(body).send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answer { status, headers, text: answer.text().await.unwrap() }
}

/// A body whose length is not told in front: `Transfer-Encoding: chunked`.
fn chunked(body: Vec<u8>) -> Body {
    // What changes frames cannot know their length.
    Body::wrap(Full::new(Bytes::from(body)).map_frame(|frame| frame))
}

/// The value of a counter at `/metrics`; `line` is the beginning of its line.
async fn counter(app: &TestApp, line: &str) -> u64 {
    let text = app.http.get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap();
    let found = text.lines().find_map(|found| found.strip_prefix(line));
    found.map_or(0, |value| value.trim().parse().unwrap())
}
