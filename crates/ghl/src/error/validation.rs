//! Finds the names of fields in HighLevel's complaints.
//!
//! The messages are those of a well-known validator for Nest.js: "property X should not exist" (HighLevel's
//! issues 262 and 313), "X must be an email", "X should not be empty", "each value in X must be a string",
//! with dots for what is nested ("customFields.0.id must be a string").

/// The fields that the messages name, each once, in the order of the messages.
pub(super) fn fields(messages: &[String]) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for message in messages {
        if let Some(field) = field(message).filter(|field| !fields.iter().any(|known| known == field)) {
            fields.push(field.to_owned());
        }
    }
    fields
}

fn field(message: &str) -> Option<&str> {
    let message = message.trim();
    let rest = ["each value in nested property ", "each value in ", "nested property ", "property "]
        .iter()
        .find_map(|start| message.strip_prefix(start))
        .unwrap_or(message);
    let (name, rest) = rest.split_once(' ')?;
    let name = name.trim_matches(['"', '\'', '`']);
    let complaint = ["must ", "should ", "has ", "is required", "is not ", "is invalid", "cannot "];
    (is_name(name) && complaint.iter().any(|start| rest.starts_with(start))).then_some(name)
}

/// A name as in JSON: HighLevel's fields begin with a small letter, which sentences ("Contact has …") do not.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '-'))
        && !matches!(name, "there" | "it" | "this" | "you" | "value" | "the" | "request" | "body")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_complaints_name_their_field() {
        for (message, expected) in [
            ("property companyName should not exist", Some("companyName")),
            ("email must be an email", Some("email")),
            ("dueDate must be a valid ISO 8601 date string", Some("dueDate")),
            ("title should not be empty", Some("title")),
            ("each value in tags must be a string", Some("tags")),
            ("customFields.0.id must be a string", Some("customFields.0.id")),
            ("nested property dndSettings must be either object or array", Some("dndSettings")),
            ("grant_type must be a valid enum value", Some("grant_type")),
            ("This location does not allow duplicated contacts.", None),
            ("Unprocessable Entity", None),
            ("Contact has no phone", None),
            ("", None),
        ] {
            assert_eq!(field(message), expected, "{message}");
        }
    }

    #[test]
    fn each_field_is_named_once() {
        let messages = ["email must be an email", "email should not be empty", "phone must be a string"];
        assert_eq!(fields(&messages.map(str::to_owned)), ["email", "phone"]);
    }
}
