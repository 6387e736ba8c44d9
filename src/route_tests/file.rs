//! Reading a file with tests; what is wrong in it is told with place and mend.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::expect::Expected;
use super::{TestFile, given};
use crate::connection::Settings;
use crate::dry_run::read_event;
use crate::event::State;
use crate::flow::RouteSet;
use crate::mistake::{self, Mistake};

/// A test.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) name: String,
    /// Where it begins.
    pub(super) line: usize,
    pub(super) event: Value,
    pub(super) settings: Settings,
    pub(super) given: GivenTable,
    pub(super) expect: Vec<Expected>,
    pub(super) expect_state: State,
    pub(super) expect_skipped: Vec<String>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    test: Vec<Spanned<TestTable>>,
}

/// A `[[test]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestTable {
    name: Spanned<String>,
    event: Option<Spanned<toml::Value>>,
    event_file: Option<Spanned<String>>,
    #[serde(default)]
    settings: Option<Spanned<toml::Table>>,
    #[serde(default)]
    given: GivenTable,
    #[serde(default)]
    expect: Vec<ExpectTable>,
    expect_state: Option<Spanned<String>>,
    #[serde(default)]
    expect_skipped: Vec<Spanned<String>>,
}

/// `[test.given]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct GivenTable {
    /// HighLevel has this contact; its fields as HighLevel names them.
    pub(super) contact: Option<Map<String, Value>>,
    /// The customer as the store last showed him: he is linked with the contact.
    pub(super) customer: Option<Map<String, Value>>,
    /// The contact's tags; those of a linked customer are the bridge's own.
    pub(super) tags: Vec<String>,
    /// Notes of the store's that are notes on the contact.
    pub(super) notes: Vec<Note>,
    /// Steps that have made a task for the customer, as `route/step`.
    pub(super) tasks: Vec<String>,
    /// Customers that the store has, when it is asked.
    pub(super) store: Vec<Map<String, Value>>,
}

/// A note of the store's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    pub(super) note_id: String,
    pub(super) body: String,
}

/// A `[[test.expect]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectTable {
    call: Spanned<String>,
    body: Option<toml::Value>,
    #[serde(default)]
    without: Vec<String>,
    after: Option<Spanned<String>>,
}

