//! A dry run as text.

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde_json::Value;

use crate::dry_run::{Call, Change, Compared, Comparison, ConditionView, Phase, Report, StepView};

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default();

pub(super) fn report(report: &Report) {
    let event = &report.event;
    println!(
        "\n{BOLD}{}{BOLD:#}  {}  {DIM}{} at {}{DIM:#}",
        event.kind, event.subject, report.connection, event.occurred_at
    );
    println!("  {}", report.found);
    for phase in &report.phases {
        self::phase(phase);
    }
    for call in &report.store {
        let asked = match call.status {
            Some(status) => format!("{GOOD}{status}{GOOD:#}"),
            None => format!("{WARN}not asked{WARN:#}"),
        };
        println!("  the store   ← {} {}  {asked}", call.method, call.path);
    }
    println!(
        "\n  It would cost {} and {}. Nothing was sent or written.",
        calls(report.cost.highlevel, "to HighLevel"),
        calls(report.cost.store, "to the store"),
    );
    for note in &report.notes {
        println!("  {DIM}{note}{DIM:#}");
    }
}

fn phase(phase: &Phase) {
    if let Some(after) = &phase.after {
        println!("\n{BOLD}waits {after}, then:{BOLD:#}");
    }
    if !phase.conditions.is_empty() {
        println!();
        phase.conditions.iter().for_each(condition);
    }
    for (index, step) in phase.steps.iter().enumerate() {
        self::step(index + 1, step);
    }
    let style = match phase.state {
        "done" => GOOD,
        "dead" => BAD,
        _ => WARN,
    };
    let reason = phase.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    println!("\n  {style}{}{style:#}{reason}", phase.state);
}

fn condition(condition: &ConditionView) {
    let (mark, style) = if condition.holds { ("✓", GOOD) } else { ("✗", WARN) };
    let place = place(&condition.route, condition.step.as_deref());
    let text = condition.condition.as_deref().or(condition.ruled_out.as_deref()).unwrap_or_default();
    println!("  {style}{mark}{style:#} {place}  {DIM}if{DIM:#} {text}");
    for (name, value) in &condition.looked_at {
        println!("      {DIM}{name} = {value}{DIM:#}");
    }
}

fn step(number: usize, step: &StepView) {
    println!(
        "\n{BOLD}{number:>2}. {}{BOLD:#}  {}  {DIM}{}{DIM:#}",
        place(&step.route, Some(&step.step)),
        step.operation,
        step.state
    );
    if let Some(why) = &step.why {
        println!("      {why}");
    }
    step.calls.iter().for_each(call);
}

fn call(call: &Call) {
    let style = if call.status.is_some_and(|status| status < 300) { GOOD } else { WARN };
    let status = call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    println!("      ← {} {}  {style}{status}{style:#}", call.method, call.path);
    body(&call.body);
}

fn body(body: &Value) {
    if body.is_null() {
        return;
    }
    let text = serde_json::to_string_pretty(body).unwrap_or_default();
    for line in text.lines() {
        println!("        {DIM}{line}{DIM:#}");
    }
}

pub(super) fn comparison(comparison: &Comparison, since: Timestamp, limit: u32) {
    comparison.different.iter().for_each(compared);
    let different = comparison.different.len();
    println!(
        "\n{BOLD}{} since {since}:{BOLD:#} the same for {}, something else for {different}",
        events(comparison.tried),
        comparison.same
    );
    println!("  calls that change something: {} then, {} now", comparison.calls_then, comparison.calls_now);
    for (why, many) in &comparison.not_tried {
        println!("  {WARN}not tried{WARN:#} {}: {why}", events(*many));
    }
    if comparison.cut {
        println!("  {WARN}cut{WARN:#} at the newest {limit}: raise --limit to try the older ones as well");
    }
}

fn compared(compared: &Compared) {
    println!(
        "\n{BOLD}{}{BOLD:#}  {}  {DIM}{} at {}{DIM:#}",
        compared.kind, compared.subject, compared.id, compared.occurred_at
    );
    if compared.state_then != compared.state_now {
        let reason = compared.reason_now.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        println!("  it was {}, and would be {}{reason}", compared.state_then, compared.state_now);
    }
    for change in &compared.changes {
        match change {
            Change::NoLonger { call } => {
                println!("  {BAD}-{BAD:#} {} {}  {DIM}{}{DIM:#}", call.method, call.path, call.body);
            }
            Change::New { call } => {
                println!("  {GOOD}+{GOOD:#} {} {}  {DIM}{}{DIM:#}", call.method, call.path, call.body);
            }
            Change::OtherBody { method, path, at } => {
                println!("  {WARN}~{WARN:#} {method} {path}");
                for (place, (then, now)) in at {
                    println!("      {place}: {DIM}{then}{DIM:#} → {now}");
                }
            }
        }
    }
}

fn place(route: &str, step: Option<&str>) -> String {
    step.map_or_else(|| route.to_owned(), |step| format!("{route}/{step}"))
}

fn calls(many: usize, whom: &str) -> String {
    format!("{many} call{} {whom}", if many == 1 { "" } else { "s" })
}

fn events(many: usize) -> String {
    format!("{many} event{}", if many == 1 { "" } else { "s" })
}
