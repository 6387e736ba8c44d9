//! Secrets in files of their own: `token_file = "…"` in place of `token = "…"`.

use toml::{Table, Value};

use crate::mistake::Mistake;

/// Replaces every `<secret>_file` by what the file holds.
pub(super) fn resolve(table: &mut Table, place: &str) -> Result<(), Vec<Mistake>> {
    let mut problems = Vec::new();
    let Some(Value::Array(connections)) = table.get_mut("connection") else { return Ok(()) };
    for connection in connections.iter_mut().filter_map(Value::as_table_mut) {
        if let Some(ghl) = connection.get_mut("ghl").and_then(Value::as_table_mut) {
            one(ghl, "token", place, &mut problems);
            if let Some(oauth) = ghl.get_mut("oauth").and_then(Value::as_table_mut) {
                one(oauth, "client_secret", place, &mut problems);
                one(oauth, "previous_client_secret", place, &mut problems);
            }
        }
        if let Some(cscart) = connection.get_mut("cscart").and_then(Value::as_table_mut) {
            one(cscart, "api_key", place, &mut problems);
            many(cscart, "webhook_secrets", place, &mut problems);
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn one(table: &mut Table, key: &str, place: &str, problems: &mut Vec<Mistake>) {
    if let Some(text) = read(table, key, place, problems) {
        table.insert(key.to_owned(), Value::String(text.trim().to_owned()));
    }
}

/// One secret a line, newest first.
fn many(table: &mut Table, key: &str, place: &str, problems: &mut Vec<Mistake>) {
    if let Some(text) = read(table, key, place, problems) {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        table
            .insert(key.to_owned(), Value::Array(lines.map(|line| Value::String(line.to_owned())).collect()));
    }
}

fn read(table: &mut Table, key: &str, place: &str, problems: &mut Vec<Mistake>) -> Option<String> {
    let file_key = format!("{key}_file");
    let path = table.remove(&file_key)?;
    let mut problem = |what: String, mend: &str| {
        problems.push(Mistake { place: place.to_owned(), position: None, what, mend: mend.to_owned() });
    };
    if table.contains_key(key) {
        problem(format!("both `{key}` and `{file_key}` are given"), "keep one of them");
        return None;
    }
    let Some(path) = path.as_str() else {
        problem(format!("`{file_key}` is not text"), "give the path of a file");
        return None;
    };
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) => {
            problem(
                format!("`{file_key}` names {path}, which cannot be read: {error}"),
                "name a file that Cartbridge may read",
            );
            None
        }
    }
}
