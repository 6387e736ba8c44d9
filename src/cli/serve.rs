//! `cartbridge serve`: the bridge itself.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::Clock;
use crate::config::admin_key;
use crate::routes::Routes;
use crate::tls::Certificate;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to listen, in place of the configuration's `listen`
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

pub(super) async fn run(file: Option<PathBuf>, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut config = super::database::config(file)?;
    let admin = admin_key().map_err(|problem| anyhow::anyhow!(problem.to_string()))?;
    if let Some(listen) = arguments.listen {
        config.listen = listen;
    }
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("cannot listen on {}: is another program there? Change `listen`", config.listen)
    })?;
    config.listen = listener.local_addr().context("the socket has no address")?;
    let (listen, public_url, connections) = (config.listen, config.public_url(), config.connection.len());
    let scheme = config.scheme();
    let mut app = App::build(config, admin, Clock::system()).await?;
    if let Some(key) = app.first_key.take() {
        // The only time that it can be seen: the database keeps its hash.
        println!(
            "This is a fresh database. Its admin API key, shown only now:\n\n    {}\n",
            key.expose_secret()
        );
    }
    reload_on_hangup(app.certificate(), app.routes());
    tracing::info!(
        "listening on {scheme}://{listen}, known to others as {public_url}; {connections} connection(s) in the file"
    );
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    app.run(listener, stop).await.context("serving failed")?;
    tracing::info!("stopped; nothing was left half done");
    Ok(ExitCode::SUCCESS)
}

/// From now on SIGHUP does not end the program: it reads the certificate and the routes again.
fn reload_on_hangup(certificate: Option<Certificate>, routes: Routes) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            if let Some(certificate) = &certificate {
                certificate.reload();
            }
            routes.ask();
        }
    });
}

/// The first signal asks politely; the second is not waited for.
pub(super) async fn stop_on_signal(stop: CancellationToken) {
    let mut signals = Signals::new();
    signals.next().await;
    tracing::info!("stopping: finishing what has begun (a second signal stops at once)");
    stop.cancel();
    signals.next().await;
    std::process::exit(130);
}

/// SIGINT and SIGTERM from now on: none is missed between two that are waited for. Nothing where the system has no signals to give.
pub(super) struct Signals(Option<(Signal, Signal)>);

impl Signals {
    pub(super) fn new() -> Self {
        Self(signal(SignalKind::interrupt()).and_then(|it| Ok((it, signal(SignalKind::terminate())?))).ok())
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        let Some((interrupt, terminate)) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
