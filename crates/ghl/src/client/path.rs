//! Whether a path that was given whole can be sent as it is.

/// Why not, if not. A URL's parser takes `\\` for a slash, `%2e%2e` for `..`, and drops tabs and line ends: what it would
/// make another path of is refused.
pub(super) fn check(path: &str) -> Result<(), String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err(format!("the path `{path}` does not begin with a slash"));
    };
    if let Some(odd) = path.chars().find(|c| matches!(c, '?' | '#' | '\\') || c.is_control()) {
        return Err(format!("the path `{path}` holds {odd:?}"));
    }
    let mut parts = rest.split('/').peekable();
    while let Some(part) = parts.next() {
        // The documents have paths that end in a slash.
        let empty = part.is_empty() && parts.peek().is_some();
        if empty || matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..") {
            return Err(format!("a part of the path `{path}` is `{part}`, which no id is"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_could_mean_another_one_is_refused() {
        for good in ["/", "/contacts/", "/contacts/a%2Fb/tasks", "/contacts/a.b/..c"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "contacts",
            "//evil.test/x",
            "/contacts//tasks",
            "/contacts/../oauth",
            "/contacts/%2E%2e/x",
            "/contacts/.",
            "/contacts/.\t./x",
            "/a\\b",
            "/a?b=c",
            "/a#b",
            "https://evil.test/",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
