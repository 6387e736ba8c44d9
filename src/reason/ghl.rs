//! What a failed call to HighLevel means, in words.

use ghl::Error;

use super::{Code, Reason};

impl From<&Error> for Reason {
    fn from(error: &Error) -> Self {
        match error {
            Error::NotSent(_) => Self::new(
                Code::HighlevelUnreachable,
                "HighLevel cannot be reached: check the network and the DNS of the bridge's machine (`cartbridge doctor` tells \
                 more); it is tried again by itself",
            ),
            Error::Uncertain { .. } => Self::new(
                Code::AnswerLost,
                "HighLevel's answer did not arrive: whether it was carried out is looked into before it is sent again",
            ),
            Error::RateLimited { daily: false, .. } => Self::new(
                Code::RateLimit,
                "HighLevel's rate limit is used up: it goes on by itself. If other software uses the same token, set \
                 `ghl.requests_per_window`",
            ),
            Error::RateLimited { daily: true, .. } => Self::new(
                Code::DailyLimit,
                "HighLevel's limit for the day is used up: it goes on by itself when HighLevel allows it again",
            ),
            Error::Unavailable { status, .. } => Self::new(
                Code::HighlevelUnavailable,
                format!(
                    "HighLevel answered {status}: it is not available at the moment; it is tried again by itself"
                ),
            ),
            Error::Unauthorized { message } => Self::new(
                Code::TokenRefused,
                format!(
                    "HighLevel refuses the token ({message}): give the connection a new one, or connect it again"
                ),
            ),
            Error::InvalidGrant { message } => Self::new(
                Code::Disconnected,
                format!("HighLevel does not renew the tokens ({message}): connect the connection again"),
            ),
            Error::InvalidClient { message } => Self::new(
                Code::Disconnected,
                format!(
                    "HighLevel refuses the client id or secret ({message}): correct `ghl.oauth` of the connection"
                ),
            ),
            Error::MissingScope { message } => Self::new(
                Code::NeedsScope,
                format!("the token lacks a scope: {message}. Add it in HighLevel, then replay"),
            ),
            Error::WrongLocation { .. } => Self::new(
                Code::WrongLocation,
                "the token belongs to another location: give the connection a token of its own location, or correct \
                 `ghl.location_id`",
            ),
            Error::Invalid { messages, fields, .. } => Self::new(Code::Validation, invalid(messages, fields)),
            Error::NotFound { .. } => Self::new(
                Code::GoneInHighlevel,
                "HighLevel no longer has what this is about: it was deleted or merged there. Resync the customer, then replay",
            ),
            Error::DuplicateContact { contact_id, .. } => Self::new(
                Code::DuplicateContact,
                format!(
                    "the e-mail or phone belongs to another contact ({contact_id}): merge the two contacts in HighLevel or \
                     correct the customer, then replay"
                ),
            ),
            Error::Unsendable { reason } => Self::new(
                Code::HighlevelRefused,
                format!("it cannot be sent to HighLevel: {reason}. Replay it when the cause is gone"),
            ),
            Error::Refused { status: status @ 300..=399, .. } => Self::new(
                Code::HighlevelRefused,
                format!(
                    "HighLevel sends us elsewhere ({status}), and what is for HighLevel is sent nowhere else: correct \
                     `ghl.api_url` of the connection, then replay"
                ),
            ),
            Error::Refused { status, message } => Self::new(
                Code::HighlevelRefused,
                format!("HighLevel refuses it ({status}): {message}. Replay it when the cause is gone"),
            ),
            other => Self::new(
                Code::UnexpectedAnswer,
                format!("{other}: it is tried again by itself; is `ghl.api_url` HighLevel's address?"),
            ),
        }
    }
}

/// HighLevel's complaints, with the fields that they are about in front.
fn invalid(messages: &[String], fields: &[String]) -> String {
    let about = match fields {
        [] => String::new(),
        [field] => format!(" (field {field})"),
        fields => format!(" (fields {})", fields.join(", ")),
    };
    format!(
        "HighLevel rejects the data{about}: {}. Correct it in the store (the next change is sent by itself) or in the route, \
         then replay",
        messages.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejected_value_names_highlevels_fields() {
        let error = Error::Invalid {
            status: 422,
            messages: vec!["email must be an email".into(), "dueDate must be a date".into()],
            fields: vec!["email".into(), "dueDate".into()],
        };
        let reason = Reason::from(&error);
        assert_eq!(reason.code, Code::Validation);
        assert!(reason.text.starts_with(
            "HighLevel rejects the data (fields email, dueDate): email must be an email; dueDate must be a date. Correct it"
        ));
    }
}
