//! Pages of lists: `{"users": […], "params": {"page", "items_per_page", "total_items"}}`.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    marker::PhantomData,
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Client, Failure, Result,
    client::Call,
    decode::{self, Misfit},
    loose,
    reader::absent,
};

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Its number, from 1, as the store says; `None` where the list is not paged. **A store answers a page
    /// past the end with the last page again**: then this is less than what was asked for.
    pub page: Option<u64>,
    /// How many items a page has.
    pub items_per_page: Option<u64>,
    /// How many items there are on all pages.
    pub total_items: Option<u64>,
}

impl<T> Page<T> {
    /// Whether there are no pages after this one, as far as the page tells.
    pub fn is_last(&self) -> bool {
        match (self.page, self.items_per_page, self.total_items) {
            _ if self.items.is_empty() => true,
            (Some(page), Some(per_page), Some(total)) => page.saturating_mul(per_page) >= total,
            (page, ..) => page.is_none(),
        }
    }
}

#[derive(Default, Deserialize)]
struct Params {
    #[serde(default, deserialize_with = "loose::opt_u64")]
    page: Option<u64>,
    #[serde(default, deserialize_with = "loose::opt_u64")]
    items_per_page: Option<u64>,
    #[serde(default, deserialize_with = "loose::opt_u64")]
    total_items: Option<u64>,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default, deserialize_with = "loose::or_default")]
    params: Params,
}

/// Reads a page whose items are under `key`. A bare list, or a bare map of things by their ids, is a list
/// that is not paged (as API 1.0 gives all lists).
pub(crate) fn read<T: DeserializeOwned>(key: &str, value: Value) -> std::result::Result<Page<T>, Misfit> {
    read_with(key, value, Numbers::AreThere)
}

/// Whether a list tells which of its pages it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Always; one that does not is no page.
    AreThere,
    /// Vendors and storefronts say `"params": [0]` (the documentation, `vendors.rst`).
    MayBeMissing,
}

fn read_with<T: DeserializeOwned>(
    key: &str,
    mut value: Value,
    numbers: Numbers,
) -> std::result::Result<Page<T>, Misfit> {
    let Some(items) = value.get_mut(key).map(Value::take) else {
        if !value.is_array() && !value.is_object() {
            return Err(Misfit::new(".", "there is no list"));
        }
        let items = decode::list("", value)?;
        return Ok(Page { items, page: None, items_per_page: None, total_items: None });
    };
    let items = decode::list(key, items)?;
    let params = match numbers {
        Numbers::MayBeMissing if value.get("params").is_some_and(Value::is_array) => Params::default(),
        _ => decode::value::<Envelope>(value)?.params,
    };
    if params.page.is_none() && numbers == Numbers::AreThere {
        // Without its number nobody could tell the last page from the one before it.
        return Err(Misfit::new("params.page", "the page does not say which it is"));
    }
    let Params { page, items_per_page, total_items } = params;
    Ok(Page { items, page, items_per_page, total_items })
}

/// Asks for one page; with it a fingerprint of what is on it.
pub(crate) async fn get_with<T: DeserializeOwned>(
    client: &Client,
    key: &'static str,
    call: Call,
    numbers: Numbers,
) -> Result<(Page<T>, u64)> {
    client
        .send(call, |value| {
            let mut hasher = DefaultHasher::new();
            value.get(key).map(Value::to_string).hash(&mut hasher);
            read_with(key, value, numbers).map(|page| (page, hasher.finish()))
        })
        .await
}

/// Asks for one page.
pub(crate) async fn get<T: DeserializeOwned>(
    client: &Client,
    key: &'static str,
    call: Call,
) -> Result<Page<T>> {
    client.send(call, |value| read(key, value)).await
}

/// All pages of a list, one exchange a page.
///
/// What is deleted while the pages are read moves the rest forward, so that an item can be missed; where that matters, use a
/// [`Scan`](crate::Scan).
pub struct Pages<'a, T> {
    client: &'a Client,
    key: &'static str,
    /// Without the page.
    call: Call,
    page: u64,
    numbers: Numbers,
    /// How many were asked for in a page.
    size: Option<u64>,
    /// The fingerprint of the page before.
    before: Option<u64>,
    /// What is not there at all where the first page is not found.
    absent: Option<&'static str>,
    done: bool,
    items: PhantomData<fn() -> T>,
}

impl<'a, T: DeserializeOwned> Pages<'a, T> {
    pub(crate) fn new(client: &'a Client, key: &'static str, call: Call, first: Option<u64>) -> Self {
        Self {
            client,
            key,
            call,
            page: first.unwrap_or(1).max(1),
            numbers: Numbers::AreThere,
            size: None,
            before: None,
            absent: None,
            done: false,
            items: PhantomData,
        }
    }

