//! The data: compiled in, read once when first asked for.

use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{Answer, Operation, Trigger};

const OPERATIONS: &str = include_str!("../data/operations.jsonl");
const ANSWERS: &str = include_str!("../data/answers.jsonl");
const GHL_TRIGGERS: &str = include_str!("../data/triggers.jsonl");
const STORE_TRIGGERS: &str = include_str!("../data/store.jsonl");
const SAMPLES: &str = include_str!("../data/samples.jsonl");

/// One value a line. The data are part of this crate and a test reads them all: a line that cannot be read is left out
/// rather than taking the program with it.
fn lines<T: DeserializeOwned>(text: &str) -> Vec<T> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// All operations, by name.
pub fn operations() -> &'static [Operation] {
    static ALL: OnceLock<Vec<Operation>> = OnceLock::new();
    ALL.get_or_init(|| lines(OPERATIONS))
}

/// The operation of this name.
pub fn operation(name: &str) -> Option<&'static Operation> {
    let all = operations();
    all.binary_search_by(|operation| operation.name.as_str().cmp(name)).ok().and_then(|at| all.get(at))
}

/// What the operation of this name answers.
pub fn answer(name: &str) -> Option<&'static Answer> {
    static ALL: OnceLock<Vec<Answer>> = OnceLock::new();
    let all = ALL.get_or_init(|| lines(ANSWERS));
    all.binary_search_by(|answer| answer.name.as_str().cmp(name)).ok().and_then(|at| all.get(at))
}

/// All triggers: the store's, HighLevel's, a person's.
pub fn triggers() -> &'static [Trigger] {
    static ALL: OnceLock<Vec<Trigger>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = lines(STORE_TRIGGERS);
        all.extend(lines(GHL_TRIGGERS));
        all
    })
}

/// The trigger of this name.
pub fn trigger(name: &str) -> Option<&'static Trigger> {
    triggers().iter().find(|trigger| trigger.name == name)
}

/// A sample of a trigger's event, as its page of HighLevel's documents has it: JSON, whose field order is kept. Most pages
/// leave out parts of the envelope, some even the `type`.
pub fn sample(trigger: &str) -> Option<&'static str> {
    #[derive(serde::Deserialize)]
    struct Line<'a> {
        name: &'a str,
        #[serde(borrow)]
        sample: &'a RawValue,
    }
    SAMPLES.lines().find_map(|line| {
        let line: Line<'static> = serde_json::from_str(line).ok()?;
        (line.name == trigger).then(|| line.sample.get())
    })
}

/// The operations and triggers in whose name, title, path or type every word of `text` is found, whatever its case; all of
/// them for an empty text.
pub fn search(text: &str) -> (Vec<&'static Operation>, Vec<&'static Trigger>) {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let fits = |parts: &[&str]| {
        let all = parts.join(" ").to_lowercase();
        words.iter().all(|word| all.contains(word.as_str()))
    };
    let operations = operations().iter().filter(|it| fits(&[&it.name, &it.title, &it.path])).collect();
    let triggers = triggers().iter().filter(|it| fits(&[&it.name, &it.title, &it.kind])).collect();
    (operations, triggers)
}
