//! Countries.

use phonenumber::country::Id;

/// ISO 3166 alpha-2, which is all that HighLevel takes (its country list); an error says why it is none.
pub(crate) fn country(raw: &str) -> Result<String, String> {
    let text = raw.trim().to_ascii_uppercase();
    if text.is_empty() || text.parse::<Id>().is_ok() {
        return Ok(text);
    }
    Err("it is not a country's two-letter code".to_owned())
}

#[cfg(test)]
mod tests {
    use super::country;

    #[test]
    fn a_country_is_its_two_letter_code() {
        assert_eq!(country(" us "), Ok("US".to_owned()));
        assert_eq!(country(""), Ok(String::new()));
        assert!(country("United States").is_err());
        assert!(country("QQ").is_err());
    }
}
