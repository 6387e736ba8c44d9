//! Pages of contacts by `GET /contacts/`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Contact;
use crate::{Client, ContactId, Failure, LocationId, Result, client::Call, decode, loose};

/// What to list: `GET /contacts/` (contacts.json, `get-contacts`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// Whose contacts. Without it HighLevel says that the token has no access (n8n issue 11353), so it goes
    /// into every page.
    pub location_id: LocationId,
    /// How many in a page: 20 unless given, 100 at most.
    pub limit: Option<u32>,
    /// Only those that match these words.
    pub query: Option<String>,
    /// Where the page begins.
    pub after: Option<Cursor>,
}

impl ListQuery {
    /// All contacts of a location, 100 in a page.
    pub fn new(location: impl Into<LocationId>) -> Self {
        Self { location_id: location.into(), limit: Some(100), query: None, after: None }
    }

    pub(super) fn call(&self) -> Call {
        let after = self.after.as_ref();
        Call::get(&["contacts"])
            .with_slash()
            .query("locationId", &self.location_id)
            .opt_query("limit", self.limit)
            .opt_query("query", self.query.as_ref())
            .opt_query("startAfter", after.map(|cursor| &cursor.start_after))
            .opt_query("startAfterId", after.map(|cursor| &cursor.start_after_id))
    }
}

/// Where a page of a list begins: after this contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// A number in milliseconds, passed on as it came.
    pub start_after: String,
    /// The last contact of the page before.
    pub start_after_id: ContactId,
}

/// A page of contacts (contacts.json, `ContactsSearchSuccessfulResponseDto`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactList {
    /// The contacts of this page.
    pub contacts: Vec<Contact>,
    /// How many there are, as far as HighLevel says.
    #[serde(default, deserialize_with = "loose::opt_u64")]
    pub count: Option<u64>,
    /// What else HighLevel says about the page: `total`, `nextPageUrl`, `startAfter`, `startAfterId`.
    #[serde(default, deserialize_with = "loose::or_default")]
    pub meta: Map<String, Value>,
}

impl ContactList {
    /// Where the next page begins: `meta.startAfter` and `meta.startAfterId`. `None` on the last page.
    pub fn next(&self) -> Option<Cursor> {
        let text = |key: &str| match self.meta.get(key)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let start_after = text("startAfter")?;
        Some(Cursor { start_after, start_after_id: text("startAfterId")?.into() })
    }
}

/// All pages of a list, one exchange a page.
#[derive(Clone, Debug)]
pub struct ContactPages<'a> {
    client: &'a Client,
    query: ListQuery,
    done: bool,
}

impl<'a> ContactPages<'a> {
    pub(super) fn new(client: &'a Client, query: ListQuery) -> Self {
        Self { client, query, done: false }
    }

    /// Where the next page begins; kept, it lets another list go on from here.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.query.after.as_ref()
    }

    /// The next page; `None` when there are no more. After an error the same page can be asked for again.
    pub async fn next(&mut self) -> Option<Result<ContactList>> {
        if self.done {
            return None;
        }
        let answer = match self.client.send(self.query.call(), decode::value::<ContactList>).await {
            Ok(answer) => answer,
            Err(failure) => return Some(Err(failure)),
        };
        match answer.value.next() {
            Some(cursor) if !answer.value.contacts.is_empty() => {
                if self.query.after.as_ref() == Some(&cursor) {
                    // It would go round for ever.
                    self.done = true;
                    let status = answer.exchange.status.unwrap_or_default();
                    let misfit = decode::Misfit::new("meta.startAfterId", "the next page is this page");
                    return Some(Err(Failure::new(misfit.into_error(status), answer.exchange)));
                }
                self.query.after = Some(cursor);
            }
            _ => self.done = true,
        }
        Some(Ok(answer))
    }
}
