//! The parts of a form with files (RFC 7578): their names, and their texts.

use crate::serve::request::Request;

/// Name and text of each part; nothing when the body is no such form, or breaks off.
pub(super) fn read(request: &Request) -> Vec<(String, String)> {
    let boundary = request.header("content-type").and_then(|kind| {
        let (essence, parameters) = kind.split_once(';')?;
        let boundary = parameters.split(';').find_map(|it| it.trim().strip_prefix("boundary="))?;
        essence
            .trim()
            .eq_ignore_ascii_case("multipart/form-data")
            .then(|| boundary.trim_matches('"').to_owned())
    });
    boundary.map(|boundary| between(&String::from_utf8_lossy(&request.raw), &boundary)).unwrap_or_default()
}

fn between(body: &str, boundary: &str) -> Vec<(String, String)> {
    // The first delimiter may stand at the very beginning, where no line end precedes it.
    let body = format!("\r\n{body}");
    let delimiter = format!("\r\n--{boundary}");
    let mut parts = Vec::new();
    for piece in body.split(&delimiter).skip(1) {
        if piece.starts_with("--") {
            return parts;
        }
        let Some((head, text)) = piece.strip_prefix("\r\n").and_then(|it| it.split_once("\r\n\r\n")) else {
            break;
        };
        let disposition =
            head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"));
        let name = disposition.and_then(|it| it.split(';').find_map(|it| it.trim().strip_prefix("name=")));
        let Some(name) = name else { break };
        parts.push((name.trim_matches('"').to_owned(), text.to_owned()));
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn parts_are_read_to_the_last_delimiter_or_not_at_all() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\n\
            content-disposition: form-data; name=\"f\"; filename=\"f.png\"\r\nContent-Type: image/png\r\n\r\n\r\n\r\n--x--\r\n";
        let expected = [("a", "1"), ("f", "\r\n")].map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(between(body, "x"), expected);
        assert!(between(body.trim_end_matches("--\r\n"), "x").is_empty(), "it breaks off");
        assert!(between("", "x").is_empty());
    }
}
