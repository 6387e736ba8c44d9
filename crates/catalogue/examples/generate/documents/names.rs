//! The names of operations: a rule, and a table of what it does not name well.
//!
//! The rule: the words of the path, singular, joined by `_`, then the verb. `{contactId}` and the like are no words. The verb is that
//! of the method: `create`, `update`, `delete`; `get` where the path ends in a parameter, `list` otherwise; or the last word of the
//! path, where that is one of [`VERBS`]. `[under]` in `data/names.toml` has the beginnings of paths that are left out.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{Method, Repeat};
use serde::Deserialize;

/// Last words of paths that say what is done.
const VERBS: &[&str] = &[
    "bulk-update",
    "cancel",
    "complete",
    "disconnect",
    "download",
    "export",
    "generate",
    "initiate",
    "preview",
    "record-payment",
    "search",
    "send",
    "upload",
    "upsert",
    "validate-slug",
    "void",
];

/// Nouns that are no plural, and those whose plural is their own.
const SINGULAR: &[(&str, &str)] = &[
    ("medias", "media"),
    ("statuses", "status"),
    ("status", "status"),
    ("businesses", "business"),
    ("business", "business"),
];

/// `data/names.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Beginnings of paths, and what stands for them.
    under: BTreeMap<String, String>,
    /// `METHOD path` → name without `ghl.`.
    name: BTreeMap<String, String>,
    /// `METHOD path` → what happens when it is sent twice.
    repeat: BTreeMap<String, Repeat>,
}

/// The rule and the table.
pub(crate) struct Names {
    file: File,
    seen: BTreeSet<String>,
}

impl Names {
    /// Reads `data/names.toml`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let file = toml::from_str(text).map_err(|error| format!("data/names.toml: {error}"))?;
        Ok(Self { file, seen: BTreeSet::new() })
    }

    /// The name of an operation, and what happens when it is sent twice if the table says.
    pub(crate) fn name(&mut self, method: Method, path: &str) -> (String, Option<Repeat>) {
        let key = format!("{method} {path}");
        let name = self.file.name.get(&key).cloned().unwrap_or_else(|| self.by_rule(method, path));
        let repeat = self.file.repeat.get(&key).copied();
        self.seen.insert(key);
        (format!("ghl.{name}"), repeat)
    }

    /// That every line of the table is about an operation that is there.
    pub(crate) fn all_are_used(&self) -> Result<(), String> {
        let mut keys = self.file.name.keys().chain(self.file.repeat.keys());
        match keys.find(|key| !self.seen.contains(*key)) {
            None => Ok(()),
            Some(key) => Err(format!(
                "data/names.toml names `{key}`, which the documents do not have: it was renamed or removed there"
            )),
        }
    }

    fn by_rule(&self, method: Method, path: &str) -> String {
        let under =
            self.file.under.iter().filter(|(begin, _)| path.len() > begin.len() && path.starts_with(*begin));
        let short = under
            .max_by_key(|(begin, _)| begin.len())
            .map(|(begin, instead)| format!("{instead}{}", &path[begin.len()..]));
        let short = short.unwrap_or_else(|| path.to_owned());
        let parts: Vec<&str> = short.split('/').filter(|part| !part.is_empty()).collect();
        let ends_in_parameter = parts.last().is_some_and(|part| part.starts_with('{'));
        let mut words: Vec<&str> = parts.into_iter().filter(|part| !part.starts_with('{')).collect();
        let verb = match words.last() {
            Some(last) if words.len() > 1 && !ends_in_parameter && VERBS.contains(last) => {
                let verb = snake(last);
                words.pop();
                verb
            }
            _ => match method {
                Method::Get if ends_in_parameter => "get",
                Method::Get => "list",
                Method::Post => "create",
                Method::Put | Method::Patch => "update",
                Method::Delete => "delete",
            }
            .to_owned(),
        };
        let nouns: Vec<String> = words.iter().map(|word| singular(&snake(word))).collect();
        format!("{}.{verb}", nouns.join("_"))
    }
}

/// `customFields` and `custom-fields` are `custom_fields`.
fn snake(word: &str) -> String {
    let mut snake = String::new();
    for c in word.chars() {
        match c {
            '-' => snake.push('_'),
            c if c.is_ascii_uppercase() => {
                snake.push('_');
                snake.push(c.to_ascii_lowercase());
            }
            c => snake.push(c),
        }
    }
    snake
}

fn singular(word: &str) -> String {
    if let Some((_, singular)) = SINGULAR.iter().find(|(plural, _)| *plural == word) {
        return (*singular).to_owned();
    }
    match (word.strip_suffix("ies"), word.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) => stem.to_owned(),
        (None, None) => word.to_owned(),
    }
}