/// Reads a file; `beside` reads one beside it.
pub(super) fn read(
    place: &str,
    content: &[u8],
    routes: &RouteSet,
    beside: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<TestFile, Vec<Mistake>> {
    let Ok(text) = std::str::from_utf8(content) else {
        return Err(vec![Mistake {
            place: place.to_owned(),
            position: None,
            what: "it is not UTF-8".to_owned(),
            mend: "save it as UTF-8".to_owned(),
        }]);
    };
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = Reader { place, text, routes, mistakes: Vec::new() };
    let written: Written = match toml::from_str(text) {
        Ok(written) => written,
        Err(error) => {
            let mend = mistake::mend_of_field(error.message())
                .unwrap_or_else(|| "see routes/tests/README.md".into());
            reader.note(error.span().map(|span| span.start), error.message(), mend);
            return Err(reader.mistakes);
        }
    };
    if written.test.is_empty() {
        reader.note(None, "it has no tests", "write at least one `[[test]]`");
    }
    let tests: Vec<Test> =
        written.test.into_iter().filter_map(|test| reader.test(test.into_inner(), beside)).collect();
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for test in &tests {
        if let Some(line) = names.insert(&test.name, test.line) {
            reader.mistakes.push(Mistake {
                place: place.to_owned(),
                position: Some((test.line, 1)),
                what: format!("two tests are called `{}`", test.name),
                mend: format!("give each a name of its own; the other is in line {line}"),
            });
        }
    }
    if reader.mistakes.is_empty() {
        Ok(TestFile { place: place.to_owned(), tests })
    } else {
        Err(reader.mistakes)
    }
}

struct Reader<'a> {
    place: &'a str,
    text: &'a str,
    routes: &'a RouteSet,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn note(&mut self, byte: Option<usize>, what: impl Into<String>, mend: impl Into<String>) {
        let position = byte.map(|byte| mistake::position(self.text, byte));
        self.mistakes.push(Mistake {
            place: self.place.to_owned(),
            position,
            what: what.into(),
            mend: mend.into(),
        });
    }

    /// A test; what is wrong is noted.
    fn test(&mut self, written: TestTable, beside: &dyn Fn(&str) -> Result<Vec<u8>, String>) -> Option<Test> {
        let start = written.name.span().start;
        let line = mistake::position(self.text, start).0;
        let event = self.event(&written, start, beside);
        let settings = self.settings(written.settings.as_ref());
        self.given(&written.given, start);
        let expect = written.expect.into_iter().filter_map(|expect| self.expect(expect)).collect();
        let expect_state = match &written.expect_state {
            None => State::Done,
            Some(state) => state.get_ref().parse().unwrap_or_else(|_| {
                let mend = mistake::nearest(state.get_ref(), State::ALL.into_iter().map(State::as_str));
                self.note(Some(state.span().start), format!("`{}` is not a state", state.get_ref()), mend);
                State::Done
            }),
        };
        for skipped in &written.expect_skipped {
            let route = skipped.get_ref().split('/').next().unwrap_or_default();
            let ids = self.routes.routes().iter().map(|route| route.id.as_str());
            if !ids.clone().any(|id| id == route) {
                let mend = mistake::nearest(route, ids);
                self.note(Some(skipped.span().start), format!("there is no route `{route}`"), mend);
            }
        }
        Some(Test {
            name: written.name.into_inner(),
            line,
            event: event?,
            settings: settings?,
            given: written.given,
            expect,
            expect_state,
            expect_skipped: written.expect_skipped.into_iter().map(Spanned::into_inner).collect(),
        })
    }

    fn event(
        &mut self,
        written: &TestTable,
        start: usize,
        beside: &dyn Fn(&str) -> Result<Vec<u8>, String>,
    ) -> Option<Value> {
        let (byte, event) = match (&written.event, &written.event_file) {
            (Some(event), None) => (event.span().start, json_of(event.get_ref())),
            (None, Some(file)) => {
                let read = beside(file.get_ref()).and_then(|content| {
                    serde_json::from_slice(&content).map_err(|error| format!("it is not JSON: {error}"))
                });
                (file.span().start, read)
            }
            _ => {
                self.note(Some(start), "the test has not one event", "give either `event` or `event_file`");
                return None;
            }
        };
        let read =
            event.and_then(|event| read_event(&event).map(|_| event).map_err(|error| error.to_string()));
        match read {
            Ok(event) => Some(event),
            Err(what) => {
                self.note(Some(byte), what, "see routes/tests/README.md");
                None
            }
        }
    }

    /// The settings that the test gives, over the defaults.
    fn settings(&mut self, written: Option<&Spanned<toml::Table>>) -> Option<Settings> {
        let Some(written) = written else { return Some(Settings::default()) };
        let Ok(mut all) = serde_json::to_value(Settings::default()) else { return None };
        let read = json_of(&toml::Value::Table(written.get_ref().clone())).and_then(|own| {
            overlay(&mut all, own);
            let read: Result<Settings, _> = serde_path_to_error::deserialize(all);
            read.map_err(|error| format!("`settings.{}`: {}", error.path(), error.inner()))
        });
        match read {
            Ok(settings) => Some(settings),
            Err(what) => {
                let inner = what.split_once(": ").map_or(what.as_str(), |(_, inner)| inner);
                let mend = mistake::mend_of_field(inner)
                    .unwrap_or_else(|| "see the settings of a connection".into());
                self.note(Some(written.span().start), what, mend);
                None
            }
        }
    }

    fn given(&mut self, written: &GivenTable, start: usize) {
        if written.customer.as_ref().is_some_and(|user| given::customer(user).is_none()) {
            self.note(
                Some(start),
                "`given.customer` is nobody",
                "give it a `user_id`, or an `email` for a guest",
            );
        }
        let hangs = !written.notes.is_empty() || !written.tasks.is_empty();
        if hangs && written.customer.is_none() {
            self.note(Some(start), "`given` has notes or tasks of nobody", "add `customer` to it");
        }
        let nobody = |user: &Map<String, Value>| !user.contains_key("user_id");
        if written.store.iter().any(nobody) {
            self.note(Some(start), "a customer of `given.store` has no `user_id`", "add it");
        }
    }

    fn expect(&mut self, written: ExpectTable) -> Option<Expected> {
        let byte = Some(written.call.span().start);
        let Some((method, path)) =
            written.call.get_ref().split_once(' ').filter(|(method, path)| is_call(method, path))
        else {
            let what = format!("`{}` is no call", written.call.get_ref());
            self.note(byte, what, "write method and path, such as \"POST /contacts/\"");
            return None;
        };
        let body = match written.body.as_ref().map(json_of).transpose() {
            Ok(body) => body,
            Err(what) => {
                self.note(byte, format!("`body`: {what}"), "see routes/tests/README.md");
                return None;
            }
        };
        let after = match &written.after {
            None => Some(Duration::ZERO),
            Some(after) if after.get_ref() == "*" => None,
            Some(after) => {
                let read = length(after.get_ref());
                if read.is_none() {
                    let what = format!("`{}` is no length of time", after.get_ref());
                    let mend = "write one such as \"3d\" or \"90 minutes\", or \"*\" for any";
                    self.note(Some(after.span().start), what, mend);
                }
                read
            }
        };
        let (method, path) = (method.to_owned(), path.trim().to_owned());
        Some(Expected { method, path, body, without: written.without, after })
    }
}

fn is_call(method: &str, path: &str) -> bool {
    ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) && path.trim_start().starts_with('/')
}

fn length(text: &str) -> Option<Duration> {
    let span: Span = text.trim().parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}

/// TOML as JSON; its times are texts there.
fn json_of(value: &toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => Value::Array(items.iter().map(json_of).collect::<Result<_, _>>()?),
        toml::Value::Table(fields) => {
            let fields = fields.iter().map(|(name, value)| Ok((name.clone(), json_of(value)?)));
            Value::Object(fields.collect::<Result<_, String>>()?)
        }
        plain => serde_json::to_value(plain).map_err(|error| error.to_string())?,
    })
}

/// Writes the second over the first, table by table.
fn overlay(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                overlay(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}
