//! Puts everything together: only this module, the command line and `main` know all the others.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::access::{ApiKey, KeyHash, Role};
use crate::clock::Clock;
use crate::config::Config;
use crate::connection::ConnectionName;
use crate::custom_fields::CustomFields;
use crate::dry_run::{self, DryRuns};
use crate::engine::{Creating, Engine, Timers};
use crate::http::auth::AdminKey;
use crate::http::listener::{Peer, PlainListener, TlsListener};
use crate::http::{self, HttpState};
use crate::inbox::Inbox;
use crate::jobs;
use crate::lock::{Lock, LockError, Work};
use crate::mistake::Mistake;
use crate::monitor::Monitor;
use crate::polling::Polling;
use crate::reason::Code;
use crate::registry::Registry;
use crate::restore::{Newest, Restore};
use crate::routes::{FolderError, LoadError, Routes};
use crate::store::sqlite::{OpenError, Sqlite};
use crate::store::{self, EventFilter, Origin, Store};
use crate::tls::Certificate;
use crate::tokens::{self, Tokens};
use crate::vault::KeyError;

/// How soon a change made by the command line beside us is noticed.
const REFRESH: Duration = Duration::from_secs(2);
/// How long requests and effects in flight may take to end at shutdown.
const DRAIN: Duration = Duration::from_secs(35);

/// Why the bridge does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database is not to be had.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Another process works on it, or that cannot be found out.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It is not said, or said twice, where the master key is.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database does not answer.
    #[error("the database cannot be used")]
    Store(#[from] store::Error),
    /// Routes with mistakes.
    #[error("{}", list(.0))]
    Routes(Vec<Mistake>),
    /// The folder of routes cannot be read.
    #[error(transparent)]
    RoutesDir(FolderError),
    /// The certificate cannot be used.
    #[error("HTTPS cannot be served: {0}")]
    Tls(Mistake),
}

fn list(errors: &[Mistake]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    format!("{} mistake(s) in the routes:\n  {}", errors.len(), lines.join("\n  "))
}

/// The bridge, ready to run.
pub struct App {
    http: HttpState,
    engine: Arc<Engine>,
    jobs: jobs::Runner,
    newest: Newest,
    certificate: Option<Certificate>,
    /// Held as long as this process works with the database.
    _lock: Lock,
    /// The admin key that was made because there was none; to be shown once.
    pub first_key: Option<SecretString>,
}

impl App {
    /// Opens the database, takes in the configuration's connections, loads the routes.
    pub async fn build(
        config: Config,
        admin_key: Option<SecretString>,
        clock: Clock,
    ) -> Result<Self, StartError> {
        Self::build_for(Work::Bridge, config, admin_key, clock).await
    }

