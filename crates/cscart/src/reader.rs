//! What is only read, all in one way: products, categories, storefronts, vendors, carts, and what add-ons bring.

use std::{fmt, marker::PhantomData};

use serde::de::DeserializeOwned;

use crate::{
    Answer, Client, Error, Failure, Page, Pages, Result, SortOrder,
    capabilities::Edition,
    client::Call,
    decode,
    page::{self, Numbers},
};

/// A kind of thing that a [`Reader`] reads. It cannot be implemented elsewhere.
pub trait Entity: DeserializeOwned + sealed::Sealed {
    /// Its id.
    type Id: Copy + PartialEq + fmt::Display;
    /// What a person calls these, for [`Error::Absent`].
    const NAME: &'static str;
    /// Under which key a list of them comes.
    const KEY: &'static str;
    /// The id of this one; `None` where the store did not say.
    fn id(&self) -> Option<Self::Id>;
    /// The edition that alone has these.
    const EDITION: Option<Edition> = None;
}

pub(crate) mod sealed {
    /// Keeps [`super::Entity`] to this crate.
    pub trait Sealed {}
}

/// Reads one kind of thing; from [`Client::products`] and its like.
#[derive(Clone, Debug)]
pub struct Reader<'a, E> {
    client: &'a Client,
    path: String,
    entity: PhantomData<fn() -> E>,
}

impl<'a, E: Entity> Reader<'a, E> {
    pub(crate) fn new(client: &'a Client, path: String) -> Self {
        Self { client, path, entity: PhantomData }
    }

    /// One of them in full. An unknown one is [`Error::NotFound`]; so is any where the store has no such kind of thing,
    /// which only [`Reader::list`] tells apart.
    pub async fn get(&self, id: E::Id) -> Result<E> {
        let call = Call::get(format!("{}/{id}", self.path));
        let asked_for = ("id", |found: &E| found.id().is_none_or(|found| found == id));
        self.client.send_for_one(call, |value| decode::found(E::KEY, value, asked_for)).await
    }

    /// One page of them. [`Error::Absent`]: the store has no such kind of thing.
    pub async fn list(&self, query: &ListQuery) -> Result<Page<E>> {
        let answer = page::get_with(
            self.client,
            E::KEY,
            query.call(&self.path).opt_query("page", query.page),
            Numbers::MayBeMissing,
        );
        self.told(answer.await.map(|answer| answer.map(|(page, _)| page)))
    }

    /// All pages of [`Reader::list`], one at a time. A store that lacks this kind of thing fails at the first.
    pub fn list_all(&self, query: &ListQuery) -> Pages<'a, E> {
        Pages::new(self.client, E::KEY, query.call(&self.path), query.page)
            .without_numbers(query.items_per_page)
            .absent(E::NAME)
    }

    /// Keeps what the answer shows of the store.
    fn told<T>(&self, answer: Result<T>) -> Result<T> {
        match (answer, E::EDITION) {
            (Ok(answer), edition) => {
                if let Some(edition) = edition {
                    self.client.learned().edition_is(edition);
                }
                Ok(Answer { value: answer.value, exchange: answer.exchange })
            }
            (Err(failure), _) => Err(absent(failure, E::NAME)),
        }
    }
}

/// A list that is not found is a kind of thing that is not there: it has no id that could be wrong.
pub(crate) fn absent(failure: Failure, what: &'static str) -> Failure {
    match failure.error {
        Error::NotFound { .. } => Failure { error: Error::Absent { what }, exchange: failure.exchange },
        error => Failure { error, exchange: failure.exchange },
    }
}

/// Which ones to list, by CS-Cart's own names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// What the list is sorted by, such as `name` or `timestamp`; the store's own order unless given.
    pub sort_by: Option<String>,
    /// Which way; heeded only with `sort_by`.
    pub sort_order: SortOrder,
    /// Which page, from 1; in a list of all pages the first one.
    pub page: Option<u64>,
    /// How many in a page; the store's own setting unless given.
    pub items_per_page: Option<u64>,
    /// Filters by CS-Cart's own name, such as `status` or `company_id`.
    pub filters: Vec<(String, String)>,
}

impl Default for ListQuery {
    /// All of them in the store's own order, 100 in a page.
    fn default() -> Self {
        Self {
            sort_by: None,
            sort_order: SortOrder::Ascending,
            page: None,
            items_per_page: Some(100),
            filters: Vec::new(),
        }
    }
}

impl ListQuery {
    /// With one filter more.
    #[must_use]
    pub fn filter(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.filters.push((name.into(), value.to_string()));
        self
    }

    /// The call without the page.
    fn call(&self, path: &str) -> Call {
        let mut call = Call::get(path)
            .opt_query("sort_by", self.sort_by.as_ref())
            .opt_query("sort_order", self.sort_by.is_some().then(|| self.sort_order.as_str()))
            .opt_query("items_per_page", self.items_per_page);
        for (name, value) in &self.filters {
            call = call.query(name, value);
        }
        call
    }
}
