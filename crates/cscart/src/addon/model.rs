//! What the add-on answers.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    NoteId, User, UserId, Usergroup,
    decode::{self, Misfit},
    loose,
};

/// The answer to a ping.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Pong {
    /// Which store it is.
    pub store: StoreInfo,
    /// What time it is there.
    #[serde(default, deserialize_with = "loose::opt_time")]
    pub time: Option<Timestamp>,
}

/// What the store says of itself, in a ping as in each event.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct StoreInfo {
    /// Its address.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub url: Option<String>,
    /// CS-Cart's version, such as `4.18.2`.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub version: Option<String>,
    /// `ULTIMATE` or `MULTIVENDOR`.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub edition: Option<String>,
    /// The add-on's version.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub addon: Option<String>,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A page of changed customers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Changes {
    /// The customers, by their last change.
    #[serde(deserialize_with = "loose::list")]
    pub items: Vec<Change>,
    /// Where the next page begins.
    #[serde(default, deserialize_with = "loose::opt_u64")]
    pub next: Option<u64>,
    /// Whether there may be more already.
    #[serde(default, deserialize_with = "loose::bool")]
    pub more: bool,
}

/// A customer who changed, was made or deleted.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// Who.
    pub user_id: UserId,
    /// He is gone, or is no customer any more.
    #[serde(default, deserialize_with = "loose::bool")]
    pub deleted: bool,
    /// When it was.
    #[serde(default, deserialize_with = "loose::opt_time")]
    pub changed_at: Option<Timestamp>,
    /// He as he is now.
    #[serde(default)]
    pub user: Option<User>,
}

/// A note of the store's staff on a customer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Note {
    /// Its id.
    pub note_id: NoteId,
    /// On whom.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub user_id: Option<UserId>,
    /// Its id elsewhere; empty: it was written in the store.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub external_id: Option<String>,
    /// What it says.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub body: Option<String>,
    /// Who wrote it.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub author: Option<String>,
    /// When it was written.
    #[serde(default, deserialize_with = "loose::opt_time")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "loose::opt_time")]
    pub updated_at: Option<Timestamp>,
}

/// The customer out of `{user, usergroups, tags, guest}`: the others stand in `user`, too.
pub(super) fn customer(mut value: Value) -> Result<User, Misfit> {
    match value.get_mut("user").map(Value::take) {
        Some(user) => decode::value(user),
        None => Err(Misfit::new("user", "there is no customer")),
    }
}

pub(super) fn notes(mut value: Value) -> Result<Vec<Note>, Misfit> {
    decode::list("notes", value["notes"].take())
}

pub(super) fn tags(mut value: Value) -> Result<Vec<String>, Misfit> {
    decode::list("tags", value["tags"].take())
}

pub(super) fn usergroups(mut value: Value) -> Result<Vec<Usergroup>, Misfit> {
    decode::list("usergroups", value["usergroups"].take())
}

pub(super) fn note_id(value: Value) -> Result<NoteId, Misfit> {
    /// `{"note_id": 7}`
    #[derive(Deserialize)]
    struct Made {
        note_id: NoteId,
    }
    decode::value(value).map(|made: Made| made.note_id)
}
