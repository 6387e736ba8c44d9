//! Yes and no, lists, languages, names and keys.

use isolang::Language;

/// Yes or no, as forms and CS-Cart (`Y`, `N`) say it; empty: no. An error says why it is neither.
pub(crate) fn truth(raw: &str) -> Result<bool, String> {
    match raw.trim().to_lowercase().as_str() {
        "y" | "yes" | "1" | "true" | "on" => Ok(true),
        "" | "n" | "no" | "0" | "false" | "off" => Ok(false),
        _ => Err("it is neither yes nor no: `Y`, `N`, `1`, `0`, `true`, `false`, `on` and `off` are read"
            .to_owned()),
    }
}

/// The parts between separators, without blanks around them, empty ones and doubles.
pub(crate) fn parts(raw: &str, separator: &str) -> Vec<String> {
    let all: Vec<&str> = if separator.is_empty() { vec![raw] } else { raw.split(separator).collect() };
    each_once(all.into_iter().map(|part| part.trim().to_owned()))
}

/// Each text once, in order, without empty ones.
pub(crate) fn each_once(items: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    items.into_iter().filter(|item| !item.is_empty() && seen.insert(item.clone())).collect()
}

/// A language by its code (ISO 639-1 or 639-3, also as in `en_US`) or English name; an error says why it is none.
fn language_of(raw: &str) -> Result<Language, String> {
    let text = raw.trim();
    let code = text.split(['-', '_']).next().unwrap_or_default().to_lowercase();
    let by_code = match code.len() {
        2 => Language::from_639_1(&code),
        3 => Language::from_639_3(&code),
        _ => None,
    };
    let by_name = || {
        let mut letters = text.chars();
        let first: String = letters.next()?.to_uppercase().collect();
        Language::from_name(&(first + &letters.as_str().to_lowercase()))
    };
    by_code.or_else(by_name).ok_or_else(|| "it is no language's code or English name (ISO 639)".to_owned())
}

/// A language's two-letter code, or the three-letter one where there is none; empty stays empty.
pub(crate) fn language_code(raw: &str) -> Result<String, String> {
    if raw.trim().is_empty() {
        return Ok(String::new());
    }
    language_of(raw).map(|language| language.to_639_1().unwrap_or(language.to_639_3()).to_owned())
}

/// A language's English name; empty stays empty.
pub(crate) fn language_name(raw: &str) -> Result<String, String> {
    if raw.trim().is_empty() {
        return Ok(String::new());
    }
    language_of(raw).map(|language| language.to_name().to_owned())
}

/// First and last name of a name in one field: what stands before the first blank, and the rest. `Lovelace, Ada` is turned
/// round.
pub(crate) fn split_name(raw: &str) -> (String, String) {
    let name = super::line(raw);
    if let Some((last, first)) = name.split_once(',')
        && !first.trim().is_empty()
    {
        return (first.trim().to_owned(), last.trim().to_owned());
    }
    let name = name.trim_end_matches(',');
    match name.split_once(' ') {
        Some((first, last)) => (first.to_owned(), last.to_owned()),
        None => (name.to_owned(), String::new()),
    }
}

/// Small letters, digits and single hyphens: for tags and keys. Letters of other scripts stay.
pub(crate) fn slug(raw: &str) -> String {
    let mut slug = String::new();
    for c in super::line(raw).to_lowercase().chars() {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') && c != '\'' && c != '’' {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// The beginning of a text, at most so many bytes, cut between two characters.
pub(crate) fn first_bytes(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn yes_and_no_are_read_in_every_form_of_a_shop() {
        for (raw, expected) in
            [("Y", true), ("on", true), (" TRUE ", true), ("0", false), ("", false), ("N", false)]
        {
            assert_eq!(truth(raw), Ok(expected), "{raw}");
        }
        assert!(truth("maybe").is_err());
    }

    #[test]
    fn a_language_is_known_by_code_and_name() {
        for raw in ["de", "DE", "de_AT", "de-CH", "deu", "german", "German"] {
            assert_eq!(
                (language_code(raw).as_deref(), language_name(raw).as_deref()),
                (Ok("de"), Ok("German")),
                "{raw}"
            );
        }
        assert!(language_code("qq").is_err() && language_code("Klingonese").is_err());
        assert_eq!(language_code(" ").as_deref(), Ok(""));
    }

    #[test]
    fn a_name_in_one_field_is_two() {
        for (raw, first, last) in [
            ("Ada King Lovelace", "Ada", "King Lovelace"),
            ("Lovelace, Ada", "Ada", "Lovelace"),
            (" Ada ", "Ada", ""),
            ("Ada,", "Ada", ""),
            ("", "", ""),
        ] {
            assert_eq!(split_name(raw), (first.to_owned(), last.to_owned()), "{raw}");
        }
    }

    #[test]
    fn a_slug_has_single_hyphens_and_none_at_its_ends() {
        assert_eq!(slug(" Tom &amp; Jerry's  Shop! "), "tom-jerrys-shop");
        assert_eq!(slug("Größe 42"), "größe-42");
        assert_eq!(slug("--"), "");
    }

    proptest! {
        #[test]
        fn cutting_never_breaks_a_character(text in "\\PC{0,30}", bytes in 0_usize..200) {
            let cut = first_bytes(&text, bytes);
            prop_assert!(cut.len() <= bytes && text.starts_with(cut));
        }

        #[test]
        fn nothing_makes_them_panic(raw in "\\PC{0,30}") {
            let _ = (truth(&raw), parts(&raw, ","), language_name(&raw), split_name(&raw), slug(&raw));
        }
    }
}
