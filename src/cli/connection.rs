//! `cartbridge connection`: which store is paired with which location.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use secrecy::SecretString;

use crate::app::load_routes;
use crate::clock::Clock;
use crate::config::{Config, flaws_of};
use crate::connection::{Connection, ConnectionName, PollingMode};
use crate::monitor::Monitor;
use crate::registry::Registry;
use crate::store::{Connections, Origin, Store, in_full};
use crate::tokens::{self, Tokens};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a connection, or replace one that was made here
    Add(Box<Add>),
    /// List the connections
    List,
    /// Show one connection and its webhook URLs, without its secrets
    Show {
        /// Its name
        name: ConnectionName,
    },
    /// Print the connection code that the store's add-on takes: whoever has it can send events in the store's name
    Code(super::connection_code::Arguments),
    /// Remove a connection; its events stay
    Remove {
        /// Its name
        name: ConnectionName,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// Its name: a-z, 0-9 and `-`; part of the webhook URL
    name: ConnectionName,
    /// The HighLevel location's id
    #[arg(long, value_name = "ID")]
    location_id: String,
    /// A file with the Private Integration Token (`-`: standard input), so that it stays out of the shell's history
    #[arg(long, value_name = "FILE", required_unless_present = "client_id", conflicts_with = "client_id")]
    token_file: Option<String>,
    /// In place of a token: the client id of a marketplace app, to connect with OAuth
    #[arg(long, value_name = "ID", requires = "client_secret_file")]
    client_id: Option<String>,
    /// A file with that client's secret
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<String>,
    /// The store's address
    #[arg(long, value_name = "URL")]
    store_url: String,
    /// The e-mail of the administrator whose API key is used
    #[arg(long, value_name = "E-MAIL")]
    store_email: Option<String>,
    /// A file with that administrator's API key
    #[arg(long, value_name = "FILE")]
    store_api_key_file: Option<String>,
    /// A file with the webhook secrets of the store's add-on, one a line, newest first; a store without the add-on has none, and
    /// needs --polling
    #[arg(long, value_name = "FILE")]
    webhook_secrets_file: Option<String>,
    /// Ask the store for what is new, because it has no add-on that tells: `true` (also without a word behind it), `false`, or
    /// `auto` as long as its add-on was never heard [default: auto]
    #[arg(long, value_name = "MODE", num_args = 0..=1, default_missing_value = "true", value_parser = polling_mode)]
    polling: Option<PollingMode>,
    /// Where HighLevel's API is, if not at its usual address
    #[arg(long, value_name = "URL")]
    ghl_api_url: Option<String>,
    /// Call the store over plain HTTP although it is on another machine
    #[arg(long)]
    store_allow_plain_http: bool,
    /// Call HighLevel's API over plain HTTP although it is on another machine
    #[arg(long)]
    ghl_allow_plain_http: bool,
}

