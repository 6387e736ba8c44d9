//! `cartbridge doctor`: what is wrong, and what to do about it.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use serde::Serialize;

use crate::clock::Clock;
use crate::connection::ConnectionName;
use crate::doctor::{self, About, Finding, Summary, Tell};
use crate::reason::Code;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only this connection
    name: Option<ConnectionName>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(file: Option<PathBuf>, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    let (mut paper, mut lines) = (Paper::default(), Lines::default());
    let tell: &mut dyn Tell = if arguments.json { &mut paper } else { &mut lines };
    let examined = doctor::examine(file.as_deref(), arguments.name.as_ref(), &clock, tell).await;
    let Some(Summary { failed, warnings }) = examined else {
        let name = arguments.name.map(|name| name.to_string()).unwrap_or_default();
        bail!("there is no connection `{name}`; `cartbridge connection list` shows all");
    };
    if arguments.json {
        let report = Report { ok: failed == 0, failed, warnings, checks: paper.checks };
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else if failed + warnings == 0 {
        println!("\nAll is well.");
    } else {
        println!("\n{failed} failed, {warnings} warning(s).");
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a line a check. On a terminal the check that is going on stands in the last line.
#[derive(Default)]
struct Lines {
    about: Option<About>,
}

impl Lines {
    fn heading(&mut self, about: &About) {
        if self.about.as_ref() != Some(about) {
            println!("{}{about}", if self.about.is_some() { "\n" } else { "" });
            self.about = Some(about.clone());
        }
    }
}

impl Tell for Lines {
    fn begins(&mut self, about: &About, check: &'static str) {
        self.heading(about);
        if std::io::stdout().is_terminal() {
            print!("  … {check}");
            // Should this not be shown, the line of the result is all the same.
            drop(std::io::stdout().flush());
        }
    }

    fn ended(&mut self, about: &About, check: &'static str, finding: &Finding) {
        self.heading(about);
        if std::io::stdout().is_terminal() {
            // Back to the line's beginning, and the line away.
            print!("\r\x1b[2K");
        }
        let sign = match finding {
            Finding::Good(_) => '✓',
            Finding::Warning(_) => '!',
            Finding::Failed(_) => '✗',
            Finding::Skipped(_) => '-',
        };
        println!("  {sign} {:<8}{check:<20} {}", finding.word(), finding.text());
        if let Some(code) = finding.code() {
            println!("{:32}more: {}", "", code.page());
        }
    }
}

/// Keeps everything for one JSON object.
#[derive(Default)]
struct Paper {
    checks: Vec<Line>,
}

#[derive(Serialize)]
struct Report {
    /// Nothing has failed.
    ok: bool,
    failed: usize,
    warnings: usize,
    checks: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    /// null: the bridge as a whole.
    connection: Option<String>,
    check: &'static str,
    /// `ok`, `warning`, `failed` or `skipped`.
    outcome: &'static str,
    /// What was found, and what to do.
    found: String,
    code: Option<&'static str>,
    page: Option<&'static str>,
}

impl Tell for Paper {
    fn begins(&mut self, _: &About, _: &'static str) {}

    fn ended(&mut self, about: &About, check: &'static str, finding: &Finding) {
        self.checks.push(Line {
            connection: match about {
                About::Bridge => None,
                About::Connection(name) => Some(name.to_string()),
            },
            check,
            outcome: finding.word(),
            found: finding.text().to_owned(),
            code: finding.code().map(Code::as_str),
            page: finding.code().map(Code::page),
        });
    }
}
