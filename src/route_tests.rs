//! Tests of routes: given this, when that happens, these calls and no others. `routes/tests/README.md` is their grammar.
//!
//! A test is a dry run whose customer, contact and store are made up: the engine itself carries the event out.

mod expect;
mod file;
mod given;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use include_dir::{Dir, include_dir};

use crate::connection::{Connection, CscartSide, GhlSide, RetryOverrides};
use crate::dry_run::scene::{Act, Arrival, Play, Scene, StoreSide};
use crate::dry_run::{Error, Names, made, read_event};
use crate::event::State;
use crate::flow::RouteSet;
use crate::mistake::Mistake;

use expect::Actual;
use file::Test;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/routes/tests");

/// How long a call to the simulated store may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The location of the tests.
const LOCATION: &str = "locationOfTheTest000";

/// The name of the connection of the tests.
pub const CONNECTION: &str = "my-shop";

/// A file with tests, read and checked.
#[derive(Debug)]
pub struct TestFile {
    /// How it is called.
    pub place: String,
    tests: Vec<Test>,
}

/// What came of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The file.
    pub place: String,
    /// Where the test begins in it.
    pub line: usize,
    /// The test.
    pub name: String,
    /// What was not as expected, a line each; none: it holds.
    pub failures: Vec<String>,
}

/// Why tests cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The folder or a file in it.
    #[error("{0} cannot be read")]
    File(PathBuf, #[source] std::io::Error),
    /// Files with mistakes.
    #[error("{} mistake(s) in the tests", .0.len())]
    Mistakes(Vec<Mistake>),
}

/// The tests of the built-in routes.
pub fn embedded(routes: &RouteSet) -> Result<Vec<TestFile>, ReadError> {
    let files = EMBEDDED.files().filter(|file| is_toml(file.path())).map(|file| {
        let place = format!("routes/tests/{}", file.path().display());
        let beside = |name: &str| EMBEDDED.get_file(name).map(|file| file.contents().to_owned());
        file::read(&place, file.contents(), routes, &|name| {
            beside(name).ok_or_else(|| "there is no such file".to_owned())
        })
    });
    all(files)
}

/// The tests in a folder.
pub fn in_folder(folder: &Path, routes: &RouteSet) -> Result<Vec<TestFile>, ReadError> {
    let failed = |error| ReadError::File(folder.to_owned(), error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if is_toml(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let content = std::fs::read(&path).map_err(|error| ReadError::File(path.clone(), error))?;
        let beside = |name: &str| std::fs::read(folder.join(name)).map_err(|error| error.to_string());
        files.push(file::read(&path.display().to_string(), &content, routes, &beside));
    }
    all(files)
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

fn all(read: impl IntoIterator<Item = Result<TestFile, Vec<Mistake>>>) -> Result<Vec<TestFile>, ReadError> {
    let (mut files, mut mistakes) = (Vec::new(), Vec::new());
    for read in read {
        match read {
            Ok(file) => files.push(file),
            Err(found) => mistakes.extend(found),
        }
    }
    if mistakes.is_empty() { Ok(files) } else { Err(ReadError::Mistakes(mistakes)) }
}

/// Runs tests; `told` is told of each as it ends.
pub async fn run(
    files: &[TestFile],
    routes: &RouteSet,
    mut told: impl FnMut(&Outcome),
) -> Result<Vec<Outcome>, Error> {
    let mut scene = Scene::open(&LOCATION.to_owned().into(), CALL_TIMEOUT).await?;
    let mut outcomes = Vec::new();
    for file in files {
        for test in &file.tests {
            let failures = match failures(&mut scene, test, routes).await {
                Ok(failures) => failures,
                Err(Error::Setup(what)) => vec![format!("`given` cannot be made: {what}")],
                Err(error) => return Err(error),
            };
            let outcome =
                Outcome { place: file.place.clone(), line: test.line, name: test.name.clone(), failures };
            told(&outcome);
            outcomes.push(outcome);
        }
    }
    scene.close().await;
    Ok(outcomes)
}

async fn failures(scene: &mut Scene, test: &Test, routes: &RouteSet) -> Result<Vec<String>, Error> {
    let connection = connection(test)?;
    let given = given::given(test, &connection);
    let event = read_event(&test.event)?;
    let play = Play {
        connection: &connection,
        routes,
        given: &given,
        events: vec![Arrival::Told(Box::new(event))],
        store: StoreSide::Simulated(given::store(test)),
    };
    let acts = scene.play(play).await?.acts;
    let calls = actual(&acts, &names(test, &acts));
    let mut failures = expect::calls(&test.expect, &calls);
    failures.extend(state(test, &acts));
    let skipped = skipped(&acts);
    for wanted in test.expect_skipped.iter().filter(|wanted| !skipped.contains(*wanted)) {
        failures.push(format!("`{wanted}` should be skipped, and is not"));
    }
    Ok(failures)
}

fn connection(test: &Test) -> Result<Connection, Error> {
    Ok(Connection {
        name: CONNECTION.parse().map_err(Error::setup)?,
        ghl: GhlSide::new(LOCATION.to_owned().into()),
        cscart: CscartSide::new(String::new()),
        retry: RetryOverrides::default(),
        settings: test.settings.clone(),
    })
}

fn names(test: &Test, acts: &[Act]) -> Names {
    let effects: Vec<_> = acts.iter().flat_map(|act| act.effects.iter().cloned()).collect();
    let mut names = Names::in_braces(&made(&effects));
    names.add(given::CONTACT, "{contact}");
    for (id, name) in given::item_names(test) {
        names.add(id, name);
    }
    names.add(LOCATION, "{location}");
    if let Some(act) = acts.first() {
        names.add(act.event.id.to_string(), "{event}");
    }
    names
}

fn actual(acts: &[Act], names: &Names) -> Vec<Actual> {
    let mut after = Duration::ZERO;
    let mut calls = Vec::new();
    for act in acts {
        after += act.after.unwrap_or_default();
        calls.extend(act.calls.iter().map(|call| Actual {
            after,
            method: call.method.clone(),
            path: names.in_text(&call.path),
            query: names.in_text(&call.query),
            body: names.in_value(&call.body),
        }));
    }
    calls
}

/// How it should have ended, if it ended otherwise. What comes after a wait has to be done as well.
fn state(test: &Test, acts: &[Act]) -> Option<String> {
    let first = acts.first().map(|act| (&act.event, test.expect_state));
    let later = acts.iter().skip(1).map(|act| (&act.event, State::Done));
    let (event, wanted) = first.into_iter().chain(later).find(|(event, wanted)| event.state != *wanted)?;
    let reason = event.state_reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(format!("it should be {wanted}, and is {}{reason}", event.state))
}

/// Routes and steps that did not run or had nothing to do.
fn skipped(acts: &[Act]) -> BTreeSet<String> {
    let mut skipped = BTreeSet::new();
    for act in acts {
        for judged in act.judged.iter().filter(|judged| judged.ruled_out.is_some()) {
            let step = judged.step.as_ref().map(|step| format!("/{step}")).unwrap_or_default();
            skipped.insert(format!("{}{step}", judged.route));
        }
        for effect in act.effects.iter().filter(|effect| effect.state == crate::effect::EffectState::Skipped)
        {
            skipped.insert(format!("{}/{}", effect.key.route, effect.key.step));
        }
    }
    skipped
}
