//! A load generator that costs little itself: raw HTTP/1.1 over kept connections, requests signed beforehand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cscart::webhook::{Secret, sign};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A signed webhook of the store, as the bytes that go over the wire.
pub fn webhook(path: &str, secret: &Secret, id: &str, body: &str) -> Vec<u8> {
    let now = jiff::Timestamp::now().as_second();
    let signature = sign(secret, id, now, body.as_bytes());
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\nwebhook-id: {id}\r\n\
         webhook-timestamp: {now}\r\nwebhook-signature: {signature}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends all requests over so many connections; answers how long that took. Every answer must have the status.
pub async fn send_all(
    address: SocketAddr,
    requests: Vec<Vec<u8>>,
    connections: usize,
    status: &'static str,
) -> Duration {
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicUsize::new(0));
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a socket can be set up");
        streams.push(stream);
    }
    let started = Instant::now();
    let workers: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
            tokio::spawn(async move {
                let mut buffer = vec![0; 16 * 1024];
                while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    stream.write_all(request).await.expect("the server reads");
                    let answer = read_answer(&mut stream, &mut buffer).await;
                    assert!(answer.starts_with(status), "{answer}");
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("no worker fails");
    }
    started.elapsed()
}

/// One answer, head and body.
async fn read_answer<'a>(stream: &mut TcpStream, buffer: &'a mut [u8]) -> &'a str {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.expect("the server answers");
        assert!(read > 0, "the server has hung up");
        filled += read;
        let text = std::str::from_utf8(&buffer[..filled]).expect("an answer is text");
        let Some(head) = text.find("\r\n\r\n") else { continue };
        let length = text[..head]
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:").map(|value| value.trim().to_owned())
            })
            .and_then(|value| value.parse::<usize>().ok())
            .unwrap_or(0);
        if filled >= head + 4 + length {
            return std::str::from_utf8(&buffer[..filled]).expect("an answer is text");
        }
    }
}
