//! The catalogue: complete, the same wherever it is shown, and usable: every action is called and every trigger is fed.

mod calls;
mod events;
mod server;

use std::path::Path;

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::program::{Desk, text};

#[test]
fn the_committed_page_is_the_programs_own() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/catalogue.md");
    let committed = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        committed == cartbridge::show::catalogue::markdown(),
        "docs/catalogue.md is not what the catalogue says any more: refresh it with\n    cargo run -q -- catalogue --markdown > docs/catalogue.md"
    );
    for operation in catalogue::operations() {
        assert!(committed.contains(&format!("`{}`", operation.name)), "{}", operation.name);
    }
}

#[test]
fn the_numbers_that_are_written_down_are_right() {
    let all = cartbridge::show::catalogue::search("");
    let numbers = format!("{} actions and {} triggers", all.actions.len(), all.triggers.len());
    for file in ["README.md", "docs/catalogue.md"] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert!(text.contains(&numbers), "{file} does not say {numbers}");
    }
}

#[tokio::test]
async fn the_api_finds_and_shows_what_the_catalogue_has() {
    let app = TestApp::spawn().await;
    let contract = crate::openapi::Contract::new();
    let ask = async |path: &str| {
        let (status, body) = app.api("GET", path, None).await;
        let kind = if status == 200 { "application/json" } else { "application/problem+json" };
        contract.check("GET", path, status, Some(kind), &body);
        (status, body)
    };
    let (_, all) = ask("/api/catalogue").await;
    let count = |what: &str| all[what].as_array().unwrap().len();
    assert!(count("actions") >= catalogue::operations().len());
    assert_eq!(count("triggers"), catalogue::triggers().len());

    let (_, found) = ask("/api/catalogue?search=Opportunity%20upsert").await;
    assert_eq!(found["actions"][0]["name"], "ghl.opportunity.upsert");
    assert_eq!(found["actions"][0]["scopes"], json!(["opportunities.write"]));
    assert_eq!(ask("/api/catalogue?serach=x").await.0, 400);

    let (_, shown) = ask("/api/catalogue/ghl.task.create").await;
    let action = &shown["action"];
    assert_eq!((&action["own"], &action["call"]["repeat"]), (&json!(true), &json!("create")));
    let inputs = action["call"]["inputs"].as_array().unwrap();
    let due = inputs.iter().find(|input| input["name"] == "dueDate").unwrap();
    assert_eq!(
        (&due["place"], &due["kind"], &due["required"]),
        (&json!("body"), &json!("text"), &json!(true))
    );
    assert_eq!(shown["trigger"], Value::Null);
    let (_, own) = ask("/api/catalogue/ghl.contact.save").await;
    assert_eq!((&own["action"]["call"], &own["action"]["step"][0]["name"]), (&Value::Null, &json!("tags")));
    let (_, trigger) = ask("/api/catalogue/ghl.contact.created").await;
    assert_eq!(trigger["trigger"]["sample"]["type"], "ContactCreate");
    assert_eq!(ask("/api/catalogue/ghl.contact.creat").await.0, 404);
    app.end().await;
}

#[tokio::test]
async fn the_command_searches_shows_and_says_when_there_is_nothing() {
    let desk = Desk::new("");
    let found = desk.ok(&["catalogue", "opportunity", "UPSERT"]).await;
    assert!(found.contains("ghl.opportunity.upsert") && found.contains("opportunities.write"), "{found}");
    assert!(found.contains("1 action(s)") && !found.contains("ghl.opportunity.create"), "{found}");
    let shown = desk.ok(&["catalogue", "ghl.opportunity.upsert"]).await;
    for expected in
        ["POST /opportunities/upsert", "opportunities.write", "pipelineId  text, required, in body"]
    {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    let trigger = desk.ok(&["catalogue", "cscart.order.status_changed"]).await;
    assert!(trigger.contains("data.order.status == 'C'"), "{trigger}");
    let json: Value = serde_json::from_str(&desk.ok(&["catalogue", "--json"]).await).unwrap();
    assert_eq!(json, serde_json::to_value(cartbridge::show::catalogue::search("")).unwrap());
    let nothing = desk.run(&["catalogue", "nosuchthing"]).await;
    assert!(!nothing.status.success() && text(&nothing.stdout).contains("shows everything"), "{nothing:?}");
}

#[test]
fn the_clients_own_calls_need_the_scopes_of_the_catalogue() {
    for call in ghl::oauth::Operation::ALL {
        let found = catalogue::operations()
            .iter()
            .find(|it| it.method.as_str() == call.method() && it.path == call.path())
            .unwrap_or_else(|| panic!("{call:?} is not in the catalogue"));
        assert_eq!(found.scopes, [call.scope().as_str()], "{call:?}");
    }
}
