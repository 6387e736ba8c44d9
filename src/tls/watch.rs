//! Notices new files and serves with them, without a restart.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Certificate;
use super::files::{Pair, warn_of_open_key};
use crate::mistake::Mistake;

/// How often the files are looked at. Looking is cheap, and works with links and mounts that no watcher reports.
const LOOK: Duration = Duration::from_secs(2);

impl Certificate {
    /// Until `stop`: takes what is new in the files, and keeps what is in use where that cannot be used.
    pub async fn watch(self, stop: CancellationToken) {
        warn_of_open_key(&self.files.key);
        // What was last taken or refused, and what the last look saw.
        let (mut known, mut seen) = (Some(self.first), Some(self.first));
        loop {
            let asked = tokio::select! {
                () = tokio::time::sleep(LOOK) => false,
                () = self.asked.notified() => true,
                () = stop.cancelled() => return,
            };
            let files = self.files.clone();
            let Ok(read) = tokio::task::spawn_blocking(move || Pair::read(&files)).await else { continue };
            let found = read.as_ref().ok().map(Pair::fingerprint);
            // Who renews writes one file after the other: what has just changed is taken when it has stopped changing.
            let has_settled = found == std::mem::replace(&mut seen, found);
            if asked || (has_settled && found != known) {
                known = found;
                self.take(read);
            }
        }
    }

    fn take(&self, read: Result<Pair, Mistake>) {
        match read.and_then(|pair| pair.server_config(&self.files)) {
            Ok(config) => {
                self.replace(config);
                tracing::info!(
                    "new connections get the certificate that is now in {}",
                    self.files.certificate.display()
                );
                warn_of_open_key(&self.files.key);
            }
            Err(mistake) => tracing::error!("{mistake}. The certificate that is in use stays"),
        }
    }
}
