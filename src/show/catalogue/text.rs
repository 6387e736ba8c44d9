//! One name of the catalogue, in words.

use std::fmt::Write as _;

use super::{ActionDetail, CaseDetail, FieldDetail, TriggerDetail};

/// An action, as the command line shows it.
pub fn action_text(action: &ActionDetail) -> String {
    let summary = &action.summary;
    let mut text = format!("{}\n  {}\n", summary.name, summary.title);
    let mut line = |line: String| text.push_str(&(line + "\n"));
    if let Some(call) = &action.call {
        if !call.about.is_empty() {
            line(format!("  {}", call.about));
        }
        let version = call.version.as_deref().map(|version| format!(" (version {version})"));
        line(format!(
            "\n  call      {} {}{}",
            summary.method.unwrap_or_default(),
            summary.path.as_deref().unwrap_or_default(),
            version.unwrap_or_default()
        ));
        let twice = match call.repeat {
            "read" => "changes nothing",
            "idempotent" => "sent twice it comes to the same",
            "create" => "makes a thing: sent twice it makes two",
            _ => "sent twice it does it twice",
        };
        line(format!("  repeat    {}: {twice}", call.repeat));
        if call.agency {
            line("  token     an agency's".to_owned());
        }
        if call.deprecated {
            line("  note      HighLevel advises against it".to_owned());
        }
    }
    line(format!("  scopes    {}", scopes(&summary.scopes)));
    if let Some(step) = &action.step {
        line("\n  As a step of a route, on the customer that the event is about:".to_owned());
        for parameter in step {
            let required = if parameter.required { ", required" } else { "" };
            line(format!("    {}  {}{required}", parameter.name, parameter.kind));
        }
        if step.is_empty() {
            line("    no parameters".to_owned());
        }
    }
    if let Some(call) = &action.call {
        line(format!("\n  Inputs of the call{}", if call.inputs.is_empty() { ": none" } else { ":" }));
        for input in &call.inputs {
            let place = match input.place {
                catalogue::Place::Path => "path",
                catalogue::Place::Query => "query",
                catalogue::Place::Body => "body",
                catalogue::Place::WholeBody => "the body",
            };
            text.push_str(&field_text(&input.field, 2, Some(place)));
        }
    }
    text
}

/// A trigger, as the command line shows it.
pub fn trigger_text(trigger: &TriggerDetail) -> String {
    let summary = &trigger.summary;
    let mut text = format!("{}\n  {}\n\n  type      {}\n", summary.name, summary.title, summary.kind);
    if summary.source == catalogue::Source::Ghl {
        let _ = writeln!(text, "  scopes    {}", scopes(&trigger.scopes));
    }
    for CaseDetail { title, when } in &trigger.cases {
        let _ = writeln!(text, "  when      {when}  ({title})");
    }
    if !trigger.fields.is_empty() {
        text.push_str("\n  Carries:\n");
    }
    for field in &trigger.fields {
        text.push_str(&field_text(field, 2, None));
    }
    if let Some(sample) = &trigger.sample {
        let _ = writeln!(text, "\n  Sample:\n{sample:#}");
    }
    text
}

fn scopes(scopes: &[String]) -> String {
    if scopes.is_empty() { "not documented".to_owned() } else { scopes.join(", ") }
}

/// A field, and those inside it.
fn field_text(field: &FieldDetail, depth: usize, place: Option<&str>) -> String {
    let mut notes = vec![field.kind.clone()];
    notes.extend(field.required.then(|| "required".to_owned()));
    notes.extend(field.nullable.then(|| "may be null".to_owned()));
    notes.extend(place.map(|place| format!("in {place}").replace("in the body", "the whole body")));
    let about = if field.about.is_empty() { String::new() } else { format!("  {}", field.about) };
    let mut text = format!("{}{}  {}{about}\n", "  ".repeat(depth), field.name, notes.join(", "));
    for inner in inside(&field.schema) {
        text.push_str(&field_text(&FieldDetail::from(inner), depth + 1, None));
    }
    text
}

/// The fields of an object, or of the objects of a list.
fn inside(kind: &catalogue::Kind) -> &[catalogue::Field] {
    match kind {
        catalogue::Kind::Fields(fields) => fields,
        catalogue::Kind::List(item) => inside(item),
        _ => &[],
    }
}
