//! Whether the data are still what the documents say. The documents are no part of this repository; where they are not at
//! hand, that is said and nothing is compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::generate::documents;

const NAMES: &str = include_str!("../../data/names.toml");

/// Where HighLevel's documents are: `CARTBRIDGE_GHL_DOCUMENTS`, or beside the checkout.
pub(crate) fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("CARTBRIDGE_GHL_DOCUMENTS") {
        let folder = PathBuf::from(folder);
        assert!(folder.is_dir(), "CARTBRIDGE_GHL_DOCUMENTS: {} is no folder", folder.display());
        return Some(folder);
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/ghl");
    if !beside.is_dir() {
        eprintln!(
            "SKIPPED: HighLevel's documents are not at hand, so the catalogue is not compared with them. Name their folder \
             in CARTBRIDGE_GHL_DOCUMENTS (crates/catalogue/README.md says what it holds)."
        );
    }
    beside.is_dir().then_some(beside)
}

/// Name and line of everything in a file of data.
fn by_name(lines: &str) -> BTreeMap<String, &str> {
    let name = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].as_str().unwrap().to_owned()
    };
    lines.lines().map(|line| (name(line), line)).collect()
}

/// What has changed from one to the other.
fn difference(before: &str, after: &str) -> Vec<String> {
    let (before, after) = (by_name(before), by_name(after));
    let gone = before.keys().filter(|name| !after.contains_key(*name)).map(|name| format!("gone: {name}"));
    let new = after.keys().filter(|name| !before.contains_key(*name)).map(|name| format!("new: {name}"));
    let changed = after.iter().filter(|(name, line)| before.get(*name).is_some_and(|old| old != *line));
    gone.chain(new).chain(changed.map(|(name, _)| format!("changed: {name}"))).collect()
}

#[test]
fn the_data_are_those_of_the_documents() {
    let Some(folder) = folder() else { return };
    let made = documents::read(&folder, NAMES).unwrap_or_else(|error| panic!("{error}"));
    for (file, lines) in made.files() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file);
        let committed = std::fs::read_to_string(path).unwrap();
        let difference = difference(&committed, &lines);
        assert!(
            difference.is_empty() && committed == lines,
            "data/{file} is not what the documents say: {difference:#?}\nrefresh it with\n    cargo run -p catalogue --example generate -- {}\n\
             and read the difference before you commit it: a name that is gone breaks routes",
            folder.display()
        );
    }
}

/// A copy of the documents in which `from` is `to`.
fn edited(folder: &Path, file: &str, from: &str, to: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("webhook-events")).unwrap();
    for part in ["", "webhook-events"] {
        for entry in std::fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = std::fs::read_to_string(&path).unwrap();
                let name = path.file_name().unwrap();
                let text = if name == file { text.replace(from, to) } else { text };
                std::fs::write(copy.path().join(part).join(name), text).unwrap();
            }
        }
    }
    copy
}

#[test]
fn a_rename_in_the_documents_is_caught() {
    let Some(folder) = folder() else { return };
    let before = documents::read(&folder, NAMES).unwrap().files();
    // One that the rule names: its old name is gone and a new one is there.
    let copy =
        edited(&folder, "businesses.json", "\"/businesses/{businessId}\"", "\"/companies/{businessId}\"");
    let after = documents::read(copy.path(), NAMES).unwrap().files();
    let difference = difference(&before[0].1, &after[0].1);
    assert!(difference.contains(&"gone: ghl.business.get".to_owned()), "{difference:?}");
    // One that the table names: the table speaks of nothing.
    let copy = edited(&folder, "invoices.json", "/invoices/text2pay", "/invoices/pay-by-text");
    let error = documents::read(copy.path(), NAMES).err().unwrap();
    assert!(error.contains("`POST /invoices/text2pay`"), "{error}");
    // An event.
    let copy = edited(&folder, "oauth-Scopes.md", "", "");
    std::fs::rename(
        copy.path().join("webhook-events/TaskDelete.md"),
        copy.path().join("webhook-events/TaskRemove.md"),
    )
    .unwrap();
    let after = documents::read(copy.path(), NAMES).unwrap().files();
    let found = crate::fresh::difference(&before[1].1, &after[1].1);
    assert_eq!(found, ["gone: ghl.task.deleted", "new: ghl.task.remove"]);
}

#[test]
fn two_operations_cannot_share_a_name() {
    let Some(folder) = folder() else { return };
    let names = NAMES.replace("\"email_template.list\"", "\"email_campaign.list\"");
    let error = documents::read(&folder, &names).err().unwrap();
    assert!(error.contains("is the name of two operations"), "{error}");
}
