//! The table at the end, counted from the sandbox's own journal and not from the bridge's records.

use std::collections::BTreeMap;

use sandbox::Entry;

use super::stage::Stage;
use super::story::Expected;

/// Prints the table; anything lost or doubled is a failure of the demo.
pub(super) async fn print(stage: &mut Stage) {
    let events = stage.api(reqwest::Method::GET, "/api/events?limit=500").await;
    let events = events["items"].as_array().cloned().unwrap_or_default();
    let from = |source: &str| events.iter().filter(|event| event["source"] == source).count().to_string();
    let journal = stage.sandbox.ghl().journal();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for call in &journal {
        *kinds.entry(kind(call)).or_default() += 1;
    }
    let (lost, doubled) = lost_and_doubled(&journal, &Expected::of_the_story());

    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.add_row(["events in: from the store".to_owned(), from("cscart")]);
    table.add_row([
        "events in: from HighLevel (its echoes; no route asks for them yet)".to_owned(),
        from("ghl"),
    ]);
    for (kind, count) in &kinds {
        table.add_row([format!("calls: {kind}"), count.to_string()]);
    }
    table.add_row(["lost".to_owned(), lost.len().to_string()]);
    table.add_row(["doubled".to_owned(), doubled.len().to_string()]);
    println!("\n{table}");
    for (what, things) in [("lost", &lost), ("doubled", &doubled)] {
        stage.check(things.is_empty(), &format!("nothing {what}{}", list(things)));
    }
    let seconds = stage.timeline.elapsed().as_secs_f64();
    match stage.failures() {
        0 => println!("\nEvery line of the story held. It took {seconds:.1} s."),
        failures => println!("\n{failures} line(s) of the story did not hold."),
    }
}

fn list(things: &[String]) -> String {
    if things.is_empty() { String::new() } else { format!(": {}", things.join(", ")) }
}

/// What a call was, whatever it was about.
fn kind(call: &Entry) -> String {
    let is_id = |part: &str| part.len() >= 20;
    let path: Vec<&str> = call.path.split('/').map(|part| if is_id(part) { "{id}" } else { part }).collect();
    format!("{} {}", call.method, path.join("/"))
}

/// What should have been made once and was made never, or more than once, by what HighLevel really did.
fn lost_and_doubled(journal: &[Entry], expected: &Expected) -> (Vec<String>, Vec<String>) {
    let made = |effect: &str, key: &str, value: &str| {
        let is = |call: &&Entry| {
            call.effect.as_ref().is_some_and(|done| done.kind == effect) && call.body[key] == value
        };
        journal.iter().filter(is).count()
    };
    let (mut lost, mut doubled) = (Vec::new(), Vec::new());
    let mut count = |what: String, times: usize| match times {
        0 => lost.push(what),
        1 => {}
        _ => doubled.push(what),
    };
    for (email, welcome) in &expected.customers {
        count(format!("contact {email}"), made("contact.created", "email", email));
        count(format!("task {welcome:?}"), made("task.created", "title", welcome));
    }
    for note in &expected.notes {
        count(format!("note {note:?}"), made("note.created", "body", note));
    }
    (lost, doubled)
}
