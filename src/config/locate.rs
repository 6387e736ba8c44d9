//! Finds the place in the file that a message is about, and the name that was probably meant.

use serde_path_to_error::{Error, Path, Segment};
use toml::de::{DeTable, DeValue};

use crate::mistake::{self, Mistake};

/// Turns a failed reading into a problem with its place.
pub(super) fn problem(
    place: &str,
    text: &str,
    variables: &[(String, String)],
    error: &Error<toml::de::Error>,
) -> Mistake {
    let path = error.path();
    let message = error.inner().message().to_owned();
    let wanted: Vec<String> = path.iter().filter_map(key).collect();
    let variable = variables.iter().find(|(name, _)| {
        let named: Vec<String> = name.split("__").skip(1).map(str::to_lowercase).collect();
        !named.is_empty() && named.last() == wanted.last() && named.first() == wanted.first()
    });
    let mend = mistake::mend_of_field(&message).unwrap_or_else(|| "see the configuration part of the README".into());
    let what = if path.iter().len() == 0 { message } else { format!("`{path}`: {message}") };
    match variable {
        Some((name, _)) => Mistake { place: name.clone(), position: None, what, mend },
        None => Mistake { place: place.to_owned(), position: find(text, path), what, mend },
    }
}

fn key(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Map { key } => Some(key.clone()),
        _ => None,
    }
}

/// Walks down the path as far as the file goes.
fn find(text: &str, path: &Path) -> Option<(usize, usize)> {
    let root = DeTable::parse(text).ok()?;
    let mut table = Some(root.get_ref());
    let mut list: Option<&toml::de::DeArray<'_>> = None;
    let mut span = None;
    for segment in path {
        let next = match segment {
            Segment::Map { key } => {
                let Some((name, value)) = table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key))
                else {
                    break;
                };
                span = Some(name.span());
                value
            }
            Segment::Seq { index } => {
                let Some(value) = list.and_then(|list| list.get(*index)) else { break };
                span = Some(value.span());
                value
            }
            _ => break,
        };
        (table, list) = match next.get_ref() {
            DeValue::Table(inner) => (Some(inner), None),
            DeValue::Array(inner) => (None, Some(inner)),
            _ => (None, None),
        };
    }
    span.map(|span| mistake::position(text, span.start))
}
