//! `cartbridge key`: who may use the API, and the key that seals the secrets.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;

use crate::access::{ApiKey, KeyHash, Role};
use crate::clock::Clock;
use crate::store::sqlite::Sqlite;
use crate::vault::RotateError;

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
    /// Seal all secrets with a new master key; the bridge may be running
    ///
    /// The new key is written into the key file, every secret is sealed anew, and the old key is removed. It may be cut off
    /// at any moment and run again. Where the master key comes from `CARTBRIDGE_KEY`: set that to NEW,OLD (a new key from
    /// `openssl rand -base64 32`, a comma, the old one), start the bridge with it, run this with the same value, and leave
    /// OLD out at the next start.
    RotateMaster,
}

pub(super) async fn run(file: Option<PathBuf>, command: Command) -> anyhow::Result<ExitCode> {
    let (_, store) = match &command {
        Command::RotateMaster => return rotate_master(file),
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
        // It works on the file itself, not on the store.
        Command::RotateMaster => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn rotate_master(file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let config = super::database::config(file)?;
    let path = super::database::path(&config)?;
    let rotated = Sqlite::rotate_master(&path, config.master_key()?)?;
    println!("{} secret(s) are sealed anew, with the master key {}.", rotated.secrets, rotated.key);
    match rotated.old_key_stays {
        None => println!(
            "It is in {}: back that up together with the database. Older backups open only with the old key.",
            rotated.keys
        ),
        Some(RotateError::NeedsNewKey(place)) => {
            println!("The old key is not needed any more: leave it out of {place} at the next start.");
        }
        Some(RotateError::Write { source, .. }) => println!(
            "The old key is not needed any more, but could not be removed from {} ({source}): leave only the first one there.",
            rotated.keys
        ),
        Some(error) => {
            return Err(error)
                .context("the secrets are sealed anew, but the key file cannot be read any more");
        }
    }
    Ok(ExitCode::SUCCESS)
}
