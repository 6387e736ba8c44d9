//! E-mail addresses.

/// Lower case and trimmed, as HighLevel keeps it; an error says why it is none. The test is a loose one: whether an address
/// exists only a letter to it can tell.
pub(crate) fn email(raw: &str) -> Result<String, String> {
    let text = raw.trim().to_lowercase();
    if text.is_empty() {
        return Ok(text);
    }
    let valid = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
            && text.len() <= 254
    });
    if valid { Ok(text) } else { Err("it is not an e-mail address".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::email;

    #[test]
    fn an_address_is_lower_cased_and_trimmed() {
        assert_eq!(email(" Ada@Example.COM ").unwrap(), "ada@example.com");
        assert_eq!(email("  ").unwrap(), "");
        for raw in ["ada", "@x.test", "ada@", "a@b@c", "a da@x.test", "ada@.test"] {
            assert!(email(raw).is_err(), "{raw}");
        }
    }
}
