//! The pages of HighLevel's webhook events: a schema and samples in Markdown.

use std::collections::BTreeMap;

use catalogue::{Field, Kind, Source, Trigger, ghl_kind};
use serde_json::Value;

use super::schema::{Schemas, line};
use super::scopes::Table;

/// Pages whose name is not the event's `type`: what the sample or the heading says.
const TYPES: &[(&str, &str)] = &[
    ("AppInstall", "INSTALL"),
    ("AppUninstall", "UNINSTALL"),
    ("AssociationCreate", "AssociationCreated"),
    ("AssociationDelete", "AssociationDeleted"),
    ("AssociationUpdate", "AssociationUpdated"),
    ("ConversationUnreadWebhook", "ConversationUnreadUpdate"),
    ("PlanChange", "PLAN_CHANGE"),
];

/// The triggers, and the first sample of each page that has one.
pub(crate) fn read(
    pages: &[(String, String)],
    scopes: &Table,
) -> Result<(Vec<Trigger>, BTreeMap<String, Value>), String> {
    let (mut triggers, mut samples) = (Vec::new(), BTreeMap::new());
    for (page, text) in pages {
        let kind = TYPES.iter().find(|(name, _)| name == page).map_or(page.as_str(), |(_, kind)| *kind);
        let name = format!("ghl.{}", ghl_kind(kind));
        let mut schema = None;
        let mut sample = None;
        for (is_schema, block) in blocks(text) {
            match parsed(block) {
                Some(value) if is_schema => schema = schema.or(Some(value)),
                // A page that shows the form as an object of type names (UserCreate).
                Some(value) if value["type"] == "string" => {}
                Some(value) => sample = sample.or(Some(value)),
                None => return Err(format!("{page}: a block that is no JSON")),
            }
        }
        let fields = match (&schema, &sample) {
            (Some(schema), _) => Schemas::none().kind(schema).map_err(|error| format!("{page}: {error}"))?,
            (None, Some(sample)) => shape(sample),
            (None, None) => return Err(format!("{page}: neither schema nor sample")),
        };
        let Kind::Fields(fields) = fields else { return Err(format!("{page}: no object")) };
        triggers.push(Trigger {
            name: name.clone(),
            source: Source::Ghl,
            kind: kind.to_owned(),
            title: title(text),
            scopes: scopes.of_event(kind),
            fields,
            cases: Vec::new(),
        });
        samples.extend(sample.map(|sample| (name, sample)));
    }
    triggers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((triggers, samples))
}

/// When it happens: the first sentence below the heading, without "called whenever" and the like.
fn title(page: &str) -> String {
    let below = page.lines().skip_while(|line| !line.starts_with("# "));
    let text = below.map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let text = line(text.unwrap_or_default());
    let sentence = text.split(". ").next().unwrap_or_default().trim_end_matches('.');
    let when = ["whenever ", "when "].iter().find_map(|word| Some(sentence.split_once(word)?.1));
    let mut letters = when.unwrap_or(sentence).chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The blocks of JSON, and whether each is the schema.
fn blocks(page: &str) -> Vec<(bool, &str)> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("```json") {
        let Some((block, after)) = after.split_once("```") else { break };
        // Some begin on the line of the fence (PriceCreate).
        let begin = block.find(['{', '\n']).unwrap_or_default();
        let (info, body) = block.split_at(begin);
        blocks.push((info.contains("json_schema"), body));
        rest = after;
    }
    blocks
}

/// A block. One has a comma too many (`RelationDelete`).
fn parsed(block: &str) -> Option<Value> {
    serde_json::from_str(block).ok().or_else(|| {
        let words: Vec<&str> = block.split_whitespace().collect();
        serde_json::from_str(&words.join(" ").replace(", }", " }")).ok()
    })
}

/// What a sample shows of its form.
fn shape(value: &Value) -> Kind {
    match value {
        Value::Null => Kind::Any,
        Value::Bool(_) => Kind::Flag,
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::Text,
        Value::Array(items) => Kind::List(Box::new(items.first().map_or(Kind::Any, shape))),
        Value::Object(fields) => Kind::Fields(
            fields
                .iter()
                .map(|(name, value)| Field {
                    name: name.clone(),
                    kind: shape(value),
                    required: false,
                    nullable: false,
                    about: String::new(),
                })
                .collect(),
        ),
    }
}
