//! Filters for numbers, and for yes and no.

use minijinja::{Error, Value};

use super::{short_text_of, wrong};
use crate::sync::normalise;

/// An amount with the decimals of its currency, two without one.
pub(super) fn money(value: Value, currency: Option<String>) -> Result<String, Error> {
    let text = short_text_of("money", &value)?;
    normalise::money(&text, currency.as_deref()).map_err(|why| wrong("money", &text, &why))
}

/// A product; without decimals where it is whole.
pub(super) fn times(value: Value, factor: f64) -> Result<Value, Error> {
    let text = short_text_of("times", &value)?;
    let number = normalise::number(&text).map_err(|why| wrong("times", &text, &why))?;
    if number.is_empty() {
        return Ok(Value::from(""));
    }
    let product = number.parse::<f64>().map_err(|error| wrong("times", &text, &error.to_string()))? * factor;
    let whole = product.fract() == 0.0 && product.abs() < 9e15;
    Ok(if whole { Value::from(product as i64) } else { Value::from(product) })
}

pub(super) fn truth(value: Value) -> Result<bool, Error> {
    let text = short_text_of("bool", &value)?;
    normalise::truth(&text).map_err(|why| wrong("bool", &text, &why))
}
