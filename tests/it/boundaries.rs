//! The arrows between the parts go one way.

use std::path::{Path, PathBuf};

/// The source files in a folder.
pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The words of `forbidden` that the source below `part` holds, with their files.
fn found_in(part: &str, forbidden: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = sources(&root.join(part));
    files.push(root.join(format!("{part}.rs")));
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let code: String =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        found.extend(
            forbidden
                .iter()
                .filter(|word| code.contains(**word))
                .map(|word| format!("{}: {word}", file.display())),
        );
    }
    found
}

#[test]
fn planning_and_mapping_do_no_io() {
    let io = [
        "rusqlite",
        "reqwest",
        "axum",
        "tokio",
        "std::fs",
        "std::net",
        "crate::store",
        "crate::http",
        "crate::engine",
        "crate::inbox",
    ];
    for part in ["flow", "sync"] {
        assert_eq!(found_in(part, &io), [] as [String; 0]);
    }
}

#[test]
fn the_store_knows_nothing_of_http_or_of_calls() {
    assert_eq!(
        found_in("store", &["axum", "reqwest", "crate::http", "crate::engine", "crate::flow"]),
        [] as [String; 0]
    );
}

#[test]
fn only_the_store_knows_sql_and_only_http_knows_status_codes_of_ours() {
    for part in ["http", "engine", "inbox", "flow", "sync", "polling"] {
        assert_eq!(found_in(part, &["rusqlite", "SELECT "]), [] as [String; 0]);
    }
    for part in ["engine", "inbox", "store", "polling"] {
        assert_eq!(found_in(part, &["StatusCode", "axum"]), [] as [String; 0]);
    }
}

#[test]
fn the_sandbox_knows_neither_client() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/sandbox/Cargo.toml");
    let manifest: toml::Table = std::fs::read_to_string(manifest).unwrap().parse().unwrap();
    for section in ["dependencies", "dev-dependencies"] {
        let names = manifest[section].as_table().unwrap();
        assert!(!names.contains_key("ghl") && !names.contains_key("cscart"), "{section}");
    }
}
