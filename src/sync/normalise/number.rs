//! Numbers and amounts, kept as decimal text: a binary fraction would lose cents.

/// The longest number that is read, in digits.
const MAX_DIGITS: usize = 30;

/// A number as people and shops write it, as plain decimal text: `1,234.50`, `1.234,50`, `$ 1 234.5` and `-5` are read. An
/// error says why it is none.
///
/// Of two kinds of separators the last is the decimal one. A comma alone is a decimal comma unless three digits follow it; a
/// point alone is a decimal point.
pub(crate) fn number(raw: &str) -> Result<String, String> {
    let text = raw.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let no_number = || "it is not a number".to_owned();
    let text =
        text.trim_matches(|c: char| c.is_alphabetic() || "$€£¥₽₴₹₺₩¢%".contains(c) || c.is_whitespace());
    let (negative, text) = match text.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let text = text.trim_start_matches(|c: char| "$€£¥₽₴₹₺₩¢".contains(c) || c.is_whitespace());
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !['\'', '’', '_'].contains(c)).collect();
    if !text.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',') {
        return Err(no_number());
    }
    let (whole, fraction) = match decimal_place(&text) {
        Some(place) => (&text[..place], &text[place + 1..]),
        None => (text.as_str(), ""),
    };
    let digits = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
    let (whole, fraction) = (digits(whole), digits(fraction));
    if whole.is_empty() && fraction.is_empty() {
        return Err(no_number());
    }
    if whole.len() + fraction.len() > MAX_DIGITS {
        return Err(format!("it has more than {MAX_DIGITS} digits"));
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if negative && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
    Ok(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// Where the decimal separator stands.
fn decimal_place(text: &str) -> Option<usize> {
    let (point, comma) = (text.rfind('.'), text.rfind(','));
    match (point, comma) {
        (Some(point), Some(comma)) => Some(point.max(comma)),
        (Some(point), None) => (text.matches('.').count() == 1).then_some(point),
        (None, Some(comma)) => {
            let after = text.len() - comma - 1;
            (text.matches(',').count() == 1 && (after != 3 || comma == 0)).then_some(comma)
        }
        (None, None) => None,
    }
}

/// An amount with so many decimals as its currency has, halves rounded away from zero; an error says why it is none.
pub(crate) fn money(raw: &str, currency: Option<&str>) -> Result<String, String> {
    let number = number(raw)?;
    if number.is_empty() {
        return Ok(number);
    }
    let decimals = currency.map_or(2, decimals);
    let (sign, number) = number.strip_prefix('-').map_or(("", number.as_str()), |rest| ("-", rest));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let mut amount: i128 = format!("{whole}{kept}").parse().map_err(|_| "it is too large".to_owned())?;
    if fraction.chars().nth(decimals).is_some_and(|next| next >= '5') {
        amount += 1;
    }
    let sign = if amount == 0 { "" } else { sign };
    let text = format!("{amount:0>width$}", width = decimals + 1);
    let (whole, fraction) = text.split_at(text.len() - decimals);
    Ok(if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// The minor units of a currency (ISO 4217, list one); two where it is not known.
fn decimals(currency: &str) -> usize {
    match currency.trim().to_ascii_uppercase().as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_read_however_it_is_grouped() {
        for (raw, expected) in [
            ("1,234.50", "1234.5"),
            ("1.234,50", "1234.5"),
            ("1 234,5", "1234.5"),
            ("$1,234", "1234"),
            ("1,234,567", "1234567"),
            ("12.5 USD", "12.5"),
            ("-0.00", "0"),
            ("-$5", "-5"),
            (".5", "0.5"),
            ("007", "7"),
            ("0,5", "0.5"),
            ("", ""),
        ] {
            assert_eq!(number(raw).as_deref(), Ok(expected), "{raw}");
        }
        for raw in ["many", "1-2", "$", "1e5", "--1", &"9".repeat(31)] {
            assert!(number(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        for (raw, currency, expected) in [
            ("1,234.5", "USD", "1234.50"),
            ("1234.5", "JPY", "1235"),
            ("0.0005", "KWD", "0.001"),
            ("-1.005", "eur", "-1.01"),
            ("0.004", "EUR", "0.00"),
            ("-0.004", "EUR", "0.00"),
            ("999.995", "EUR", "1000.00"),
        ] {
            assert_eq!(money(raw, Some(currency)).as_deref(), Ok(expected), "{raw} {currency}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_and_what_it_takes_it_takes_again(raw in "\\PC{0,40}") {
            if let Ok(read) = number(&raw) {
                prop_assert_eq!(number(&read), Ok(read));
            }
            if let Ok(read) = money(&raw, Some("USD")) {
                prop_assert_eq!(money(&read, Some("USD")), Ok(read));
            }
        }
    }
}
