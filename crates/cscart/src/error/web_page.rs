//! A web page that came where the API should have answered: what it is, as far as it tells.

use std::fmt;

use crate::decode;

/// A web page in place of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebPage {
    /// What it seems to be.
    pub kind: PageKind,
    /// Its title, shortened.
    pub title: Option<String>,
}

/// What a web page seems to be, by the words on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageKind {
    /// The store is closed for a while.
    Maintenance,
    /// Somebody is to sign in: a password for the whole site, a panel of the host.
    Login,
    /// A firewall or a CDN that keeps programs out.
    Firewall,
    /// PHP's own words: an error or a warning, printed.
    Php,
    /// None of these: the storefront itself, most likely.
    Other,
}

/// How much of a page is looked at.
const LOOKED_AT: usize = 16 * 1024;
const LONGEST_TITLE: usize = 100;

/// The words by which a page is known, tried in this order, first on its title.
const WORDS: &[(PageKind, &[&str])] = &[
    (PageKind::Php, &["fatal error", "parse error", "<b>warning</b>", "<b>notice</b>", "<b>deprecated</b>"]),
    (
        PageKind::Firewall,
        &[
            "attention required",
            "just a moment",
            "access denied",
            "cloudflare",
            "sucuri",
            "incapsula",
            "imunify",
            "mod_security",
            "captcha",
            "ddos",
        ],
    ),
    (
        PageKind::Maintenance,
        &["maintenance", "closed", "back soon", "under construction", "temporarily unavailable"],
    ),
    (PageKind::Login, &["type=\"password\"", "type='password'", "sign in", "log in", "login"]),
];

impl WebPage {
    /// Looks at a body; none where it is no page.
    pub(crate) fn of(body: &[u8]) -> Option<Self> {
        let body = decode::content(body);
        if !body.starts_with(b"<") {
            return None;
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)]);
        let lower = text.to_ascii_lowercase();
        let title = title(&text, &lower);
        let in_title = title.as_deref().and_then(|title| kind(&title.to_ascii_lowercase()));
        Some(Self { kind: in_title.or_else(|| kind(&lower)).unwrap_or(PageKind::Other), title })
    }
}

fn kind(text: &str) -> Option<PageKind> {
    WORDS.iter().find(|(_, words)| words.iter().any(|word| text.contains(word))).map(|(kind, _)| *kind)
}

/// `lower` is `text` in lower case, byte for byte as long.
fn title(text: &str, lower: &str) -> Option<String> {
    let from = lower.find("<title")?;
    let from = from + lower[from..].find('>')? + 1;
    let to = from + lower[from..].find("</title")?;
    let title = text[from..to].split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then(|| title.chars().take(LONGEST_TITLE).collect())
}

impl fmt::Display for WebPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            PageKind::Maintenance => "a maintenance page",
            PageKind::Login => "a page to sign in",
            PageKind::Firewall => "a page of a firewall",
            PageKind::Php => "an error or warning of PHP",
            PageKind::Other => "a web page",
        })?;
        match &self.title {
            Some(title) => write!(f, " (“{title}”)"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (PageKind, Option<String>) {
        let page = WebPage::of(text.as_bytes()).unwrap();
        (page.kind, page.title)
    }

    #[test]
    fn a_page_is_known_by_its_title_or_its_words() {
        for (text, kind, title) in [
            ("<!DOCTYPE html><title>We are closed</title>", PageKind::Maintenance, Some("We are closed")),
            ("<html><TITLE lang=x>\n Just a\n moment… </TITLE>", PageKind::Firewall, Some("Just a moment…")),
            ("<form><input type=\"password\"></form>", PageKind::Login, None),
            ("<br />\n<b>Warning</b>:  mysqli: gone", PageKind::Php, None),
            ("<title>Sign in</title> powered by cloudflare", PageKind::Login, Some("Sign in")),
            ("<html><title>Shop 🛒</title></html>", PageKind::Other, Some("Shop 🛒")),
            ("<title", PageKind::Other, None),
            ("<title>no end", PageKind::Other, None),
        ] {
            assert_eq!(of(text), (kind, title.map(str::to_owned)), "{text}");
        }
        assert_eq!(WebPage::of(b"{}"), None);
        assert_eq!(
            of(&format!("<title>{}</title>", "ä".repeat(500))).1.unwrap().chars().count(),
            LONGEST_TITLE
        );
    }
}
