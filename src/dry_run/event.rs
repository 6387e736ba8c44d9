//! An event that a person has written down: the body of a webhook, or what a person asks for.

use serde_json::{Value, json};

use crate::event::{EventId, Subject};
use crate::inbox::{Incoming, ShapeError};
use crate::link::Customer;
use crate::mistake;

/// Why something is no event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It lacks what makes one.
    #[error(
        "an event is a JSON object with `type` and `data`, such as {{\"type\": \"customer.created\", \"data\": {{\"user\": {{…}}}}}}"
    )]
    NoEvent,
    /// There is no such type.
    #[error("there is no event `{0}`: {1}")]
    Unknown(String, String),
    /// HighLevel's events are named by HighLevel.
    #[error(
        "`{0}`: give HighLevel's webhook as HighLevel sends it, with its own `type`, such as ContactUpdate"
    )]
    NotAsSent(String),
    /// Its parts do not fit.
    #[error("the event cannot be read: {0}")]
    Shape(#[from] ShapeError),
    /// HighLevel's envelope does not fit.
    #[error("the event cannot be read as a webhook of HighLevel's: {0}")]
    Envelope(#[from] ghl::webhook::EnvelopeError),
    /// What a person asks for is about a customer.
    #[error("`{0}` needs `data.customer`, such as \"42\": {1}")]
    Customer(String, String),
}

/// Reads one: a webhook of the store's, one of HighLevel's, or `manual.resync` and `manual.linked` with `data.customer`.
pub(crate) fn read(event: &Value) -> Result<Incoming, EventError> {
    let kind = event.get("type").and_then(Value::as_str).ok_or(EventError::NoEvent)?;
    let is_highlevels = kind.starts_with(|first: char| first.is_ascii_uppercase());
    if is_highlevels {
        let body = event.to_string().into_bytes();
        let envelope = ghl::webhook::Envelope::parse(&body)?;
        return Ok(Incoming::from_ghl(&envelope, body));
    }
    if kind.starts_with("ghl.") {
        return Err(EventError::NotAsSent(kind.to_owned()));
    }
    let known: Vec<&str> = catalogue::triggers().iter().map(|trigger| trigger.name.as_str()).collect();
    if let Some(asked) = kind.strip_prefix("manual.").filter(|_| known.contains(&kind)) {
        let customer = event.pointer("/data/customer").map_or(Value::Null, Value::clone);
        let customer = customer.as_str().map_or_else(|| customer.to_string(), str::to_owned);
        let customer: Customer =
            customer.parse().map_err(|why| EventError::Customer(kind.to_owned(), why))?;
        return Ok(Incoming::manual(asked, Subject::customer(&customer), event));
    }
    let kind = kind.strip_prefix("cscart.").unwrap_or(kind);
    if !known.contains(&format!("cscart.{kind}").as_str()) {
        let names = known.iter().filter_map(|name| name.strip_prefix("cscart."));
        return Err(EventError::Unknown(kind.to_owned(), mistake::nearest(kind, names)));
    }
    if !event.get("data").is_some_and(Value::is_object) {
        return Err(EventError::NoEvent);
    }
    let mut body = event.clone();
    body["type"] = json!(kind);
    Ok(Incoming::from_cscart(&format!("dry-run-{}", EventId::new()), body.to_string().into_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_event_is_told_with_what_would_be_one() {
        for (event, told) in [
            (json!([]), "an event is a JSON object"),
            (json!({ "type": "customer.created" }), "an event is a JSON object"),
            (json!({ "type": "customer.creatd", "data": {} }), "did you mean `customer.created`?"),
            (json!({ "type": "ghl.contact.created", "data": {} }), "its own `type`"),
            (json!({ "type": "manual.resync", "data": {} }), "needs `data.customer`"),
        ] {
            let error = read(&event).unwrap_err().to_string();
            assert!(error.contains(told), "{event}: {error}");
        }
    }

    #[test]
    fn each_side_is_read_in_its_own_words() {
        for event in [
            json!({ "type": "customer.created", "data": { "user": { "user_id": 42 } } }),
            json!({ "type": "cscart.order.created", "data": { "order": { "user_id": "42" } } }),
            json!({ "type": "ContactUpdate", "locationId": "l", "id": "c" }),
            json!({ "type": "manual.resync", "data": { "customer": 42 } }),
        ] {
            assert!(read(&event).is_ok(), "{event}");
        }
    }
}
