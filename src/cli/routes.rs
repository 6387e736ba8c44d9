//! `cartbridge routes`: which flows there are, where they run, and how they are written.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::load_routes;
use crate::show::routes::listing;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the routes, and which connections have them switched on
    List,
    /// Print the JSON Schema of route files: editors complete and check them with it
    Schema,
}

pub(super) async fn run(file: Option<PathBuf>, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List => list(file).await,
        Command::Schema => {
            println!("{:#}", crate::flow::schema());
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let (config, store, _folder) = super::database::open_read_only_or_empty(file).await?;
    let routes = load_routes(config.routes_dir.as_deref())?;
    let stored = store.connections().await?.readable;
    let connections: Vec<_> = stored.iter().map(|stored| &stored.connection).collect();
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
        .set_header(["route", "version", "on", "off", "what it does"]);
    for route in listing(&routes, &connections).items {
        let names = |enabled: bool| {
            let of_state = route.connections.iter().filter(|it| it.enabled == enabled);
            of_state.map(|it| it.connection.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (on, off) = (names(true), names(false));
        table.add_row([route.id.clone(), route.version.clone(), on, off, route.description.clone()]);
    }
    println!("{table}");
    Ok(ExitCode::SUCCESS)
}
