//! The way to the real store: GET passes, with the store's own key, where the store may be asked; nothing else ever does.
//!
//! The engine of a dry run knows only this address and a made-up key, so nothing that an operation does can get past it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Error;
use super::report::StoreCall;
use crate::connection::CscartSide;

/// The gate, as long as it is open. Dropping it closes it.
pub(super) struct Gate {
    address: SocketAddr,
    passing: Arc<Passing>,
    server: JoinHandle<()>,
}

struct Passing {
    client: reqwest::Client,
    now: Mutex<Now>,
}

/// For the dry run under way.
#[derive(Default)]
struct Now {
    /// The store that may be asked.
    store: Option<Target>,
    calls: Vec<StoreCall>,
}

#[derive(Clone)]
struct Target {
    url: String,
    email: String,
    api_key: SecretString,
}

impl Gate {
    pub(super) async fn open(timeout: Duration) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::setup)?;
        let address = listener.local_addr().map_err(Error::setup)?;
        let client = reqwest::Client::builder().timeout(timeout).redirect(reqwest::redirect::Policy::none());
        let client = client.build().map_err(Error::setup)?;
        let passing = Arc::new(Passing { client, now: Mutex::default() });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&passing));
        let server = tokio::spawn(async move {
            // It ends when it is aborted.
            drop(axum::serve(listener, router).await);
        });
        Ok(Self { address, passing, server })
    }

    /// The connection's side of the store, as the engine of the dry run gets it. The store itself can be asked only with
    /// `may_ask`, and only if the connection itself may.
    pub(super) fn side(&self, real: &CscartSide, may_ask: bool) -> CscartSide {
        let mut now = self.passing.now();
        now.calls.clear();
        let access = real.email.as_ref().zip(real.api_key.as_ref());
        now.store = access.filter(|_| may_ask && !real.forbids_its_url()).map(|(email, key)| Target {
            url: real.url.trim_end_matches('/').to_owned(),
            email: email.clone(),
            api_key: key.clone(),
        });
        CscartSide {
            email: real.email.as_ref().map(|_| "dry-run@example.com".to_owned()),
            api_key: real.api_key.as_ref().map(|_| SecretString::from("dry-run")),
            concurrency: real.concurrency,
            requests_per_second: real.requests_per_second,
            ..CscartSide::new(format!("http://{}", self.address))
        }
    }

    /// What was asked of the store.
    pub(super) fn calls(&self) -> Vec<StoreCall> {
        self.passing.now().calls.clone()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Passing {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, request: &Request, status: Option<u16>) {
        let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
        self.now().calls.push(StoreCall { method: request.method().to_string(), path, status });
    }
}

async fn pass(State(passing): State<Arc<Passing>>, request: Request) -> Response {
    let target = passing.now().store.clone().filter(|_| request.method() == Method::GET);
    let Some(target) = target else {
        passing.note(&request, None);
        let body = r#"{"message":"a dry run does not ask this of the store"}"#;
        return (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    };
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let asked = passing
        .client
        .get(format!("{}{path}", target.url))
        .basic_auth(&target.email, Some(target.api_key.expose_secret()))
        .header(header::ACCEPT, "application/json");
    let answer = match asked.send().await {
        Ok(answer) => answer,
        Err(error) => {
            passing.note(&request, Some(502));
            return (StatusCode::BAD_GATEWAY, error.without_url().to_string()).into_response();
        }
    };
    let status = answer.status();
    passing.note(&request, Some(status.as_u16()));
    let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
    // The client behind the gate caps what it reads.
    let body = Body::new(reqwest::Body::from(answer));
    let mut passed = (status, body).into_response();
    if let Some(kind) = kind {
        passed.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    passed
}
