//! The certificate of HTTPS without a proxy. It is read again when its files change.

mod files;
mod pinned;
mod watch;

pub use pinned::trust_only;

use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use tokio::sync::Notify;

use crate::config::TlsFiles;
use crate::mistake::Mistake;
use files::{Fingerprint, Pair};

/// The certificate in use. Cheap to clone; all clones see the same.
#[derive(Clone)]
pub struct Certificate {
    files: Arc<TlsFiles>,
    in_use: Arc<RwLock<Arc<ServerConfig>>>,
    first: Fingerprint,
    asked: Arc<Notify>,
}

impl Certificate {
    /// Reads the files; the mistake names the one that cannot be used.
    pub fn load(files: &TlsFiles) -> Result<Self, Mistake> {
        let pair = Pair::read(files)?;
        let config = pair.server_config(files)?;
        Ok(Self {
            files: Arc::new(files.clone()),
            in_use: Arc::new(RwLock::new(config)),
            first: pair.fingerprint(),
            asked: Arc::default(),
        })
    }

    /// What the next connection is served with. One that is open keeps what it began with.
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.in_use.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, config: Arc<ServerConfig>) {
        *self.in_use.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// Has [`Certificate::watch`] read the files now, whether they have changed or not.
    pub fn reload(&self) {
        self.asked.notify_one();
    }
}
