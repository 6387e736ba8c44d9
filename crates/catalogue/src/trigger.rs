//! What can set off a route.

use serde::{Deserialize, Serialize};

use crate::kind::Field;

/// What can set off a route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// Its name in a route: `ghl.contact.created`.
    pub name: String,
    /// Whose event it is.
    pub source: Source,
    /// The event's `type` as its sender writes it: `ContactCreate`, `customer.created`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happens.
    pub title: String,
    /// The scopes that an app needs to be sent it ("OAuth 2.0: Scopes"); empty where that page does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// What it carries, as far as it is documented.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// Cases that a route may want to tell apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Case>,
}

/// Whose event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The store's.
    Cscart,
    /// HighLevel's.
    Ghl,
    /// A person's.
    Manual,
    /// The bridge's own, when a time has come.
    Schedule,
}

/// A case of a trigger, and the condition that tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// What it is.
    pub title: String,
    /// The `when` of a route for it.
    pub when: String,
}

/// The type of an event by HighLevel's name for it: `ContactCreate` is `contact.created`, `OpportunityStatusUpdate` is
/// `opportunity.status_updated`, `INSTALL` is `app.installed`. A name that no document has gets a type by the same rule.
pub fn ghl_kind(name: &str) -> String {
    match name {
        "INSTALL" => return "app.installed".to_owned(),
        "UNINSTALL" => return "app.uninstalled".to_owned(),
        "PLAN_CHANGE" => return "plan.changed".to_owned(),
        "InboundMessage" => return "message.received".to_owned(),
        "OutboundMessage" => return "message.sent".to_owned(),
        "LCEmailStats" => return "email.stats".to_owned(),
        _ => {}
    }
    let mut words: Vec<String> = Vec::new();
    for c in name.chars() {
        match words.last_mut() {
            Some(word) if !c.is_ascii_uppercase() => word.push(c),
            _ => words.push(c.to_ascii_lowercase().to_string()),
        }
    }
    if let Some(last) = words.last_mut() {
        let done = match last.as_str() {
            "create" => Some("created"),
            "update" => Some("updated"),
            "delete" => Some("deleted"),
            "complete" => Some("completed"),
            "change" => Some("changed"),
            _ => None,
        };
        if let Some(done) = done {
            done.clone_into(last);
        }
    }
    match words.split_first() {
        Some((thing, rest)) if !rest.is_empty() => format!("{thing}.{}", rest.join("_")),
        _ => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlevels_names_read_as_the_stores_do() {
        for (name, kind) in [
            ("ContactCreate", "contact.created"),
            ("ContactTagUpdate", "contact.tag_updated"),
            ("TaskComplete", "task.completed"),
            ("OpportunityStatusUpdate", "opportunity.status_updated"),
            ("InvoicePaid", "invoice.paid"),
            ("INSTALL", "app.installed"),
            ("SomethingNew", "something.new"),
        ] {
            assert_eq!(ghl_kind(name), kind);
        }
    }
}