    /// The same, for a command that is a bridge only as long as its work takes.
    pub async fn build_for(
        work: Work,
        config: Config,
        admin_key: Option<SecretString>,
        clock: Clock,
    ) -> Result<Self, StartError> {
        tokio::task::spawn_blocking(crate::sync::warm_up);
        let certificate = config.tls.as_ref().map(Certificate::load).transpose().map_err(StartError::Tls)?;
        let path = config.sqlite_path().unwrap_or_default();
        let routes = load_routes(config.routes_dir.as_deref())?;
        let store: Arc<dyn Store> = Arc::new(Sqlite::open_with(&path, config.master_key()?)?);
        let lock = Lock::take(&path, work).await?;
        let now = clock.now();
        let newest = Newest::beside(&path);
        let is_older = begin_generation(&*store, &newest, now).await?;
        let restore = store.restore().await?;
        // Whoever held these leases is gone: we have the lock.
        let released = store.release_leases(now).await?;
        if released > 0 {
            tracing::info!("{released} lane(s) that were being worked on when the bridge stopped go on now");
        }
        for connection in &config.connection {
            store.put_connection(connection, Origin::File, now).await?;
        }
        let names: Vec<ConnectionName> =
            config.connection.iter().map(|connection| connection.name.clone()).collect();
        store.retain_file_connections(&names).await?;
        let registry = Registry::new(Arc::clone(&store), clock.clone(), config.engine.call_timeout())
            .in_zone(config.time_zone.0.clone());
        for name in registry.reload().await? {
            store.unpark(&name, now).await?;
        }
        let routes = routes.with_registry(registry.clone());
        routes.tell_overlooked();
        store.put_route_versions(routes.versions(now)).await?;
        for live in registry.all().values() {
            for mistake in routes.unknown_choices(&live.connection) {
                tracing::warn!("{mistake}");
            }
        }
        if let Some(restore) = restore.filter(|_| is_older) {
            tell(&restore, &registry.names());
        }
        let first_key = match &admin_key {
            None if store.keys().await?.is_empty() => {
                let (key, secret) = ApiKey::generate("first", Role::Admin, now);
                store.add_key(&key, KeyHash::of(&secret)).await?;
                Some(secret)
            }
            _ => None,
        };
        let wake = Arc::new(Notify::new());
        let monitor = Monitor::default();
        if !store.events(&EventFilter::default(), None, 1).await?.events.is_empty() {
            // A restart: whether HighLevel was told to come again before it is not known, so its repetitions are taken.
            monitor.refused_ghl(now);
        }
        let fold_window = Duration::from_millis(config.engine.fold_window_ms);
        let inbox =
            Inbox::new(Arc::clone(&store), routes.clone(), clock.clone(), Arc::clone(&wake), fold_window);
        let public_url: Arc<str> = config.public_url().into();
        let tokens = Tokens::new(tokens::Setup {
            store: Arc::clone(&store),
            clock: clock.clone(),
            monitor: monitor.clone(),
            wake: Arc::clone(&wake),
            routes: routes.clone(),
            public_url: Arc::clone(&public_url),
            call_timeout: config.engine.call_timeout(),
        });
        let polling =
            Polling::new(Arc::clone(&store), registry.clone(), inbox.clone(), clock.clone(), monitor.clone());
        let dry_runs = DryRuns::new(dry_run::Setup {
            store: Arc::clone(&store),
            routes: routes.clone(),
            call_timeout: config.engine.call_timeout(),
            zone: config.time_zone.0.clone(),
        });
        let http = HttpState {
            store: Arc::clone(&store),
            inbox,
            registry: registry.clone(),
            monitor: monitor.clone(),
            clock: clock.clone(),
            admin_key: AdminKey(admin_key.as_ref().map(KeyHash::of)),
            tokens: tokens.clone(),
            polling,
            public_url,
            trusted_proxies: config.trusted_proxies,
            dry_runs,
            routes: routes.clone(),
        };
        let custom_fields = CustomFields::default();
        let jobs = jobs::Runner {
            store: Arc::clone(&store),
            registry: registry.clone(),
            tokens: tokens.clone(),
            clock: clock.clone(),
            monitor: monitor.clone(),
            inbox: http.inbox.clone(),
            custom_fields: custom_fields.clone(),
            restore,
            config: config.engine.clone(),
        };
        let engine = Arc::new(Engine {
            store,
            registry,
            tokens,
            routes,
            clock,
            monitor,
            config: config.engine,
            started: now,
            restore,
            custom_fields,
            creating: Creating::default(),
            wake,
            timer_put: Arc::new(Notify::new()),
        });
        Ok(Self { http, engine, jobs, newest, certificate, _lock: lock, first_key })
    }

    /// The store, for tests and benchmarks that look behind the API.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.http.store)
    }

    /// The routes in force, to have them read again.
    pub fn routes(&self) -> Routes {
        self.http.routes.clone()
    }

    /// The certificate that HTTPS is served with, to have it read again; none: plain HTTP is served.
    pub fn certificate(&self) -> Option<Certificate> {
        self.certificate.clone()
    }

    /// Serves until `stop`: then takes nothing new, finishes what is in flight, gives every lease back.
    pub async fn run(self, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
        let engine = tokio::spawn(Arc::clone(&self.engine).run(stop.clone()));
        let timers = Timers {
            store: Arc::clone(&self.engine.store),
            clock: self.engine.clock.clone(),
            routes: self.engine.routes.clone(),
            registry: self.engine.registry.clone(),
            put: Arc::clone(&self.engine.timer_put),
            wake: Arc::clone(&self.engine.wake),
        };
        let timers = tokio::spawn(timers.run(stop.clone()));
        let refresher =
            tokio::spawn(refresh(self.http.clone(), Arc::clone(&self.engine.timer_put), stop.clone()));
        let store = Arc::clone(&self.http.store);
        let generations = tokio::spawn(follow(Arc::clone(&store), self.newest.clone(), stop.clone()));
        let jobs = tokio::spawn(self.jobs.run(stop.clone()));
        let polling = tokio::spawn(self.http.polling.clone().run(stop.clone()));
        let tokens = self.http.tokens.clone();
        let monitor = self.http.monitor.clone();
        let stopping = stop.clone();
        let stopped = async move {
            stopping.cancelled().await;
            monitor.stop();
        };
        let router = http::router(self.http);
        let server = match self.certificate {
            Some(certificate) => {
                tokio::spawn(certificate.clone().watch(stop.clone()));
                serve(TlsListener::new(listener, certificate), router, stopped)
            }
            None => serve(PlainListener(listener), router, stopped),
        };
        let drained = async {
            stop.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        let served = tokio::select! {
            served = server => served,
            () = drained => Ok(()),
        };
        stop.cancel();
        // All end by themselves once `stop` is set; a panic in them has been logged.
        drop(tokio::time::timeout(DRAIN, engine).await);
        drop(refresher.await);
        drop(timers.await);
        drop(tokio::time::timeout(DRAIN, jobs).await);
        drop(polling.await);
        drop(tokio::time::timeout(DRAIN, tokens.finish()).await);
        drop(generations.await);
        // What was written since it last looked.
        next_generation(&*store, &self.newest).await;
        served
    }

    /// Runs only the receiving side, for benchmarks of it.
    pub fn router(&self) -> axum::Router {
        http::router(self.http.clone())
    }
}

