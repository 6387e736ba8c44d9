//! What all webhooks have in common.

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    AppId, BoxError, CompanyId, LocationId, WebhookId,
    decode::{self, Misfit},
    loose,
};

/// A webhook, as far as all of them are alike: the fields around the event's own are described in HighLevel's
/// Webhook Integration Guide, and most of the documented examples leave some of them out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Envelope {
    /// HighLevel's `type`: `ContactCreate`, `TaskComplete`, `INSTALL`…
    pub kind: String,
    /// The webhook's id; the same when it is delivered again.
    pub webhook_id: Option<WebhookId>,
    /// The location that it is about.
    pub location_id: Option<LocationId>,
    /// The app that it is for.
    pub app_id: Option<AppId>,
    /// The version of the app.
    pub version_id: Option<String>,
    /// The company that it is about.
    pub company_id: Option<CompanyId>,
    /// When it was sent first: ISO 8601, or seconds or milliseconds since 1970.
    pub timestamp: Option<Timestamp>,
    /// What happened. Some events have it in `data`, most beside the fields above: then this is the whole
    /// body, those fields included.
    pub data: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "loose::opt_id")]
    webhook_id: Option<WebhookId>,
    #[serde(default, deserialize_with = "loose::opt_id")]
    location_id: Option<LocationId>,
    #[serde(default, deserialize_with = "loose::opt_id")]
    app_id: Option<AppId>,
    #[serde(default, deserialize_with = "loose::opt_string")]
    version_id: Option<String>,
    #[serde(default, deserialize_with = "loose::opt_id")]
    company_id: Option<CompanyId>,
    #[serde(default, deserialize_with = "loose::opt_time")]
    timestamp: Option<Timestamp>,
}

impl Envelope {
    /// Reads a body. Only the type is required.
    pub fn parse(raw: &[u8]) -> Result<Self, EnvelopeError> {
        let body: Value = serde_json::from_slice(raw).map_err(EnvelopeError::NotJson)?;
        let head: Head = decode::value(body.clone())?;
        if head.kind.trim().is_empty() {
            return Err(Misfit::new("type", "it is empty").into());
        }
        let location_id = head.location_id.or_else(|| {
            let id = body.get("data")?.get("locationId")?.as_str()?;
            (!id.is_empty()).then(|| id.into())
        });
        let data = match body {
            Value::Object(mut fields) if fields.get("data").is_some_and(Value::is_object) => {
                fields.remove("data").unwrap_or_default()
            }
            body => body,
        };
        Ok(Self {
            kind: head.kind,
            webhook_id: head.webhook_id,
            location_id,
            app_id: head.app_id,
            version_id: head.version_id,
            company_id: head.company_id,
            timestamp: head.timestamp,
            data,
        })
    }

    /// What happened, as one of the types of this crate ([`Contact`](crate::Contact), [`Task`](crate::Task),
    /// [`Note`](crate::Note)) or of the caller.
    pub fn data_as<T: DeserializeOwned>(&self) -> Result<T, EnvelopeError> {
        Ok(decode::value(self.data.clone())?)
    }
}

/// Why a body is not a webhook.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// It is not JSON.
    #[error("the webhook is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON of another shape.
    #[error("the webhook is not as documented at `{path}`")]
    Shape {
        /// Where, e.g. `type`.
        path: String,
        /// What did not fit.
        #[source]
        source: BoxError,
    },
}

impl From<Misfit> for EnvelopeError {
    fn from(misfit: Misfit) -> Self {
        Self::Shape { path: misfit.path, source: misfit.source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_and_nested_bodies_are_taken() {
        let flat = Envelope::parse(
            br#"{"type":"ContactCreate","locationId":"l","id":"c","webhookId":"w","timestamp":"2025-01-28T14:35:00Z","appId":"a","versionId":"v","companyId":null}"#,
        )
        .unwrap();
        assert_eq!(flat.kind, "ContactCreate");
        assert_eq!(flat.webhook_id, Some("w".into()));
        assert_eq!(flat.location_id, Some("l".into()));
        assert_eq!(flat.data["id"], "c");
        let contact: crate::Contact = flat.data_as().unwrap();
        assert_eq!(contact.id.as_str(), "c");

        let nested =
            Envelope::parse(br#"{"type":"X","timestamp":1738074900000,"data":{"id":"c","locationId":"l"}}"#)
                .unwrap();
        assert_eq!(nested.data, serde_json::json!({ "id": "c", "locationId": "l" }));
        assert_eq!(nested.location_id, Some("l".into()));
        assert_eq!(nested.timestamp, flat.timestamp);
        let seconds = Envelope::parse(br#"{"type":"X","timestamp":"1738074900"}"#).unwrap();
        assert_eq!(seconds.timestamp, flat.timestamp);
    }

    #[test]
    fn a_body_without_a_type_is_none() {
        assert!(matches!(Envelope::parse(b"<xml>"), Err(EnvelopeError::NotJson(_))));
        for body in ["{}", "[]", r#"{"type":5}"#, r#"{"type":" "}"#, "null"] {
            assert!(matches!(Envelope::parse(body.as_bytes()), Err(EnvelopeError::Shape { .. })), "{body}");
        }
        let error = Envelope::parse(br#"{"type":["x"]}"#).unwrap_err();
        assert_eq!(error.to_string(), "the webhook is not as documented at `type`");
    }
}
