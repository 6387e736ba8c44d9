#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod addon;
mod address;
mod capabilities;
mod carts;
mod catalog;
mod client;
mod companies;
mod decode;
mod error;
mod exchange;
mod feedback;
mod ids;
mod letters;
mod loose;
mod orders;
mod page;
mod reader;
mod record;
mod retry_after;
mod scan;
mod statuses;
mod usergroups;
mod users;
pub mod webhook;

pub use address::Address;
pub use capabilities::{Capabilities, Edition};
pub use carts::Cart;
pub use catalog::{CatalogProduct, Category};
pub use client::{BuildError, Client, ClientBuilder, Gate, Gentleness};
pub use companies::{Storefront, Vendor};
pub use error::{Error, PageKind, WebPage};
pub use exchange::{Answer, Exchange, Failure};
pub use feedback::{CallRequest, Discussion, ProductReview};
pub use ids::{
    CallRequestId, CategoryId, CompanyId, NoteId, OrderId, PostId, ProductId, ProfileId, ReviewId, UserId,
    UsergroupId,
};
pub use letters::{UserStatus, UserType, UsergroupStatus};
pub use orders::{Order, OrderQuery, OrderSort, Orders, Product, StatusChange};
pub use page::{Page, Pages, SortOrder};
pub use reader::{Entity, ListQuery, Reader};
pub use reqwest::Method;
pub use scan::{Cursor, Scan};
pub use statuses::{Status, StatusQuery, Statuses};
pub use usergroups::{Usergroup, UsergroupQuery, Usergroups};
pub use users::{NewUser, SavedUser, User, UserQuery, UserSort, UserUpdate, Users};

/// What every call of this crate gives back.
pub type Result<T> = std::result::Result<Answer<T>, Failure>;

/// An error from somewhere below, kept as the source of one of ours.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
