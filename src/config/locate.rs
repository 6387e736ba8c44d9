//! Finds the place in the file that a message is about, and the name that was probably meant.

use serde_path_to_error::{Error, Path};
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
    let message = mistake::without_values(error.inner().message());
    let segments = segments(path);
    let wanted: Vec<String> = segments
        .iter()
        .filter_map(|segment| match segment {
            Segment::Key(key) => Some((*key).to_owned()),
            Segment::Index(_) => None,
        })
        .collect();
    let variable = variables.iter().find(|(name, _)| {
        let named: Vec<String> = name.split("__").skip(1).map(str::to_lowercase).collect();
        !named.is_empty() && named.last() == wanted.last() && named.first() == wanted.first()
    });
    let mend =
        mistake::mend_of_field(&message).unwrap_or_else(|| "see the configuration part of the README".into());
    let what = if path.iter().len() == 0 { message } else { format!("`{path}`: {message}") };
    match variable {
        Some((name, _)) => Mistake { place: name.clone(), position: None, what, mend },
        None => Mistake { place: place.to_owned(), position: place_of(text, &segments), what, mend },
    }
}

/// A step on the way to a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Segment<'a> {
    /// Into a table.
    Key(&'a str),
    /// Into an array.
    Index(usize),
}

/// The path of serde, as far as it goes through tables and arrays.
fn segments(path: &Path) -> Vec<Segment<'_>> {
    path.iter()
        .map_while(|segment| match segment {
            serde_path_to_error::Segment::Map { key } => Some(Segment::Key(key)),
            serde_path_to_error::Segment::Seq { index } => Some(Segment::Index(*index)),
            _ => None,
        })
        .collect()
}

/// The place of a value, or of the last thing on the way to it that is in the text.
pub(super) fn place_of(text: &str, path: &[Segment<'_>]) -> Option<(usize, usize)> {
    let root = DeTable::parse(text).ok()?;
    let mut table = Some(root.get_ref());
    let mut list: Option<&toml::de::DeArray<'_>> = None;
    let mut span = None;
    for segment in path {
        let next = match segment {
            Segment::Key(key) => {
                let Some((name, value)) =
                    table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key))
                else {
                    break;
                };
                span = Some(name.span());
                value
            }
            Segment::Index(index) => {
                let Some(value) = list.and_then(|list| list.get(*index)) else { break };
                span = Some(value.span());
                value
            }
        };
        (table, list) = match next.get_ref() {
            DeValue::Table(inner) => (Some(inner), None),
            DeValue::Array(inner) => (None, Some(inner)),
            _ => (None, None),
        };
    }
    span.map(|span| mistake::position(text, span.start))
}
