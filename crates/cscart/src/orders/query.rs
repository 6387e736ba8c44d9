//! Which orders to list.

use jiff::Timestamp;

use crate::{CompanyId, SortOrder, UserId, client::Call};

/// What to list: `GET /api/orders` (`fn_get_orders` in CS-Cart 4.20.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderQuery {
    /// Only orders in one of these statuses, by their letters.
    pub statuses: Vec<String>,
    /// Only this customer's.
    pub user: Option<UserId>,
    /// Only those with an e-mail address that **contains** this: compare the answers.
    pub email: Option<String>,
    /// Only those of this storefront (CS-Cart) or vendor (Multi-Vendor).
    pub company: Option<CompanyId>,
    /// Only those changed at or after this moment. CS-Cart 4.13 or later; an older store does not heed it.
    pub updated_from: Option<Timestamp>,
    /// Only those changed at or before this moment, as above.
    pub updated_to: Option<Timestamp>,
    /// Only those placed at or after this moment.
    pub placed_from: Option<Timestamp>,
    /// Only those placed at or before this moment.
    pub placed_to: Option<Timestamp>,
    /// Also those whose checkout was not completed (status `N`).
    pub include_incomplete: bool,
    /// Each order in full, as [`Orders::get`](super::Orders::get) gives it. CS-Cart 4.13 or later; an older
    /// store gives the short form.
    pub full: bool,
    /// What the list is sorted by.
    pub sort_by: OrderSort,
    /// Which way.
    pub sort_order: SortOrder,
    /// Which page, from 1; in a list of all pages the first one.
    pub page: Option<u64>,
    /// How many in a page; the store's own setting unless given.
    pub items_per_page: Option<u64>,
    /// Any other filter, by CS-Cart's own name.
    pub filters: Vec<(String, String)>,
}

impl Default for OrderQuery {
    /// All orders in their short form by their ids, 100 in a page: the order that stays the same while
    /// orders are added.
    fn default() -> Self {
        Self {
            statuses: Vec::new(),
            user: None,
            email: None,
            company: None,
            updated_from: None,
            updated_to: None,
            placed_from: None,
            placed_to: None,
            include_incomplete: false,
            full: false,
            sort_by: OrderSort::Id,
            sort_order: SortOrder::Ascending,
            page: None,
            items_per_page: Some(100),
            filters: Vec::new(),
        }
    }
}

impl OrderQuery {
    /// The call without the page.
    pub(super) fn call(&self) -> Call {
        // CS-Cart looks at the times only for a period, and `C` is the one of one's own choice.
        let period = (self.placed_from.is_some() || self.placed_to.is_some()).then_some("C");
        let mut call = Call::get("/orders")
            .query_list("status", &self.statuses)
            .opt_query("user_id", self.user)
            .opt_query("email", self.email.as_ref())
            .opt_query("company_id", self.company)
            .opt_query("updated_at_from", self.updated_from.map(Timestamp::as_second))
            .opt_query("updated_at_to", self.updated_to.map(Timestamp::as_second))
            .opt_query("period", period)
            .opt_query("time_from", self.placed_from.map(Timestamp::as_second))
            .opt_query("time_to", self.placed_to.map(Timestamp::as_second))
            .opt_query("include_incompleted", self.include_incomplete.then_some("Y"))
            .opt_query("get_orders_data", self.full.then_some(1))
            .query("sort_by", self.sort_by.as_str())
            .query("sort_order", self.sort_order.as_str())
            .opt_query("items_per_page", self.items_per_page);
        for (name, value) in &self.filters {
            call = call.query(name, value);
        }
        call
    }
}

/// What a list of orders is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderSort {
    /// The id.
    #[default]
    Id,
    /// The letter of the status.
    Status,
    /// The customer's name.
    Customer,
    /// The e-mail address.
    Email,
    /// When it was placed.
    Placed,
    /// The total.
    Total,
}

impl OrderSort {
    fn as_str(self) -> &'static str {
        match self {
            Self::Id => "order_id",
            Self::Status => "status",
            Self::Customer => "customer",
            Self::Email => "email",
            Self::Placed => "date",
            Self::Total => "total",
        }
    }
}
