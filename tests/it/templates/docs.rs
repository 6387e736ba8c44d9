//! The examples of `docs/flows.md`, read as a bridge reads them.

use cartbridge::connection::Settings;
use cartbridge::flow::{Context, Next, RouteSet};
use cartbridge::sync::{Canonical, Field};
use serde_json::{Value, json};

/// The blocks of the page, each with the number of its line.
fn blocks() -> Vec<(usize, String)> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/flows.md")).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line) {
            (None, "```toml") => open = Some((number + 1, String::new())),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some((_, text)), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

#[test]
fn each_route_in_the_reference_is_one_that_a_bridge_takes() {
    let routes: Vec<_> = blocks().into_iter().filter(|(_, text)| text.contains("[[step]]")).collect();
    assert!(routes.len() >= 8, "{}", routes.len());
    for (line, text) in routes {
        let read = RouteSet::default().with("example.toml", text.as_bytes());
        assert!(read.is_ok(), "docs/flows.md:{line}: {:?}", read.err());
    }
}

#[test]
fn each_setting_in_the_reference_is_one_that_a_connection_takes() {
    let settings: Vec<_> =
        blocks().into_iter().filter(|(_, text)| text.contains("[connection.settings")).collect();
    assert!(!settings.is_empty());
    for (line, text) in settings {
        let table: toml::Table = text.parse().unwrap();
        let settings = table["connection"]["settings"].clone();
        let read = settings.try_into::<Settings>();
        assert!(read.is_ok(), "docs/flows.md:{line}: {:?}", read.err());
    }
}

/// An example that carries an event does something when it comes.
#[test]
fn each_example_with_an_event_runs_for_it() {
    let mut settings = Settings::default();
    settings.values.insert("review_workflow".into(), json!("a-workflow"));
    let mut planned = 0;
    for (line, text) in blocks() {
        let Some(event) = text.lines().next().and_then(|line| line.strip_prefix("# event: ")) else {
            continue;
        };
        let event: Value = serde_json::from_str(event).unwrap();
        let routes = RouteSet::default().with("example.toml", text.as_bytes()).unwrap();
        let contact: Canonical = event["contact"]["email"]
            .as_str()
            .map(|email| (Field::Email, email.to_owned()))
            .into_iter()
            .collect();
        let context = Context {
            trigger: event["type"].as_str().unwrap(),
            event_id: "an-event".into(),
            occurred_at: jiff::Timestamp::UNIX_EPOCH,
            connection: &"my-shop".parse().unwrap(),
            settings: &settings,
            store: &Value::Null,
            data: &event["data"],
            contact: &contact,
            contact_id: Some("a-contact"),
            today: jiff::civil::date(2026, 11, 25),
            continued: None,
        };
        let next = routes.begin(&context).unwrap().next();
        assert!(matches!(next, Ok(Next::Step(_) | Next::Delay(_))), "docs/flows.md:{line}: {next:?}");
        planned += 1;
    }
    assert!(planned >= 8, "{planned}");
}
