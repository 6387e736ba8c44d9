//! Phone numbers.

use phonenumber::country::Id;
use phonenumber::{Mode, parse};

/// The longest text that is looked at: a number has 15 digits (E.164), with signs, words and an extension perhaps.
const MAX_BYTES: usize = 100;

/// Reads the table of the world's numbers, which takes a moment, before the first customer has to wait for it.
pub fn warm_up() {
    // Any number that needs the table.
    let _ = phone("202 555 0143", Some("US"));
}

/// E.164 by the country of the customer; an error says why it is none. A number that cannot be read is kept aside and not
/// sent: what HighLevel does with one is not documented.
pub(crate) fn phone(raw: &str, country: Option<&str>) -> Result<String, String> {
    let text = raw.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    if text.len() > MAX_BYTES {
        return Err("it is longer than any phone number".to_owned());
    }
    // `00` is how most of the world dials `+`.
    let text = text.strip_prefix("00").map_or_else(|| text.to_owned(), |rest| format!("+{rest}"));
    let id: Option<Id> = country.and_then(|country| country.parse().ok());
    let number = parse(id, &text).ok().filter(phonenumber::is_valid);
    match (number, id) {
        (Some(number), _) => Ok(number.format().mode(Mode::E164).to_string()),
        (None, Some(_)) => Err(format!("it is no phone number of {}", country.unwrap_or_default())),
        (None, None) => {
            Err("it is no international phone number, and the customer's country is not known: set \
                             `settings.default_country` of the connection"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::phone;

    #[test]
    fn a_number_is_read_by_the_customers_country() {
        assert_eq!(phone("(202) 555-0143", Some("US")).unwrap(), "+12025550143");
        assert_eq!(phone("030 901820", Some("DE")).unwrap(), "+4930901820");
        assert_eq!(phone("+44 20 7946 0958", Some("US")).unwrap(), "+442079460958");
        assert_eq!(phone("0044 20 7946 0958", None).unwrap(), "+442079460958");
        assert_eq!(phone(" ", None).unwrap(), "");
    }

    #[test]
    fn what_is_no_number_is_refused_with_a_reason() {
        assert!(phone("12", Some("US")).unwrap_err().contains("US"));
        assert!(phone("call me", Some("US")).is_err());
        assert!(phone("555-0143", None).unwrap_err().contains("default_country"));
        assert!(phone("202 555 0143", Some("Wonderland")).is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_and_what_it_takes_it_takes_again(raw in "\\PC{0,30}") {
            if let Ok(number) = phone(&raw, Some("US")) {
                prop_assert_eq!(phone(&number, None), Ok(number));
            }
        }
    }
}
