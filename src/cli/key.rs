//! `cartbridge key`: who may use the API.

use std::path::PathBuf;
use std::process::ExitCode;

use secrecy::ExposeSecret as _;

use crate::access::{ApiKey, KeyHash, Role};
use crate::clock::Clock;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a key; it is shown once
    Add {
        /// What to call it
        name: String,
        /// What it allows
        #[arg(long, value_enum, default_value = "read")]
        role: Role,
    },
    /// List the keys, without the keys themselves
    List,
    /// Revoke a key
    Revoke {
        /// Its id, as `list` shows it
        id: String,
    },
}

pub(super) async fn run(file: Option<PathBuf>, command: Command) -> anyhow::Result<ExitCode> {
    let (_, store) = match &command {
        Command::Add { .. } => super::database::open_or_make(file)?,
        _ => super::database::open(file)?,
    };
    let now = Clock::system().now();
    match command {
        Command::Add { name, role } => {
            let (key, secret) = ApiKey::generate(name, role, now);
            store.add_key(&key, KeyHash::of(&secret)).await?;
            // Alone on standard output, so that a script can take it.
            println!("{}", secret.expose_secret());
            eprintln!("Key {} ({}, role {}) is made. It is shown only now.", key.id, key.name, key.role);
        }
        Command::List => {
            let mut table = comfy_table::Table::new();
            table
                .load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY)
                .set_header(["id", "name", "role", "made", "revoked"]);
            for key in store.keys().await? {
                table.add_row([
                    key.id,
                    key.name,
                    key.role.to_string(),
                    key.created_at.to_string(),
                    key.revoked_at.map(|at| at.to_string()).unwrap_or_default(),
                ]);
            }
            println!("{table}");
        }
        Command::Revoke { id } => {
            store.revoke_key(&id, now).await?;
            println!("Key {id} is revoked.");
        }
    }
    Ok(ExitCode::SUCCESS)
}
