//! A HighLevel that knows every operation by its data alone: it takes a request that is of the documented form and refuses any
//! other. Its schemas are made here, so that the catalogue's own check is not what judges.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use catalogue::{Encoding, Field, Kind, Operation, operations};
use serde_json::{Value, json};

/// Serves on a port of its own; answers where. Each accepted request is answered with `{"operation": name}`.
pub(super) async fn start() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

async fn answer(request: Request) -> (StatusCode, axum::Json<Value>) {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1024 * 1024).await.unwrap();
    let judged =
        judge(&parts.method, parts.uri.path(), parts.uri.query().unwrap_or_default(), &parts.headers, &body);
    match judged {
        Ok(name) => (StatusCode::OK, axum::Json(json!({ "operation": name }))),
        Err(message) => (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(json!({ "message": message }))),
    }
}

/// The name of the operation that a request is, or what is wrong with it.
fn judge(
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<String, String> {
    let fitting =
        operations().iter().filter(|it| it.method.as_str() == method.as_str() && fits(&it.path, path));
    let operation =
        fitting.min_by_key(|it| it.path.matches('{').count()).ok_or(format!("no {method} {path}"))?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if operation.version.as_deref().is_some_and(|version| header("version") != version) {
        return Err(format!("the version is {}", header("version")));
    }
    judge_query(operation, query)?;
    let kind = header("content-type");
    match &operation.body {
        None if !body.is_empty() => return Err("a body that nobody asked for".to_owned()),
        Some(expected) if body.is_empty() && expected.kind == Kind::Open => {}
        Some(expected) => {
            let wanted = match expected.encoding {
                Encoding::Json => "application/json",
                Encoding::Form => "application/x-www-form-urlencoded",
                Encoding::Files => "multipart/form-data",
            };
            if !kind.starts_with(wanted) {
                return Err(format!("the body is {kind}"));
            }
            if expected.encoding == Encoding::Json {
                let value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
                hold(&schema(&expected.kind), &value)?;
            } else if let Kind::Fields(fields) = &expected.kind {
                let text = String::from_utf8_lossy(body);
                let missing = fields.iter().find(|field| field.required && !text.contains(&field.name));
                missing.map_or(Ok(()), |field| Err(format!("{} is missing", field.name)))?;
            }
        }
        None => {}
    }
    Ok(operation.name.clone())
}

/// Whether a path is one of a template's; the slash at the end counts.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(template, part)| {
            if template.starts_with('{') { !part.is_empty() } else { template == part }
        })
}

fn judge_query(operation: &Operation, query: &str) -> Result<(), String> {
    let url = reqwest::Url::parse(&format!("http://x/?{query}")).map_err(|error| error.to_string())?;
    let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in url.query_pairs() {
        given.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    for field in &operation.in_query {
        let values = given.remove(&field.name).unwrap_or_default();
        if field.required && values.is_empty() {
            return Err(format!("{} is missing", field.name));
        }
        for value in values {
            let kind = if let Kind::List(item) = &field.kind { item } else { &field.kind };
            let typed = match kind {
                Kind::Number | Kind::Flag => {
                    serde_json::from_str(&value).map_err(|error| error.to_string())?
                }
                Kind::Any | Kind::OneOf(_) => continue,
                _ => json!(value),
            };
            hold(&schema(kind), &typed)?;
        }
    }
    given.keys().next().map_or(Ok(()), |name| Err(format!("{name} is not known")))
}

fn hold(schema: &Value, value: &Value) -> Result<(), String> {
    let validator = jsonschema::draft202012::new(schema).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path)).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// A kind as a JSON schema.
fn schema(kind: &Kind) -> Value {
    match kind {
        Kind::Text | Kind::File => json!({ "type": "string" }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Any => json!({}),
        Kind::Open => json!({ "type": "object" }),
        Kind::Choice(choices) => json!({ "enum": choices }),
        Kind::List(item) => json!({ "type": "array", "items": schema(item) }),
        Kind::Map(item) => json!({ "type": "object", "additionalProperties": schema(item) }),
        Kind::OneOf(kinds) => json!({ "anyOf": kinds.iter().map(schema).collect::<Vec<_>>() }),
        Kind::Fields(fields) => {
            let required: Vec<&str> =
                fields.iter().filter(|it| it.required).map(|it| it.name.as_str()).collect();
            let property = |it: &Field| (it.name.clone(), schema(&it.kind));
            let properties: serde_json::Map<String, Value> = fields.iter().map(property).collect();
            json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
        }
    }
}
