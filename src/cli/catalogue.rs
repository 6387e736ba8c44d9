//! `cartbridge catalogue`: what can be done in HighLevel, and what can set off a route.

use std::process::ExitCode;

use crate::show::catalogue::{self, Catalogue};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Words that are to be found in name, title or path; a whole name shows all its inputs
    search: Vec<String>,
    /// Print JSON, as the API answers it
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print all of it as Markdown: the text of docs/catalogue.md
    #[arg(long, conflicts_with = "search")]
    markdown: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.markdown {
        print!("{}", catalogue::markdown());
        return Ok(ExitCode::SUCCESS);
    }
    let search = arguments.search.join(" ");
    if let Some(entry) = catalogue::entry(&search) {
        if arguments.json {
            println!("{}", serde_json::to_string_pretty(&entry)?);
        } else if let Some(action) = &entry.action {
            print!("{}", catalogue::action_text(action));
        } else if let Some(trigger) = &entry.trigger {
            print!("{}", catalogue::trigger_text(trigger));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let found = catalogue::search(&search);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else if found.actions.is_empty() && found.triggers.is_empty() {
        println!("Nothing in the catalogue has all of these words. `cartbridge catalogue` shows everything.");
        return Ok(ExitCode::FAILURE);
    } else {
        show(&found);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(found: &Catalogue) {
    let table = |header: [&str; 3]| {
        let mut table = comfy_table::Table::new();
        table
            .load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
            .set_header(header);
        table
    };
    if !found.actions.is_empty() {
        let mut actions = table(["action", "what it does", "needs"]);
        for it in &found.actions {
            let mark = if it.own { " (the bridge's own)" } else { "" };
            actions.add_row([it.name.clone(), format!("{}{mark}", it.title), it.scopes.join(", ")]);
        }
        println!("{actions}");
    }
    if !found.triggers.is_empty() {
        let mut triggers = table(["trigger", "when", "type"]);
        for it in &found.triggers {
            triggers.add_row([it.name.clone(), it.title.clone(), it.kind.clone()]);
        }
        println!("{triggers}");
    }
    println!(
        "{} action(s), {} trigger(s). A whole name shows its inputs: cartbridge catalogue ghl.contact.create",
        found.actions.len(),
        found.triggers.len()
    );
}
