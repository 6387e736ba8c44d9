//! A type for each kind of id, so that an order's id cannot stand where a user's belongs.
//!
//! CS-Cart's ids are positive numbers; 0 is its way to say "none".

use std::{fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(
            /// The number.
            pub u64,
        );

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(id: &str) -> Result<Self, ParseIntError> {
                id.parse().map(Self)
            }
        }

        impl From<u64> for $name {
            fn from(id: u64) -> Self {
                Self(id)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::loose::id(deserializer)
            }
        }
    )+};
}

ids! {
    /// A request to be called.
    CallRequestId
    /// A category of the catalogue.
    CategoryId
    /// A storefront of a CS-Cart store, a vendor in Multi-Vendor.
    CompanyId
    /// A note on a customer, kept by the store's add-on.
    NoteId
    /// An order.
    OrderId
    /// A comment or review, or a thread of them.
    PostId
    /// A product.
    ProductId
    /// One of the profiles (sets of addresses) of a user.
    ProfileId
    /// A review of a product.
    ReviewId
    /// A group of users. 1 (guests) and 2 (registered) are CS-Cart's own; real groups begin at 3.
    UsergroupId
    /// A user: a customer, an administrator or a vendor's administrator.
    UserId
}
