//! `cartbridge test-routes`: the tests of the built-in routes, and those of a folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use crate::app::{StartError, load_routes};
use crate::connection::BadName;
use crate::flow::RouteSet;
use crate::route_tests::{self, Outcome, ReadError, TestFile};

const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The tests are the files in `tests/` of the folder; routes/tests/README.md tells how to write one.
Ends with 0 if all hold, 1 if one does not, 2 if a file has mistakes."
)]
pub(super) struct Arguments {
    /// A folder of routes with their tests in `tests/` (without it: `routes_dir` of the configuration)
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// What a file with mistakes ends with.
const MISTAKES: u8 = 2;

pub(super) async fn run(file: Option<PathBuf>, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let folder = match arguments.folder {
        Some(folder) => Some(folder),
        None => super::database::config(file)?.routes_dir,
    };
    let mut mistakes = Vec::new();
    let mut sets = Vec::new();
    match read(None) {
        Ok(set) => sets.push(set),
        Err(found) => mistakes.extend(found),
    }
    if let Some(folder) = &folder {
        match read(Some(folder)) {
            Ok(set) => sets.push(set),
            Err(found) => mistakes.extend(found),
        }
    }
    if !mistakes.is_empty() {
        for mistake in &mistakes {
            eprintln!("{mistake}");
        }
        return Ok(ExitCode::from(MISTAKES));
    }
    let mut outcomes = Vec::new();
    for (routes, files) in &sets {
        outcomes.extend(route_tests::run(files, routes, tell).await?);
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    println!("\n{} test(s), {failed} of them failed.", outcomes.len());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Routes and their tests: the built-in ones, or those of a folder over them. Otherwise all mistakes, a text each.
fn read(folder: Option<&Path>) -> Result<(RouteSet, Vec<TestFile>), Vec<String>> {
    let routes = load_routes(folder).map_err(|error| match error {
        StartError::Routes(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
        other => vec![other.to_string()],
    })?;
    let name = route_tests::CONNECTION.parse().map_err(|error: BadName| vec![error.to_string()])?;
    let routes = routes.of(&name);
    let files = match folder {
        None => route_tests::embedded(&routes),
        Some(folder) => {
            let tests = folder.join("tests");
            if tests.is_dir() {
                route_tests::in_folder(&tests, &routes)
            } else {
                println!("There are no tests in {}.", tests.display());
                Ok(Vec::new())
            }
        }
    };
    let files = files.map_err(|error| match error {
        ReadError::Mistakes(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
        ReadError::File(..) => vec![format!("{:#}", anyhow::Error::from(error))],
    })?;
    Ok((routes, files))
}

fn tell(outcome: &Outcome) {
    let place = format!("{}:{}", outcome.place, outcome.line);
    if outcome.failures.is_empty() {
        println!("{GOOD}✓{GOOD:#} {}", outcome.name);
        return;
    }
    println!("{BAD}✗ {}{BAD:#}  {DIM}{place}{DIM:#}", outcome.name);
    for failure in &outcome.failures {
        println!("    {failure}");
    }
}
