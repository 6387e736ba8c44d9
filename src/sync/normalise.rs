//! Values as both sides agree on them.

mod country;
mod email;
mod phone;
mod text;

pub(super) use country::country;
pub(super) use email::email;
pub(super) use phone::phone;
pub use phone::warm_up;
pub(super) use text::line;
pub use text::{clean_tag, note_text, plain_text};
