//! What an operation answers by HighLevel's documents.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an operation answers when it succeeds, and whose token may ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The operation's name: `ghl.contact.create`.
    pub name: String,
    /// The first status below 300 that the document has.
    pub status: u16,
    /// A location's token is taken as well as an agency's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub either: bool,
    /// A body with every field that the document has, of its examples; null where it describes none.
    pub example: Value,
}
