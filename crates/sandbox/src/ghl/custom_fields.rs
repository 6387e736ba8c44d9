//! Custom fields: their definitions (locations.json, tag Custom Field).

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Outcome, Reply},
    refusal::Refusal,
    state::State,
    validate::{Kind, Property, may, must},
};
use crate::control::journal::Effect;

/// Data types seen in HighLevel's own pages; the file says only `string`.
pub(crate) const TYPES: &[&str] = &[
    "TEXT",
    "LARGE_TEXT",
    "NUMERICAL",
    "PHONE",
    "MONETORY",
    "CHECKBOX",
    "SINGLE_OPTIONS",
    "MULTIPLE_OPTIONS",
    "FLOAT",
    "TIME",
    "DATE",
    "TEXTBOX_LIST",
    "FILE_UPLOAD",
    "SIGNATURE",
    "RADIO",
    "EMAIL",
];

/// `CreateCustomFieldsDTO`; `options` is in recorded requests beside it.
const CREATE: &[Property] = &[
    must("name", Kind::Text),
    must("dataType", Kind::OneOf(TYPES)),
    may("placeholder", Kind::Text),
    may("acceptedFormat", Kind::Texts),
    may("isMultipleFile", Kind::Bool),
    may("maxNumberOfFiles", Kind::Number),
    may("textBoxListOptions", Kind::Objects),
    may("options", Kind::Texts),
    may("position", Kind::Number),
    may("model", Kind::OneOf(&["contact", "opportunity"])),
];

/// `UpdateCustomFieldsDTO`.
const UPDATE: &[Property] = &[
    must("name", Kind::Text),
    may("placeholder", Kind::Text),
    may("acceptedFormat", Kind::Texts),
    may("isMultipleFile", Kind::Bool),
    may("maxNumberOfFiles", Kind::Number),
    may("textBoxListOptions", Kind::Objects),
    may("options", Kind::Texts),
    may("position", Kind::Number),
    may("model", Kind::OneOf(&["contact", "opportunity"])),
];

/// `GET /locations/{locationId}/customFields`: those of contacts unless `model` says otherwise.
pub(crate) fn list(call: &mut Call<'_>) -> Outcome {
    call.location(Some(call.args[0]))?;
    call.only_parameters(&["model"])?;
    let model = call.request.parameter("model").unwrap_or("contact");
    if !["contact", "opportunity", "all"].contains(&model) {
        let message = "model must be one of the following values: contact, opportunity, all";
        return Err(Refusal::invalid(vec![message.to_owned()]));
    }
    let fields = call.state.custom_fields.iter().filter(|field| model == "all" || field["model"] == model);
    Ok(Reply::ok(json!({ "customFields": fields.collect::<Vec<_>>() })))
}

/// `POST /locations/{locationId}/customFields`.
pub(crate) fn create(call: &mut Call<'_>) -> Outcome {
    call.location(Some(call.args[0]))?;
    let body = call.checked(CREATE)?;
    let field = make(call.state, body)?;
    let effect = Effect::on("custom_field.created", field["id"].as_str().unwrap_or_default());
    Ok(Reply::created(json!({ "customField": field })).with(effect))
}

/// Stores a field; its key is `contact.` and the name in snake case.
pub(crate) fn make(state: &mut State, body: &Map<String, Value>) -> Result<Value, Refusal> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let model = text("model").unwrap_or("contact");
    let name = text("name").unwrap_or_default();
    let words: String = name.chars().map(|it| if it.is_alphanumeric() { it } else { ' ' }).collect();
    let key = words.split_whitespace().collect::<Vec<_>>().join("_").to_lowercase();
    let key = format!("{model}.{key}");
    if state.custom_fields.iter().any(|field| field["fieldKey"] == key.as_str()) {
        return Err(Refusal::new(400, format!("{name} already exists")));
    }
    let mut field = json!({
        "id": state.ids.id(),
        "name": name,
        "fieldKey": key,
        "dataType": text("dataType").unwrap_or("TEXT"),
        "placeholder": text("placeholder").unwrap_or_default(),
        "position": body.get("position").cloned().unwrap_or(json!(state.custom_fields.len() * 50)),
        "locationId": state.location_id,
        "model": model,
    });
    if let Some(options) = body.get("options") {
        field["picklistOptions"] = options.clone();
    }
    state.custom_fields.push(field.clone());
    state.index_custom_fields();
    Ok(field)
}

/// `GET /locations/{locationId}/customFields/{id}`.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    Ok(Reply::ok(json!({ "customField": call.state.custom_fields[place] })))
}

/// `PUT /locations/{locationId}/customFields/{id}`: the key stays.
pub(crate) fn update(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    let body = call.checked(UPDATE)?;
    let field = &mut call.state.custom_fields[place];
    for name in ["name", "placeholder", "position"] {
        if let Some(value) = body.get(name) {
            field[name] = value.clone();
        }
    }
    if let Some(options) = body.get("options") {
        field["picklistOptions"] = options.clone();
    }
    let field = field.clone();
    Ok(Reply::ok(json!({ "customField": field })).with(Effect::on("custom_field.updated", call.args[1])))
}

/// `DELETE /locations/{locationId}/customFields/{id}`; values that contacts have stay in their answers.
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let place = place(call)?;
    call.state.custom_fields.remove(place);
    call.state.index_custom_fields();
    Ok(Reply::ok(json!({ "succeded": true })).with(Effect::on("custom_field.deleted", call.args[1])))
}

/// What is wrong with a value for a field with options. contacts.json has text for `SingleSelectField` and `RadioField`, and a
/// list for `CheckboxField` and `MultiSelectField`; that another option than those of the field is refused, and in which words,
/// is not documented: these are class-validator's for an enum.
pub(crate) fn complaints(field: &Value, place: &str, value: Option<&Value>) -> Vec<String> {
    let Some(value) = value.filter(|value| !is_empty(value)) else { return Vec::new() };
    let none = Vec::new();
    let options = field["picklistOptions"].as_array().unwrap_or(&none);
    let named = || options.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
    match (field["dataType"].as_str().unwrap_or_default(), value) {
        ("SINGLE_OPTIONS" | "RADIO", Value::String(_)) if !options.contains(value) => {
            vec![format!("{place} must be one of the following values: {}", named())]
        }
        ("SINGLE_OPTIONS" | "RADIO", Value::String(_)) => Vec::new(),
        ("SINGLE_OPTIONS" | "RADIO", _) => vec![format!("{place} must be a string")],
        ("MULTIPLE_OPTIONS" | "CHECKBOX", Value::Array(items)) => {
            let unknown = items.iter().any(|item| !options.contains(item));
            let complaint =
                || format!("each value in {place} must be one of the following values: {}", named());
            unknown.then(complaint).into_iter().collect()
        }
        ("MULTIPLE_OPTIONS" | "CHECKBOX", _) => vec![format!("{place} must be an array")],
        _ => Vec::new(),
    }
}

/// Whether a value empties its field.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn place(call: &Call<'_>) -> Result<usize, Refusal> {
    let [location_id, id] = call.args;
    call.location(Some(location_id))?;
    let place = call.state.custom_fields.iter().position(|field| field["id"] == id);
    place.ok_or_else(|| Refusal::new(404, format!("Custom field with id {id} not found")))
}
