//! Statuses of orders and shipments: `/api/statuses` (read by CS-Cart 4.20.1 with the privilege
//! `manage_order_statuses`).

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Client, Page, Pages, Result, client::Call, loose, page};

/// Calls about statuses; from [`Client::statuses`].
#[derive(Clone, Copy, Debug)]
pub struct Statuses<'a> {
    pub(crate) client: &'a Client,
}

const KEY: &str = "statuses";

impl<'a> Statuses<'a> {
    /// One page of the statuses. Owners add their own letters and rename CS-Cart's, so whoever shows a
    /// status asks here for its name.
    pub async fn list(&self, query: &StatusQuery) -> Result<Page<Status>> {
        page::get(self.client, KEY, query.call().opt_query("page", query.page)).await
    }

    /// All pages of [`Statuses::list`], one at a time.
    pub fn list_all(&self, query: &StatusQuery) -> Pages<'a, Status> {
        Pages::new(self.client, KEY, query.call(), query.page)
    }
}

/// Which statuses to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusQuery {
    /// `O` for orders, `S` for shipments. It is not certain that every version of CS-Cart heeds it: look at
    /// [`Status::kind`].
    pub kind: Option<String>,
    /// Which page, from 1.
    pub page: Option<u64>,
    /// How many in a page; the store's own setting unless given.
    pub items_per_page: Option<u64>,
}

impl StatusQuery {
    fn call(&self) -> Call {
        Call::get("/statuses")
            .opt_query("type", self.kind.as_ref())
            .opt_query("items_per_page", self.items_per_page)
    }
}

/// A status that an order or a shipment can have.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// Its letter. CS-Cart's own for orders: `P` paid, `C` complete, `O` open, `F` failed, `D` declined, `B`
    /// backordered, `I` cancelled; `N` incomplete and `T` parent are internal.
    #[serde(deserialize_with = "loose::string")]
    pub status: String,
    /// `O` of orders, `S` of shipments.
    #[serde(default, rename = "type", deserialize_with = "loose::opt_string")]
    pub kind: Option<String>,
    /// Its name, in the store's language.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub description: Option<String>,
    /// Whether it is one of CS-Cart's own.
    #[serde(default, deserialize_with = "loose::bool")]
    pub is_default: bool,
    /// Whatever else came: the texts of e-mails, `params` with colour and stock rules.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
