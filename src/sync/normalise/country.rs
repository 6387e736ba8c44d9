//! Countries and their states.

use rust_iso3166::{from_alpha2, from_alpha3};

/// ISO 3166 alpha-2, which is all that HighLevel takes (its country list); an error says why it is none. The three-letter
/// code and the English name of ISO 3166-1 are read as well.
pub(crate) fn country(raw: &str) -> Result<String, String> {
    let text = raw.trim();
    let code = text.to_ascii_uppercase();
    // Kosovo's code is not of ISO 3166, and HighLevel's list has it.
    if code.is_empty() || code == "XK" {
        return Ok(code);
    }
    let known = match code.len() {
        2 => from_alpha2(&code),
        3 => from_alpha3(&code),
        _ => None,
    };
    let short = |name: &str| name.split(['(', ',']).next().unwrap_or_default().trim().to_lowercase();
    let by_name = || {
        let all = || rust_iso3166::ALL.iter();
        let exact = all().find(|country| country.name.eq_ignore_ascii_case(text));
        exact.or_else(|| {
            // `United States of America` and `Korea (Republic of)` are seldom written out; two that are called alike are
            // told apart by nobody.
            let wanted = text.to_lowercase();
            let mut alike = all().filter(|country| {
                let name = short(country.name);
                name == wanted || name.strip_suffix(" of america").is_some_and(|name| name == wanted)
            });
            alike.next().filter(|_| alike.next().is_none())
        })
    };
    let found = known.or_else(|| by_name().copied());
    found
        .map(|country| country.alpha2.to_owned())
        .ok_or_else(|| "it is no country's code or English name (ISO 3166)".to_owned())
}

/// The code of a state or province of a country (ISO 3166-2 without the country), where it is known by that name or code;
/// else the text as it is.
pub(crate) fn state(raw: &str, country: Option<&str>) -> String {
    let text = super::line(raw);
    let Some(country) = country.and_then(|code| from_alpha2(&code.to_ascii_uppercase())) else { return text };
    let parts = country.subdivisions().unwrap_or_default();
    let local = |code: &str| code.split_once('-').map(|(_, local)| local.to_owned());
    let found = parts.iter().find(|part| {
        local(part.code).is_some_and(|code| code.eq_ignore_ascii_case(&text))
            || part.name.to_lowercase() == text.to_lowercase()
    });
    found.and_then(|part| local(part.code)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_its_two_letter_code() {
        for (raw, code) in [
            (" us ", "US"),
            ("USA", "US"),
            ("United States", "US"),
            ("germany", "DE"),
            ("France", "FR"),
            ("", ""),
        ] {
            assert_eq!(country(raw).as_deref(), Ok(code), "{raw}");
        }
        for raw in ["QQ", "Wonderland", "Korea", "ÄÖ"] {
            assert!(country(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_state_is_its_code_where_it_is_known() {
        assert_eq!(state("California", Some("US")), "CA");
        assert_eq!(state(" ca ", Some("us")), "CA");
        assert_eq!(state("Ontario", Some("CA")), "ON");
        assert_eq!(state("Narnia", Some("US")), "Narnia");
        assert_eq!(state("California", None), "California");
    }
}
