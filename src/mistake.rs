//! A mistake that a person made in a file: where it is, what is wrong, and what to do. One form for the configuration and
//! for routes.

use std::fmt;

/// What is wrong, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, or the variable's name.
    pub place: String,
    /// Line and column, from 1, where the file tells.
    pub position: Option<(usize, usize)>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub mend: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {} — {}", self.what, self.mend)
    }
}

/// Line and column, from 1, of a byte of a text.
pub fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The known word that is most like an unknown one, if any is.
pub fn most_like<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| (word, strsim::jaro_winkler(unknown, word)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .filter(|(_, likeness)| *likeness > 0.7)
        .map(|(word, _)| word)
}

/// "did you mean `…`?", or what there is.
pub fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match most_like(unknown, known.clone()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("use one of {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// What to do about a field that serde does not know or misses: it words them as "unknown field `x`, expected one of `a`,
/// `b`" and "missing field `x`" (`serde::de::Error`).
pub fn mend_of_field(message: &str) -> Option<String> {
    if let Some(rest) = message.strip_prefix("missing field `") {
        return Some(format!("add `{}`", rest.trim_end_matches('`')));
    }
    if !message.starts_with("unknown field") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    Some(nearest(unknown, quoted))
}

/// The message of a reader of JSON or TOML without the value that it found: that may be a secret in the wrong place. serde
/// words it as "invalid type: string \"x\", expected a sequence" and "invalid value: integer `5`, expected a map"
/// (`serde::de::Unexpected`).
pub fn without_values(message: &str) -> String {
    for beginning in ["invalid type: ", "invalid value: "] {
        let Some(rest) = message.strip_prefix(beginning) else { continue };
        let Some((found, expected)) = rest.rsplit_once(", expected ") else { continue };
        let kind = found.split(['"', '`']).next().unwrap_or_default().trim_end();
        return format!("{beginning}{kind}, expected {expected}");
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_name_is_offered() {
        assert_eq!(
            mend_of_field("unknown field `workres`, expected one of `workers`, `max_tries`").as_deref(),
            Some("did you mean `workers`?")
        );
        assert_eq!(mend_of_field("missing field `name`").as_deref(), Some("add `name`"));
        assert_eq!(mend_of_field("invalid type: integer"), None);
        assert_eq!(nearest("zzz", ["a", "b"].into_iter()), "use one of a, b");
    }

    #[test]
    fn a_value_that_was_found_is_not_repeated() {
        for (told, kept) in [
            (
                "invalid type: string \"whsec_x, expected y\", expected a sequence",
                "invalid type: string, expected a sequence",
            ),
            ("invalid type: integer `123456`, expected a string", "invalid type: integer, expected a string"),
            ("invalid type: map, expected a string", "invalid type: map, expected a string"),
            ("missing field `name`", "missing field `name`"),
        ] {
            assert_eq!(without_values(told), kept);
        }
    }

    #[test]
    fn places_count_from_one_and_in_characters() {
        assert_eq!(position("ä = 1\nbü = 2", 10), (2, 3));
        assert_eq!(position("", 5), (1, 1));
    }
}
