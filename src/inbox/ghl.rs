//! Files a webhook from HighLevel under its type, its contact and its own id.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ghl::webhook::Envelope;
use sha2::{Digest as _, Sha256};

use super::Incoming;
use crate::event::{Source, Subject};
use crate::flow;

pub(super) fn read(envelope: &Envelope, body: Vec<u8>) -> Incoming {
    let kind = flow::ghl_kind(&envelope.kind);
    let text = |pointer: &str| envelope.data.pointer(pointer).and_then(serde_json::Value::as_str);
    let contact = if kind.starts_with("contact.") { text("/id") } else { None };
    // An appointment is told inside its own object (webhook-events/AppointmentCreate.md).
    let contact = contact.or_else(|| text("/contactId")).or_else(|| text("/appointment/contactId"));
    let subject = match contact {
        Some(contact) => format!("contact:{contact}"),
        None => "location".to_owned(),
    };
    // The documented samples have no `webhookId`; then the same bytes are the same event.
    let source_id = envelope.webhook_id.as_ref().map_or_else(
        || format!("sha256:{}", URL_SAFE_NO_PAD.encode(Sha256::digest(&body))),
        ToString::to_string,
    );
    Incoming {
        source: Source::Ghl,
        source_id,
        kind,
        subject: Subject::other(subject),
        occurred_at: envelope.timestamp,
        payload: body,
    }
}
