#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod address;
mod client;
mod decode;
mod error;
mod exchange;
mod ids;
mod letters;
mod loose;
mod orders;
mod page;
mod retry_after;
mod statuses;
mod usergroups;
mod users;
pub mod webhook;

pub use address::Address;
pub use client::{BuildError, Client, ClientBuilder};
pub use error::Error;
pub use exchange::{Answer, Exchange, Failure};
pub use ids::{CategoryId, CompanyId, OrderId, ProductId, ProfileId, UserId, UsergroupId};
pub use letters::{UserStatus, UserType, UsergroupStatus};
pub use orders::{Order, OrderQuery, OrderSort, Orders, Product, StatusChange};
pub use page::{Page, Pages, SortOrder};
pub use reqwest::Method;
pub use statuses::{Status, StatusQuery, Statuses};
pub use usergroups::{Usergroup, UsergroupQuery, Usergroups};
pub use users::{NewUser, SavedUser, User, UserQuery, UserSort, UserUpdate, Users};

/// What every call of this crate gives back.
pub type Result<T> = std::result::Result<Answer<T>, Failure>;

/// An error from somewhere below, kept as the source of one of ours.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
