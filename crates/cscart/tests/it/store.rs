//! A store of a few lines: it takes requests over TCP, one to a connection, and says what the test wants.

use std::sync::{Arc, Mutex};

use cscart::{Client, ClientBuilder, Gentleness};
use secrecy::SecretString;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) const EMAIL: &str = "admin@example.com";
pub(crate) const KEY: &str = "0123456789abcdefghijklmnopqrstuv";

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) target: String,
    head: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The value of a parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let url = reqwest::Url::parse(&format!("http://store{}", self.target)).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// What the store does with a request.
pub(crate) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Reads the request and closes the connection.
    Hangs,
    /// Says that there is more, and closes the connection.
    Half {
        status: u16,
        body: &'static str,
    },
    /// Reads the request and says nothing.
    Silent,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self::Answer { status, headers, body: body.to_string() }
    }

    pub(crate) fn page(status: u16) -> Self {
        let headers = vec![("Content-Type", "text/html; charset=utf-8".to_owned())];
        Self::Answer { status, headers, body: "<!DOCTYPE html><html><body>A page</body></html>".to_owned() }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

pub(crate) struct Store {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Store {
    /// A store that answers each request by `answer`.
    pub(crate) async fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen), Arc::clone(&answer)));
            }
        });
        Self { url, requests }
    }

    /// A store that answers everything alike.
    pub(crate) async fn saying(status: u16, body: Value) -> Self {
        Self::new(move |_| Reply::json(status, &body)).await
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        let hurry = Gentleness { concurrency: 64, per_second: 100_000 };
        Client::builder(&self.url, EMAIL, SecretString::from(KEY)).gentle(hurry)
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    /// What has come so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The one request that has come.
    pub(crate) fn request(&self) -> Request {
        let [request] = self.requests().try_into().expect("exactly one request has come");
        request
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: Arc<Mutex<Vec<Request>>>,
    answer: Arc<impl Fn(&Request) -> Reply>,
) {
    let Some(request) = read(&mut stream).await else { return };
    let reply = answer(&request);
    seen.lock().unwrap().push(request);
    let text = match reply {
        Reply::Hangs => return,
        Reply::Silent => std::future::pending().await,
        Reply::Half { status, body } => {
            let length = body.len() + 100;
            format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n\r\n{body}")
        }
        Reply::Answer { status, headers, body } => {
            let length = (status != 204).then(|| ("Content-Length", body.len().to_string()));
            let close = ("Connection", "close".to_owned());
            let headers = headers.into_iter().chain(length).chain([close]);
            let headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            format!("HTTP/1.1 {status} x\r\n{}\r\n{body}", headers.concat())
        }
    };
    // A client that has read enough may be gone.
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut words = head.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut request = Request { method, target, head, body: String::new() };
    let length: usize = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    request.body = String::from_utf8(bytes[end..].to_vec()).unwrap();
    Some(request)
}
