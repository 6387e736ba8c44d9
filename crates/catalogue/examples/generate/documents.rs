//! Reads HighLevel's documents. The generator writes what it finds, and a test compares.

mod answers;
mod events;
mod names;
mod schema;
mod scopes;

use std::collections::BTreeMap;
use std::path::Path;

use catalogue::{Answer, Body, Encoding, Field, Kind, Method, Operation, Repeat, Trigger};
use serde::Serialize;
use serde_json::{Value, json};

use names::Names;
use schema::Schemas;

/// What the documents say.
pub(crate) struct Documents {
    /// All operations, by name.
    pub(crate) operations: Vec<Operation>,
    /// What each of them answers, by name.
    pub(crate) answers: Vec<Answer>,
    /// All of HighLevel's events, by name.
    pub(crate) triggers: Vec<Trigger>,
    /// The samples of events that the pages have, by name.
    pub(crate) samples: BTreeMap<String, Value>,
}

impl Documents {
    /// The files of `data/` that are made of them, and their text.
    pub(crate) fn files(&self) -> [(&'static str, String); 4] {
        let samples = self.samples.iter().map(|(name, sample)| json!({ "name": name, "sample": sample }));
        [
            ("operations.jsonl", lines(&self.operations)),
            ("triggers.jsonl", lines(&self.triggers)),
            ("samples.jsonl", lines(&samples.collect::<Vec<_>>())),
            ("answers.jsonl", lines(&self.answers)),
        ]
    }
}

/// One value a line.
fn lines(values: &[impl Serialize]) -> String {
    values.iter().map(|value| serde_json::to_string(value).unwrap_or_default() + "\n").collect()
}

/// Reads the documents in a folder. `names`: the text of `data/names.toml`.
pub(crate) fn read(folder: &Path, names: &str) -> Result<Documents, String> {
    let mut names = Names::parse(names)?;
    let scopes = scopes::Table::parse(&text(&folder.join("oauth-Scopes.md"))?);
    let (mut operations, mut answers) = (Vec::new(), Vec::new());
    for file in files(folder, "json")? {
        let document: Value =
            serde_json::from_str(&text(&file)?).map_err(|error| format!("{}: {error}", file.display()))?;
        let group = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let paths = document["paths"].as_object().ok_or_else(|| format!("{}: no paths", file.display()))?;
        for (path, methods) in paths {
            for (method, described) in methods.as_object().into_iter().flatten() {
                let Some(method) = method_of(method) else { continue };
                let place = format!("{group}: {method} {path}");
                let at_place = |error: String| format!("{place}: {error}");
                let schemas = Schemas::of(&document);
                let operation = operation(&group, method, path, described, &schemas, &mut names, &scopes)
                    .map_err(at_place)?;
                answers.push(answers::answer(&operation.name, described, &document).map_err(at_place)?);
                operations.push(operation);
            }
        }
    }
    operations.sort_by(|a: &Operation, b: &Operation| a.name.cmp(&b.name));
    answers.sort_by(|a: &Answer, b: &Answer| a.name.cmp(&b.name));
    for pair in operations.windows(2) {
        if let [a, b] = pair
            && a.name == b.name
        {
            return Err(format!(
                "`{}` is the name of two operations, `{} {}` and `{} {}`: give one another name in data/names.toml",
                a.name, a.method, a.path, b.method, b.path
            ));
        }
    }
    names.all_are_used()?;
    let mut pages = Vec::new();
    for file in files(&folder.join("webhook-events"), "md")? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        pages.push((name, text(&file)?));
    }
    let (triggers, samples) = events::read(&pages, &scopes)?;
    Ok(Documents { operations, answers, triggers, samples })
}

