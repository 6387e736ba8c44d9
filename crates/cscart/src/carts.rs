//! Abandoned and live carts: `/api/carts` (the documentation, `developer_guide/api/entities/carts.rst`).

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    CompanyId, OrderId, Product, UserId, loose,
    record::{entity, record},
};

record! {
    /// What somebody has put into a cart. Its id is its owner's; a guest's is a number without a user.
    Cart {
        /// Whose it is.
        user_id: Option<UserId> = "loose::opt_id",
        /// The owner's first name.
        firstname: Option<String> = "loose::opt_string",
        /// The owner's last name.
        lastname: Option<String> = "loose::opt_string",
        /// The owner's e-mail address, where it is known.
        email: Option<String> = "loose::opt_string",
        /// When it was made.
        date: Option<Timestamp> = "loose::opt_time",
        /// How many items are in it.
        cart_products: Option<u64> = "loose::opt_u64",
        /// What they cost, as a decimal number.
        total: Option<String> = "loose::opt_string",
        /// The order that it became.
        order_id: Option<OrderId> = "loose::opt_id",
        /// Of which storefront or vendor.
        company_id: Option<CompanyId> = "loose::opt_id",
        /// What is in it; only for a single one.
        products: Vec<Product> = "loose::list",
        /// What the store knows of a registered owner; null for a guest.
        user_data: Value = "loose::or_default",
    }
}

entity!(Cart, user_id: UserId, "carts", "carts");
