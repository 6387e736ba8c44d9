//! The environment over the file.

use secrecy::SecretString;
use toml::{Table, Value};

use crate::mistake::Mistake;

const PREFIX: &str = "CARTBRIDGE__";

/// The variables that are meant for the configuration.
pub(super) fn variables() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect()
}

/// A variable as it is. What is not UTF-8 is kept as far as it goes, so that it is refused and not overlooked.
pub(super) fn text(name: &str) -> Option<SecretString> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned().into())
}

/// A single secret, from the variable or from the file that `<name>_FILE` names.
pub(super) fn secret(name: &str) -> Result<Option<SecretString>, Mistake> {
    if let Ok(value) = std::env::var(name) {
        return Ok(Some(value.into()));
    }
    let file = format!("{name}_FILE");
    let Ok(path) = std::env::var(&file) else { return Ok(None) };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned().into())),
        Err(error) => Err(Mistake {
            place: file,
            position: None,
            what: format!("{path} cannot be read: {error}"),
            mend: "name a file that Cartbridge may read".into(),
        }),
    }
}

/// Puts the variables into the table. Values are TOML where they read as such (`true`, `8`, `["a"]`), else text.
pub(super) fn overlay(table: &mut Table, variables: &[(String, String)]) -> Result<(), Vec<Mistake>> {
    let mut problems = Vec::new();
    for (name, text) in variables {
        let path: Vec<String> = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect();
        if let Err(what) = set(table, &path, value(&path, text)) {
            problems.push(Mistake {
                place: name.clone(),
                position: None,
                what,
                mend: "the form is CARTBRIDGE__SECTION__KEY; for a connection CARTBRIDGE__CONNECTION__MY_SHOP__GHL__TOKEN"
                    .into(),
            });
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Secrets and ids are always text, even when they look like a number.
fn value(path: &[String], text: &str) -> Value {
    let key = path.last().map(String::as_str).unwrap_or_default();
    let is_list = matches!(
        key,
        "webhook_secrets" | "webhook_public_keys" | "customer_tags" | "order_tags" | "trusted_proxies"
    );
    if is_list && !text.trim_start().starts_with('[') {
        return Value::Array(text.split(',').map(|part| Value::String(part.trim().to_owned())).collect());
    }
    match toml::from_str::<Table>(&format!("value = {text}")).ok().and_then(|mut table| table.remove("value"))
    {
        Some(value @ (Value::Boolean(_) | Value::Array(_))) => value,
        Some(value @ Value::Integer(_))
            if key.ends_with("_ms") || key.ends_with("_hours") || NUMBERS.contains(&key) =>
        {
            value
        }
        _ => Value::String(text.to_owned()),
    }
}

const NUMBERS: [&str; 4] = ["workers_per_connection", "max_tries", "due_in_days", "requests_per_window"];

fn set(table: &mut Table, path: &[String], value: Value) -> Result<(), String> {
    match path {
        [] => Err("it names no key".into()),
        [key] => {
            table.insert(key.clone(), value);
            Ok(())
        }
        [section, name, rest @ ..] if section == "connection" && !rest.is_empty() => {
            let Some(Value::Array(connections)) = table.get_mut("connection") else {
                return Err(format!("the file defines no connection `{name}`"));
            };
            let wanted = connections.iter_mut().find_map(|connection| {
                let connection = connection.as_table_mut()?;
                let called = connection.get("name")?.as_str()?.replace('-', "_");
                (called == *name).then_some(connection)
            });
            match wanted {
                Some(connection) => set(connection, rest, value),
                None => Err(format!("the file defines no connection `{name}`")),
            }
        }
        [section, rest @ ..] => {
            let inner = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
            match inner.as_table_mut() {
                Some(inner) => set(inner, rest, value),
                None => Err(format!("`{section}` is not a section")),
            }
        }
    }
}
