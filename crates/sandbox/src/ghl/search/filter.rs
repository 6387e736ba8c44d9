//! Filters of a contact search: `{field, operator, value}` or `{group: AND|OR, filters}`, nested.

use serde_json::{Value, json};

use crate::{
    clock,
    ghl::{contact::Contact, refusal::Refusal},
};

const OPERATORS: &[&str] = &["eq", "not_eq", "contains", "not_contains", "exists", "not_exists", "range"];

/// A filter that was read.
pub(super) enum Filter {
    Every(Vec<Filter>),
    Any(Vec<Filter>),
    Field { field: String, operator: &'static str, value: Value },
}

impl Filter {
    /// The list of the body: all must match.
    pub(super) fn all(filters: Option<&Vec<Value>>) -> Result<Self, Refusal> {
        let filters = filters.map_or(&[][..], Vec::as_slice);
        Ok(Self::Every(
            filters
                .iter()
                .enumerate()
                .map(|(at, it)| Self::read(it, &format!("filters.{at}")))
                .collect::<Result<_, _>>()?,
        ))
    }

    fn read(filter: &Value, path: &str) -> Result<Self, Refusal> {
        let refuse = |what: String| Err(Refusal::invalid(vec![format!("{path}.{what}")]));
        if let Some(group) = filter.get("group") {
            let parts = filter["filters"].as_array().map_or(&[][..], Vec::as_slice);
            let parts =
                parts.iter().enumerate().map(|(at, it)| Self::read(it, &format!("{path}.filters.{at}")));
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            return match group.as_str() {
                Some("AND") => Ok(Self::Every(parts)),
                Some("OR") => Ok(Self::Any(parts)),
                _ => refuse(String::from("group must be one of the following values: AND, OR")),
            };
        }
        let field = filter["field"].as_str().unwrap_or_default().to_owned();
        let blank = Contact::new(String::new(), 0, 0);
        if values(&blank, &field).is_none() {
            return refuse(format!("field {field} is not a searchable field"));
        }
        let named = filter["operator"].as_str().unwrap_or_default();
        let Some(operator) = OPERATORS.iter().find(|known| **known == named) else {
            return refuse(format!("operator must be one of the following values: {}", OPERATORS.join(", ")));
        };
        let value = filter.get("value").cloned().unwrap_or_default();
        let fits = match *operator {
            "exists" | "not_exists" => true,
            "range" => value.is_object(),
            "contains" | "not_contains" => value.is_string() || value.is_array(),
            _ => !value.is_null() && !value.is_object(),
        };
        if !fits {
            return refuse(format!("value does not fit the operator {operator}"));
        }
        Ok(Self::Field { field, operator, value })
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Every(parts) if parts.is_empty())
    }

    /// The one value that `field` must have for a match, if the filter says so at its top.
    pub(super) fn pins(&self, field: &str) -> Option<&str> {
        match self {
            Self::Every(parts) => parts.iter().find_map(|part| part.pins(field)),
            Self::Field { field: own, operator: "eq", value } if own == field => value.as_str(),
            _ => None,
        }
    }

    pub(super) fn matches(&self, contact: &Contact) -> bool {
        match self {
            Self::Every(parts) => parts.iter().all(|part| part.matches(contact)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(contact)),
            Self::Field { field, operator, value } => {
                let own = values(contact, field).unwrap_or_default();
                let equal = || any_of(value, |wanted| own.iter().any(|it| is_equal(it, wanted)));
                let contains = || any_of(value, |wanted| own.iter().any(|it| holds(it, wanted)));
                match *operator {
                    "eq" => equal(),
                    "not_eq" => !equal(),
                    "contains" => contains(),
                    "not_contains" => !contains(),
                    "exists" => !own.is_empty(),
                    "not_exists" => own.is_empty(),
                    _ => own.iter().any(|it| in_range(it, value)),
                }
            }
        }
    }
}

fn any_of(value: &Value, test: impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(list) => list.iter().any(test),
        one => test(one),
    }
}

/// Exact; a time may be given as ISO text or as milliseconds.
fn is_equal(own: &Value, wanted: &Value) -> bool {
    own == wanted
        || (own.is_number()
            && wanted.as_str().and_then(clock::parse_iso).map(|it| json!(it)).as_ref() == Some(own))
}

fn holds(own: &Value, wanted: &Value) -> bool {
    match (own.as_str(), wanted.as_str()) {
        (Some(own), Some(wanted)) => own.to_lowercase().contains(&wanted.to_lowercase()),
        _ => false,
    }
}

fn in_range(own: &Value, range: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::String(text) => clock::parse_iso(text).map(|it| it as f64).or_else(|| text.parse().ok()),
        value => value.as_f64(),
    };
    let Some(own) = number(own) else { return false };
    let bound = |name: &str| range.get(name).and_then(number);
    bound("gt").is_none_or(|it| own > it)
        && bound("gte").is_none_or(|it| own >= it)
        && bound("lt").is_none_or(|it| own < it)
        && bound("lte").is_none_or(|it| own <= it)
}

/// The values of a searchable field; none when the contact has none, None when there is no such field. Number and
/// address mean the primary ones only: equality misses additional ones (HighLevel's issue 289).
pub(super) fn values(contact: &Contact, field: &str) -> Option<Vec<Value>> {
    let one = |value: &Option<String>| value.iter().map(|it| json!(it)).collect();
    let lower = |value: &Option<String>| value.iter().map(|it| json!(it.to_lowercase())).collect();
    Some(match field {
        "id" => vec![json!(contact.id)],
        "email" => one(&contact.email),
        "phone" => one(&contact.phone),
        "additionalEmails" => contact.additional_emails.iter().map(|it| json!(it)).collect(),
        "firstNameLowerCase" => lower(&contact.first_name),
        "lastNameLowerCase" => lower(&contact.last_name),
        "contactName" => vec![json!(contact.full_name().to_lowercase())],
        "companyName" | "businessName" => one(&contact.company_name),
        "address" => one(&contact.address1),
        "city" => one(&contact.city),
        "state" => one(&contact.state),
        "postalCode" => one(&contact.postal_code),
        "country" => one(&contact.country),
        "website" => one(&contact.website),
        "timezone" => one(&contact.timezone),
        "source" => one(&contact.source),
        "assignedTo" => one(&contact.assigned_to),
        "businessId" => one(&contact.business_id),
        "dateOfBirth" => one(&contact.date_of_birth),
        "type" => vec![json!("lead")],
        "dnd" => vec![json!(contact.dnd)],
        "tags" => contact.tags.iter().map(|it| json!(it)).collect(),
        "followers" => contact.followers.iter().map(|it| json!(it)).collect(),
        "dateAdded" => vec![json!(contact.date_added)],
        "dateUpdated" => vec![json!(contact.date_updated)],
        other => {
            let id = other.strip_prefix("customFields.")?;
            let values = contact.custom_fields.iter().filter(|(known, _)| known == id);
            values.map(|(_, value)| value.clone()).collect()
        }
    })
}
