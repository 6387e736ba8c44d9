//! An order as the store gives it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Address, CategoryId, OrderId, ProductId, UserId, address, loose};

/// An order.
///
/// It reads what the REST API gives and what webhooks carry, and serialises to the latter. Lists give a
/// short form: `None` means "not said". HTML entities (`&amp;`) in texts are left as the store has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Order {
    /// The id.
    pub order_id: OrderId,
    /// Who ordered; `None` for a guest, who has 0 in CS-Cart.
    #[serde(default, deserialize_with = "loose::opt_id", serialize_with = "loose::id_or_zero")]
    pub user_id: Option<UserId>,
    /// The customer's e-mail address.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The letter of the status; see [`Status`](crate::Status).
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The letter of the status before, in a webhook about a change of it.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub previous_status: Option<String>,
    /// What is to be paid, as a decimal number: `677.95`.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    /// The currency of the total, as in `USD`; the REST API does not say it by this name.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What was ordered; also in the form of the REST API, a map.
    #[serde(default, deserialize_with = "loose::list", skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<Product>,
    /// What the customer wrote about the order.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// What the staff wrote about the order; may be HTML.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// When it was placed.
    #[serde(
        default,
        deserialize_with = "loose::opt_time",
        serialize_with = "loose::seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub timestamp: Option<Timestamp>,
    /// When it was last changed; in full orders only.
    #[serde(
        default,
        deserialize_with = "loose::opt_time",
        serialize_with = "loose::seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub updated_at: Option<Timestamp>,
    /// The customer's first name.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub firstname: Option<String>,
    /// The customer's last name.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub lastname: Option<String>,
    /// The customer's phone number, as it was typed.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The name of the customer's company.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The language that the customer had when ordering, two letters.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub lang_code: Option<String>,
    /// The address for bills, `b_…`.
    #[serde(flatten, with = "address::billing")]
    pub billing: Address,
    /// The address for parcels, `s_…`.
    #[serde(flatten, with = "address::shipping")]
    pub shipping: Address,
    /// Values of the store's own profile fields, by the field's id.
    #[serde(default, deserialize_with = "loose::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A line of an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Product {
    /// The product; `None` when the store did not say.
    #[serde(default, deserialize_with = "loose::opt_id", skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// Its name.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Its code (SKU).
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub product_code: Option<String>,
    /// How many were ordered.
    #[serde(default, deserialize_with = "loose::opt_u64", skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// The price of one, as a decimal number.
    #[serde(default, deserialize_with = "loose::opt_string", skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// The categories that the product is in.
    #[serde(default, deserialize_with = "loose::ids", skip_serializing_if = "Vec::is_empty")]
    pub category_ids: Vec<CategoryId>,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[cfg(test)]
mod tests;
