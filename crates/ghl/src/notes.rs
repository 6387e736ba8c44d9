//! Notes on a contact: `/contacts/{contactId}/notes` (contacts.json).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Client, ContactId, NoteId, Result, UserId, client::Call, decode, loose};

/// Calls about the notes on a contact; from [`Client::notes`].
#[derive(Clone, Copy, Debug)]
pub struct Notes<'a> {
    pub(crate) client: &'a Client,
}

impl Notes<'_> {
    /// All notes on a contact: the list has neither pages nor filters.
    pub async fn list(&self, contact: &ContactId) -> Result<Vec<Note>> {
        let call = Call::get(&["contacts", contact.as_str(), "notes"]);
        self.client.send(call, |value| decode::under("notes", value)).await
    }

    /// One note.
    pub async fn get(&self, contact: &ContactId, note: &NoteId) -> Result<Note> {
        let call = Call::get(&["contacts", contact.as_str(), "notes", note.as_str()]);
        self.client.send(call, one).await
    }

    /// Makes a note. Doing it twice makes two.
    pub async fn create(&self, contact: &ContactId, note: &NewNote) -> Result<Note> {
        let call = Call::post(&["contacts", contact.as_str(), "notes"]).json(note);
        self.client.send(call, one).await
    }

    /// Changes a note; fields that are `None` stay as they are.
    pub async fn update(&self, contact: &ContactId, note: &NoteId, update: &NoteUpdate) -> Result<Note> {
        let call = Call::put(&["contacts", contact.as_str(), "notes", note.as_str()]).json(update);
        self.client.send(call, one).await
    }

    /// Deletes a note.
    pub async fn delete(&self, contact: &ContactId, note: &NoteId) -> Result<()> {
        let call = Call::delete(&["contacts", contact.as_str(), "notes", note.as_str()]);
        self.client.send_for_success(call).await
    }
}

fn one(value: Value) -> std::result::Result<Note, decode::Misfit> {
    decode::under("note", value)
}

/// A note as HighLevel gives it (contacts.json, `GetNoteSchema`).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// The text; HTML when it was written in HighLevel's editor.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub body: Option<String>,
    /// The text without HTML, seen beside the body (not documented).
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub body_text: Option<String>,
    /// Who wrote it.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub user_id: Option<UserId>,
    /// When it was written.
    #[serde(default, deserialize_with = "loose::opt_time")]
    pub date_added: Option<Timestamp>,
    /// On whom it is.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub contact_id: Option<ContactId>,
    /// Its title.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub title: Option<String>,
    /// Its colour, as `#FFAA00`.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub color: Option<String>,
    /// Whether it is pinned to the top.
    #[serde(default, deserialize_with = "loose::bool")]
    pub pinned: bool,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A note to be made; only the body is required (`NotesDTO`).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewNote {
    /// The text.
    pub body: String,
    /// Who is to stand as its writer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its colour, as `#FFAA00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Whether it is pinned to the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
}

impl NewNote {
    /// A note with nothing but its text.
    pub fn new(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }
}

/// What to change about a note (`UpdateNoteDTO`).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NoteUpdate {
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Who is to stand as its writer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its colour, as `#FFAA00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Whether it is pinned to the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
}