    /// Of a list that may not tell the numbers of its pages.
    pub(crate) fn without_numbers(mut self, size: Option<u64>) -> Self {
        (self.numbers, self.size) = (Numbers::MayBeMissing, size);
        self
    }

    /// Of a list that a store may not have.
    pub(crate) fn absent(mut self, what: &'static str) -> Self {
        self.absent = Some(what);
        self
    }

    /// The number of the page that comes next; kept, it lets another list go on from here.
    pub fn page(&self) -> u64 {
        self.page
    }

    /// The next page; `None` when there are no more. After an error the same page can be asked for again.
    pub async fn next(&mut self) -> Option<Result<Page<T>>> {
        if self.done {
            return None;
        }
        let call = self.call.clone().query("page", self.page);
        let answer = match get_with(self.client, self.key, call, self.numbers).await {
            Ok(answer) => answer,
            Err(failure) => {
                return Some(Err(match self.absent {
                    Some(what) => absent(failure, what),
                    None => failure,
                }));
            }
        };
        let fingerprint = answer.value.1;
        let answer = answer.map(|(page, _): (Page<T>, u64)| page);
        match answer.value.page {
            // The last page again: the list has become shorter, or did not say how long it is.
            Some(page) if page < self.page => {
                self.done = true;
                return None;
            }
            Some(page) if page > self.page => {
                let status = answer.exchange.status.unwrap_or_default();
                let misfit = Misfit::new("params.page", format!("page {page} came for page {}", self.page));
                return Some(Err(Failure::new(misfit.into_error(status), answer.exchange)));
            }
            // The last page again, where it does not say so.
            None if self.before == Some(fingerprint) => {
                self.done = true;
                return None;
            }
            _ => {}
        }
        self.before = Some(fingerprint);
        self.done = match (answer.value.page, self.numbers, self.size) {
            (None, Numbers::MayBeMissing, Some(size)) => (answer.value.items.len() as u64) < size,
            (None, Numbers::MayBeMissing, None) => answer.value.items.is_empty(),
            _ => answer.value.is_last(),
        };
        self.page += 1;
        Some(Ok(answer))
    }
}

impl<T> fmt::Debug for Pages<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("key", &self.key).field("page", &self.page).finish_non_exhaustive()
    }
}

/// Which way a list is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// Smallest, oldest, A first.
    #[default]
    Ascending,
    /// Greatest, newest, Z first.
    Descending,
}

impl SortOrder {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn numbers(value: Value) -> std::result::Result<Page<u64>, String> {
        read("users", value).map_err(|misfit| misfit.path)
    }

    #[test]
    fn a_page_is_read_with_its_numbers_as_strings() {
        let page = numbers(json!({
            "users": [1, 2], "params": { "page": 1, "items_per_page": "2", "total_items": "3" },
        }))
        .unwrap();
        assert_eq!((page.items.as_slice(), page.page, page.total_items), (&[1, 2][..], Some(1), Some(3)));
        assert!(!page.is_last());
        let page = numbers(json!({
            "users": { "7": 3 }, "params": { "page": "2", "items_per_page": "2", "total_items": "3" },
        }))
        .unwrap();
        assert_eq!(page.items, [3]);
        assert!(page.is_last());
    }

    #[test]
    fn a_bare_list_or_map_is_all_there_is() {
        for value in [json!([1, 2]), json!({ "3": 1, "4": 2 })] {
            let page = numbers(value).unwrap();
            assert_eq!(page.items, [1, 2]);
            assert!(page.is_last());
        }
        assert!(numbers(json!([])).unwrap().is_last());
    }

    #[test]
    fn what_is_no_page_is_named_by_its_place() {
        assert_eq!(numbers(json!(null)), Err(".".to_owned()));
        assert_eq!(numbers(json!("x")), Err(".".to_owned()));
        assert_eq!(numbers(json!({ "users": [1] })), Err("params.page".to_owned()));
        assert_eq!(numbers(json!({ "users": [1], "params": [] })), Err("params.page".to_owned()));
        assert_eq!(
            numbers(json!({ "users": [1, "x"], "params": { "page": 1 } })),
            Err("users[1]".to_owned())
        );
        assert_eq!(numbers(json!({ "message": "no" })), Err("message".to_owned()));
    }

    #[test]
    fn without_a_total_only_an_empty_page_is_surely_the_last() {
        assert!(!numbers(json!({ "users": [1], "params": { "page": 1 } })).unwrap().is_last());
        assert!(numbers(json!({ "users": [], "params": { "page": 1 } })).unwrap().is_last());
    }
}