fn operation(
    group: &str,
    method: Method,
    path: &str,
    described: &Value,
    schemas: &Schemas<'_>,
    names: &mut Names,
    scopes: &scopes::Table,
) -> Result<Operation, String> {
    let (mut in_path, mut in_query, mut version) = (Vec::new(), Vec::new(), None);
    for parameter in described["parameters"].as_array().into_iter().flatten() {
        let field = parameter_field(parameter, schemas)?;
        match parameter["in"].as_str() {
            Some("path") => in_path.push(Field { required: true, ..field }),
            Some("query") => in_query.push(field),
            Some("header") if field.name == "Version" => {
                version = parameter["schema"]["enum"][0].as_str().map(str::to_owned);
            }
            // The token, which every request has.
            _ => {}
        }
    }
    in_path = in_order_of(path, in_path);
    let (named, allowed) = names.name(method, path);
    let (alternatives, agency) = security(&described["security"]);
    let scopes = if alternatives.is_empty() { scopes.of(method, path) } else { alternatives };
    let body = described["requestBody"]["content"].as_object().and_then(|content| content.iter().next());
    let body = body.map(|(encoding, content)| body_of(encoding, &content["schema"], schemas)).transpose()?;
    let title = schema::line(described["summary"].as_str().unwrap_or_default());
    let about = schema::line(described["description"].as_str().unwrap_or_default());
    let says_more = !about.trim_end_matches('.').eq_ignore_ascii_case(title.trim_end_matches('.'));
    Ok(Operation {
        repeat: allowed.unwrap_or_else(|| repeat(method, &named)),
        name: named,
        title,
        about: if says_more { about } else { String::new() },
        document: group.to_owned(),
        method,
        path: path.to_owned(),
        version,
        scopes,
        agency,
        deprecated: described["deprecated"] == true,
        in_path,
        in_query,
        body,
    })
}

/// What happens when it is sent twice ([`Repeat`] says the rule).
fn repeat(method: Method, name: &str) -> Repeat {
    match (method, name.rsplit('.').next()) {
        (Method::Get, _) | (Method::Post, Some("search")) => Repeat::Read,
        (Method::Put | Method::Patch | Method::Delete, _) | (Method::Post, Some("upsert" | "update")) => {
            Repeat::Idempotent
        }
        (Method::Post, Some("create")) => Repeat::Create,
        (Method::Post, _) => Repeat::Action,
    }
}

/// The scopes, and whether only an agency's token is taken.
fn security(security: &Value) -> (Vec<String>, bool) {
    let alternatives = || security.as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
    let mut scopes: Vec<String> = Vec::new();
    for (_, needed) in alternatives() {
        for scope in needed.as_array().into_iter().flatten().filter_map(Value::as_str) {
            if scopes.iter().all(|known| known != scope) {
                scopes.push(scope.to_owned());
            }
        }
    }
    let agency =
        alternatives().next().is_some() && alternatives().all(|(kind, _)| kind.starts_with("Agency"));
    (scopes, agency)
}

fn parameter_field(parameter: &Value, schemas: &Schemas<'_>) -> Result<Field, String> {
    let mut field = schemas.field(
        parameter["name"].as_str().ok_or("a parameter without a name")?,
        &parameter["schema"],
        parameter["required"] == true,
    )?;
    if let Some(about) = parameter["description"].as_str() {
        field.about = schema::line(about);
    }
    Ok(field)
}

/// The parameters that the path has, in its order. One that the document forgets is text.
fn in_order_of(path: &str, described: Vec<Field>) -> Vec<Field> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            described.iter().find(|field| field.name == name).cloned().unwrap_or_else(|| Field {
                name: name.to_owned(),
                kind: Kind::Text,
                required: true,
                nullable: false,
                about: String::new(),
            })
        })
        .collect()
}

fn body_of(encoding: &str, schema: &Value, schemas: &Schemas<'_>) -> Result<Body, String> {
    let encoding = match encoding {
        "application/json" => Encoding::Json,
        "application/x-www-form-urlencoded" => Encoding::Form,
        "multipart/form-data" => Encoding::Files,
        other => return Err(format!("a body written as {other}")),
    };
    let kind = match schemas.kind(schema)? {
        // A form has fields, whatever they are.
        Kind::Any if encoding != Encoding::Json => Kind::Open,
        kind => kind,
    };
    Ok(Body { encoding, kind })
}

fn method_of(word: &str) -> Option<Method> {
    Some(match word {
        "get" => Method::Get,
        "post" => Method::Post,
        "put" => Method::Put,
        "patch" => Method::Patch,
        "delete" => Method::Delete,
        _ => return None,
    })
}

fn text(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// The files of a kind in a folder, sorted.
fn files(folder: &Path, extension: &str) -> Result<Vec<std::path::PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    Ok(files)
}
