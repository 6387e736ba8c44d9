//! Orders: `/api/orders` (the documentation, `developer_guide/api/entities/orders.rst`).

mod model;
mod query;

use serde::{Serialize, Serializer};

use crate::{Client, OrderId, Page, Pages, Result, Scan, SortOrder, client::Call, decode, page};

pub use model::{Order, Product};
pub use query::{OrderQuery, OrderSort};

/// Calls about orders; from [`Client::orders`].
#[derive(Clone, Copy, Debug)]
pub struct Orders<'a> {
    pub(crate) client: &'a Client,
}

const KEY: &str = "orders";

impl<'a> Orders<'a> {
    /// One order in full. An unknown one is [`Error::NotFound`](crate::Error::NotFound).
    pub async fn get(&self, order: OrderId) -> Result<Order> {
        let call = Call::get(format!("/orders/{order}"));
        let asked_for = ("order_id", |found: &Order| found.order_id == order);
        self.client.send_for_one(call, |value| decode::found(KEY, value, asked_for)).await
    }

    /// One page of orders: short, unless the query asks for [`full`](OrderQuery::full) ones. Parent orders
    /// are never among them.
    pub async fn list(&self, query: &OrderQuery) -> Result<Page<Order>> {
        page::get(self.client, KEY, query.call().opt_query("page", query.page)).await
    }

    /// All pages of [`Orders::list`], one at a time.
    pub fn list_all(&self, query: &OrderQuery) -> Pages<'a, Order> {
        Pages::new(self.client, KEY, query.call(), query.page)
    }

    /// All orders that a query asks for, by their ids, each once and none missed although orders come and go meanwhile. The
    /// query's sorting and page do not count.
    pub fn scan(&self, query: &OrderQuery) -> Scan<'a, Order> {
        let size = query.items_per_page;
        let query = OrderQuery {
            sort_by: OrderSort::Id,
            sort_order: SortOrder::Ascending,
            items_per_page: None,
            ..query.clone()
        };
        Scan::new(self.client, KEY, query.call(), size, |order| Some(order.order_id.0))
    }

    /// Changes the status of an order, and nothing else. Any other change by the REST API makes CS-Cart
    /// calculate the whole order anew, prices and promotions too, so there is no call for it here.
    pub async fn set_status(&self, order: OrderId, change: &StatusChange) -> Result<()> {
        let call = Call::put(format!("/orders/{order}")).json(change);
        self.client.send_for_success(call).await
    }
}

/// The new status of an order, and who is told of it by e-mail; `None` leaves that to the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusChange {
    /// The letter of the status; see [`Status`](crate::Status).
    pub status: String,
    /// Whether the customer is told.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "yes_or_no")]
    pub notify_user: Option<bool>,
    /// Whether the orders department is told.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "yes_or_no")]
    pub notify_department: Option<bool>,
    /// Whether the vendor is told, in Multi-Vendor.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "yes_or_no")]
    pub notify_vendor: Option<bool>,
}

impl StatusChange {
    /// A new status, without a word on who is told.
    pub fn new(status: impl Into<String>) -> Self {
        Self { status: status.into(), notify_user: None, notify_department: None, notify_vendor: None }
    }
}

/// CS-Cart's way to write a boolean.
#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's serialize_with hands over a reference to the field"
)]
fn yes_or_no<S: Serializer>(yes: &Option<bool>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(if *yes == Some(true) { "Y" } else { "N" })
}
