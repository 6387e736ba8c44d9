//! How GHL says no: `{statusCode, message, error, traceId}`, where `message` is a string or a list.

use serde_json::{Value, json};

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    message: Value,
    meta: Option<Value>,
    /// A body that has another shape than the usual one (OAuth).
    whole: Option<Value>,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: Value::String(message.into()), meta: None, whole: None }
    }

    /// 422 with class-validator's list of messages (`UnprocessableDTO` in common-schemas.json).
    pub(crate) fn invalid(messages: Vec<String>) -> Self {
        Self { status: 422, message: json!(messages), meta: None, whole: None }
    }

    /// 400: the contact is not there. Seen for the contact's own paths (`Contact with id lookup not found`).
    pub(crate) fn no_contact_400(id: &str) -> Self {
        Self::new(400, format!("Contact with id {id} not found"))
    }

    /// 404: the contact is not there. ghl.md: "400 or 404, both seen"; the sandbox says 404 below a contact.
    pub(crate) fn no_contact_404(id: &str) -> Self {
        Self::new(404, format!("Contact with id {id} not found"))
    }

    /// 403 for another location's data, and for a list without `locationId` (n8n's issue 11353).
    pub(crate) fn other_location() -> Self {
        Self::new(403, "The token does not have access to this location.")
    }

    /// 403 for another company.
    pub(crate) fn other_company() -> Self {
        Self::new(403, "The token does not have access to this company.")
    }

    /// 400 for a contact that is there already; `meta` says which and by what it matched.
    pub(crate) fn duplicate(name: &str, id: &str, field: &str) -> Self {
        let meta = json!({ "contactName": name, "contactId": id, "matchingField": field });
        Self { meta: Some(meta), ..Self::new(400, "This location does not allow duplicated contacts.") }
    }

    /// 400 when neither address nor number is given where one of them must be matched: duplicate search and upsert
    /// (n8n-highlevel's issue 10; HighLevel's issue 37).
    pub(crate) fn nothing_to_match() -> Self {
        Self::new(400, "Pass at least one of number, email query parameter")
    }

    /// OAuth's own shape (RFC 6749, section 5.2).
    pub(crate) fn oauth(status: u16, error: &str, description: &str) -> Self {
        let whole = json!({ "error": error, "error_description": description });
        Self { whole: Some(whole), ..Self::new(status, description) }
    }

    pub(crate) fn body(&self, trace_id: &str) -> Value {
        if let Some(whole) = &self.whole {
            return whole.clone();
        }
        let mut body = json!({ "statusCode": self.status, "message": self.message });
        // The gateway's 429 has no more than these two (ghl.md, Limits).
        if self.status != 429 {
            body["error"] = json!(reason(self.status));
            body["traceId"] = json!(trace_id);
        }
        if let Some(meta) = &self.meta {
            body["meta"] = meta.clone();
        }
        body
    }
}

/// The reason phrase that GHL repeats in `error`.
pub(crate) fn reason(status: u16) -> &'static str {
    hyper::StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason()).unwrap_or("Error")
}
