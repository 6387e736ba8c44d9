//! Notes to be written.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::MAX_NOTE_BYTES;
use crate::{NoteId, UserId};

/// Which note: by the store's id, or by the id that whoever wrote it gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteRef {
    /// The store's id.
    Id(NoteId),
    /// An id elsewhere, at most 128 visible ASCII characters.
    External(String),
}

impl NoteRef {
    pub(super) fn body(&self) -> Value {
        match self {
            Self::Id(id) => json!({ "note_id": id }),
            Self::External(id) => json!({ "external_id": id }),
        }
    }
}

/// A note to be made or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotePut {
    /// On whom.
    pub user: UserId,
    /// Which one. An external id that the store does not know makes a new note with it; `None` makes one without.
    pub note: Option<NoteRef>,
    /// What it says, 1 to [`MAX_NOTE_BYTES`] bytes.
    pub text: String,
    /// Who wrote it; the store keeps 150 bytes of it.
    pub author: String,
    /// When it was written; now, unless given.
    pub created_at: Option<Timestamp>,
}

impl NotePut {
    /// What the store would refuse.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.text.trim().len() {
            0 => Err("a note without text cannot be kept by the store".to_owned()),
            bytes if bytes > MAX_NOTE_BYTES => Err(format!(
                "the note has {bytes} bytes, and the store keeps {MAX_NOTE_BYTES}: shorten or divide it"
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn body(&self) -> Value {
        let mut body = self.note.as_ref().map_or_else(|| json!({}), NoteRef::body);
        body["user_id"] = json!(self.user);
        body["body"] = json!(self.text);
        body["author"] = json!(self.author);
        if let Some(at) = self.created_at {
            body["created_at"] = json!(format!("{at:.0}"));
        }
        body
    }
}