/// Serves what is asked over a listener, until `stopped` and what is in flight is done.
fn serve<L>(
    listener: L,
    router: Router,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> BoxFuture<'static, std::io::Result<()>>
where
    L: Listener<Addr: Debug>,
    Peer: for<'a> Connected<IncomingStream<'a, L>>,
{
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, service).with_graceful_shutdown(stopped).into_future().boxed()
}

/// Notices connections that the command line has changed in the database, grants that another process has, and routes that
/// somebody has.
async fn refresh(http: HttpState, routes_changed: Arc<Notify>, stop: CancellationToken) {
    loop {
        let asked = tokio::select! {
            () = tokio::time::sleep(REFRESH) => false,
            () = http.routes.asked() => true,
            () = stop.cancelled() => return,
        };
        if let Err(error) = refresh_routes(&http, asked, &routes_changed).await {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot take over the routes");
        }
        match http.registry.reload().await {
            Ok(changed) => {
                for name in changed {
                    tracing::info!(connection = %name, "connection {name} is new or has changed");
                    http.tokens.changed(&name);
                    drop(http.store.unpark(&name, http.clock.now()).await);
                    http.inbox.wake();
                }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot read the connections");
            }
        }
        if let Err(error) = http.tokens.look().await {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot read the grants");
        }
    }
}

/// Begins to work with a database; answers whether it turned out to be older than the newest one.
async fn begin_generation(
    store: &dyn Store,
    newest: &Newest,
    now: jiff::Timestamp,
) -> Result<bool, StartError> {
    let left = newest.read(now).unwrap_or_else(|error| {
        let file = newest.path().display();
        tracing::warn!("{file} cannot be read ({error}): should the database be a backup, tell it with `cartbridge restored`");
        None
    });
    let known = left.map(|left| left.generation);
    let begun = store.begin_generation(known, left.map_or(now, |left| left.ended)).await?;
    keep(newest, begun.generation);
    Ok(begun.is_older)
}

/// Lets the file beside the database follow what is written in it.
async fn follow(store: Arc<dyn Store>, newest: Newest, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(REFRESH) => {}
            () = stop.cancelled() => return,
        }
        next_generation(&*store, &newest).await;
    }
}

/// Begins the next generation, if anything was written since the last one.
async fn next_generation(store: &dyn Store, newest: &Newest) {
    match store.next_generation().await {
        Ok(Some(generation)) => {
            let newest = newest.clone();
            // A disk may take its time.
            drop(tokio::task::spawn_blocking(move || keep(&newest, generation)).await);
        }
        Ok(None) => {}
        // Whoever stores something is told as well, and says more.
        Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "no generation was begun"),
    }
}

/// Keeps the generation that the database has.
fn keep(newest: &Newest, generation: u64) {
    if let Err(error) = newest.write(generation) {
        let file = newest.path().display();
        tracing::warn!(
            "{file} cannot be written ({error}): a restore from a backup would not be noticed by itself"
        );
    }
}

/// Says that the database was restored, where nobody can overlook it.
fn tell(restore: &Restore, connections: &[ConnectionName]) {
    tracing::warn!(
        code = Code::Restored.as_str(),
        "{} (more: {})",
        restore.told(connections),
        Code::Restored.page()
    );
}

/// Takes over routes that have changed, if any or if somebody `asked` for it. What waits may go on by them, or need less.
async fn refresh_routes(http: &HttpState, asked: bool, routes_changed: &Notify) -> store::Result<()> {
    let routes = http.routes.clone();
    let read = move || (asked || !routes.look_the_same()).then(|| routes.reload());
    let Ok(Some(changed)) = tokio::task::spawn_blocking(read).await else { return Ok(()) };
    http.monitor.route_mistakes(http.routes.mistakes().len());
    if changed.is_empty() {
        return Ok(());
    }
    tracing::info!("the routes have changed: {}", changed.join(", "));
    let now = http.clock.now();
    http.store.put_route_versions(http.routes.versions(now)).await?;
    for name in http.registry.all().keys() {
        http.tokens.changed(name);
        http.store.unpark(name, now).await?;
    }
    routes_changed.notify_one();
    http.inbox.wake();
    Ok(())
}

/// The embedded routes, with those of a folder over them.
pub fn load_routes(folder: Option<&Path>) -> Result<Routes, StartError> {
    Routes::load(folder).map_err(|error| match error {
        LoadError::Folder(error) => StartError::RoutesDir(error),
        LoadError::Mistakes(mistakes) => StartError::Routes(mistakes),
    })
}