pub(super) async fn run(file: Option<PathBuf>, command: Command) -> anyhow::Result<ExitCode> {
    let (config, store) = match &command {
        Command::Add(_) => super::database::open_or_make(file)?,
        _ => super::database::open(file)?,
    };
    match command {
        Command::Add(add) => {
            let connection = add.connection()?;
            store.put_connection(&connection, Origin::Api, Clock::system().now()).await?;
            println!("Connection {} is stored. Next:", connection.name);
            if connection.cscart.webhook_secrets.is_empty() {
                println!("  - the store is polled by the bridge: nothing is to be done there");
            } else {
                println!(
                    "  - connect the store's add-on:        cartbridge connection code {}",
                    connection.name
                );
                println!(
                    "    any other sender posts to:         {}/webhooks/cscart/{}",
                    config.public_url(),
                    connection.name
                );
            }
            println!("  - give HighLevel's app this URL:     {}/webhooks/ghl", config.public_url());
            if connection.ghl.oauth.is_some() {
                println!("    and this redirect URL:             {}/connect/callback", config.public_url());
                println!("  - connect it:                        cartbridge connect ghl {}", connection.name);
            }
            println!("  - see whether all is well:           cartbridge doctor {}", connection.name);
            println!("  - take over who is there already:    cartbridge import {}", connection.name);
        }
        Command::List => {
            let mut table = comfy_table::Table::new();
            table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_header([
                "name",
                "location",
                "store",
                "defined in",
            ]);
            let connections = store.connections().await?;
            for stored in connections.readable {
                let connection = stored.connection;
                table.add_row([
                    connection.name.to_string(),
                    connection.ghl.location_id.to_string(),
                    connection.cscart.url,
                    match stored.origin {
                        Origin::File => "the file".to_owned(),
                        Origin::Api => "the database".to_owned(),
                    },
                ]);
            }
            println!("{table}");
            for unreadable in connections.unreadable {
                println!("{} cannot be used: {}", unreadable.name, in_full(&unreadable.error));
            }
        }
        Command::Show { name } => {
            let connection = find(&*store, &name).await?;
            println!("{}", serde_json::to_string_pretty(&connection.to_public())?);
            if connection.cscart.webhook_secrets.is_empty() {
                println!("\nThe store sends nothing: it has no webhook secret, and is polled.");
            } else {
                println!("\nThe store's add-on sends to  {}/webhooks/cscart/{name}", config.public_url());
            }
            println!("HighLevel sends to           {}/webhooks/ghl", config.public_url());
            let stand = stand(&config, store, &name).await?;
            println!("\n{stand}");
        }
        Command::Code(arguments) => {
            let connection = find(&*store, &arguments.name).await?;
            super::connection_code::print(&arguments, &connection, &config.public_url())?;
        }
        Command::Remove { name } => {
            store.remove_connection(&name).await?;
            println!("Connection {name} is removed; its events stay.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How a connection stands with HighLevel, and what it may do.
pub(super) async fn stand(
    config: &Config,
    store: Arc<dyn Store>,
    name: &ConnectionName,
) -> anyhow::Result<String> {
    let clock = Clock::system();
    let call_timeout = config.engine.call_timeout();
    let registry = Registry::new(Arc::clone(&store), clock.clone(), call_timeout);
    registry.reload().await?;
    let Some(live) = registry.get(name) else {
        bail!("there is no connection `{name}`; `cartbridge connection list` shows all");
    };
    let tokens = Tokens::new(tokens::Setup {
        store,
        clock,
        monitor: Monitor::default(),
        wake: Arc::default(),
        routes: load_routes(config.routes_dir.as_deref())?.with_registry(registry.clone()),
        public_url: config.public_url().into(),
        call_timeout,
    });
    let status = tokens.status(&live).await?;
    let granted = match &status.granted {
        Some(granted) => granted.to_string(),
        None => "what the Private Integration Token allows".to_owned(),
    };
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_header(["route", "needs", "missing"]);
    for need in tokens.needs(&live) {
        let needed = need.scopes();
        let missing: Vec<String> =
            needed.iter().filter(|scope| status.missing.contains(scope)).map(ToString::to_string).collect();
        table.add_row([need.route, needed.to_string(), missing.join(" ")]);
    }
    let reason = status.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    Ok(format!(
        "HighLevel: {}{reason}\nGranted:   {granted}\n\n{table}",
        status.state.as_str().replace('_', " ")
    ))
}

/// A connection, or why there is none that can be used.
pub(super) async fn find(store: &dyn Store, name: &ConnectionName) -> anyhow::Result<Connection> {
    let Connections { readable, unreadable } = store.connections().await?;
    if let Some(stored) = unreadable.iter().find(|stored| stored.name == *name) {
        bail!("connection `{name}` cannot be used: {}", in_full(&stored.error));
    }
    match readable.into_iter().find(|stored| stored.connection.name == *name) {
        Some(stored) => Ok(stored.connection),
        None => bail!("there is no connection `{name}`; `cartbridge connection list` shows all"),
    }
}

impl Add {
    fn connection(self) -> anyhow::Result<Connection> {
        let secrets = self.webhook_secrets_file.map(|file| read(&file)).transpose()?.unwrap_or_default();
        let secrets: Vec<&str> = secrets.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut definition = serde_json::json!({
            "name": self.name,
            "ghl": { "location_id": self.location_id, "allow_plain_http": self.ghl_allow_plain_http },
            "cscart": {
                "url": self.store_url,
                "email": self.store_email,
                "webhook_secrets": secrets,
                "polling": self.polling.unwrap_or_default(),
                "allow_plain_http": self.store_allow_plain_http,
            },
        });
        if let Some(file) = self.token_file {
            definition["ghl"]["token"] = read(&file)?.trim().into();
        }
        if let (Some(id), Some(file)) = (self.client_id, self.client_secret_file) {
            definition["ghl"]["oauth"] =
                serde_json::json!({ "client_id": id, "client_secret": read(&file)?.trim() });
        }
        if let Some(url) = self.ghl_api_url {
            definition["ghl"]["api_url"] = url.into();
        }
        let mut connection: Connection = serde_json::from_value(definition)?;
        if let Some(file) = self.store_api_key_file {
            connection.cscart.api_key = Some(SecretString::from(read(&file)?.trim().to_owned()));
        }
        if let Some(flaw) = flaws_of(&connection).first() {
            bail!("{}: {}", flaw.what, flaw.mend);
        }
        Ok(connection)
    }
}

fn polling_mode(text: &str) -> Result<PollingMode, String> {
    serde_json::from_value(text.into()).map_err(|_| "write `true`, `false` or `auto`".to_owned())
}

fn read(file: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    if file == "-" {
        std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("{file} cannot be read"))?;
    }
    Ok(text)
}
