//! The pages that a person sees in his browser: whole in themselves, without scripts, and nothing in them that was not escaped.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::{Environment, context};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::http::error::Problem;

const STYLE: &str = include_str!("page.css");

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    // The name ends in `.html`, so everything that is put in is escaped. A test renders it.
    drop(templates.add_template("page.html", include_str!("page.html")));
    templates
});

/// Nothing is loaded from anywhere, and only this style is taken.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// One page.
#[derive(Debug, Default, Serialize)]
pub(super) struct Page {
    pub(super) title: String,
    /// Whether the connection works.
    pub(super) good: bool,
    pub(super) paragraphs: Vec<String>,
    pub(super) scopes: Vec<ScopeRow>,
    pub(super) link: Option<Link>,
}

#[derive(Debug, Serialize)]
pub(super) struct ScopeRow {
    pub(super) name: String,
    pub(super) granted: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) text: &'static str,
}

impl Page {
    /// The page of something that went wrong.
    pub(super) fn of_problem(problem: &Problem, link: Option<Link>) -> Self {
        let detail = upper_first(&problem.detail);
        Self { title: problem.title.to_owned(), paragraphs: vec![detail], link, ..Self::default() }
    }

    pub(super) fn respond(&self, status: StatusCode) -> Response {
        let page = minijinja::Value::from(minijinja::value::Serde(self));
        let rendered = TEMPLATES
            .get_template("page.html")
            .and_then(|template| template.render(context! { style => STYLE, ..page }));
        match rendered {
            Ok(html) => closed((status, Html(html)).into_response()),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a page cannot be rendered");
                closed((StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be shown").into_response())
            }
        }
    }
}

/// An answer that is kept nowhere, tells nobody where it came from, and cannot be framed.
pub(super) fn closed(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    answer
}

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    let mut sentence: String = first.into_iter().flatten().chain(chars).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn what_is_put_into_a_page_stays_text() {
        let nasty = "<script>alert(1)</script> \"'&";
        let page = Page {
            title: nasty.into(),
            paragraphs: vec![nasty.into()],
            scopes: vec![ScopeRow { name: nasty.into(), granted: false }],
            link: Some(Link { href: format!("/x?{nasty}"), text: "Again" }),
            good: false,
        };
        let answer = page.respond(StatusCode::BAD_REQUEST);
        assert_eq!(answer.status(), 400);
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let html = String::from_utf8(to_bytes(answer.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap();
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;"), "{html}");
        assert!(html.contains(STYLE), "the style is what its hash says");
    }
}
