//! Makes the data anew from HighLevel's documents:
//!
//! ```sh
//! cargo run -p catalogue --example generate -- FOLDER
//! ```
//!
//! `FOLDER` holds the OpenAPI files of [highlevel-api-docs](https://github.com/GoHighLevel/highlevel-api-docs) (`apps/*.json`), its
//! `docs/webhook events` as `webhook-events/`, and its `docs/oauth/Scopes.md` as `oauth-Scopes.md`. It says which names are new and
//! which are gone; routes that use one that is gone would break.

mod documents;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("which folder? cargo run -p catalogue --example generate -- FOLDER");
        return ExitCode::FAILURE;
    };
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    match run(Path::new(&folder), &data) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path, data: &Path) -> Result<(), String> {
    let names = std::fs::read_to_string(data.join("names.toml")).map_err(|error| error.to_string())?;
    let made = documents::read(folder, &names)?;
    for (file, lines) in made.files() {
        let file = data.join(file);
        let before = names_in(&std::fs::read_to_string(&file).unwrap_or_default());
        let after = names_in(&lines);
        for name in before.difference(&after) {
            println!("gone: {name}");
        }
        for name in after.difference(&before) {
            println!("new:  {name}");
        }
        std::fs::write(&file, lines).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

fn names_in(lines: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).ok()?["name"].as_str().map(str::to_owned)
    };
    lines.lines().filter_map(name).collect()
}
