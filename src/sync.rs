//! What both sides mean by a customer, and what changes on the one mean for the other. Pure: no I/O.
//!
//! Both sides are read into one canonical contact ([`Canonical`]: typed fields, normalised values). A link keeps what each
//! side last showed ([`Shadow`]); a change is what differs from it. Each side has its own half of the shadow because
//! HighLevel rewrites some values (a phone, a capital letter): what it made of ours is no change of its own.

mod canonical;
mod definitions;
mod mapping;
mod merge;
pub(crate) mod normalise;
mod typed;

pub use canonical::{Canonical, Field};
pub use definitions::{Definition, Definitions, Wire};
pub use mapping::{Mapped, Problem, from_ghl, from_ghl_with, from_order, from_user, new_contact, update};
pub use merge::{Changes, Shadow, changes, first_link};
pub use normalise::{clean_tag, note_text, plain_text, warm_up};
pub use typed::{Around, Typed, typed};
