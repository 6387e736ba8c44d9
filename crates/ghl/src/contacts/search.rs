//! Searching contacts by `POST /contacts/search`.
//!
//! The OpenAPI document leaves body and answer of this operation empty; what is here comes from its
//! documentation page and from HighLevel's issues 31 and 289.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Contact;
use crate::{Client, Failure, LocationId, Result, client::Call, decode, loose};

/// What to search for. `locationId` and `pageLimit` are required (HighLevel's issue 31).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchQuery {
    /// Where.
    pub location_id: LocationId,
    /// How many in a page; 500 at most, and 100 is safe.
    pub page_limit: u32,
    /// Which page, from 1. `page` times `page_limit` must not exceed 10,000; beyond that, and better anyway,
    /// `search_after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// After which contact the page begins. Not together with `page`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_after: Option<SearchAfter>,
    /// Words that must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// `{field, operator, value}`, or `{group: "AND" | "OR", filters}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Value>,
    /// `{field, direction}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<Value>,
    /// Whatever else is to be sent.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The place of a contact in a search, passed on as it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SearchAfter(pub Vec<Value>);

impl SearchQuery {
    /// All contacts of a location, 100 in a page.
    pub fn new(location: impl Into<LocationId>) -> Self {
        Self {
            location_id: location.into(),
            page_limit: 100,
            page: None,
            search_after: None,
            query: None,
            filters: Vec::new(),
            sort: Vec::new(),
            extra: Map::new(),
        }
    }

    /// Adds `{field, operator, value}`.
    #[must_use]
    pub fn filter(mut self, field: &str, operator: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.filters.push(serde_json::json!({ "field": field, "operator": operator, "value": value }));
        self
    }

    pub(super) fn call(&self) -> Call {
        Call::post(&["contacts", "search"]).json(self)
    }
}

/// A page of found contacts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SearchPage {
    /// The contacts of this page.
    pub contacts: Vec<Contact>,
    /// How many there are in all.
    #[serde(default, deserialize_with = "loose::opt_u64")]
    pub total: Option<u64>,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl SearchPage {
    /// The place of the last contact: where the next page begins. Each contact carries its own as
    /// `searchAfter`.
    pub fn search_after(&self) -> Option<SearchAfter> {
        match self.contacts.last()?.extra.get("searchAfter")? {
            Value::Array(place) if !place.is_empty() => Some(SearchAfter(place.clone())),
            _ => None,
        }
    }
}

/// All pages of a search, one exchange a page.
#[derive(Clone, Debug)]
pub struct SearchPages<'a> {
    client: &'a Client,
    query: SearchQuery,
    seen: u64,
    done: bool,
}

impl<'a> SearchPages<'a> {
    pub(super) fn new(client: &'a Client, mut query: SearchQuery) -> Self {
        if query.search_after.is_some() {
            query.page = None;
        } else {
            query.page.get_or_insert(1);
        }
        Self { client, query, seen: 0, done: false }
    }

    /// Where the next page begins; kept, it lets another search go on from here.
    pub fn search_after(&self) -> Option<&SearchAfter> {
        self.query.search_after.as_ref()
    }

    /// The next page; `None` when there are no more. After an error the same page can be asked for again.
    ///
    /// A page that is shorter than it could be is the last, unless HighLevel's total says that some are
    /// missing: then it goes on until a page is empty.
    pub async fn next(&mut self) -> Option<Result<SearchPage>> {
        if self.done {
            return None;
        }
        let answer = match self.client.send(self.query.call(), decode::value::<SearchPage>).await {
            Ok(answer) => answer,
            Err(failure) => return Some(Err(failure)),
        };
        let page = &answer.value;
        let found = page.contacts.len() as u64;
        self.seen += found;
        let short = found < u64::from(self.query.page_limit);
        let complete = page.total.is_none_or(|total| self.seen >= total);
        if found == 0 || (short && complete) {
            self.done = true;
        } else if let Err(misfit) = self.advance(page) {
            self.done = true;
            let status = answer.exchange.status.unwrap_or_default();
            return Some(Err(Failure::new(misfit.into_error(status), answer.exchange)));
        }
        Some(Ok(answer))
    }

    fn advance(&mut self, page: &SearchPage) -> std::result::Result<(), decode::Misfit> {
        let last = page.contacts.len() - 1;
        let path = format!("contacts[{last}].searchAfter");
        if let Some(place) = page.search_after() {
            if self.query.search_after.as_ref() == Some(&place) {
                return Err(decode::Misfit::new(path, "the next page is this page"));
            }
            self.query.page = None;
            self.query.search_after = Some(place);
            return Ok(());
        }
        // No place: go on by number, as far as that is allowed.
        match self.query.page {
            Some(page) if u64::from(page + 1) * u64::from(self.query.page_limit) <= 10_000 => {
                self.query.page = Some(page + 1);
                Ok(())
            }
            _ => Err(decode::Misfit::new(path, "there are more contacts, and no way to reach them")),
        }
    }
}
