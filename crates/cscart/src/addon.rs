//! The signed calls of Cartbridge's add-on: what CS-Cart's REST API does not give (whole customers, changes, notes, tags).
//!
//! `POST /index.php?dispatch=cartbridge_api.call`, signed as a webhook is, with the same secret (the add-on's `README.md`, "For
//! the bridge: signed calls"). Every call has an id. The add-on carries out an id once: a repetition with the same body gets the
//! first answer again. So a write that was cut off may be made again **with the same [`CallId`]**.

mod call;
mod model;
mod write;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use reqwest::Url;
use serde_json::json;

use crate::{
    BuildError, Gentleness, NoteId, Result, User, UserId, Usergroup, UsergroupId,
    client::{Wire, base_url, http},
    decode,
    webhook::Secret,
};

pub use call::{BadCallId, CallId};
pub use model::{Change, Changes, Note, Pong, StoreInfo};
pub use write::{NotePut, NoteRef};

/// How many bytes a note may have; the store's column is of this size.
pub const MAX_NOTE_BYTES: usize = 60_000;

/// Makes signed calls. Cheap to clone; clones share their connections and their gentleness.
#[derive(Clone)]
pub struct Addon {
    inner: Arc<Inner>,
}

struct Inner {
    wire: Wire,
    base_url: Url,
    secret: Secret,
    /// How far the store's clock is ahead, in seconds: a call is signed with the store's time, or it would be refused for ever.
    ahead_seconds: AtomicI64,
}

impl Addon {
    /// The add-on of the store at `url`, as for [`Client::builder`](crate::Client::builder). `secret` signs; it is the newest
    /// of those that the store's webhooks are signed with. `timeout` is for each call.
    pub fn new(
        url: &str,
        secret: Secret,
        timeout: Duration,
        gentleness: Gentleness,
    ) -> std::result::Result<Self, BuildError> {
        let wire = Wire {
            http: http(Duration::from_secs(5), concat!("rust-cscart/", env!("CARGO_PKG_VERSION")))?,
            timeout,
            max_answer_bytes: 16 * 1024 * 1024,
            gate: gentleness.into(),
        };
        Ok(Self::with(wire, base_url(url)?, secret))
    }

    /// The add-on of the store that a client calls. Both together are as gentle as the client alone.
    pub fn beside(client: &crate::Client, secret: Secret) -> Self {
        Self::with(client.wire().clone(), client.base_url().clone(), secret)
    }

    fn with(wire: Wire, base_url: Url, secret: Secret) -> Self {
        Self { inner: Arc::new(Inner { wire, base_url, secret, ahead_seconds: AtomicI64::new(0) }) }
    }

    /// How far the store's clock is ahead of this one, in seconds, as its last answer said; small differences count as none.
    pub fn ahead_seconds(&self) -> i64 {
        self.inner.ahead_seconds.load(Ordering::Relaxed)
    }

    /// Whether the add-on is there and takes the secret; says which store it is.
    pub async fn ping(&self) -> Result<Pong> {
        self.call(&CallId::random(), "ping", json!({}), decode::value).await
    }

    /// A customer in full: addresses, own fields, usergroups, tags. Nobody, and somebody who is no customer, is
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub async fn customer(&self, user: UserId) -> Result<User> {
        self.call(&CallId::random(), "customer.get", json!({ "user_id": user }), model::customer).await
    }

    /// Customers in the order of their last change since the add-on was installed: up to `limit` (at most 100) after `since`,
    /// which is 0 at first and then [`Changes::next`].
    pub async fn customers_changed(&self, since: u64, limit: u8) -> Result<Changes> {
        let body = json!({ "since": since, "limit": limit.clamp(1, 100) });
        self.call(&CallId::random(), "customers.changed", body, decode::value).await
    }

    /// The newest 500 notes on a customer, newest first.
    pub async fn notes(&self, user: UserId) -> Result<Vec<Note>> {
        self.call(&CallId::random(), "notes.list", json!({ "user_id": user }), model::notes).await
    }

    /// Makes or changes a note; gives its id. It is not told back as an event.
    pub async fn put_note(&self, id: &CallId, note: &NotePut) -> Result<NoteId> {
        note.check().map_err(unsent)?;
        self.call(id, "note.put", note.body(), model::note_id).await
    }

    /// Deletes a note; one that is not there is no error.
    pub async fn delete_note(&self, id: &CallId, note: &NoteRef) -> Result<()> {
        self.call(id, "note.delete", note.body(), |_| Ok(())).await
    }

    /// Adds and removes tags of a customer, at most 100 of each; gives all that he has then, in lower case.
    pub async fn change_tags(
        &self,
        id: &CallId,
        user: UserId,
        add: &[String],
        remove: &[String],
    ) -> Result<Vec<String>> {
        let body = json!({ "user_id": user, "add": add, "remove": remove });
        self.call(id, "tags.change", body, model::tags).await
    }

    /// Puts a customer into groups and takes him out of others; gives all groups that he has to do with then. Groups may change
    /// his prices. An unknown group is [`Error::NotFound`](crate::Error::NotFound).
    pub async fn change_usergroups(
        &self,
        id: &CallId,
        user: UserId,
        add: &[UsergroupId],
        remove: &[UsergroupId],
    ) -> Result<Vec<Usergroup>> {
        let body = json!({ "user_id": user, "add": add, "remove": remove });
        self.call(id, "usergroups.change", body, model::usergroups).await
    }
}

fn unsent(reason: String) -> crate::Failure {
    crate::Failure::new(crate::Error::Unsendable { reason }, crate::Exchange::default())
}

impl fmt::Debug for Addon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addon").field("base_url", &self.inner.base_url.as_str()).finish_non_exhaustive()
    }
}
