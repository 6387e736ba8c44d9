//! A running sandbox with clients for both systems, and a receiver for webhooks.

use std::sync::{Arc, Mutex};

use reqwest::{Client, Method, RequestBuilder};
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::watch,
};

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) http: Client,
    pub(crate) ghl: Value,
    pub(crate) cscart: Value,
}

/// A status and a body.
pub(crate) type Answer = (u16, Value);

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Options { search_lag: std::time::Duration::ZERO, ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let announced = sandbox.announcement();
        let http = Client::builder().no_proxy().build().unwrap();
        Self { ghl: announced["ghl"].clone(), cscart: announced["cscart"].clone(), sandbox, http }
    }

    pub(crate) fn location(&self) -> &str {
        self.ghl["location_id"].as_str().unwrap()
    }

    /// A GHL request with everything right.
    pub(crate) fn ghl_request(&self, method: Method, path: &str) -> RequestBuilder {
        self.ghl_request_in("2021-07-28", method, path)
    }

    fn ghl_request_in(&self, version: &str, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.sandbox.ghl_url());
        let request = self.http.request(method, url).bearer_auth(self.ghl["token"].as_str().unwrap());
        request.header("version", version).header("accept", "application/json")
    }

    /// The same in the version of calendars and conversations.
    pub(crate) async fn ghl_older(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.ghl_request_in("2021-04-15", method, path);
        send(if body.is_null() { request } else { request.json(&body) }).await
    }

    /// What the last request changed: the kind of its effect.
    pub(crate) fn last_effect(&self) -> Option<String> {
        Some(self.sandbox.ghl().journal().pop()?.effect?.kind)
    }

    pub(crate) async fn ghl(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.ghl_request(method, path);
        send(if body.is_null() { request } else { request.json(&body) }).await
    }

    pub(crate) async fn create(&self, mut contact: Value) -> String {
        contact["locationId"] = json!(self.location());
        let (status, body) = self.ghl(Method::POST, "/contacts/", contact).await;
        assert_eq!(status, 201, "{body}");
        body["contact"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn cscart_request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.sandbox.cscart_url());
        let (email, key) = (self.cscart["email"].as_str().unwrap(), self.cscart["api_key"].as_str().unwrap());
        self.http.request(method, url).basic_auth(email, Some(key))
    }

    pub(crate) async fn cscart(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.cscart_request(method, path);
        send(if body.is_null() { request } else { request.json(&body) }).await
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Waits until `look` gives something; the test fails when it never does.
pub(crate) async fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let waited = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), waited).await.expect("it never came")
}

/// A webhook as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) raw: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn body(&self) -> Value {
        serde_json::from_slice(&self.raw).unwrap()
    }
}

/// A server that takes webhooks and answers with the statuses it was told, the last one for ever.
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    statuses: watch::Sender<Vec<u16>>,
}

impl Receiver {
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let statuses = watch::Sender::new(statuses.to_vec());
        let (kept, told) = (Arc::clone(&received), statuses.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (kept, told) = (Arc::clone(&kept), told.clone());
                tokio::spawn(async move {
                    let request = read(&mut stream).await;
                    let mut status = 200;
                    told.send_modify(|left| {
                        status = left[0];
                        if left.len() > 1 {
                            left.remove(0);
                        }
                    });
                    kept.lock().unwrap().push(request);
                    let body = "{\"id\":\"evt\"}";
                    let head = format!(
                        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(head.as_bytes()).await.unwrap();
                });
            }
        });
        Self { url, received, statuses }
    }

    pub(crate) fn answer(&self, statuses: &[u16]) {
        self.statuses.send_replace(statuses.to_vec());
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The first webhook of this type.
    pub(crate) async fn wait_for(&self, kind: &str) -> Received {
        until(|| self.received().into_iter().find(|it| it.body()["type"] == kind)).await
    }
}

async fn read(stream: &mut tokio::net::TcpStream) -> Received {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let count = stream.read(&mut chunk).await.unwrap();
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut lines = head.lines();
            let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Received { path, headers, raw: bytes[end + 4..end + 4 + length].to_vec() };
            }
        }
    }
}
