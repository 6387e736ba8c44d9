//! The schema of route files: what editors complete and check with.

use std::path::Path;

use serde_json::{Value, json};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("routes")
}

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&cartbridge::flow::schema()).unwrap()
}

fn json_of(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

#[test]
fn the_committed_schema_is_the_programs_own() {
    let committed = std::fs::read_to_string(folder().join("route.schema.json")).unwrap_or_default();
    assert!(
        committed == format!("{:#}\n", cartbridge::flow::schema()),
        "routes/route.schema.json is not what the grammar and the catalogue say any more: refresh it with\n    \
         cargo run -q -- routes schema > routes/route.schema.json"
    );
}

#[test]
fn every_shipped_route_names_the_schema_and_fits_it() {
    let validator = validator();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("#:schema ./route.schema.json\n"), "{}", path.display());
        let errors: Vec<String> =
            validator.iter_errors(&json_of(&text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
        seen += 1;
    }
    assert!(seen >= 7, "{seen}");
}

#[test]
fn the_schema_finds_what_the_bridge_would_refuse() {
    let validator = validator();
    let good = json!({ "on": ["cscart.ping"], "step": [
        { "id": "a", "do": "ghl.opportunity.create", "save_as": "deal", "on_error": "retry", "delay": "3d", "restart": true,
          "with": { "name": "x", "pipelineId": "p", "status": "open" } },
        { "id": "b", "do": "ghl.tags.add", "raw": true, "for_each": "data.list", "if": "item", "with": { "tags": ["x"] } },
    ] });
    let errors: Vec<String> = validator.iter_errors(&good).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    for (pointer, value) in [
        ("/on/0", json!("cscart.pong")),
        ("/step/0/do", json!("ghl.opportunity.crate")),
        ("/step/0/on_error", json!("ignore")),
        ("/step/0/save_as", json!("A deal")),
        ("/step/0/with", json!({ "name": "x", "pipelineId": "p", "status": "open", "nosuch": 1 })),
        ("/step/0/with", json!({ "name": "x" })),
        ("/step/1", json!({ "id": "b", "do": "ghl.tags.add", "wth": {} })),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value.clone();
        assert!(!validator.is_valid(&bad), "{pointer}: {value}");
    }
}
