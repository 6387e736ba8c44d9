//! From a JSON schema, as the documents write them, to a kind.

use catalogue::{Field, Kind};
use serde_json::Value;

/// The schemas that a document refers to.
pub(crate) struct Schemas<'a> {
    named: Option<&'a Value>,
}

impl<'a> Schemas<'a> {
    /// Those of an OpenAPI document.
    pub(crate) fn of(document: &'a Value) -> Self {
        Self { named: document.pointer("/components/schemas") }
    }

    /// None: for a schema that refers to no other.
    pub(crate) fn none() -> Self {
        Self { named: None }
    }

    /// What a value may be.
    pub(crate) fn kind(&self, schema: &Value) -> Result<Kind, String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default();
            let found = self.named.and_then(|named| named.get(name));
            return self.kind(found.ok_or_else(|| format!("no schema `{name}`"))?);
        }
        // `allOf` with one member is how the documents put words to a reference.
        if let Some([only]) = schema["allOf"].as_array().map(Vec::as_slice) {
            return self.kind(only);
        }
        for any in ["anyOf", "oneOf"] {
            if let Some(alternatives) = schema[any].as_array() {
                let mut kinds: Vec<Kind> = Vec::new();
                for alternative in alternatives {
                    let kind = self.kind(alternative)?;
                    if !kinds.contains(&kind) {
                        kinds.push(kind);
                    }
                }
                return Ok(one_of(kinds));
            }
        }
        if let Some(choices) = schema["enum"].as_array() {
            // Some documents put the list of choices into a list.
            let flat = choices.iter().flat_map(|choice| match choice {
                Value::Array(choices) => choices.clone(),
                choice => vec![choice.clone()],
            });
            let choices: Vec<Value> = flat.filter(|choice| !choice.is_null()).collect();
            let choice = Kind::Choice(choices);
            return Ok(if schema["type"] == "array" { Kind::List(Box::new(choice)) } else { choice });
        }
        match &schema["type"] {
            Value::Array(types) => {
                let kinds = types.iter().filter_map(Value::as_str).filter(|word| *word != "null");
                let kinds: Result<Vec<Kind>, String> =
                    kinds.map(|word| self.typed(word, &Value::Null)).collect();
                Ok(one_of(kinds?))
            }
            Value::String(word) => self.typed(word, schema),
            _ if schema["properties"].is_object() => self.typed("object", schema),
            _ => Ok(Kind::Any),
        }
    }

    fn typed(&self, word: &str, schema: &Value) -> Result<Kind, String> {
        Ok(match word {
            "string" if schema["format"] == "binary" => Kind::File,
            "string" | "Date" => Kind::Text,
            "number" | "integer" => Kind::Number,
            "boolean" => Kind::Flag,
            "array" => Kind::List(Box::new(match &schema["items"] {
                Value::Null => Kind::Any,
                items => self.kind(items)?,
            })),
            "object" => match (schema["properties"].as_object(), &schema["additionalProperties"]) {
                (Some(properties), _) if !properties.is_empty() => {
                    let required = schema["required"].as_array();
                    let is_required =
                        |name: &str| required.is_some_and(|names| names.iter().any(|it| it == name));
                    let fields = properties.iter().filter(|(_, property)| property["readOnly"] != true);
                    let fields = fields.map(|(name, property)| self.field(name, property, is_required(name)));
                    Kind::Fields(fields.collect::<Result<_, _>>()?)
                }
                (_, additional @ Value::Object(_)) => Kind::Map(Box::new(self.kind(additional)?)),
                // The type says object and the example shows none: `dateOfBirth` in contacts.json.
                _ if !schema["example"].is_null() && !schema["example"].is_object() => Kind::Any,
                _ => Kind::Open,
            },
            _ => Kind::Any,
        })
    }

    /// A field of an object.
    pub(crate) fn field(&self, name: &str, schema: &Value, required: bool) -> Result<Field, String> {
        Ok(Field {
            name: name.to_owned(),
            kind: self.kind(schema)?,
            required,
            nullable: schema["nullable"] == true,
            about: line(schema["description"].as_str().unwrap_or_default()),
        })
    }
}

fn one_of(mut kinds: Vec<Kind>) -> Kind {
    if kinds.len() == 1 { kinds.remove(0) } else { Kind::OneOf(kinds) }
}

/// So much of a description is kept, in characters.
const LONGEST: usize = 240;

/// A description on one line, without markup, and not too long.
pub(crate) fn line(text: &str) -> String {
    let mut plain = String::new();
    let mut in_tag = false;
    for c in text.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                plain.push(' ');
            }
            c if !in_tag => plain.push(c),
            _ => {}
        }
    }
    let words: Vec<&str> = plain.split_whitespace().collect();
    let line = words.join(" ").replace(" ,", ",").replace(" .", ".");
    if line.chars().count() <= LONGEST {
        return line;
    }
    let cut: String = line.chars().take(LONGEST).collect();
    let whole_words = cut.rsplit_once(' ').map_or(cut.as_str(), |(before, _)| before);
    format!("{whole_words}…")
}
