//! The sockets that are served: plain, and one whose connections are ready to talk HTTP only after their TLS handshake.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::tls::Certificate;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether it speaks TLS to us.
    pub tls: bool,
}

impl Connected<IncomingStream<'_, PlainListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, PlainListener>) -> Self {
        Self { address: *stream.remote_addr(), tls: false }
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self { address: *stream.remote_addr(), tls: true }
    }
}

/// Accepts connections as they come.
pub struct PlainListener(pub TcpListener);

impl Listener for PlainListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        // Not the socket's own `accept`: that of the trait goes on after an error.
        let (stream, peer) = Listener::accept(&mut self.0).await;
        answer_at_once(&stream);
        (stream, peer)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Small answers must not wait for company. A socket that refuses is served all the same.
fn answer_at_once(stream: &TcpStream) {
    drop(stream.set_nodelay(true));
}

/// How long a handshake may take: two round trips, over any network.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Accepts connections and hands out those whose handshake has succeeded. Each handshake is a task of its own, so that a
/// slow one keeps nobody waiting. Dropping the listener ends those under way: nothing was asked over them yet.
pub struct TlsListener {
    tcp: TcpListener,
    certificate: Certificate,
    handshakes: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl TlsListener {
    /// Speaks TLS on this socket.
    pub fn new(tcp: TcpListener, certificate: Certificate) -> Self {
        Self { tcp, certificate, handshakes: JoinSet::new() }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TlsStream<TcpStream>, SocketAddr) {
        loop {
            tokio::select! {
                (stream, peer) = Listener::accept(&mut self.tcp) => {
                    let acceptor = TlsAcceptor::from(self.certificate.current());
                    self.handshakes.spawn(shake_hands(acceptor, stream, peer));
                }
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(ready)) = done {
                        return ready;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

async fn shake_hands(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
) -> Option<(TlsStream<TcpStream>, SocketAddr)> {
    answer_at_once(&stream);
    match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some((stream, peer)),
        // Scanners do this all day.
        Ok(Err(error)) => {
            tracing::debug!(client = %peer.ip(), "a TLS handshake failed: {error}");
            None
        }
        Err(_) => {
            tracing::debug!(client = %peer.ip(), "a TLS handshake took longer than {} s", HANDSHAKE.as_secs());
            None
        }
    }
}
