//! `cartbridge connection code`: what the store's add-on is connected with.

use anyhow::Context as _;

use crate::connection::{Connection, ConnectionName};
use crate::connection_code::{ConnectionCode, StoreIs};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The connection's name
    pub(super) name: ConnectionName,
    /// The store runs on this machine and may call the bridge at a loopback address
    #[arg(long)]
    same_machine: bool,
}

/// Prints the code alone, so that it can be piped, and what is to be known of it beside.
pub(super) fn print(arguments: &Arguments, connection: &Connection, public_url: &str) -> anyhow::Result<()> {
    let store = if arguments.same_machine { StoreIs::OnThisMachine } else { StoreIs::Elsewhere };
    let code = ConnectionCode::new(connection, public_url, store).context("there is no code")?;
    println!("{}", code.expose());
    eprintln!(
        "Paste it in the store's administration: Customers > Cartbridge. Treat it as a password: it holds the webhook secret, and\n\
         whoever has it can send events in the store's name and see its customers. Should it be lost: put a new secret in front\n\
         of `cscart.webhook_secrets`, connect the store with a new code, then take the old secret out."
    );
    Ok(())
}
