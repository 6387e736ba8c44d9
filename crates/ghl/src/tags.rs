//! Tags of a contact: `/contacts/{contactId}/tags` (contacts.json).

use serde::Deserialize;
use serde_json::json;

use crate::{Client, ContactId, Result, client::Call, decode, loose};

/// Calls about the tags of a contact; from [`Client::tags`].
///
/// HighLevel lower-cases and trims tags, and makes those that the location does not have yet. Adding what is
/// there and removing what is not changes nothing, so both may be repeated.
#[derive(Clone, Copy, Debug)]
pub struct Tags<'a> {
    pub(crate) client: &'a Client,
}

impl Tags<'_> {
    /// Adds tags; those that the contact has already stay.
    pub async fn add<S: AsRef<str>>(&self, contact: &ContactId, tags: &[S]) -> Result<TagsChanged> {
        let call = Call::post(&["contacts", contact.as_str(), "tags"]).json(&body(tags));
        self.client.send(call, decode::value).await
    }

    /// Removes tags; all others stay.
    pub async fn remove<S: AsRef<str>>(&self, contact: &ContactId, tags: &[S]) -> Result<TagsChanged> {
        let call = Call::delete(&["contacts", contact.as_str(), "tags"]).json(&body(tags));
        self.client.send(call, decode::value).await
    }
}

fn body<S: AsRef<str>>(tags: &[S]) -> serde_json::Value {
    json!({ "tags": tags.iter().map(AsRef::as_ref).collect::<Vec<_>>() })
}

/// What came of adding or removing tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TagsChanged {
    /// All tags that the contact has now.
    #[serde(default, deserialize_with = "loose::strings")]
    pub tags: Vec<String>,
    /// Those that were added (not documented, and seen).
    #[serde(default, deserialize_with = "loose::strings")]
    pub tags_added: Vec<String>,
    /// Those that were removed (not documented, and seen).
    #[serde(default, deserialize_with = "loose::strings")]
    pub tags_removed: Vec<String>,
}
