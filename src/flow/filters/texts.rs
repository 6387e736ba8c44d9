//! Filters that give text.

use minijinja::{Error, State, Value};

use super::{short_text_of, text_of, variable, wrong};
use crate::sync::normalise;

/// E.164 by a country: the one given, else the customer's, else the connection's default.
pub(super) fn phone(state: &State<'_, '_>, value: Value, country: Option<String>) -> Result<String, Error> {
    let text = short_text_of("phone", &value)?;
    let country = country
        .filter(|country| !country.is_empty())
        .or_else(|| variable(state, "contact", "country"))
        .or_else(|| variable(state, "settings", "default_country"));
    normalise::phone(&text, country.map(|code| code.to_uppercase()).as_deref())
        .map_err(|why| wrong("phone", &text, &why))
}

pub(super) fn email(value: Value) -> Result<String, Error> {
    let text = short_text_of("email", &value)?;
    normalise::email(&text).map_err(|why| wrong("email", &text, &why))
}

pub(super) fn country(state: &State<'_, '_>, value: Value) -> Result<String, Error> {
    state.consume_fuel(20)?;
    let text = short_text_of("country", &value)?;
    normalise::country(&text).map_err(|why| wrong("country", &text, &why))
}

pub(super) fn state(state: &State<'_, '_>, value: Value, country: Option<String>) -> Result<String, Error> {
    state.consume_fuel(20)?;
    let text = short_text_of("state", &value)?;
    let country = country.or_else(|| variable(state, "contact", "country"));
    Ok(normalise::state(&text, country.as_deref()))
}

/// The code, or with `"name"` the English name.
pub(super) fn language(state: &State<'_, '_>, value: Value, form: Option<String>) -> Result<String, Error> {
    state.consume_fuel(20)?;
    let text = short_text_of("language", &value)?;
    let read = match form.as_deref() {
        None | Some("code") => normalise::language_code(&text),
        Some("name") => normalise::language_name(&text),
        Some(other) => {
            Err(format!("it gives a `code` or a `name`, and no `{}`", normalise::first_bytes(other, 40)))
        }
    };
    read.map_err(|why| wrong("language", &text, &why))
}

pub(super) fn slug(value: Value) -> Result<String, Error> {
    Ok(normalise::slug(&text_of("slug", &value)?))
}

/// Only the words of HTML.
pub(super) fn plain(value: Value) -> Result<String, Error> {
    Ok(crate::sync::plain_text(&text_of("plain", &value)?))
}

/// `&amp;` as `&`; lines stay.
pub(super) fn entities(value: Value) -> Result<String, Error> {
    Ok(crate::sync::note_text(&text_of("entities", &value)?))
}

pub(super) fn first_name(value: Value) -> Result<String, Error> {
    Ok(normalise::split_name(&text_of("first_name", &value)?).0)
}

pub(super) fn last_name(value: Value) -> Result<String, Error> {
    Ok(normalise::split_name(&text_of("last_name", &value)?).1)
}

/// At most so many characters.
pub(super) fn limit(value: Value, characters: usize) -> Result<String, Error> {
    Ok(text_of("limit", &value)?.chars().take(characters).collect())
}

/// At most so many bytes.
pub(super) fn truncate_bytes(value: Value, bytes: usize) -> Result<String, Error> {
    Ok(normalise::first_bytes(&text_of("truncate_bytes", &value)?, bytes).to_owned())
}
