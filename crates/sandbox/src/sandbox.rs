//! Both systems together: options, start, announcement, shutdown.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    control::{Control, Core, faults::Faults, journal::Journal},
    cscart::{self, CscartEdition, CscartVersion, Store, World},
    deliver::{Deliveries, Target},
    ghl::{self, Ghl},
    serve,
};

/// How the sandbox is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the simulated GHL listens; port 0 takes a free one.
    pub ghl_addr: SocketAddr,
    /// Where the simulated store listens; port 0 takes a free one.
    pub cscart_addr: SocketAddr,
    /// Whether GHL's rate limit refuses requests. The headers are there in any case.
    pub strict_rate: bool,
    /// The location's setting "Allow Duplicate Contact"; off in the real one unless switched on.
    pub allow_duplicate_contacts: bool,
    /// Where both send their webhooks: a bridge's origin, or a full URL for everything. None: nowhere.
    pub deliver_to: Option<String>,
    /// The connection's name, part of the path of the store's webhooks.
    pub connection: String,
    /// The same seed gives the same ids, tokens and keys.
    pub seed: u64,
    /// The id of GHL's location; none: one that comes from the seed.
    pub location_id: Option<String>,
    /// How far GHL's search index lags behind its writes.
    pub search_lag: Duration,
    /// Whether requests are kept in the journal. Off only for benchmarks: it grows without bound.
    pub journal: bool,
    /// How long GHL waits before it repeats a webhook that was answered with 429; ten minutes as documented.
    pub retry_429: Duration,
    /// Which version of CS-Cart the store has.
    pub cscart_version: CscartVersion,
    /// Which edition it is.
    pub edition: CscartEdition,
    /// The store's first wait before it repeats a webhook; doubles up to a minute.
    pub outbox_retry: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            ghl_addr: free_port,
            cscart_addr: free_port,
            strict_rate: true,
            allow_duplicate_contacts: false,
            deliver_to: None,
            connection: String::from("my-shop"),
            seed: 1,
            location_id: None,
            search_lag: Duration::from_secs(2),
            journal: true,
            retry_429: Duration::from_mins(10),
            cscart_version: CscartVersion::default(),
            edition: CscartEdition::default(),
            outbox_retry: Duration::from_secs(1),
        }
    }
}

/// Why the sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken or not this machine's.
    #[error("cannot listen on {address} for {system}; choose another address or port 0")]
    Listen {
        /// Which system's address it is.
        system: &'static str,
        /// The address from the options.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The HTTP client for webhooks could not be built.
    #[error("cannot make the HTTP client that sends webhooks")]
    Client(#[source] reqwest::Error),
}

/// A running sandbox. Dropping it stops everything; [`Sandbox::shutdown`] also waits for the end.
pub struct Sandbox {
    ghl: Control,
    cscart: Control,
    ghl_url: String,
    cscart_url: String,
    announced_ghl: Value,
    announced_cscart: Value,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts both systems; when it returns, both accept connections.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let ghl_listener = listen("GHL", options.ghl_addr).await?;
        let cscart_listener = listen("CS-Cart", options.cscart_addr).await?;
        let ghl_url = url(&ghl_listener, "GHL", options.ghl_addr)?;
        let cscart_url = url(&cscart_listener, "CS-Cart", options.cscart_addr)?;

        let ghl = Arc::new(Ghl::new(
            core(&options)?,
            ghl::Setup {
                seed: options.seed,
                location_id: options.location_id.clone(),
                url: ghl_url.clone(),
                strict_rate: options.strict_rate,
                allow_duplicates: options.allow_duplicate_contacts,
                search_lag: options.search_lag,
                retry_429: options.retry_429,
            },
        ));
        let store = Arc::new(Store::new(
            core(&options)?,
            cscart::Setup {
                seed: options.seed,
                url: cscart_url.clone(),
                outbox_retry: options.outbox_retry,
                world: World::new(options.cscart_version, options.edition),
            },
        ));
        let (announced_ghl, announced_cscart) = (ghl.announcement(), store.announcement());
        let (ghl, cscart) = (Control::new(ghl), Control::new(store));

        let stop = watch::Sender::new(false);
        let servers = vec![
            tokio::spawn(serve::run(ghl_listener, ghl.clone(), stop.subscribe())),
            tokio::spawn(serve::run(cscart_listener, cscart.clone(), stop.subscribe())),
        ];
        Ok(Self { ghl, cscart, ghl_url, cscart_url, announced_ghl, announced_cscart, stop, servers })
    }

    /// Addresses and credentials of both systems: the first line that `cartbridge sandbox` prints.
    pub fn announcement(&self) -> Value {
        json!({ "ghl": self.announced_ghl, "cscart": self.announced_cscart })
    }

    /// Steers the simulated GHL.
    pub fn ghl(&self) -> &Control {
        &self.ghl
    }

    /// Steers the simulated store.
    pub fn cscart(&self) -> &Control {
        &self.cscart
    }

    /// Where the simulated GHL listens, without a slash at the end.
    pub fn ghl_url(&self) -> &str {
        &self.ghl_url
    }

    /// Where the simulated store listens, without a slash at the end.
    pub fn cscart_url(&self) -> &str {
        &self.cscart_url
    }

    /// Stops both servers, their connections and all deliveries.
    pub async fn shutdown(mut self) {
        self.stop_all();
        for server in std::mem::take(&mut self.servers) {
            // A server that panicked is stopped, too.
            let _ = server.await;
        }
    }

    fn stop_all(&self) {
        self.stop.send_replace(true);
        for control in [&self.ghl, &self.cscart] {
            control.system().core().deliveries.stop();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop_all();
    }
}

impl std::fmt::Debug for Sandbox {
    /// Without tokens and keys.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let urls = (&self.ghl_url, &self.cscart_url);
        formatter.debug_struct("Sandbox").field("ghl", urls.0).field("cscart", urls.1).finish_non_exhaustive()
    }
}

fn core(options: &Options) -> Result<Core, StartError> {
    let target = Target { deliver_to: options.deliver_to.clone(), connection: options.connection.clone() };
    Ok(Core {
        journal: Journal::new(options.journal),
        faults: Faults::default(),
        deliveries: Arc::new(Deliveries::new(target).map_err(StartError::Client)?),
    })
}

async fn listen(system: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { system, address, source })
}

fn url(listener: &TcpListener, system: &'static str, address: SocketAddr) -> Result<String, StartError> {
    let local = listener.local_addr().map_err(|source| StartError::Listen { system, address, source })?;
    Ok(format!("http://{local}"))
}
