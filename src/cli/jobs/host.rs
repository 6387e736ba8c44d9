//! Where no bridge runs on the database, a command is one for as long as its work takes.

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::access::{ApiKey, Role};
use crate::app::{App, StartError};
use crate::cli::serve::Signals;
use crate::clock::Clock;
use crate::config::Config;
use crate::lock::{LockError, Work};

/// How a shell tells of a program that Ctrl-C has ended: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// Whoever carries out what a command has asked for: the running bridge, or one of the command's own.
pub(in crate::cli) struct Host {
    own: Option<JoinHandle<std::io::Result<()>>>,
    stop: CancellationToken,
    asked: CancellationToken,
}

impl Host {
    /// From now on the first signal asks to stop, and the second ends the program at once.
    pub(in crate::cli) async fn begin(config: Config, work: Work) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let own = own_bridge(config, work, &stop).await?;
        let asked = CancellationToken::new();
        let told = asked.clone();
        let mut signals = Signals::new();
        tokio::spawn(async move {
            signals.next().await;
            told.cancel();
            signals.next().await;
            std::process::exit(INTERRUPTED);
        });
        Ok(Self { own, stop, asked })
    }

    /// Whether it is the command's own.
    pub(in crate::cli) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Whether a person has asked to stop.
    pub(in crate::cli) fn asked_to_stop(&self) -> &CancellationToken {
        &self.asked
    }

    /// A bridge of the command's own finishes what is under way and ends.
    pub(in crate::cli) async fn end(self) -> anyhow::Result<()> {
        self.stop.cancel();
        if let Some(bridge) = self.own {
            bridge.await??;
        }
        Ok(())
    }
}

/// A bridge of our own, which takes no webhooks; none: another one runs.
async fn own_bridge(
    mut config: Config,
    work: Work,
    stop: &CancellationToken,
) -> anyhow::Result<Option<JoinHandle<std::io::Result<()>>>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    // Nobody is to call it.
    config.tls = None;
    let clock = Clock::system();
    let (_, key) = ApiKey::generate("job", Role::Admin, clock.now());
    match App::build_for(work, config, Some(key), clock).await {
        Ok(app) => Ok(Some(tokio::spawn(app.run(listener, stop.clone())))),
        Err(StartError::Lock(LockError::Held { .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
