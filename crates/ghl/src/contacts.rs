//! Contacts: `/contacts` (contacts.json).

mod list;
mod model;
mod search;
mod write;

use serde::Deserialize;

use crate::{Appointment, BusinessId, Client, ContactId, LocationId, Result, client::Call, decode, loose};

pub use list::{ContactList, ContactPages, Cursor, ListQuery};
pub use model::{Contact, CustomFieldValue};
pub use search::{SearchAfter, SearchPage, SearchPages, SearchQuery};
pub use write::{ContactUpdate, CustomFieldInput, NewContact};

/// Calls about contacts; from [`Client::contacts`].
#[derive(Clone, Copy, Debug)]
pub struct Contacts<'a> {
    pub(crate) client: &'a Client,
}

impl<'a> Contacts<'a> {
    /// One contact. An unknown or deleted one is [`Error::NotFound`](crate::Error::NotFound).
    pub async fn get(&self, contact: &ContactId) -> Result<Contact> {
        let call = Call::get(&["contacts", contact.as_str()]);
        self.client.send(call, |value| decode::under("contact", value)).await
    }

    /// Makes a contact.
    ///
    /// Where the location allows no duplicates (the default) a contact with the same e-mail address or phone
    /// number is [`Error::DuplicateContact`](crate::Error::DuplicateContact), with its id. After a 422 the
    /// contact may have been made all the same (HighLevel's issue 64).
    pub async fn create(&self, contact: &NewContact) -> Result<Contact> {
        let call = Call::post(&["contacts"]).with_slash().json(contact);
        self.client.send(call, |value| decode::under("contact", value)).await
    }

    /// Changes a contact; fields that are `None` stay as they are.
    pub async fn update(&self, contact: &ContactId, update: &ContactUpdate) -> Result<Contact> {
        let call = Call::put(&["contacts", contact.as_str()]).json(update);
        self.client.send(call, |value| decode::under("contact", value)).await
    }

    /// Deletes a contact, with its notes and tasks.
    pub async fn delete(&self, contact: &ContactId) -> Result<()> {
        let call = Call::delete(&["contacts", contact.as_str()]);
        self.client.send_for_success(call).await
    }

    /// Makes a contact or changes the one that has the same e-mail address or phone number.
    ///
    /// Compare the answer with what was sent: when the address and the number belong to two contacts the
    /// number is dropped silently (HighLevel's issue 37), an address that is a contact's *additional* one
    /// replaces its primary one (issue 337), and `gender` of a contact that is there is ignored (issue 313).
    /// **Tags in it replace all tags of a contact that is there.**
    pub async fn upsert(&self, contact: &NewContact) -> Result<Upserted> {
        let call = Call::post(&["contacts", "upsert"]).json(contact);
        self.client.send(call, decode::value).await
    }

    /// One page of a location's contacts, by `GET /contacts/`, which HighLevel deprecates in favour of the
    /// search. Unlike the search it is not known to lag behind.
    pub async fn list(&self, query: &ListQuery) -> Result<ContactList> {
        self.client.send(query.call(), decode::value).await
    }

    /// All pages of [`Contacts::list`], one at a time.
    pub fn list_all(&self, query: ListQuery) -> ContactPages<'a> {
        ContactPages::new(self.client, query)
    }

    /// The contacts of a business, `skip` and `limit` (25 unless given) at a time.
    pub async fn list_of_business(
        &self,
        business: &BusinessId,
        location: &LocationId,
        limit: Option<u32>,
        skip: Option<u32>,
    ) -> Result<ContactList> {
        let call = Call::get(&["contacts", "business", business.as_str()])
            .query("locationId", location)
            .opt_query("limit", limit)
            .opt_query("skip", skip);
        self.client.send(call, decode::value).await
    }

    /// One page of a search. The index lags some seconds behind, and equality of phone numbers can miss
    /// (HighLevel's issue 289): it is no way to find out whether a contact was just made.
    pub async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        self.client.send(query.call(), decode::value).await
    }

    /// All pages of a search, one at a time, however many there are.
    pub fn search_all(&self, query: SearchQuery) -> SearchPages<'a> {
        SearchPages::new(self.client, query)
    }

    /// The contact that HighLevel would call a duplicate, if there is one.
    pub async fn find_duplicate(&self, location: &LocationId, by: Duplicate<'_>) -> Result<Option<Contact>> {
        let call = Call::get(&["contacts", "search", "duplicate"]).query("locationId", location);
        let call = match by {
            Duplicate::Email(email) => call.query("email", email),
            Duplicate::Number(number) => call.query("number", number),
        };
        self.client
            .send(call, |value| {
                // `{"contact": null}` when there is none; `{}` and no body at all are taken as well.
                let found: Option<Found> = decode::value(value)?;
                Ok(found.and_then(|found| found.contact))
            })
            .await
    }

    /// The contact's appointments: the list is not paged.
    pub async fn appointments(&self, contact: &ContactId) -> Result<Vec<Appointment>> {
        let call = Call::get(&["contacts", contact.as_str(), "appointments"]);
        self.client.send(call, |value| decode::under("events", value)).await
    }
}

/// What a duplicate is looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Duplicate<'a> {
    /// An e-mail address.
    Email(&'a str),
    /// A phone number, E.164.
    Number(&'a str),
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    contact: Option<Contact>,
}

/// What came of an upsert (contacts.json, `UpsertContactsSuccessfulResponseDto`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Upserted {
    /// Whether the contact was made; `None` if HighLevel did not say.
    #[serde(default, deserialize_with = "loose::opt_bool")]
    pub new: Option<bool>,
    /// The contact as it is now.
    pub contact: Contact,
    /// What HighLevel's support asks for.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub trace_id: Option<String>,
}
