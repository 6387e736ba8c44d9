//! Names, notes and tags.

use html_escape::decode_html_entities;

/// One line of text: entities decoded (CS-Cart stores some values with them), white space tidied, no control characters.
pub(crate) fn line(raw: &str) -> String {
    let decoded = decode_html_entities(raw);
    let visible: String = decoded.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A note's text as it is sent: entities decoded, line ends as `\n`, nothing before and after.
pub fn note_text(raw: &str) -> String {
    decode_html_entities(raw).replace("\r\n", "\n").trim().to_owned()
}

/// Only the words of a note or a task: for comparing what was sent with what came back, which may have got tags around its
/// lines. Never sent.
pub fn plain_text(raw: &str) -> String {
    let mut words = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        words.push_str(before);
        let is_tag = tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        if !is_tag {
            words.push('<');
            rest = &tag[1..];
            continue;
        }
        rest = tag;
        // Where no tag ends any more none is looked for again: with many `<` that would take forever.
        let Some(end) = tag.find('>') else { break };
        words.push(' ');
        rest = &tag[end + 1..];
    }
    words.push_str(rest);
    line(&words)
}

/// A tag as HighLevel keeps it: trimmed and in lower case; none: there is nothing left.
pub fn clean_tag(raw: &str) -> Option<String> {
    let tag = line(raw).to_lowercase();
    (!tag.is_empty()).then_some(tag)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_lose_entities_and_stray_space() {
        assert_eq!(line(" Tom &amp;\tJerry \u{7} &#039;s "), "Tom & Jerry 's");
    }

    #[test]
    fn a_note_keeps_its_lines() {
        assert_eq!(
            note_text(" Rang twice.\r\nWants &lt;blue&gt; ones. \n"),
            "Rang twice.\nWants <blue> ones."
        );
    }

    #[test]
    fn a_note_is_known_again_with_tags_around_it() {
        assert_eq!(
            plain_text("<p>Rang&nbsp;twice.</p><p>Wants 5 &lt; 6</p>"),
            plain_text("Rang twice.\nWants 5 < 6")
        );
    }

    #[test]
    fn a_text_of_nothing_but_open_tags_takes_no_longer_than_another() {
        let open = "<a".repeat(200_000);
        assert_eq!(plain_text(&open), open);
    }

    #[test]
    fn tags_are_as_highlevel_keeps_them() {
        assert_eq!(clean_tag("  VIP Customer "), Some("vip customer".to_owned()));
        assert_eq!(clean_tag(" "), None);
    }

    proptest! {
        #[test]
        fn cleaning_a_tag_twice_changes_nothing(raw in "[^&]{0,20}") {
            if let Some(tag) = clean_tag(&raw) {
                prop_assert_eq!(clean_tag(&tag), Some(tag));
            }
        }
    }
}
