//! `docs/catalogue.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use catalogue::{Operation, Source, Trigger};

use super::{ActionSummary, search};

/// The text of `docs/catalogue.md`: everything, in tables.
pub fn markdown() -> String {
    let all = search("");
    let mut text = format!(
        "<!-- Made by `cartbridge catalogue --markdown`; a test compares. -->\n\n\
         # The catalogue: {} actions and {} triggers\n\n\
         Each operation of those of HighLevel's documents that a store needs (crates/catalogue/README.md names them), and each event that\n\
         HighLevel documents. Beside them stand the bridge's own actions, and what the store sends. `cartbridge catalogue WORD` searches it, `cartbridge catalogue NAME` shows one with all its\n\
         inputs, and `GET /api/catalogue` is the same for programs.\n\n\
         A step of a route can name all of them. Those in the first table are the bridge's own: they know the customer, and look before\n\
         they repeat anything. The others are plain calls. Where a name is both, the bridge's own is meant unless the step has `raw = true`.\n\n\
         ## The bridge's own\n\n\
         They work on the customer that the event is about. [routes/README.md](../routes/README.md) has their parameters.\n\n\
         | action | what it does | scopes |\n|---|---|---|\n",
        all.actions.len(),
        all.triggers.len()
    );
    for offer in crate::flow::offers() {
        let scopes: Vec<String> = offer.scopes.iter().map(|scope| format!("`{scope}`")).collect();
        row(&mut text, &[format!("`{}`", offer.name), offer.does.to_owned(), scopes.join(", ")]);
    }
    text.push_str(
        "\n## HighLevel's operations\n\n\
         **Twice** says what happens when an operation is sent twice: *read* changes nothing; *idempotent* comes to the same; *create*\n\
         makes a second thing, so after an unknown outcome it has to be looked for first; *action* does it again. Inputs in bold are\n\
         required; the others are left out here. Where no scope stands, HighLevel documents none.\n",
    );
    let steps: BTreeMap<&str, &ActionSummary> =
        all.actions.iter().filter(|it| it.own).map(|it| (it.name.as_str(), it)).collect();
    let mut documents: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for operation in catalogue::operations() {
        documents.entry(&operation.document).or_default().push(operation);
    }
    for (document, operations) in documents {
        let _ = write!(
            text,
            "\n### {document}\n\n| action | what it does | call | inputs | scopes | twice |\n|---|---|---|---|---|---|\n"
        );
        for it in operations {
            row(&mut text, &cells(it, steps.contains_key(it.name.as_str())));
        }
    }
    for (source, title) in [
        (Source::Cscart, "What the store sends"),
        (Source::Ghl, "What HighLevel sends"),
        (Source::Manual, "What a person asks for"),
        (Source::Schedule, "What happens by itself"),
    ] {
        let _ = write!(text, "\n## Triggers: {title}\n\n| trigger | when | type |\n|---|---|---|\n");
        for it in catalogue::triggers().iter().filter(|it| it.source == source) {
            row(&mut text, &[format!("`{}`", it.name), when(it), format!("`{}`", it.kind)]);
        }
    }
    text
}

fn cells(it: &Operation, is_step: bool) -> [String; 6] {
    let inputs = it.inputs();
    let required = inputs.iter().filter(|input| input.field.required);
    let mut shown: Vec<String> = required.map(|input| format!("**`{}`**", input.field.name)).collect();
    let others = inputs.len() - shown.len();
    if others > 0 {
        shown.push(format!("{others} more"));
    }
    let mut notes = it.title.clone();
    for (note, holds) in [
        ("an agency's token", it.agency),
        ("HighLevel advises against it", it.deprecated),
        ("the bridge has its own form of it", is_step),
    ] {
        if holds {
            let _ = write!(notes, " ({note})");
        }
    }
    let scopes: Vec<String> = it.scopes.iter().map(|scope| format!("`{scope}`")).collect();
    [
        format!("`{}`", it.name),
        notes,
        format!("`{} {}`", it.method, it.path),
        shown.join(", "),
        scopes.join(", "),
        it.repeat.as_str().to_owned(),
    ]
}

/// When a trigger happens, and the cases of it.
fn when(trigger: &Trigger) -> String {
    let cases = trigger.cases.iter().map(|case| format!("<br>{}: `when = \"{}\"`", case.title, case.when));
    std::iter::once(trigger.title.clone()).chain(cases).collect()
}

fn row(text: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}
